//! What both files share: numbered migrations, setting a file aside, and putting
//! another in its place.
//!
//! A file that cannot be read is never deleted: it is renamed to
//! `NAME.aside-MILLISECONDS`, with its `-wal` beside it, and the host is told.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::error::{Result, StorageProblem};

/// What leads from one version of a schema to the next.
pub(crate) struct Step {
    /// Scripts, in order.
    pub(crate) sql: &'static [&'static str],
    /// What SQL cannot say: runs after the scripts.
    pub(crate) then: Option<fn(&Connection) -> Result<()>>,
}

impl Step {
    /// A step of SQL alone.
    pub(crate) const fn sql(sql: &'static [&'static str]) -> Self {
        Self { sql, then: None }
    }
}

/// Brings a file to the newest schema: `steps[n]` leads from version `n` to
/// `n + 1`, each in a transaction of its own with its version number.
pub(crate) fn migrate(connection: &mut Connection, steps: &[Step]) -> Result<()> {
    let version: i64 =
        connection.query_row("SELECT user_version FROM pragma_user_version", [], |row| {
            row.get(0)
        })?;
    let done = usize::try_from(version).map_err(|_| StorageProblem::Damaged)?;
    if done > steps.len() {
        return Err(StorageProblem::TooNew.into());
    }
    for (number, step) in steps.iter().enumerate().skip(done) {
        let transaction = connection.transaction()?;
        for script in step.sql {
            transaction.execute_batch(script)?;
        }
        if let Some(then) = step.then {
            then(&transaction)?;
        }
        transaction.execute_batch(&format!("PRAGMA user_version = {}", number + 1))?;
        transaction.commit()?;
    }
    Ok(())
}

/// Whether a file has our mark; a new one has none yet.
///
/// Errors: `Storage` with `Damaged` where it is another application's.
pub(crate) fn is_marked(connection: &Connection, application_id: i64) -> Result<bool> {
    let application: i64 = connection.query_row(
        "SELECT application_id FROM pragma_application_id",
        [],
        |row| row.get(0),
    )?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match application {
        0 if tables == 0 => Ok(false),
        found if found == application_id => Ok(true),
        _ => Err(StorageProblem::Damaged.into()),
    }
}

/// Suffix of a file that is being made, to take the place of another.
pub(crate) const PARTIAL: &str = ".partial";
/// Suffix of one that is whole, and whose turn it is.
pub(crate) const NEXT: &str = ".next";

/// Ends what a kill has cut off: removes a file that is not whole, and puts one
/// that is in its place, the one before it set aside. Called at each start and,
/// as the last step, by those who make such files.
pub(crate) fn tidy(path: &Path, now_ms: i64) -> Result<()> {
    let partial = with_suffix(path, PARTIAL);
    if partial.exists() {
        remove(&partial);
    }
    let next = with_suffix(path, NEXT);
    if next.exists() {
        set_aside(path, now_ms)?;
        fs::rename(&next, path)?;
        sync_directory(path);
    }
    Ok(())
}

/// Removes a database that is not needed, with all that SQLite lays beside it.
pub(crate) fn remove(path: &Path) {
    for suffix in ["-journal", "-wal", "-shm", ""] {
        let _ = fs::remove_file(with_suffix(path, suffix));
    }
}

/// Makes a rename survive a power cut. A directory that cannot be opened for
/// that (some platforms) leaves it to the file system.
pub(crate) fn sync_directory(path: &Path) {
    if let Some(Ok(directory)) = path.parent().map(fs::File::open) {
        let _ = directory.sync_all();
    }
}

/// Makes a directory with those above it; their names survive a power cut. Where
/// it is there, it costs no sync.
pub(crate) fn make_directory(directory: &Path) -> Result<()> {
    let made: Vec<&Path> = directory
        .ancestors()
        .take_while(|above| !above.as_os_str().is_empty() && !above.is_dir())
        .collect();
    fs::create_dir_all(directory)?;
    made.into_iter().rev().for_each(sync_directory);
    Ok(())
}

/// Writes a file, which only its owner can read, so that after a power cut it is
/// there whole or not at all, and the one before it until then.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    if path.parent().is_none() {
        return Err(StorageProblem::NoPermission.into());
    }
    let partial = with_suffix(path, PARTIAL);
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let written = options.open(&partial).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&partial, path)
    });
    if written.is_err() {
        let _ = fs::remove_file(&partial);
    }
    written?;
    sync_directory(path);
    Ok(())
}

