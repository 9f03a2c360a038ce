//! `record.db`: everything private, in SQLCipher.
//!
//! One connection, one owner. The file is opened with a raw key and salt, both
//! derived from the record secret; the secret is in memory only while it is
//! open. States: `Open`, or shut for a reason that the host is told. What is
//! unreadable with its key at hand is set aside and a new file takes its place;
//! what is locked, or whose key is lost, is not touched.

mod connection;
#[cfg(all(test, not(feature = "openssl")))]
pub(crate) mod pages;
#[cfg(not(feature = "openssl"))]
mod primitives;
#[cfg(not(feature = "openssl"))]
mod provider;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension as _};

use crate::clock::Time;
use crate::config::Policy;
use crate::error::{HomelineError, Result, StorageProblem};
use crate::keys::{KeyPurpose, KeyVault, SecretFile, StoredSecret};
use crate::sqlite;

/// Whether the record can be read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum RecordState {
    /// It can.
    Open,
    /// The vault keeps the key back until the first unlock: `reopen` after it.
    Locked,
    /// The key is gone: `start_new_record` begins an empty one.
    KeyLost,
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
    Shut(RecordState),
}

/// The record: the one owner of the connection to `record.db`.
pub(crate) struct Record {
    path: PathBuf,
    secret: SecretFile,
    vault: Arc<dyn KeyVault>,
    time: Time,
    policy: Policy,
    slot: Mutex<Slot>,
}

impl Record {
    pub(crate) fn new(
        directory: &Path,
        vault: Arc<dyn KeyVault>,
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
        if !matches!(*slot, Slot::Open(_)) {
            *slot = self.try_open();
        }
        state(&slot)
    }

    pub(crate) fn state(&self) -> RecordState {
        state(&self.lock())
    }

    /// Closes the connection and wipes the key that SQLCipher holds.
    pub(crate) fn close(&self) {
        let before = std::mem::replace(&mut *self.lock(), Slot::Shut(RecordState::Closed));
        if let Slot::Open(connection) = before {
            let _ = connection.close();
        }
    }

    /// Sets the record and its key aside and begins an empty one. Only where
    /// the key is lost.
    pub(crate) fn start_new(&self) -> Result<RecordState> {
        let mut slot = self.lock();
        if state(&slot) == RecordState::KeyLost {
            let now_ms = self.time.now().wall_ms;
            sqlite::set_aside(&self.path, now_ms)?;
            sqlite::set_aside(self.secret.path(), now_ms)?;
            *slot = self.try_open();
        }
        Ok(state(&slot))
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
            Slot::Shut(state) => Err(refusal(*state)),
        }
    }

    /// Closes the record and keeps it shut: its files are to go.
    pub(crate) fn refuse(&self, problem: StorageProblem) {
        self.close();
        *self.lock() = Slot::Shut(RecordState::Unavailable { problem });
    }

    /// Runs `work` on the open record, in one transaction.
    pub(crate) fn write<R>(&self, work: impl FnOnce(&Connection) -> Result<R>) -> Result<R> {
        match &mut *self.lock() {
            Slot::Open(connection) => {
                let transaction = connection.transaction()?;
                let out = work(&transaction)?;
                transaction.commit()?;
                Ok(out)
            }
            Slot::Shut(state) => Err(refusal(*state)),
        }
    }

    /// Like [`Self::write`]; a separate name says that nothing is written.
    pub(crate) fn read<R>(&self, work: impl FnOnce(&Connection) -> Result<R>) -> Result<R> {
        self.write(work)
    }

    fn lock(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn try_open(&self) -> Slot {
        match self.open_file() {
            Ok(slot) => slot,
            Err(HomelineError::Storage { problem }) => {
                Slot::Shut(RecordState::Unavailable { problem })
            }
            Err(_) => Slot::Shut(RecordState::Unavailable {
                problem: StorageProblem::Io,
            }),
        }
    }

    fn open_file(&self) -> Result<Slot> {
        if let Some(directory) = self.path.parent() {
            std::fs::create_dir_all(directory)?;
        }
        let (secret, fresh) = match self.secret.load_or_create(self.vault.as_ref())? {
            StoredSecret::Open { secret, fresh } => (secret, fresh),
            StoredSecret::Locked => return Ok(Slot::Shut(RecordState::Locked)),
            StoredSecret::Lost => return Ok(Slot::Shut(RecordState::KeyLost)),
        };
        let now_ms = self.time.now().wall_ms;
        // A record without the key that it was written with cannot be read.
        if fresh && self.path.exists() {
            sqlite::set_aside(&self.path, now_ms)?;
        }
        sqlite::keep_stub(&self.path, now_ms)?;
        match connection::open(&self.path, &secret, &self.policy) {
            Err(HomelineError::Storage {
                problem: StorageProblem::Damaged,
            }) => {
                sqlite::set_aside(&self.path, now_ms)?;
                connection::open(&self.path, &secret, &self.policy).map(Slot::Open)
            }
            outcome => outcome.map(Slot::Open),
        }
    }
}

fn state(slot: &Slot) -> RecordState {
    match slot {
        Slot::Open(_) => RecordState::Open,
        Slot::Shut(state) => *state,
    }
}

fn refusal(state: RecordState) -> HomelineError {
    match state {
        RecordState::Locked => HomelineError::Locked,
        RecordState::KeyLost => HomelineError::KeyLost,
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
