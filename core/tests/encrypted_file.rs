//! SQLCipher as this build has it: who does its cryptography, and whether a file
//! opens with the right key, only with it, and only if nobody changed it.
//!
//! All tests hold for both providers (feature `openssl`), which shows that they
//! ask nothing that only ours does.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failure ends the test it happens in"
)]

use std::{fs, path::Path, thread};

// Links the provider: `homeline_sqlcipher_setup` is in there.
use homeline as _;
use rusqlite::{Connection, Error, ErrorCode, Result};
use tempfile::TempDir;

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\
                   202122232425262728292a2b2c2d2e2f";
const OTHER_KEY: &str = "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\
                         202122232425262728292a2b2c2d2e2f";
const MARK: &str = "help is on its way";

/// Opens as `record` does, with the same pragmas in the same order.
fn open(path: &Path, key_and_salt: &str) -> Result<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "cipher_log_level", "NONE")?;
    connection.pragma_update(None, "key", format!("x'{key_and_salt}'"))?;
    connection.pragma_update(None, "cipher_plaintext_header_size", 32)?;
    Ok(connection)
}

fn text(connection: &Connection, pragma: &str) -> String {
    connection
        .pragma_query_value(None, pragma, |row| row.get(0))
        .unwrap()
}

fn count(connection: &Connection) -> Result<u32> {
    connection.query_row("SELECT count(*) FROM note", (), |row| row.get(0))
}

/// What `PRAGMA cipher_integrity_check` finds wrong, page by page.
fn faults(connection: &Connection) -> Vec<String> {
    let mut check = connection.prepare("PRAGMA cipher_integrity_check").unwrap();
    check
        .query_map((), |row| row.get(0))
        .unwrap()
        .collect::<Result<_>>()
        .unwrap()
}

fn fill(connection: &Connection) {
    connection
        .execute_batch(
            "CREATE TABLE note (body TEXT NOT NULL) STRICT;
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
             INSERT INTO note (body) SELECT 'help is on its way ' || i FROM n;",
        )
        .unwrap();
}

fn code(result: &Result<u32>) -> Option<ErrorCode> {
    result.as_ref().err().and_then(Error::sqlite_error_code)
}

/// Whether SQLCipher refused to read. With a plaintext header SQLite accepts
/// page 1 before its tag fails, so a wrong key looks like damage. OpenSSL's
/// provider answers the same.
fn is_refused(result: &Result<u32>) -> bool {
    code(result) == Some(ErrorCode::DatabaseCorrupt)
}

/// A filled file in a directory that lives as long as the first half.
fn written() -> (TempDir, std::path::PathBuf) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("record.db");
    fill(&open(&path, KEY).unwrap());
    (directory, path)
}

#[test]
fn the_provider_is_the_one_we_built() {
    let (_directory, path) = written();
    let connection = open(&path, KEY).unwrap();
    let expected = if cfg!(feature = "openssl") {
        "openssl"
    } else {
        "homeline"
    };
    assert_eq!(text(&connection, "cipher_provider"), expected);
    assert_eq!(text(&connection, "cipher").to_lowercase(), "aes-256-cbc");
}

/// `provider.rs` writes a C struct. Before a version joins this list, compare
/// `struct sqlcipher_provider` and every `provider->` in its source.
#[test]
fn the_provider_struct_was_compared_with_this_sqlcipher() {
    let connection = Connection::open_in_memory().unwrap();
    let version = text(&connection, "cipher_version");
    assert!(
        ["4.14.0 community", "4.19.0 community"].contains(&version.as_str()),
        "{version}"
    );
}

#[test]
fn rows_come_back_and_every_page_has_its_tag() {
    let (_directory, path) = written();
    let connection = open(&path, KEY).unwrap();
    assert_eq!(count(&connection).unwrap(), 500);
    assert_eq!(faults(&connection), Vec::<String>::new());
}

#[test]
fn only_the_plaintext_header_can_be_read_without_the_key() {
    let (_directory, path) = written();
    let bytes = fs::read(path).unwrap();
    assert!(bytes.starts_with(b"SQLite format 3\0"));
    assert!(
        !bytes
            .windows(MARK.len())
            .any(|window| window == MARK.as_bytes())
    );
}

#[test]
fn a_wrong_key_reads_nothing() {
    let (_directory, path) = written();
    let result = count(&open(&path, OTHER_KEY).unwrap());
    assert!(is_refused(&result), "{result:?}");
}