/// Reads the first row of each table: shows now, and not in the middle of a save,
/// whether they can be read.
pub(crate) fn probe_all(connection: &Connection) -> Result<()> {
    let tables: Vec<String> = connection
        .prepare(
            "SELECT name FROM sqlite_schema
             WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
        )?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for table in tables {
        let name = table.replace('"', "\"\"");
        probe(connection, &format!("SELECT 1 FROM \"{name}\" LIMIT 1"))?;
    }
    Ok(())
}

/// Reads the first row of a query, if any: shows whether it can be read.
pub(crate) fn probe(connection: &Connection, sql: &str) -> Result<()> {
    connection.prepare(sql)?.query([])?.next()?;
    Ok(())
}

/// Renames a database and its write-ahead log; returns the new path.
pub(crate) fn set_aside(path: &Path, now_ms: i64) -> Result<PathBuf> {
    let mut stamp = now_ms;
    let mut target = aside_path(path, stamp);
    while target.exists() {
        stamp = stamp.saturating_add(1);
        target = aside_path(path, stamp);
    }
    // The log first: a crash in between leaves a database without its last
    // commits, and the log that holds them, both kept.
    rename_if_there(&with_suffix(path, "-wal"), &with_suffix(&target, "-wal"))?;
    // The index of the log is made anew by SQLite.
    let _ = fs::remove_file(with_suffix(path, "-shm"));
    rename_if_there(path, &target)?;
    Ok(target)
}

/// Keeps a copy of a file that is shorter than any database: SQLite takes it for
/// a new one and writes over it. A copy, not a renaming: another process of the
/// host may be making the file at this moment.
pub(crate) fn keep_stub(path: &Path, now_ms: i64) -> Result<()> {
    const SHORTEST: u64 = 512;
    if fs::metadata(path).is_ok_and(|meta| meta.len() < SHORTEST) {
        fs::copy(path, aside_path(path, now_ms))?;
    }
    Ok(())
}

/// The names of all files that were set aside in `directory`.
pub(crate) fn files_set_aside(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.contains(".aside-") && !name.ends_with("-wal"))
        .collect();
    names.sort();
    names
}

fn aside_path(path: &Path, stamp: i64) -> PathBuf {
    with_suffix(path, &format!(".aside-{stamp}"))
}

/// The path of a file that goes with a database: its log, what it is made from.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn rename_if_there(from: &Path, to: &Path) -> Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::HomelineError;

    const FIRST: Step =
        Step::sql(&["CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;"]);
    const SECOND: Step = Step {
        sql: &["ALTER TABLE note ADD COLUMN urgent INTEGER NOT NULL DEFAULT 0;"],
        then: Some(|connection| {
            connection.execute("INSERT INTO note (text, urgent) VALUES ('new', 1)", [])?;
            Ok(())
        }),
    };

    #[test]
    fn an_older_file_migrates_with_its_rows_and_only_once() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &[FIRST]).unwrap();
        connection
            .execute("INSERT INTO note (text) VALUES ('old')", [])
            .unwrap();
        for _ in 0..2 {
            migrate(&mut connection, &[FIRST, SECOND]).unwrap();
        }
        let rows: Vec<(String, i64)> = connection
            .prepare("SELECT text, urgent FROM note ORDER BY id")
            .unwrap()
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .collect::<rusqlite::Result<_>>()
            .unwrap();
        assert_eq!(rows, [("old".to_owned(), 0), ("new".to_owned(), 1)]);
    }

    #[test]
    fn a_step_that_fails_leaves_the_version_before_it() {
        let mut connection = Connection::open_in_memory().unwrap();
        let broken = Step::sql(&[
            "INSERT INTO note (text) VALUES ('half');",
            "INSERT INTO nowhere VALUES (1);",
        ]);
        assert!(migrate(&mut connection, &[FIRST, broken]).is_err());
        let (version, rows): (i64, i64) = connection
            .query_row(
                "SELECT user_version, (SELECT count(*) FROM note) FROM pragma_user_version",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .unwrap();
        assert_eq!((version, rows), (1, 0));
    }

    #[test]
    fn a_file_of_a_newer_version_is_told_apart() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &[FIRST, SECOND]).unwrap();
        assert_eq!(
            migrate(&mut connection, &[FIRST]),
            Err(HomelineError::Storage {
                problem: StorageProblem::TooNew
            })
        );
    }
}
