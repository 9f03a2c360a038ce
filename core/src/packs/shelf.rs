//! `packs.db`: the packs that serve.
//!
//! Plain SQLite: nothing in it is about the traveler, so it can be read before the first
//! unlock. It holds copies only. A file that cannot be read is removed and begun anew,
//! and the library's first packs serve until the next pass; so no answer ever fails for
//! it. It is opened at the first use, not at the start of the app, and made by the first pack
//! that comes.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior};

use super::offer::Held;
use super::part::PartFiles;
use super::{PackName, content, first};
use crate::config::Policy;
use crate::error::{HomelineError, Result, StorageProblem};
use crate::guides::{self, Guide};
use crate::seal::sha256_hex;
use crate::sqlite::{self, Step};
use crate::sync::protocol::PackHeader;

/// Name of the file.
const FILE: &str = "packs.db";
/// "HLPK": tells our file from another application's.
const APPLICATION_ID: i64 = 0x484c_504b;

const MIGRATIONS: [Step; 1] = [Step {
    sql: &[include_str!("0001.sql")],
    then: Some(with_guides),
}];

/// The shelf: the one owner of the connection to `packs.db`.
pub(crate) struct Shelf {
    path: PathBuf,
    policy: Policy,
    parts: PartFiles,
    slot: Mutex<Option<Connection>>,
    /// Grows whenever a pack is replaced: what was made of the one before is old.
    generation: AtomicU64,
}

/// When the ministry was asked for packs, milliseconds UTC by the phone's clock.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Serial of the list whose packs are all here.
    pub(crate) serial: Option<u64>,
    /// When it was said last that there is no newer list.
    pub(crate) checked_ms: Option<i64>,
    /// When it failed, if that was the last time.
    pub(crate) failed_ms: Option<i64>,
}

/// A pack as it serves now: what is known of it, and its content.
pub(crate) struct Served {
    pub(crate) held: Held,
    pub(crate) content: Vec<u8>,
}

impl Shelf {
    pub(crate) fn new(directory: &Path, policy: Policy) -> Self {
        Self {
            path: directory.join(FILE),
            policy,
            parts: PartFiles::new(directory),
            slot: Mutex::new(None),
            generation: AtomicU64::new(0),
        }
    }

    /// The pack that serves: the ministry's, or the library's own where there is none
    /// or it cannot be read.
    pub(crate) fn served(&self, name: PackName) -> Served {
        let kept = self.look(|tx| read(tx, name)).ok().flatten().flatten();
        kept.unwrap_or_else(|| first::served(name))
    }

    /// What is known of the ministry's pack; `None` where only the library's own serves.
    pub(crate) fn held(&self, name: PackName) -> Result<Option<Held>> {
        Ok(self.look(|tx| about(tx, name))?.flatten())
    }

    /// When the pack that serves was made, milliseconds UTC; `None` where there is none.
    pub(crate) fn issued_ms(&self, name: PackName) -> Option<i64> {
        let held = self.held(name).ok().flatten();
        held.map(|held| held.issued_ms)
            .or_else(|| first::issued_ms(name))
    }

    /// Puts a pack in the place of the one before, whole or not at all. `content` has
    /// the hash of the header.
    pub(crate) fn install(
        &self,
        name: PackName,
        header: &PackHeader,
        content: &[u8],
        checked_ms: Option<i64>,
    ) -> Result<()> {
        self.run(|tx| {
            tx.execute(
                "INSERT OR REPLACE INTO pack (name, version, sha256, issued_ms, checked_ms, content)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                (
                    name.text(),
                    signed(header.version),
                    &header.sha256,
                    header.issued_ms,
                    checked_ms,
                    content,
                ),
            )?;
            match name {
                PackName::Guides => fill_guides(tx, content),
                _ => Ok(()),
            }
        })?;
        self.generation.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    /// The ministry has said that all packs are the newest ones.
    pub(crate) fn confirm(&self, serial: u64, now_ms: i64) -> Result<()> {
        self.run(|tx| {
            tx.execute("UPDATE pack SET checked_ms = ?1", [now_ms])?;
            set(tx, "serial", signed(serial))?;
            set(tx, "checked_ms", now_ms)?;
            tx.execute("DELETE FROM meta WHERE key = 'failed_ms'", [])?;
            Ok(())
        })?;
        self.parts.clear();
        Ok(())
    }

    /// Files that are being fetched.
    pub(crate) fn parts(&self) -> &PartFiles {
        &self.parts
    }

    /// Packs could not be fetched: they are not asked for again at once.
    pub(crate) fn note_failure(&self, now_ms: i64) -> Result<()> {
        self.run(|tx| set(tx, "failed_ms", now_ms))
    }

    /// What is known of the last times that the ministry was asked.
    pub(crate) fn asked(&self) -> Result<Asked> {
        let asked = self.look(|tx| {
            Ok(Asked {
                serial: get(tx, "serial")?.and_then(|serial| u64::try_from(serial).ok()),
                checked_ms: get(tx, "checked_ms")?,
                failed_ms: get(tx, "failed_ms")?,
            })
        })?;
        Ok(asked.unwrap_or_default())
    }

    /// Runs `work` over the guides; where there is no file or it cannot be used, over the
    /// library's own in memory.
    pub(crate) fn guides<R>(&self, work: impl Fn(&Connection) -> Result<R>) -> Result<R> {
        match self.look(|tx| work(tx)) {
            Ok(Some(found)) => Ok(found),
            Ok(None) | Err(HomelineError::Storage { .. }) => {
                let mut connection = Connection::open_in_memory()?;
                let transaction = connection.transaction()?;
                with_guides(&transaction)?;
                work(&transaction)
            }
            Err(error) => Err(error),
        }
    }