/// Also for the salt alone, from which the key of the tags is derived.
#[test]
fn without_a_plaintext_header_a_wrong_key_is_not_a_database() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("plain.db");
    let unlocked = |key: &str| {
        let connection = Connection::open(&path).unwrap();
        connection
            .pragma_update(None, "key", format!("x'{key}'"))
            .unwrap();
        connection
    };
    fill(&unlocked(KEY));
    assert_eq!(count(&unlocked(KEY)).unwrap(), 500);
    let other_salt = KEY.replace("2e2f", "2eff");
    for wrong in [OTHER_KEY, &other_salt] {
        let result = count(&unlocked(wrong));
        assert_eq!(code(&result), Some(ErrorCode::NotADatabase), "{result:?}");
    }
    assert_ne!(fs::read(&path).unwrap()[..16], *b"SQLite format 3\0");
}

#[test]
fn one_changed_bit_is_found() {
    let (_directory, path) = written();
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.len() - 2_000;
    bytes[at] ^= 1;
    fs::write(&path, bytes).unwrap();

    let connection = open(&path, KEY).unwrap();
    assert_eq!(faults(&connection).len(), 1);
    let result = count(&open(&path, KEY).unwrap());
    assert!(result.is_err(), "{result:?}");
}

#[test]
fn two_files_with_one_key_and_the_same_rows_share_no_page() {
    let ((_one, first), (_other, second)) = (written(), written());
    let (first, second) = (fs::read(first).unwrap(), fs::read(second).unwrap());
    assert_eq!(first.len(), second.len());
    let same = first
        .chunks(4096)
        .zip(second.chunks(4096))
        .filter(|(a, b)| a[32..] == b[32..]);
    assert_eq!(same.count(), 0);
}

#[test]
fn a_write_ahead_log_is_encrypted_too_and_a_key_can_be_changed() {
    let (_directory, path) = written();
    let connection = open(&path, KEY).unwrap();
    connection
        .pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))
        .unwrap();
    connection
        .execute("INSERT INTO note (body) VALUES (?1)", [MARK])
        .unwrap();
    let log = fs::read(path.with_extension("db-wal")).unwrap();
    assert!(!log.is_empty());
    assert!(
        !log.windows(MARK.len())
            .any(|window| window == MARK.as_bytes())
    );

    connection
        .pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))
        .unwrap();
    connection
        .pragma_update(None, "rekey", format!("x'{OTHER_KEY}'"))
        .unwrap();
    drop(connection);
    assert!(is_refused(&count(&open(&path, KEY).unwrap())));
    let connection = open(&path, OTHER_KEY).unwrap();
    assert_eq!(
        (count(&connection).unwrap(), faults(&connection)),
        (501, vec![])
    );
}

/// Every hash, each as HMAC and under PBKDF2, with a passphrase.
#[test]
fn every_algorithm_of_sqlcipher_works() {
    for hash in ["SHA1", "SHA256", "SHA512"] {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("passphrase.db");
        let unlocked = |passphrase: &str| {
            let connection = Connection::open(&path).unwrap();
            connection.pragma_update(None, "key", passphrase).unwrap();
            let set = |name, value| connection.pragma_update(None, name, value).unwrap();
            set("cipher_hmac_algorithm", format!("HMAC_{hash}"));
            set("cipher_kdf_algorithm", format!("PBKDF2_HMAC_{hash}"));
            set("kdf_iter", "4000".to_owned());
            connection
        };
        fill(&unlocked("correct horse"));
        let connection = unlocked("correct horse");
        assert_eq!(
            (count(&connection).unwrap(), faults(&connection)),
            (500, vec![]),
            "{hash}"
        );
        let wrong = count(&unlocked("wrong horse"));
        assert_eq!(code(&wrong), Some(ErrorCode::NotADatabase), "{hash}");
    }
}

#[test]
fn several_threads_may_have_databases_at_once() {
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let (_directory, path) = written();
                let connection = open(&path, KEY).unwrap();
                assert_eq!(
                    (count(&connection).unwrap(), faults(&connection)),
                    (500, vec![])
                );
            });
        }
    });
}

/// `fixtures/openssl.db`: 400 rows by `cipher_file write`, built with `openssl`.
#[test]
fn a_file_written_with_openssl_opens() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("openssl.db");
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/openssl.db");
    fs::copy(fixture, &path).unwrap();
    let connection = open(&path, KEY).unwrap();
    let sum = "SELECT count(*), sum(length(data)), sum(length(label)) FROM item";
    let found: (u32, u32, u32) = connection
        .query_row(sum, (), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap();
    assert_eq!(found, (400, 59_320, 12_053));
    assert_eq!(faults(&connection), Vec::<String>::new());
}
