//! A damaged file gives way to a new one with all that can be read of it, and is
//! itself set aside. A kill at any moment leaves the one or the other:
//!
//! 1. `NAME.partial` is filled and synced; the damaged file is not touched;
//! 2. it is renamed to `NAME.next`: from here on it is the better one;
//! 3. the damaged file is set aside, and `NAME.next` renamed to `NAME`.
//!
//! A `.partial` found at a start is removed, a `.next` put in place
//! ([`crate::sqlite::tidy`]). A full disk ends step 1, and all stays as it was.

use std::fs::File;
use std::path::Path;

use rusqlite::Connection;

use super::{Pages, Saved, likeness, salvage};
use crate::error::Result;
use crate::sqlite;

/// What is particular to one of the two files.
pub(crate) trait Rebuild {
    /// The newest version of its schema.
    fn newest(&self) -> usize;

    /// Brings an empty database to `version` of its schema.
    fn migrate(&self, connection: &mut Connection, version: usize) -> Result<()>;

    /// Makes a new connection fit for it: its key, its application id.
    fn prepare(&self, connection: &Connection) -> Result<()>;

    /// The content of a page; `None` where it cannot be read.
    fn decode(&self, number: u32, raw: &[u8]) -> Option<Vec<u8>>;

    /// Mends what no longer fits together, and notes the report.
    fn finish(&self, connection: &Connection, saved: &Saved) -> Result<()>;
}

/// Puts a new file in the place of the one at `path`, with all that can be read.
pub(crate) fn rebuild(path: &Path, what: &dyn Rebuild, now_ms: i64) -> Result<()> {
    sqlite::tidy(path, now_ms)?;
    let partial = sqlite::with_suffix(path, sqlite::PARTIAL);
    let made = fill(path, &partial, what);
    if made.is_err() {
        sqlite::remove(&partial);
    }
    made?;
    std::fs::rename(&partial, sqlite::with_suffix(path, sqlite::NEXT))?;
    sqlite::sync_directory(path);
    sqlite::tidy(path, now_ms)
}

fn fill(path: &Path, partial: &Path, what: &dyn Rebuild) -> Result<()> {
    let decode = |number: u32, raw: &[u8]| what.decode(number, raw);
    let version = version(path, what)?;
    let mut connection = Connection::open(partial)?;
    what.prepare(&connection)?;
    connection.execute_batch(
        // Until it is whole nobody reads it; then it is synced once.
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY;",
    )?;
    what.migrate(&mut connection, version)?;
    let saved = salvage(path, &decode, &connection)?;
    what.finish(&connection, &saved)?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(File::open(partial)?.sync_all()?)
}

/// The schema version that the rows of a file are in. Where its first page does
/// not say it any more, the one whose tables begin where those of the file do.
fn version(path: &Path, what: &dyn Rebuild) -> Result<usize> {
    let decode = |number: u32, raw: &[u8]| what.decode(number, raw);
    let said = Pages::open(path, &decode)?.user_version();
    if let Some(version) = said.and_then(|version| usize::try_from(version).ok())
        && version > 0
    {
        // One that is newer than ours is read as far as ours has its columns.
        return Ok(version.min(what.newest()));
    }
    let (mut best, mut most) = (what.newest(), 0);
    for version in (1..=what.newest()).rev() {
        let mut memory = Connection::open_in_memory()?;
        what.migrate(&mut memory, version)?;
        let alike = likeness(path, &decode, &memory)?;
        if alike > most {
            (best, most) = (version, alike);
        }
    }
    Ok(best)
}
