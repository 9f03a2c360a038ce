//! What the ministry publishes for everybody, and the ways from older versions to it.

use homeline::packs;
use homeline::seal::sha256_hex;
use homeline::sync::protocol::{PackDelta, PackHeader};
use rusqlite::{OptionalExtension as _, Transaction, params};

use super::{Result, Store, now_ms, unsigned};

/// Versions to which a delta leads: a phone that was off for a week of daily changes.
const DELTAS: i64 = 8;
/// What a content begins with: nothing.
const WHOLE: i64 = 0;

/// A pack that is offered: its header, not signed yet, and the ways to it.
pub(crate) struct Offered {
    pub(crate) header: PackHeader,
    pub(crate) deltas: Vec<PackDelta>,
}

impl Store {
    /// Publishes `content` as the newest version of a pack; the same content again
    /// changes nothing. Returns its version.
    pub(crate) fn publish_pack(&self, name: &str, content: &[u8]) -> Result<u64> {
        let sha256 = sha256_hex(content);
        self.write(|tx| {
            let newest = newest(tx, name)?;
            let version = match newest {
                Some((version, same)) if same == sha256 => return unsigned_version(version),
                Some((version, _)) => version + 1,
                None => 1,
            };
            tx.execute(
                "INSERT INTO packs (name, version, issued_ms, sha256, content)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![name, version, now_ms(), sha256, content],
            )?;
            tx.execute(
                "DELETE FROM packs WHERE name = ?1 AND version < ?2",
                params![name, version - DELTAS],
            )?;
            lay_out(tx, name, version, content)?;
            tx.execute("UPDATE pack_serial SET serial = serial + 1", [])?;
            unsigned_version(version)
        })
    }

    /// All packs, and the serial of that list.
    pub(crate) fn packs(&self) -> Result<(u64, Vec<Offered>)> {
        self.read(|tx| {
            let mut select = tx.prepare(
                "SELECT name, max(version), issued_ms, sha256, length(content)
                 FROM packs GROUP BY name ORDER BY name",
            )?;
            let headers = select.query_map([], |row| {
                Ok(PackHeader {
                    name: row.get(0)?,
                    version: unsigned(row, 1)?,
                    issued_ms: row.get(2)?,
                    sha256: row.get(3)?,
                    bytes: unsigned(row, 4)?,
                })
            })?;
            let offers = headers.map(|header| {
                let header = header?;
                let deltas = deltas(tx, &header.name)?;
                Ok(Offered { header, deltas })
            });
            Ok((serial(tx)?, offers.collect::<Result<_>>()?))
        })
    }

    /// The newest content of a pack.
    pub(crate) fn pack(&self, name: &str) -> Result<Option<Vec<u8>>> {
        self.read(|tx| {
            let content = tx.query_row(
                "SELECT content FROM packs WHERE name = ?1 ORDER BY version DESC LIMIT 1",
                [name],
                |row| row.get(0),
            );
            Ok(content.optional()?)
        })
    }

    /// At most `most` bytes of a file from its byte `from`; `None` where there is no such
    /// file.
    pub(crate) fn pack_piece(
        &self,
        sha256: &str,
        from: u64,
        most: usize,
    ) -> Result<Option<Vec<u8>>> {
        self.read(|tx| {
            let piece = tx.query_row(
                "SELECT substr(bytes, ?2 + 1, ?3) FROM pack_files WHERE sha256 = ?1 LIMIT 1",
                params![
                    sha256,
                    i64::try_from(from).unwrap_or(i64::MAX - 1),
                    i64::try_from(most).unwrap_or(i64::MAX)
                ],
                |row| row.get(0),
            );
            Ok(piece.optional()?)
        })
    }
}

/// Serial of the list of packs; 0: none was published yet.
pub(super) fn serial(tx: &Transaction<'_>) -> Result<u64> {
    Ok(tx.query_row("SELECT serial FROM pack_serial", [], |row| unsigned(row, 0))?)
}

fn newest(tx: &Transaction<'_>, name: &str) -> Result<Option<(i64, String)>> {
    let newest = tx.query_row(
        "SELECT version, sha256 FROM packs WHERE name = ?1 ORDER BY version DESC LIMIT 1",
        [name],
        |row| Ok((row.get(0)?, row.get(1)?)),
    );
    Ok(newest.optional()?)
}

/// Makes the files of a pack anew: its content, and a delta from each older version
/// that is kept.
fn lay_out(tx: &Transaction<'_>, name: &str, version: i64, content: &[u8]) -> Result<()> {
    tx.execute("DELETE FROM pack_files WHERE name = ?1", [name])?;
    let mut put = tx.prepare(
        "INSERT INTO pack_files (name, from_version, sha256, bytes) VALUES (?1, ?2, ?3, ?4)",
    )?;
    let mut older =
        tx.prepare("SELECT version, content FROM packs WHERE name = ?1 AND version < ?2")?;
    let older = older.query_map(params![name, version], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
    })?;
    for before in older {
        let (from, before) = before?;
        if let Some(delta) = packs::delta(&before, content) {
            put.execute(params![name, from, sha256_hex(&delta), delta])?;
        }
    }
    put.execute(params![name, WHOLE, sha256_hex(content), content])?;
    Ok(())
}

fn deltas(tx: &Transaction<'_>, name: &str) -> Result<Vec<PackDelta>> {
    let mut select = tx.prepare_cached(
        "SELECT from_version, sha256, length(bytes) FROM pack_files
         WHERE name = ?1 AND from_version > 0 ORDER BY from_version",
    )?;
    let deltas = select.query_map([name], |row| {
        Ok(PackDelta {
            from: unsigned(row, 0)?,
            sha256: row.get(1)?,
            bytes: unsigned(row, 2)?,
        })
    })?;
    Ok(deltas.collect::<rusqlite::Result<_>>()?)
}

fn unsigned_version(version: i64) -> Result<u64> {
    Ok(u64::try_from(version).unwrap_or(0))
}
