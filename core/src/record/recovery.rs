//! Recovery of `record.db`: what can be read of a damaged one goes into a new
//! file under the same key, and what no longer fits together is mended so that
//! nothing leaves the phone, and no number is given, twice.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _};

use super::codec::PageKeys;
use super::connection::{self, NEWEST};
use crate::error::Result;
use crate::keys::Secret;
use crate::salvage::{self, RECOVERIES, Rebuild, Recovery, Saved};

/// Puts a recovered record in the place of the damaged one, which is set aside.
pub(super) fn recover(path: &Path, secret: &Secret, now_ms: i64) -> Result<()> {
    let record = RecordFile {
        secret,
        keys: PageKeys::of(secret),
        now_ms,
    };
    salvage::rebuild(path, &record, now_ms)
}

/// Whether a page of the file cannot be read with its key.
pub(super) fn is_damaged(path: &Path, secret: &Secret) -> bool {
    let keys = PageKeys::of(secret);
    salvage::is_damaged(path, &|number, raw| keys.open(number, raw)).unwrap_or(true)
}

/// The reports of recoveries that the host has not dismissed.
pub(super) fn reports(connection: &Connection) -> Result<Vec<Recovery>> {
    Ok(noted(connection)?.map_or_else(Vec::new, |value| salvage::reports(value.as_bytes())))
}

/// Forgets them.
pub(super) fn dismiss(connection: &Connection) -> Result<()> {
    connection.execute("DELETE FROM meta WHERE key = ?1", [RECOVERIES])?;
    Ok(())
}

fn noted(connection: &Connection) -> Result<Option<String>> {
    Ok(connection
        .query_row(
            "SELECT value FROM meta WHERE key = ?1",
            [RECOVERIES],
            |row| row.get(0),
        )
        .optional()?)
}

struct RecordFile<'a> {
    secret: &'a Secret,
    keys: PageKeys,
    now_ms: i64,
}

impl Rebuild for RecordFile<'_> {
    fn newest(&self) -> usize {
        NEWEST
    }

    fn migrate(&self, connection: &mut Connection, version: usize) -> Result<()> {
        connection::migrate(connection, version)
    }

    fn prepare(&self, connection: &Connection) -> Result<()> {
        connection::set_key(connection, self.secret)
    }

    fn decode(&self, number: u32, raw: &[u8]) -> Option<Vec<u8>> {
        self.keys.open(number, raw)
    }

    fn finish(&self, connection: &Connection, saved: &Saved) -> Result<()> {
        let class = |name: &str| saved.rows.iter().any(|(table, _)| table == name);
        mend_meta(connection, class("meta"), self.now_ms)?;
        mend_boots(connection)?;
        let before = noted(connection)?;
        let recovery = saved.recovery("record.db", self.now_ms);
        let value = salvage::added(before.as_deref().map(str::as_bytes), recovery)?;
        connection.execute(
            "INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)",
            [RECOVERIES, &value],
        )?;
        Ok(())
    }
}

/// What the outbox has is noted in `meta`. Where that is lost, the record has a
/// new name by now, so that nothing it sends is taken for something it sent. The
/// profile is sent again, under a version above all that came before; of the fixes
/// nobody knows which ones a consent covered, so none recorded before now leaves.
fn mend_meta(connection: &Connection, saved: bool, now_ms: i64) -> Result<()> {
    if !saved && has_table(connection, "traveler")? {
        connection.execute(
            // Without a traveler it would say at the ministry that there is none.
            "UPDATE meta SET value = ?1
             WHERE key = 'profile_version' AND EXISTS (SELECT 1 FROM traveler)",
            [now_ms.max(1).to_string()],
        )?;
    }
    if !has_table(connection, "fix")? {
        return Ok(());
    }
    if !saved {
        connection.execute(
            "UPDATE meta SET value = (SELECT coalesce(max(id), 0) FROM fix)
             WHERE key = 'fixes_sent'",
            [],
        )?;
    }
    // A fix under a number that was sent already would never be.
    let last: i64 = connection.query_row(
        "SELECT coalesce(max(CAST(value AS INTEGER)), 0) FROM meta
         WHERE key IN ('fixes_sent', 'fixes_sending')",
        [],
        |row| row.get(0),
    )?;
    salvage::raise_sequence(connection, "fix", last)
}

fn has_table(connection: &Connection, name: &str) -> Result<bool> {
    Ok(connection.query_row(
        "SELECT count(*) > 0 FROM sqlite_schema WHERE type = 'table' AND name = ?1",
        [name],
        |row| row.get(0),
    )?)
}

/// A boot that is lost gets a name that no boot has: the monotonic times of its
/// fixes can be compared with nothing any more, and its number is not given to
/// another boot.
fn mend_boots(connection: &Connection) -> Result<()> {
    let mut children = connection.prepare(
        "SELECT s.name, k.\"from\" FROM sqlite_schema s
         JOIN pragma_foreign_key_list(s.name) k
         WHERE s.type = 'table' AND k.\"table\" = 'boot'",
    )?;
    let columns: Vec<(String, String)> = children
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (table, column) in columns {
        connection.execute(
            &format!(
                "INSERT OR IGNORE INTO boot (id, name)
                 SELECT DISTINCT \"{column}\", 'lost-' || \"{column}\" FROM \"{table}\"
                 WHERE \"{column}\" NOT IN (SELECT id FROM boot)"
            ),
            [],
        )?;
    }
    Ok(())
}
