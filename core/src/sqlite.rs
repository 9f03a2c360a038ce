//! What both files share: numbered migrations, and setting a file aside.
//!
//! A file that cannot be read is never deleted: it is renamed to
//! `NAME.aside-MILLISECONDS`, with its `-wal` beside it, and the host is told.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::error::{Result, StorageProblem};

/// Brings a file to the newest schema: `steps[n]` leads from version `n` to
/// `n + 1`, each in a transaction of its own with its version number.
pub(crate) fn migrate(connection: &mut Connection, steps: &[&str]) -> Result<()> {
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
        transaction.execute_batch(step)?;
        transaction.execute_batch(&format!("PRAGMA user_version = {}", number + 1))?;
        transaction.commit()?;
    }
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

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
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
