//! Rotation of the record's key: everything is encrypted anew, under a secret
//! that nobody has had before.
//!
//! 1. the key file holds both secrets, the one in force first;
//! 2. `record.db.partial` is filled, encrypted with the next one, and synced;
//! 3. it is renamed to `record.db`, in one step of the file system;
//! 4. the key file holds the next secret alone.
//!
//! Killed before step 3, the old file opens with the old secret; after it, the
//! new file with the new one: a page's tag says which ([`super::codec::fits`]).
//! The start after it ends what was begun: it removes the half-made file and
//! the secret that fits nothing.

use std::fs::{self, File};
use std::path::Path;

use rusqlite::Connection;
use zeroize::Zeroizing;

use super::codec::PLAIN_HEADER;
use super::connection::raw_key;
use crate::error::{HomelineError, Result, StorageProblem};
use crate::keys::Secret;
use crate::sqlite;

/// Steps 2 and 3. Whatever the outcome, there is a whole file at `path`.
pub(super) fn re_encrypt(connection: Connection, path: &Path, next: &Secret) -> Result<()> {
    let partial = sqlite::with_suffix(path, sqlite::PARTIAL);
    sqlite::remove(&partial);
    let outcome = alone(&connection)
        .and_then(|()| export(&connection, &partial, next))
        .and_then(|()| take_its_place(path, &partial));
    if outcome.is_err() {
        sqlite::remove(&partial);
    }
    // Its lock is held until here: nobody has written to the old file meanwhile.
    drop(connection);
    outcome
}

/// Folds the log into the file and locks out other processes, or says `Busy`.
fn alone(connection: &Connection) -> Result<()> {
    connection.execute_batch("PRAGMA locking_mode = EXCLUSIVE")?;
    let mode: String =
        connection.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0))?;
    if mode != "delete" {
        return Err(StorageProblem::Busy.into());
    }
    Ok(())
}

fn export(connection: &Connection, partial: &Path, next: &Secret) -> Result<()> {
    let name = partial.to_str().ok_or(StorageProblem::NoPermission)?;
    let mut attach = Zeroizing::new(String::with_capacity(256));
    attach.push_str("ATTACH DATABASE ?1 AS next KEY ");
    attach.push_str(&raw_key(next));
    connection.execute(&attach, [name])?;
    connection.execute_batch(&format!(
        // Until it is whole nobody reads it; then it is synced once.
        "PRAGMA next.cipher_plaintext_header_size = {PLAIN_HEADER};
         PRAGMA next.journal_mode = OFF;
         PRAGMA next.synchronous = OFF;
         PRAGMA foreign_keys = OFF;
         BEGIN"
    ))?;
    copy(connection)?;
    same_rows(connection)?;
    connection.execute_batch("COMMIT; DETACH DATABASE next")?;
    Ok(File::open(partial)?.sync_all()?)
}

/// All of `main` into the empty `next`. SQLCipher's own `sqlcipher_export` does
/// the same, but answers a full disk and a damaged page alike: by words.
fn copy(connection: &Connection) -> Result<()> {
    let schema: Vec<(String, String, Option<String>)> = connection
        .prepare("SELECT type, name, sql FROM main.sqlite_schema")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<rusqlite::Result<_>>()?;
    // Tables with their rows first: an index is made faster when they are there,
    // and a trigger must not fire.
    let of_tables = |tables: bool| {
        schema
            .iter()
            .filter(move |(kind, name, _)| {
                (kind == "table") == tables && !name.starts_with("sqlite_")
            })
            .filter_map(|(_, name, sql)| Some((name.replace('"', "\"\""), sql.as_ref()?)))
    };
    for (name, sql) in of_tables(true) {
        connection.execute_batch(&in_next(sql)?)?;
        connection.execute_batch(&format!(
            "INSERT INTO next.\"{name}\" SELECT * FROM main.\"{name}\""
        ))?;
    }
    if schema.iter().any(|(_, name, _)| name == "sqlite_sequence") {
        // The inserts have set it to what is there now, not to the highest ever.
        connection.execute_batch(
            "DELETE FROM next.sqlite_sequence;
             INSERT INTO next.sqlite_sequence SELECT * FROM main.sqlite_sequence;",
        )?;
    }
    for (_, sql) in of_tables(false) {
        connection.execute_batch(&in_next(sql)?)?;
    }
    for number in ["user_version", "application_id"] {
        let value: i64 =
            connection.query_row(&format!("PRAGMA main.{number}"), [], |row| row.get(0))?;
        connection.execute_batch(&format!("PRAGMA next.{number} = {value}"))?;
    }
    Ok(())
}

/// The same declaration for the attached database. SQLite stores all of them with
/// these beginnings.
fn in_next(sql: &str) -> Result<String> {
    ["TABLE", "INDEX", "UNIQUE INDEX", "TRIGGER", "VIEW"]
        .iter()
        .find_map(|kind| {
            let rest = sql.strip_prefix(&format!("CREATE {kind} "))?;
            Some(format!("CREATE {kind} next.{rest}"))
        })
        .ok_or_else(|| HomelineError::bug("record::rotation"))
}

/// Nothing is given up before the copy is known to have all of it.
fn same_rows(connection: &Connection) -> Result<()> {
    let tables: Vec<String> = connection
        .prepare("SELECT name FROM main.sqlite_schema WHERE type = 'table' AND rootpage > 0")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for table in tables {
        let name = table.replace('"', "\"\"");
        let same: bool = connection.query_row(
            &format!(
                "SELECT (SELECT count(*) FROM main.\"{name}\")
                      = (SELECT count(*) FROM next.\"{name}\")"
            ),
            [],
            |row| row.get(0),
        )?;
        if !same {
            return Err(HomelineError::bug("record::rotation"));
        }
    }
    Ok(())
}

fn take_its_place(path: &Path, partial: &Path) -> Result<()> {
    // A log that is left would be read as the new file's.
    if sqlite::with_suffix(path, "-wal").exists() {
        return Err(StorageProblem::Busy.into());
    }
    fs::rename(partial, path)?;
    sqlite::sync_directory(path);
    Ok(())
}
