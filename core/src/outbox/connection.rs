//! The connection of `outbox.db`: opening, pragmas, setting aside, salvage.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Transaction, TransactionBehavior};
use tokio::sync::Notify;

use super::ciphertext;
use crate::clock::Time;
use crate::config::Policy;
use crate::error::{HomelineError, Result, StorageProblem};
use crate::salvage::{self, RECOVERIES, Rebuild, Recovery, Saved};
use crate::sqlite::{self, Step};

/// "HLOB": tells our file from another application's.
const APPLICATION_ID: i64 = 0x484c_4f42;

/// Statements kept prepared: about all that there are, a few KB each.
const STATEMENTS: usize = 48;

const MIGRATIONS: [Step; 3] = [
    Step::sql(&[include_str!("migrations/0001.sql")]),
    Step::sql(&[
        include_str!("migrations/0002/made.sql"),
        include_str!("migrations/0002/standing.sql"),
    ]),
    Step::sql(&[
        include_str!("migrations/0003/reseal.sql"),
        include_str!("migrations/0003/attachments.sql"),
        include_str!("migrations/0003/relay.sql"),
        include_str!("migrations/0003/parked.sql"),
        include_str!("migrations/0003/sms.sql"),
    ]),
];

/// The outbox: the one owner of the connection to `outbox.db`.
pub(crate) struct Outbox {
    path: PathBuf,
    time: Time,
    policy: Policy,
    /// Held while one waits for the connection, so that they get it in the order in
    /// which they came: a lock alone may go to whoever has just given it back, and a
    /// press would stand behind all that a pass writes.
    turn: Mutex<()>,
    connection: Mutex<Option<Connection>>,
    urgent: Notify,
}

