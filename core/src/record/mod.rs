//! `record.db`: everything private, in SQLCipher.
//!
//! One connection, one owner. The file is opened with a raw key and salt, both
//! derived from the record secret; the secret is in memory only while it is
//! open. States: `Open`, or shut for a reason that the host is told. What is
//! unreadable with its key at hand is set aside, and a new file takes its place
//! with all that can still be read of it (`recovery`); what is locked, whose key
//! is lost, or what a newer version has written, is not touched.

mod codec;
mod connection;
#[cfg(all(test, not(feature = "openssl")))]
pub(crate) mod pages;
#[cfg_attr(
    feature = "openssl",
    allow(dead_code, reason = "SQLCipher asks OpenSSL; recovery asks the rest")
)]
mod primitives;
#[cfg(not(feature = "openssl"))]
mod provider;
mod recovery;
mod rotation;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension as _};

use crate::clock::Time;
use crate::config::Policy;
use crate::error::{HomelineError, Result, StorageProblem};
use crate::keys::{
    CurrentVault, KeyPurpose, KeyVault, Secret, SecretFile, StoredSecret, new_secret,
};
use crate::salvage::Recovery;
use crate::sqlite;
use connection::{NEWEST, Opened};

/// Whether the record can be read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum RecordState {
    /// It can.
    Open,
    /// The vault keeps the key back until the first unlock: `reopen` after it.
    Locked,
    /// The key is gone: `start_new_record` begins an empty one.
    KeyLost,
    /// A newer version of the library wrote the file: update the host app. Until
    /// then what this version knows of it can be read, and nothing is written;
    /// calls that would are `Storage` with `TooNew`.
    UpdateNeeded {
        /// Version of the schema that the file has.
        file: u32,
        /// The newest that this library knows.
        known: u32,
    },
    /// The file cannot be opened.
    Unavailable {
        /// Why.
        problem: StorageProblem,
    },
    /// `close` was called.
    Closed,
}

enum Slot {
    Open(Connection),
    ReadOnly(Connection, RecordState),
    Shut(RecordState),
}

/// The record: the one owner of the connection to `record.db`.
pub(crate) struct Record {
    path: PathBuf,
    secret: SecretFile,
    vault: Arc<CurrentVault>,
    time: Time,
    policy: Policy,
    slot: Mutex<Slot>,
}

impl Record {
    pub(crate) fn new(
        directory: &Path,
        vault: Arc<CurrentVault>,
        time: Time,
        policy: Policy,
    ) -> Self {
        Self {
            path: directory.join("record.db"),
            secret: SecretFile::new(directory, KeyPurpose::Record),
            vault,
            time,
            policy,
            slot: Mutex::new(Slot::Shut(RecordState::Closed)),
        }
    }

    /// Opens the file unless it is open; returns the state it is in then.
    pub(crate) fn open(&self) -> RecordState {
        let mut slot = self.lock();
        if matches!(*slot, Slot::Shut(_)) {
            *slot = self.try_open();
        }
        slot.state()
    }

    pub(crate) fn state(&self) -> RecordState {
        self.lock().state()
    }

    /// Closes the connection and wipes the key that SQLCipher holds.
    pub(crate) fn close(&self) {
        drop(self.lock().take());
    }

    /// Sets the record and its key aside and begins an empty one. Only where
    /// the key is lost.
    pub(crate) fn start_new(&self) -> Result<RecordState> {
        let mut slot = self.lock();
        if slot.state() == RecordState::KeyLost {
            let now_ms = self.time.now().wall_ms;
            sqlite::set_aside(&self.path, now_ms)?;
            sqlite::set_aside(self.secret.path(), now_ms)?;
            *slot = self.try_open();
        }
        Ok(slot.state())
    }

    /// Folds the write-ahead log into the file and cuts it to nothing: it holds
    /// pages as they were before a deletion. `false` where a reader of another
    /// process kept it from that.
    pub(crate) fn fold(&self) -> Result<bool> {
        match &mut *self.lock() {
            Slot::Open(connection) => {
                let busy: i64 =
                    connection
                        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
                Ok(busy == 0)
            }
            Slot::ReadOnly(_, state) | Slot::Shut(state) => Err(refusal(*state)),
        }
    }

    /// Closes the record and keeps it shut: its files are to go.
    pub(crate) fn refuse(&self, problem: StorageProblem) {
        self.close();
        *self.lock() = Slot::Shut(RecordState::Unavailable { problem });
    }

    /// Runs `work` on the open record, in one transaction. Where a page turns out
    /// to be damaged, the record is recovered, and `work` runs once more.
    pub(crate) fn write<R>(&self, work: impl Fn(&Connection) -> Result<R>) -> Result<R> {
        self.run(&work, Slot::write)
    }

    /// Like [`Self::write`] for work that only reads; also on the record of a
    /// newer version.
    pub(crate) fn read<R>(&self, work: impl Fn(&Connection) -> Result<R>) -> Result<R> {
        self.run(&work, Slot::read)
    }

