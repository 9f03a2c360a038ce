//! The store: `DIR/ministry.db`, the one owner of the database connection.
//!
//! Plain SQLite, WAL with `synchronous = FULL`: a receipt says "on disk", so it
//! leaves only after a commit that a power cut cannot take back. Each call is
//! one transaction. Nothing here knows of HTTP.
//!
//! | file | what |
//! | --- | --- |
//! | `envelopes` | a batch in, receipts out |
//! | `attachments` | files that belong to reports, in chunks |
//! | `erase` | a traveler who asks to be erased |
//! | `compact` | compact messages in, receipts out |
//! | `crises` | what is declared in the service document |
//! | `cases` | what the duty officer reads and does |
//! | `view` | from letters to a [`CaseView`]: pure |
//! | `registrations` | the profiles of a traveler's phones, merged |
//! | `feed` | devices and the change feed |
//! | `parcels` | what phones have carried for others, and the answers to it |
//! | `groups` | groups, less those who have left |
//! | `cards` | registration cards |
//! | `packs` | what is published for everybody |

mod attachments;
mod cards;
mod cases;
mod compact;
mod crises;
mod envelopes;
mod erase;
mod feed;
mod groups;
mod packs;
mod parcels;
mod registrations;
#[cfg(test)]
mod tests;
mod view;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use homeline::sync::protocol::ServiceDocument;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, TransactionBehavior, params};

use crate::keys::{Keys, private_file};
use crate::problem::Fault;

pub(crate) use attachments::{Chunk, unhex};
pub(crate) use cases::SHOWN;
pub(crate) use compact::CompactChannel;
pub use compact::{CompactView, TextView};
pub use erase::Holdings;
pub use groups::{GroupMemberView, GroupView};
pub(crate) use parcels::Carrier;
pub use view::{
    AttachmentView, CaseView, DependentView, DeskState, DocumentView, MedicalView, PositionView,
    StayView, TravelerView,
};

/// Name of the database in the data directory.
pub(crate) const FILE: &str = "ministry.db";

/// Numbered migrations, in order; `user_version` counts those that are done.
const MIGRATIONS: [&str; 10] = [
    include_str!("001.sql"),
    include_str!("002.sql"),
    include_str!("003.sql"),
    include_str!("004.sql"),
    include_str!("005.sql"),
    include_str!("006.sql"),
    include_str!("007.sql"),
    include_str!("008.sql"),
    include_str!("009.sql"),
    include_str!("010.sql"),
];

/// Why a call of the store failed. None of the texts holds personal data.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("database: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("unreadable row: {0}")]
    Json(#[from] serde_json::Error),
    #[error("no random numbers: {0}")]
    Random(#[from] io::Error),
    #[error("news could not be sealed")]
    Seal,
    #[error("file: {0}")]
    File(io::Error),
    #[error("written by a newer version")]
    TooNew,
}

pub(crate) type Result<T> = std::result::Result<T, StoreError>;

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        use rusqlite::ErrorCode;
        report(&error);
        let code = match &error {
            StoreError::Sqlite(error) => error.sqlite_error_code(),
            // A disk that is full, most likely: it may have space again.
            StoreError::File(_) => return Self::unavailable(),
            _ => None,
        };
        match code {
            Some(
                ErrorCode::DiskFull
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::SystemIoFailure
                | ErrorCode::ReadOnly,
            ) => Self::unavailable(),
            _ => Self::internal(),
        }
    }
}

/// One line for the operator. Of an SQLite error only the code: its text may
/// quote a value.
#[expect(
    clippy::print_stderr,
    reason = "a failing store must not be silent, and this is the operator's console"
)]
fn report(error: &StoreError) {
    match error {
        StoreError::Sqlite(error) => {
            eprintln!("ministry: store failed: {:?}", error.sqlite_error_code());
        }
        StoreError::Json(_) => eprintln!("ministry: store failed: unreadable row"),
        other => eprintln!("ministry: store failed: {other}"),
    }
}

/// The open database.
pub(crate) struct Store {
    connection: Mutex<Connection>,
    keys: Arc<Keys>,
    /// Directory of the attachments.
    files: PathBuf,
    /// Held while an attachment is opened.
    opening: Mutex<()>,
}

impl Store {
    pub(crate) fn open(directory: &Path, keys: Arc<Keys>) -> Result<Self> {
        let path = directory.join(FILE);
        // SQLite gives its WAL the mode of the database file.
        drop(private_file(&path)?);
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.execute_batch(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA fullfsync = ON;
             PRAGMA foreign_keys = ON;
             PRAGMA secure_delete = ON;",
        )?;
        migrate(&mut connection)?;
        let store = Self {
            connection: Mutex::new(connection),
            keys,
            files: attachments::prepare(directory).map_err(StoreError::File)?,
            opening: Mutex::new(()),
        };
        store.collect_chunks()?;
        Ok(store)
    }

    /// A panic while the lock was held has rolled its transaction back: the
    /// connection is as good as before.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `body` in one transaction that is on disk when this returns.
    fn write<T>(&self, body: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let out = body(&transaction)?;
        transaction.commit()?;
        Ok(out)
    }

    fn read<T>(&self, body: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let mut connection = self.lock();
        body(&connection.transaction()?)
    }

    /// Gives the service document its serial and time: those of before, unless
    /// its content has changed.
    pub(crate) fn number_service(&self, document: ServiceDocument) -> Result<ServiceDocument> {
        let content = serde_json::to_string(&document)?;
        self.write(|tx| {
            let stored: Option<(u64, i64, String)> = tx
                .query_row(
                    "SELECT serial, issued_ms, content FROM service_document",
                    [],
                    |row| Ok((unsigned(row, 0)?, row.get(1)?, row.get(2)?)),
                )
                .optional()?;
            let (serial, issued_ms) = match stored {
                Some((serial, issued_ms, same)) if same == content => (serial, issued_ms),
                Some((serial, _, _)) => (serial + 1, now_ms()),
                None => (1, now_ms()),
            };
            tx.execute(
                "INSERT INTO service_document (only_row, serial, issued_ms, content)
                 VALUES (1, ?1, ?2, ?3)
                 ON CONFLICT (only_row) DO UPDATE SET
                     serial = excluded.serial,
                     issued_ms = excluded.issued_ms,
                     content = excluded.content",
                params![
                    i64::try_from(serial).unwrap_or(i64::MAX),
                    issued_ms,
                    content
                ],
            )?;
            Ok(ServiceDocument {
                serial,
                issued_ms,
                ..document
            })
        })
    }
}

/// A counting column: SQLite's integers are signed, ours never below zero.
fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}

fn migrate(connection: &mut Connection) -> Result<()> {
    let done: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let done = usize::try_from(done).unwrap_or(usize::MAX);
    if done > MIGRATIONS.len() {
        return Err(StoreError::TooNew);
    }
    for (number, sql) in (1_i64..).zip(MIGRATIONS).skip(done) {
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute_batch(sql)?;
        tx.pragma_update(None, "user_version", number)?;
        tx.commit()?;
    }
    Ok(())
}

/// The ministry's clock, milliseconds UTC.
pub(crate) fn now_ms() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .unwrap_or_default()
}