/// What runs in a transaction: a pointer, see `record`.
type Work<'a> = &'a mut dyn FnMut(&Transaction<'_>) -> Result<()>;

impl Outbox {
    pub(crate) fn new(directory: &Path, time: Time, policy: Policy) -> Self {
        Self {
            path: directory.join("outbox.db"),
            time,
            policy,
            turn: Mutex::new(()),
            connection: Mutex::new(None),
            urgent: Notify::new(),
        }
    }

    /// Told when something of a report is stored: a pass that waits for answers
    /// looks again, and sends it at once.
    pub(crate) fn urgent(&self) -> &Notify {
        &self.urgent
    }

    /// Where the sealed files of attachments lie.
    pub(super) fn attachments(&self) -> PathBuf {
        self.path.with_file_name(ciphertext::DIRECTORY)
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.time.now().wall_ms
    }

    pub(super) fn policy(&self) -> &Policy {
        &self.policy
    }

    pub(crate) fn time(&self) -> &Time {
        &self.time
    }

    /// Runs `work` in one transaction; its commit is written and synced when
    /// this returns. On a damaged file, sets it aside and runs `work` again.
    pub(super) fn write<R>(&self, work: impl Fn(&Transaction<'_>) -> Result<R>) -> Result<R> {
        self.run(TransactionBehavior::Immediate, work)
    }

    /// Runs `work`, which only reads.
    pub(super) fn read<R>(&self, work: impl Fn(&Transaction<'_>) -> Result<R>) -> Result<R> {
        self.run(TransactionBehavior::Deferred, work)
    }

    fn run<R>(
        &self,
        behavior: TransactionBehavior,
        work: impl Fn(&Transaction<'_>) -> Result<R>,
    ) -> Result<R> {
        let mut done = None;
        self.run_dyn(behavior, &mut |transaction| {
            done = Some(work(transaction)?);
            Ok(())
        })?;
        done.ok_or_else(|| HomelineError::bug("outbox"))
    }

    fn run_dyn(&self, behavior: TransactionBehavior, work: Work<'_>) -> Result<()> {
        let mut slot = self.lock();
        match self.attempt(&mut slot, behavior, work) {
            Err(HomelineError::Storage {
                problem: StorageProblem::Damaged | StorageProblem::TooNew,
            }) => {
                self.replace(&mut slot)?;
                self.attempt(&mut slot, behavior, work)
            }
            outcome => outcome,
        }
    }

    /// Closes the connection, so that no lock is held while the app is
    /// suspended. The next use opens it again.
    pub(crate) fn close(&self) {
        if let Some(connection) = self.lock().take() {
            // Without a checkpoint nothing is lost: the log is read at the next open.
            let _ = connection.close();
        }
    }

    /// Folds the write-ahead log into the file. Called at the end of a pass,
    /// never by a press, which costs exactly one sync.
    pub(crate) fn checkpoint(&self) -> Result<()> {
        let slot = self.lock();
        if let Some(connection) = slot.as_ref() {
            checkpoint(connection)?;
        }
        Ok(())
    }

    /// Rewrites the file without its free pages, then cuts the log. The pages
    /// are overwritten already: a file that stays long is no failure.
    pub(super) fn compact(&self) -> Result<()> {
        let slot = self.lock();
        if let Some(connection) = slot.as_ref() {
            let _ = connection.execute_batch("VACUUM");
            checkpoint(connection)?;
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Connection>> {
        // See `error::guard` for why a poisoned lock is entered.
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn attempt(
        &self,
        slot: &mut Option<Connection>,
        behavior: TransactionBehavior,
        work: Work<'_>,
    ) -> Result<()> {
        let connection = match slot {
            Some(connection) => connection,
            None => slot.insert(self.open()?),
        };
        let transaction = connection.transaction_with_behavior(behavior)?;
        work(&transaction)?;
        transaction.commit()?;
        Ok(())
    }

    fn open(&self) -> Result<Connection> {
        if let Some(directory) = self.path.parent() {
            sqlite::make_directory(directory)?;
        }
        let now_ms = self.time.now().wall_ms;
        sqlite::tidy(&self.path, now_ms)?;
        sqlite::keep_stub(&self.path, now_ms)?;
        let mut connection = Connection::open_with_flags(
            &self.path,
            OpenFlags::SQLITE_OPEN_READ_WRITE
                | OpenFlags::SQLITE_OPEN_CREATE
                | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        connection.busy_timeout(self.policy.lock)?;
        // Those of a press stay prepared, whatever a pass does in between.
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        let is_marked = sqlite::is_marked(&connection, APPLICATION_ID)?;
        connection.execute_batch(
            // WAL: one sync a commit, and readers never wait for it.
            "PRAGMA journal_mode = WAL;
             -- WAL with NORMAL loses the last commits in a power cut.
             PRAGMA synchronous = FULL;
             -- On Apple fsync does not reach the medium; elsewhere a no-op.
             PRAGMA fullfsync = 1;
             PRAGMA checkpoint_fullfsync = 1;
             -- A checkpoint inside a press would cost it more syncs: see checkpoint().
             PRAGMA wal_autocheckpoint = 0;
             -- A cancelled countdown leaves nothing.
             PRAGMA secure_delete = ON;
             -- No temporary file beside ours.
             PRAGMA temp_store = MEMORY;",
        )?;
        // Only once: it would write, and sync, at each start.
        if !is_marked {
            connection.execute_batch(&format!("PRAGMA application_id = {APPLICATION_ID}"))?;
        }
        sqlite::migrate(&mut connection, &MIGRATIONS)?;
        // Fails here, not in a press, when a table is torn.
        sqlite::probe_all(&connection)?;
        checkpoint(&connection)?;
        Ok(connection)
    }

    /// Puts a new file with all that can be read in the place of this one, which
    /// is set aside. Where even that fails, an empty one: a press must go on.
    fn replace(&self, slot: &mut Option<Connection>) -> Result<()> {
        *slot = None;
        let now_ms = self.time.now().wall_ms;
        let rebuilt = salvage::rebuild(&self.path, &OutboxFile { now_ms }, now_ms);
        let opened = rebuilt.and_then(|()| self.open());
        *slot = Some(match opened {
            Ok(connection) => connection,
            Err(_) => {
                sqlite::set_aside(&self.path, now_ms)?;
                self.open()?
            }
        });
        Ok(())
    }

    /// Reports of recoveries that the host has not dismissed.
    pub(crate) fn recoveries(&self) -> Vec<Recovery> {
        let noted = self.get(RECOVERIES).ok().flatten();
        noted.map_or_else(Vec::new, |value| salvage::reports(&value))
    }

    /// Forgets them.
    pub(crate) fn dismiss_recoveries(&self) -> Result<()> {
        if self.get(RECOVERIES)?.is_none() {
            return Ok(());
        }
        self.write(|tx| {
            tx.execute("DELETE FROM meta WHERE key = ?1", [RECOVERIES])?;
            Ok(())
        })
    }
}

/// How the outbox is made anew.
struct OutboxFile {
    now_ms: i64,
}

impl Rebuild for OutboxFile {
    fn newest(&self) -> usize {
        MIGRATIONS.len()
    }

    fn migrate(&self, connection: &mut Connection, version: usize) -> Result<()> {
        sqlite::migrate(connection, MIGRATIONS.get(..version).unwrap_or(&MIGRATIONS))
    }

    fn prepare(&self, connection: &Connection) -> Result<()> {
        connection.execute_batch(&format!("PRAGMA application_id = {APPLICATION_ID}"))?;
        Ok(())
    }

    fn decode(&self, _number: u32, raw: &[u8]) -> Option<Vec<u8>> {
        Some(raw.to_vec())
    }

    fn finish(&self, connection: &Connection, saved: &Saved) -> Result<()> {
        let before: Option<Vec<u8>> = connection
            .query_row(
                "SELECT value FROM meta WHERE key = ?1",
                [RECOVERIES],
                |row| row.get(0),
            )
            .optional()?;
        let recovery = saved.recovery("outbox.db", self.now_ms);
        let value = salvage::added(before.as_deref(), recovery)?;
        connection.execute(
            "INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)",
            (RECOVERIES, value.as_bytes()),
        )?;
        Ok(())
    }
}

/// Folds the log into the file and writes a row, so that the new log has its
/// header synced already: SQLite syncs it with the first commit after this,
/// and that commit shall not be a press.
fn checkpoint(connection: &Connection) -> Result<()> {
    // Busy readers of another process make it fold less: no error.
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    connection.execute(
        "INSERT INTO meta (key, value) VALUES ('log', x'00')
         ON CONFLICT (key) DO UPDATE SET value = x'00'",
        [],
    )?;
    Ok(())
}