    /// Reports of recoveries that the host has not dismissed; none while the
    /// record cannot be read.
    pub(crate) fn recoveries(&self) -> Vec<Recovery> {
        self.read(recovery::reports).unwrap_or_default()
    }

    /// Forgets them; what cannot be read now cannot be dismissed.
    pub(crate) fn dismiss_recoveries(&self) -> Result<()> {
        self.write(recovery::dismiss)
    }

    /// Wraps the secrets of the record and of the device by another vault, which
    /// is in force from then on. At each moment one of the two opens both.
    pub(crate) fn change_vault(&self, device: &SecretFile, new: Arc<dyn KeyVault>) -> Result<()> {
        // Under the lock of the record: a rotation has the same file in hand.
        let mut slot = self.lock();
        if matches!(*slot, Slot::Shut(_)) {
            *slot = self.try_open();
        }
        if let Slot::Shut(state) = *slot {
            return Err(refusal(state));
        }
        let old = self.vault.get();
        self.secret.wrap_by_both(old.as_ref(), new.as_ref())?;
        device.wrap_by_both(old.as_ref(), new.as_ref())?;
        self.vault.set(Arc::clone(&new));
        self.secret.wrap_by_one(new.as_ref())?;
        device.wrap_by_one(new.as_ref())
    }

    /// Encrypts the record anew under a new secret; see [`rotation`].
    pub(crate) fn rotate_key(&self) -> Result<()> {
        let mut slot = self.lock();
        match self.rotate(&mut slot) {
            Err(HomelineError::Storage {
                problem: StorageProblem::Damaged,
            }) if self.recovered(&mut slot) => self.rotate(&mut slot),
            outcome => outcome,
        }
    }

