//! Opening `record.db`: key, pragmas, migrations.

use std::fmt::Write as _;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use zeroize::Zeroizing;

use super::codec::{self, PLAIN_HEADER, PageKeys};
use crate::config::Policy;
use crate::error::Result;

use crate::keys::Secret;
use crate::salvage::Pages;
use crate::sqlite::{self, Step};
use crate::whereabouts;

const MIGRATIONS: [Step; 3] = [
    Step::sql(&[include_str!("migrations/0001.sql")]),
    Step {
        sql: &[
            include_str!("migrations/0002/registration.sql"),
            include_str!("migrations/0002/consent.sql"),
            include_str!("migrations/0002/whereabouts.sql"),
            include_str!("migrations/0002/trips.sql"),
            include_str!("migrations/0002/groups.sql"),
        ],
        then: Some(whereabouts::migrate),
    },
    Step::sql(&[include_str!("migrations/0003/alerts.sql")]),
];

/// The newest version of the schema.
pub(super) const NEWEST: usize = MIGRATIONS.len();

/// An open file.
pub(super) enum Opened {
    /// Of today's schema.
    ReadWrite(Connection),
    /// Of a newer one: nothing is written to it.
    ReadOnly {
        connection: Connection,
        written_by: u32,
    },
}

/// Opens or makes the file. A wrong key, a damaged first page and a foreign
/// file all show as `Damaged` here: the caller has checked the key before.
pub(super) fn open(path: &Path, secret: &Secret, policy: &Policy) -> Result<Opened> {
    // Before SQLite sees it, which would write to its log.
    let keys = PageKeys::of(secret);
    let decode = |number: u32, raw: &[u8]| keys.open(number, raw);
    let version = Pages::open(path, &decode)
        .ok()
        .and_then(|pages| pages.user_version());
    if let Some(version) = version
        && usize::try_from(version).is_ok_and(|version| version > NEWEST)
    {
        return Ok(Opened::ReadOnly {
            connection: open_newer(path, secret, policy)?,
            written_by: version,
        });
    }
    let mut connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(policy.lock)?;
    set_key(&connection, secret)?;
    // The first read: shows whether key and file fit.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    connection.execute_batch(
        // WAL: one sync a commit, and readers do not wait for it.
        "PRAGMA journal_mode = WAL;
         -- What the traveler saved survives a power cut.
         PRAGMA synchronous = FULL;
         -- On Apple fsync does not reach the medium; elsewhere a no-op.
         PRAGMA fullfsync = 1;
         PRAGMA checkpoint_fullfsync = 1;
         PRAGMA foreign_keys = ON;
         -- What is removed is overwritten.
         PRAGMA secure_delete = ON;
         -- No temporary file in clear.
         PRAGMA temp_store = MEMORY;",
    )?;
    migrate(&mut connection, NEWEST)?;
    // Shows a torn file now, not in the middle of a save.
    sqlite::probe_all(&connection)?;
    Ok(Opened::ReadWrite(connection))
}

/// Opens a file of a newer schema so that not a byte of it changes. Without a log
/// SQLite is told that the file does not change, or it would make one.
fn open_newer(path: &Path, secret: &Secret, policy: &Policy) -> Result<Connection> {
    let log = sqlite::with_suffix(path, "-wal");
    let has_log = std::fs::metadata(log).is_ok_and(|log| log.len() > 0);
    let connection = Connection::open_with_flags(
        if has_log {
            path.to_string_lossy().into_owned()
        } else {
            format!("file:{}?immutable=1", escaped(path))
        },
        if has_log {
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX
        } else {
            OpenFlags::SQLITE_OPEN_READ_ONLY
                | OpenFlags::SQLITE_OPEN_NO_MUTEX
                | OpenFlags::SQLITE_OPEN_URI
        },
    )?;
    connection.busy_timeout(policy.lock)?;
    set_key(&connection, secret)?;
    connection.execute_batch("PRAGMA temp_store = MEMORY; PRAGMA query_only = ON;")?;
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(connection)
}

/// A path in a URI of SQLite's.
fn escaped(path: &Path) -> String {
    path.to_string_lossy()
        .replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23")
}

/// Brings a database to `version` of the schema.
pub(super) fn migrate(connection: &mut Connection, version: usize) -> Result<()> {
    sqlite::migrate(connection, MIGRATIONS.get(..version).unwrap_or(&MIGRATIONS))
}

/// Gives a new connection its key; must come before anything else.
pub(super) fn set_key(connection: &Connection, secret: &Secret) -> Result<()> {
    // SQLCipher would log to the platform's log.
    connection.execute_batch("PRAGMA cipher_log_level = NONE;")?;
    let mut pragma = Zeroizing::new(String::with_capacity(128));
    pragma.push_str("PRAGMA key = ");
    pragma.push_str(&raw_key(secret));
    connection.execute_batch(&pragma)?;
    connection.execute_batch(&format!(
        // iOS must see a plain header to leave a locked WAL database of a
        // suspended app alone; the salt comes with the raw key instead.
        "PRAGMA cipher_plaintext_header_size = {PLAIN_HEADER};"
    ))?;
    Ok(())
}

/// A raw key and salt as SQLCipher takes them: no key stretching, 0.2 ms instead
/// of the 200 ms that a passphrase costs.
pub(super) fn raw_key(secret: &Secret) -> Zeroizing<String> {
    let mut literal = Zeroizing::new(String::with_capacity(128));
    literal.push_str("\"x'");
    let (key, salt) = (codec::page_key(secret), codec::salt(secret));
    for byte in key.iter().chain(salt.iter()) {
        let _ = write!(literal, "{byte:02x}");
    }
    literal.push_str("'\"");
    literal
}
