//! The outbox in an erasure: what it keeps, and the request that it takes.

use rusqlite::{OptionalExtension as _, params};
use uuid::Uuid;

use super::{Lane, Outbox, Role};
use crate::error::Result;

/// How many envelopes of one role there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RoleCounts {
    pub(crate) role: Role,
    pub(crate) waiting: u32,
    pub(crate) received: u32,
    pub(crate) parked: u32,
}

/// What has become of the newest envelope of a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Waiting,
    Received { at_ms: i64 },
    Parked,
}

impl Outbox {
    /// Deletes everything but what was pressed and still waits, with its
    /// evidence, and requests to erase that still wait; takes one more of those.
    /// All of it is sealed to the ministry by keys that are gone.
    ///
    /// One transaction in the same file: a press of another process of the host
    /// comes before it or after it, and is never lost with an old file.
    pub(crate) fn erase(&self, request: Option<(Uuid, &[u8])>) -> Result<()> {
        self.write(|tx| {
            tx.execute(
                "DELETE FROM envelope WHERE NOT (state = 0 AND (lane = ?1 OR role = ?2))",
                params![Lane::Sos.number(), Role::Erase.number()],
            )?;
            tx.execute_batch(
                "DELETE FROM report WHERE id NOT IN
                   (SELECT report FROM envelope WHERE report IS NOT NULL);
                 -- Sealed to a device that is gone.
                 UPDATE report SET own_copy = NULL;
                 DELETE FROM readable;
                 DELETE FROM event WHERE report NOT IN (SELECT id FROM report)
                   OR json_type(evidence, '$.sealed') IS NOT NULL;
                 DELETE FROM attachment;
                 DELETE FROM sms WHERE report NOT IN (SELECT id FROM report);
                 DELETE FROM sms_try WHERE report NOT IN (SELECT id FROM report);
                 DELETE FROM standing;
                 DELETE FROM meta;",
            )?;
            let Some((id, sealed)) = request else {
                return Ok(());
            };
            tx.execute(
                "INSERT OR IGNORE INTO envelope (id, lane, role, sealed) VALUES (?1, ?2, ?3, ?4)",
                params![
                    id,
                    Lane::Registration.number(),
                    Role::Erase.number(),
                    sealed
                ],
            )?;
            Ok(())
        })?;
        self.compact()
    }

    /// What has become of the newest envelope of a role, if there is one.
    pub(crate) fn fate(&self, role: Role) -> Result<Option<Fate>> {
        self.read(|tx| {
            let row: Option<(i64, i64)> = tx
                .query_row(
                    "SELECT state, due FROM envelope WHERE role = ?1 ORDER BY seq DESC LIMIT 1",
                    [role.number()],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .optional()?;
            Ok(row.map(|(state, at_ms)| match state {
                0 => Fate::Waiting,
                1 => Fate::Received { at_ms },
                _ => Fate::Parked,
            }))
        })
    }

    /// What was sent and what waits, by role.
    pub(crate) fn role_counts(&self) -> Result<Vec<RoleCounts>> {
        self.read(|tx| {
            let mut statement = tx.prepare_cached(
                "SELECT role, count(*) FILTER (WHERE state = 0),
                        count(*) FILTER (WHERE state = 1), count(*) FILTER (WHERE state = 2)
                 FROM envelope GROUP BY role ORDER BY role",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(RoleCounts {
                    role: Role::from_number(row.get(0)?),
                    waiting: row.get(1)?,
                    received: row.get(2)?,
                    parked: row.get(3)?,
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }
}