    fn rotate(&self, slot: &mut Slot) -> Result<()> {
        if let Slot::Shut(state) | Slot::ReadOnly(_, state) = *slot {
            return Err(refusal(state));
        }
        let vault = self.vault.get();
        let secrets = self.secret.load_or_create(vault.as_ref())?.all()?;
        let current = self.fitting(&secrets)?;
        let next = new_secret()?;
        let stored = self.secret.store(vault.as_ref(), &[current, &next]);
        let outcome = match (stored, slot.take()) {
            (Ok(()), Slot::Open(connection)) => rotation::re_encrypt(connection, &self.path, &next),
            (outcome, _) => outcome,
        };
        // Either file is whole: this finds which one it is, and tidies up.
        *slot = self.try_open();
        outcome?;
        match slot.state() {
            RecordState::Open => Ok(()),
            state => Err(refusal(state)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run<R>(
        &self,
        work: &impl Fn(&Connection) -> Result<R>,
        attempt: fn(&mut Slot, Work<'_>) -> Result<()>,
    ) -> Result<R> {
        let mut done = None;
        self.run_dyn(
            &mut |connection| {
                done = Some(work(connection)?);
                Ok(())
            },
            attempt,
        )?;
        done.ok_or_else(|| HomelineError::bug("record"))
    }

    fn run_dyn(
        &self,
        work: Work<'_>,
        attempt: fn(&mut Slot, Work<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut slot = self.lock();
        match attempt(&mut slot, work) {
            Err(HomelineError::Storage {
                problem: StorageProblem::Damaged,
            }) if self.recovered(&mut slot) => attempt(&mut slot, work),
            outcome => outcome,
        }
    }

    /// Recovers the record if one of its pages is damaged indeed: a value that
    /// somebody cannot make sense of is no reason. Returns whether it did.
    fn recovered(&self, slot: &mut Slot) -> bool {
        if !matches!(slot, Slot::Open(_)) {
            return false;
        }
        let vault = self.vault.get();
        let Ok(secrets) = self
            .secret
            .load_or_create(vault.as_ref())
            .and_then(StoredSecret::all)
        else {
            return false;
        };
        let Ok(secret) = self.fitting(&secrets) else {
            return false;
        };
        if !recovery::is_damaged(&self.path, secret) {
            return false;
        }
        drop(slot.take());
        *slot = self.recover(secret).unwrap_or_else(unavailable);
        matches!(slot, Slot::Open(_))
    }

    fn recover(&self, secret: &Secret) -> Result<Slot> {
        let now_ms = self.time.now().wall_ms;
        match recovery::recover(&self.path, secret, now_ms) {
            // Nothing at all can be made of it.
            Err(HomelineError::Storage {
                problem: StorageProblem::Damaged,
            }) => sqlite::set_aside(&self.path, now_ms).map(drop)?,
            outcome => outcome?,
        }
        connection::open(&self.path, secret, &self.policy).map(Slot::from)
    }

    fn try_open(&self) -> Slot {
        self.open_file().unwrap_or_else(unavailable)
    }

    fn open_file(&self) -> Result<Slot> {
        if let Some(directory) = self.path.parent() {
            sqlite::make_directory(directory)?;
        }
        let vault = self.vault.get();
        let (secrets, fresh) = match self.secret.load_or_create(vault.as_ref())? {
            StoredSecret::Locked => return Ok(Slot::Shut(RecordState::Locked)),
            StoredSecret::Lost => return Ok(Slot::Shut(RecordState::KeyLost)),
            StoredSecret::Open {
                secret,
                others,
                fresh,
            } => ([vec![secret], others].concat(), fresh),
        };
        let now_ms = self.time.now().wall_ms;
        sqlite::tidy(&self.path, now_ms)?;
        // A record without the key that it was written with cannot be read.
        if fresh && self.path.exists() {
            sqlite::set_aside(&self.path, now_ms)?;
        }
        sqlite::keep_stub(&self.path, now_ms)?;
        let secret = self.fitting(&secrets)?;
        let slot = match connection::open(&self.path, secret, &self.policy) {
            Err(HomelineError::Storage {
                problem: StorageProblem::Damaged,
            }) => self.recover(secret)?,
            outcome => outcome?.into(),
        };
        if secrets.len() > 1 {
            // A rotation was cut off. What cannot be written now is next time.
            let _ = self.secret.store(vault.as_ref(), &[secret]);
        }
        Ok(slot)
    }

    /// Which secret the file was written with; the first where there is none.
    fn fitting<'a>(&self, secrets: &'a [Secret]) -> Result<&'a Secret> {
        let first = secrets.first().ok_or(HomelineError::KeyLost)?;
        if secrets.len() == 1 {
            return Ok(first);
        }
        let fits = |secret: &&Secret| codec::fits(&self.path, secret);
        Ok(secrets.iter().find(fits).unwrap_or(first))
    }
}

/// What runs in a transaction. A pointer and not a type parameter: there are a
/// hundred of them, and each would bring a copy of the transaction with it.
type Work<'a> = &'a mut dyn FnMut(&Connection) -> Result<()>;

impl Slot {
    fn state(&self) -> RecordState {
        match self {
            Self::Open(_) => RecordState::Open,
            Self::ReadOnly(_, state) | Self::Shut(state) => *state,
        }
    }

    fn take(&mut self) -> Self {
        std::mem::replace(self, Self::Shut(RecordState::Closed))
    }

    fn write(&mut self, work: Work<'_>) -> Result<()> {
        match self {
            Self::Open(connection) => {
                let transaction = connection.transaction()?;
                work(&transaction)?;
                transaction.commit()?;
                Ok(())
            }
            Self::ReadOnly(_, state) | Self::Shut(state) => Err(refusal(*state)),
        }
    }

    fn read(&mut self, work: Work<'_>) -> Result<()> {
        match self {
            // What does not fit our tables there, is not damaged but newer.
            Self::ReadOnly(connection, _) => {
                let transaction = connection.transaction()?;
                work(&transaction).map_err(|error| match error {
                    HomelineError::Storage {
                        problem: StorageProblem::Damaged,
                    } => StorageProblem::TooNew.into(),
                    error => error,
                })
            }
            Self::Open(_) | Self::Shut(_) => self.write(work),
        }
    }
}

impl From<Opened> for Slot {
    fn from(opened: Opened) -> Self {
        match opened {
            Opened::ReadWrite(connection) => Self::Open(connection),
            Opened::ReadOnly {
                connection,
                written_by,
            } => {
                let state = RecordState::UpdateNeeded {
                    file: written_by,
                    known: u32::try_from(NEWEST).unwrap_or(u32::MAX),
                };
                Self::ReadOnly(connection, state)
            }
        }
    }
}

fn unavailable(error: HomelineError) -> Slot {
    Slot::Shut(RecordState::Unavailable {
        problem: match error {
            HomelineError::Storage { problem } => problem,
            _ => StorageProblem::Io,
        },
    })
}

fn refusal(state: RecordState) -> HomelineError {
    match state {
        RecordState::Locked => HomelineError::Locked,
        RecordState::KeyLost => HomelineError::KeyLost,
        RecordState::UpdateNeeded { .. } => StorageProblem::TooNew.into(),
        RecordState::Unavailable { problem } => problem.into(),
        RecordState::Open | RecordState::Closed => HomelineError::Closed,
    }
}

/// A value of the table `meta`.
pub(crate) fn meta(connection: &Connection, key: &str) -> Result<String> {
    connection
        .query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| {
            row.get(0)
        })
        .optional()?
        .ok_or_else(|| StorageProblem::Damaged.into())
}

/// A number of the table `meta`.
pub(crate) fn meta_number(connection: &Connection, key: &str) -> Result<i64> {
    meta(connection, key)?
        .parse()
        .map_err(|_| StorageProblem::Damaged.into())
}

/// Sets a value of the table `meta`.
pub(crate) fn set_meta(connection: &Connection, key: &str, value: &str) -> Result<()> {
    connection.execute("UPDATE meta SET value = ?2 WHERE key = ?1", (key, value))?;
    Ok(())
}

/// Sets a number of the table `meta`.
pub(crate) fn set_meta_number(connection: &Connection, key: &str, value: i64) -> Result<()> {
    set_meta(connection, key, &value.to_string())
}
#[cfg(test)]
mod age_tests;
#[cfg(test)]
mod damage_tests;
#[cfg(test)]
mod testing;
