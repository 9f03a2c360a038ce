//! The crises that are declared now.

use homeline::sync::protocol::Crisis;
use rusqlite::params;

use super::{Result, Store};

impl Store {
    /// Declares a crisis, or changes the one of the same id.
    pub(crate) fn declare_crisis(&self, crisis: &Crisis) -> Result<()> {
        self.write(|tx| {
            tx.execute(
                "INSERT OR REPLACE INTO crises (id, latitude, longitude, radius_m, since_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    crisis.id,
                    crisis.latitude,
                    crisis.longitude,
                    crisis.radius_m,
                    crisis.since_ms
                ],
            )?;
            Ok(())
        })
    }

    /// Ends a crisis; `false`: there is none of that id.
    pub(crate) fn end_crisis(&self, id: &str) -> Result<bool> {
        self.write(|tx| Ok(tx.execute("DELETE FROM crises WHERE id = ?1", [id])? > 0))
    }

    /// All that are declared, in order of their ids.
    pub(crate) fn crises(&self) -> Result<Vec<Crisis>> {
        self.read(|tx| {
            let mut select = tx.prepare(
                "SELECT id, latitude, longitude, radius_m, since_ms FROM crises ORDER BY id",
            )?;
            let crises = select.query_map([], |row| {
                Ok(Crisis {
                    id: row.get(0)?,
                    latitude: row.get(1)?,
                    longitude: row.get(2)?,
                    radius_m: row.get(3)?,
                    since_ms: row.get(4)?,
                })
            })?;
            Ok(crises.collect::<rusqlite::Result<_>>()?)
        })
    }
}