    /// Closes the file, so that no lock is held while the app is suspended. The next
    /// use opens it again.
    pub(crate) fn close(&self) {
        *self.lock() = None;
    }

    /// Closes the file and forgets what was made of it: it has been erased.
    pub(crate) fn forget(&self) {
        self.close();
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// Runs `work`, which reads; `None` where there is no file yet: it is not made for that.
    fn look<R>(&self, work: impl Fn(&Transaction<'_>) -> Result<R>) -> Result<Option<R>> {
        if self.lock().is_none() && !self.path.exists() {
            return Ok(None);
        }
        self.run(work).map(Some)
    }

    /// Runs `work` in one transaction; where the file is damaged, on a new one.
    fn run<R>(&self, work: impl Fn(&Transaction<'_>) -> Result<R>) -> Result<R> {
        let mut slot = self.lock();
        let outcome = self.attempt(&mut slot, &work);
        match outcome {
            Err(HomelineError::Storage {
                problem: StorageProblem::Damaged | StorageProblem::TooNew,
            }) => {
                *slot = None;
                sqlite::remove(&self.path);
                self.generation.fetch_add(1, Ordering::SeqCst);
                self.attempt(&mut slot, &work)
            }
            outcome => outcome,
        }
    }

    fn attempt<R>(
        &self,
        slot: &mut Option<Connection>,
        work: &impl Fn(&Transaction<'_>) -> Result<R>,
    ) -> Result<R> {
        let connection = match slot {
            Some(connection) => connection,
            None => slot.insert(self.open()?),
        };
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }

    fn open(&self) -> Result<Connection> {
        if let Some(directory) = self.path.parent() {
            sqlite::make_directory(directory)?;
        }
        let mut connection = Connection::open(&self.path)?;
        connection.busy_timeout(self.policy.lock)?;
        let is_marked = sqlite::is_marked(&connection, APPLICATION_ID)?;
        connection.execute_batch(
            // A torn pack would be found by its hash, but a torn file would not.
            "PRAGMA synchronous = FULL;
             PRAGMA temp_store = MEMORY;",
        )?;
        if !is_marked {
            connection.execute_batch(&format!("PRAGMA application_id = {APPLICATION_ID}"))?;
        }
        sqlite::migrate(&mut connection, &MIGRATIONS)?;
        Ok(connection)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Connection>> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is made of a pack when it is first asked for, until a pack is replaced.
pub(crate) struct Made<T> {
    name: PackName,
    made: RwLock<Option<(u64, Arc<T>)>>,
}

impl<T> Made<T> {
    pub(crate) fn new(name: PackName) -> Self {
        Self {
            name,
            made: RwLock::new(None),
        }
    }

    /// What `make` makes of the pack that serves now.
    pub(crate) fn get(&self, shelf: &Shelf, make: impl FnOnce(&Served) -> T) -> Arc<T> {
        // Before the pack is read: what is replaced meanwhile is made again.
        let generation = shelf.generation.load(Ordering::SeqCst);
        let made = self.made.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, made)) = made.as_ref()
            && *of == generation
        {
            return Arc::clone(made);
        }
        drop(made);
        let new = Arc::new(make(&shelf.served(self.name)));
        *self.made.write().unwrap_or_else(PoisonError::into_inner) =
            Some((generation, Arc::clone(&new)));
        new
    }
}

/// The tables of the guides, with the library's own in them.
fn with_guides(connection: &Connection) -> Result<()> {
    guides::create(connection)?;
    fill_guides(connection, &first::served(PackName::Guides).content)
}

fn fill_guides(connection: &Connection, content: &[u8]) -> Result<()> {
    guides::replace_all(connection, &content::read(content, Guide::from_json))
}

fn about(tx: &Connection, name: PackName) -> Result<Option<Held>> {
    let row = tx
        .prepare_cached(
            "SELECT version, sha256, issued_ms, checked_ms, length(content) FROM pack WHERE name = ?1",
        )?
        .query_row([name.text()], |row| {
            Ok(Held {
                version: unsigned(row.get(0)?),
                sha256: row.get(1)?,
                issued_ms: row.get(2)?,
                checked_ms: row.get(3)?,
                bytes: unsigned(row.get(4)?),
            })
        });
    Ok(row.optional()?)
}

/// A pack that has its hash; one that has not is removed, so that it is fetched anew.
fn read(tx: &Connection, name: PackName) -> Result<Option<Served>> {
    let Some(held) = about(tx, name)? else {
        return Ok(None);
    };
    let content: Vec<u8> = tx.query_row(
        "SELECT content FROM pack WHERE name = ?1",
        [name.text()],
        |row| row.get(0),
    )?;
    if sha256_hex(&content) == held.sha256 {
        return Ok(Some(Served { held, content }));
    }
    tx.execute("DELETE FROM pack WHERE name = ?1", [name.text()])?;
    tx.execute("DELETE FROM meta", [])?;
    Ok(None)
}

fn get(tx: &Connection, key: &str) -> Result<Option<i64>> {
    let value = tx.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| {
        row.get(0)
    });
    Ok(value.optional()?)
}

fn set(tx: &Connection, key: &str, value: i64) -> Result<()> {
    tx.execute(
        "INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)",
        (key, value),
    )?;
    Ok(())
}

/// As SQLite keeps it. No counter of ours comes near the difference.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
