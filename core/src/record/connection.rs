//! Opening `record.db`: key, pragmas, migrations.

use std::fmt::Write as _;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use zeroize::Zeroizing;

use crate::config::Policy;
use crate::error::Result;
use crate::keys::{Secret, derive};
use crate::sqlite::{self, Step};
use crate::whereabouts;

const MIGRATIONS: [Step; 2] = [
    Step::sql(&[include_str!("migrations/0001.sql")]),
    Step {
        sql: &[
            include_str!("migrations/0002/registration.sql"),
            include_str!("migrations/0002/consent.sql"),
            include_str!("migrations/0002/whereabouts.sql"),
            include_str!("migrations/0002/groups.sql"),
        ],
        then: Some(whereabouts::migrate),
    },
];

/// Opens or makes the file. A wrong key, a damaged first page and a foreign
/// file all show as `Damaged` here: the caller has checked the key before.
pub(super) fn open(path: &Path, secret: &Secret, policy: &Policy) -> Result<Connection> {
    let mut connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(policy.lock)?;
    // SQLCipher would log to the platform's log.
    connection.execute_batch("PRAGMA cipher_log_level = NONE;")?;
    connection.execute_batch(&key_pragma(secret))?;
    connection.execute_batch(
        // iOS must see a plain header to leave a locked WAL database of a
        // suspended app alone; the salt comes with the raw key instead.
        "PRAGMA cipher_plaintext_header_size = 32;",
    )?;
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
    sqlite::migrate(&mut connection, &MIGRATIONS)?;
    // Shows a torn file now, not in the middle of a save.
    for table in [
        "meta",
        "field",
        "consent_given",
        "fix",
        "clock_session",
        "report",
    ] {
        sqlite::probe(&connection, &format!("SELECT 1 FROM {table} LIMIT 1"))?;
    }
    Ok(connection)
}

/// `PRAGMA key` with a raw key and salt: no key stretching, 0.2 ms instead of
/// the 200 ms that a passphrase costs.
fn key_pragma(secret: &Secret) -> Zeroizing<String> {
    let key = derive::<32>(secret, b"homeline/record/key/v1");
    let salt = derive::<16>(secret, b"homeline/record/salt/v1");
    let mut pragma = Zeroizing::new(String::with_capacity(128));
    pragma.push_str("PRAGMA key = \"x'");
    for byte in key.iter().chain(salt.iter()) {
        let _ = write!(pragma, "{byte:02x}");
    }
    pragma.push_str("'\";");
    pragma
}
