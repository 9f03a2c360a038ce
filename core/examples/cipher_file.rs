//! Writes or checks an encrypted file, to prove that two builds of SQLCipher
//! with different cryptography understand each other.
//!
//! ```text
//! cipher_file write PATH     creates PATH, which must not exist
//! cipher_file read PATH      exit code 0 if all is as written, 1 if not
//! ```
//!
//! Key and rows are fixed: this is a test tool. How to build it both ways is in
//! `.cargo/config.toml`; `tests/fixtures/openssl.db` was written by the OpenSSL
//! build of it.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program")]

use std::{env, error::Error, path::Path, process::ExitCode};

// Links the provider: `homeline_sqlcipher_setup` is in there.
use homeline as _;
use rusqlite::{Connection, OpenFlags};

/// A raw key of 32 bytes and a salt of 16, in hexadecimal.
const KEY_AND_SALT: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\
                            202122232425262728292a2b2c2d2e2f";
const ROWS: u32 = 400;

/// What row `number` holds: a text, and a blob of up to 198 bytes. Row 100's has
/// 20,000 and so spans several pages.
fn row(number: u32) -> (String, Vec<u8>) {
    let length = if number == 100 {
        20_000
    } else {
        number.wrapping_mul(7) % 199
    };
    let bytes = (0..length).map(|at| at.wrapping_mul(31).wrapping_add(number).to_le_bytes()[0]);
    (
        format!("row {number}: Ärger in 東京, Straße {}", number % 17),
        bytes.collect(),
    )
}

/// Opens as `record` does, with the same pragmas in the same order.
fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "cipher_log_level", "NONE")?;
    connection.pragma_update(None, "key", format!("x'{KEY_AND_SALT}'"))?;
    connection.pragma_update(None, "cipher_plaintext_header_size", 32)?;
    Ok(connection)
}

fn write(path: &Path) -> Result<(), Box<dyn Error>> {
    if path.exists() {
        return Err("the file exists".into());
    }
    let mut connection = open(path)?;
    let transaction = connection.transaction()?;
    transaction.execute_batch(
        "CREATE TABLE item (id INTEGER PRIMARY KEY, label TEXT NOT NULL, data BLOB NOT NULL) STRICT;
         CREATE INDEX item_label ON item (label);",
    )?;
    for number in 1..=ROWS {
        let (label, data) = row(number);
        transaction.execute(
            "INSERT INTO item (id, label, data) VALUES (?1, ?2, ?3)",
            (number, label, data),
        )?;
    }
    transaction.commit()?;
    report("wrote", &connection)
}

fn read(path: &Path) -> Result<(), Box<dyn Error>> {
    // Fails for a missing file, which `open` would create.
    drop(Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY,
    )?);
    let connection = open(path)?;
    let mut statement = connection.prepare("SELECT id, label, data FROM item ORDER BY id")?;
    let found = statement
        .query_map((), |found| {
            Ok((found.get(0)?, (found.get(1)?, found.get(2)?)))
        })?
        .collect::<Result<Vec<(u32, (String, Vec<u8>))>, _>>()?;
    let expected: Vec<_> = (1..=ROWS).map(|number| (number, row(number))).collect();
    if found != expected {
        return Err("the rows are not those that were written".into());
    }
    for pragma in ["cipher_integrity_check", "integrity_check"] {
        let mut check = connection.prepare(&format!("PRAGMA {pragma}"))?;
        let faults = check
            .query_map((), |line| line.get(0))?
            .collect::<Result<Vec<String>, _>>()?;
        if faults.iter().any(|line| line != "ok") {
            return Err(format!("{pragma}: {faults:?}").into());
        }
    }
    report("read", &connection)
}

/// Says which cryptography did it.
fn report(what: &str, connection: &Connection) -> Result<(), Box<dyn Error>> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, String>(0));
    let (provider, detail) = (
        pragma("cipher_provider")?,
        pragma("cipher_provider_version")?,
    );
    let version = pragma("cipher_version")?;
    println!("{what} {ROWS} rows with {provider} ({detail}), SQLCipher {version}");
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["write", path] => write(Path::new(path)),
        ["read", path] => read(Path::new(path)),
        _ => Err("usage: cipher_file write|read PATH".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cipher_file: {error}");
            ExitCode::FAILURE
        }
    }
}
