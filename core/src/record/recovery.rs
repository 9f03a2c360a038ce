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
use crate::whereabouts::skip_recorded;

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
        if has_table(connection, "boot")? {
            mend_1(connection, saved, self.now_ms)?;
        } else {
            mend(connection, saved, self.now_ms)?;
        }
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
/// profile and the medical card are sent again, under a version above all that came
/// before; of the fixes nobody knows which ones a consent covered, so none recorded
/// before now leaves.
fn mend(connection: &Connection, saved: &Saved, now_ms: i64) -> Result<()> {
    if !saved.whole("meta") {
        // Without a row it would say at the ministry that there is none.
        for (version, table) in [
            ("profile_version", "field"),
            ("medical_version", "medical_card"),
        ] {
            raise_version(connection, version, table, now_ms)?;
        }
    }
    if !(saved.whole("meta") && saved.whole("fix_late")) {
        skip_recorded(connection)?;
    }
    Ok(())
}

/// The same in a file of version 1, before it is brought to version 2. A boot that
/// is lost gets a name that no boot has: the monotonic times of its fixes can be
/// compared with nothing any more.
fn mend_1(connection: &Connection, saved: &Saved, now_ms: i64) -> Result<()> {
    if !saved.whole("meta") {
        raise_version(connection, "profile_version", "traveler", now_ms)?;
        connection.execute(
            "UPDATE meta SET value = (SELECT coalesce(max(id), 0) FROM fix)
             WHERE key = 'fixes_sent'",
            [],
        )?;
    }
    connection.execute(
        "INSERT OR IGNORE INTO boot (id, name)
         SELECT DISTINCT boot, 'lost-' || boot FROM fix
         WHERE boot NOT IN (SELECT id FROM boot)",
        [],
    )?;
    Ok(())
}

fn raise_version(connection: &Connection, key: &str, table: &str, now_ms: i64) -> Result<()> {
    connection.execute(
        &format!("UPDATE meta SET value = ?2 WHERE key = ?1 AND EXISTS (SELECT 1 FROM {table})"),
        [key, &now_ms.max(1).to_string()],
    )?;
    Ok(())
}

fn has_table(connection: &Connection, name: &str) -> Result<bool> {
    Ok(connection.query_row(
        "SELECT count(*) > 0 FROM sqlite_schema WHERE type = 'table' AND name = ?1",
        [name],
        |row| row.get(0),
    )?)
}
