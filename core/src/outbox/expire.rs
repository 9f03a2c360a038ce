//! What the outbox no longer needs: envelopes that were delivered long ago, and
//! reports whose time is over. What waits or is parked is never touched.

use rusqlite::params;
use uuid::Uuid;

use super::Outbox;
use crate::error::Result;

impl Outbox {
    /// Deletes the traces of envelopes that were delivered before a time, those
    /// of reports excepted; at most `limit`. Returns how many.
    pub(crate) fn expire_delivered(&self, before_ms: i64, limit: u32) -> Result<usize> {
        self.write(|tx| {
            Ok(tx.execute(
                // `due` of a received envelope is when it was received.
                "DELETE FROM envelope WHERE seq IN
                   (SELECT seq FROM envelope
                    WHERE state = 1 AND report IS NULL AND due < ?1 ORDER BY seq LIMIT ?2)",
                params![before_ms, limit],
            )?)
        })
    }

    /// Reports of which nothing waits, and to which nothing has happened since a
    /// time; at most `limit`.
    pub(crate) fn expired_reports(&self, before_ms: i64, limit: u32) -> Result<Vec<Uuid>> {
        self.read(|tx| {
            let mut statement = tx.prepare_cached(
                // Once through each table: this runs at each start.
                "SELECT id FROM report
                 WHERE id IN (SELECT report FROM event GROUP BY report
                              HAVING max(last_wall_ms) < ?1)
                   AND id NOT IN (SELECT report FROM envelope
                                  WHERE state <> 1 AND report IS NOT NULL)
                 LIMIT ?2",
            )?;
            let ids = statement.query_map(params![before_ms, limit], |row| row.get(0))?;
            Ok(ids.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Deletes reports with their events, envelopes and attachments.
    pub(crate) fn delete_reports(&self, reports: &[Uuid]) -> Result<()> {
        self.write(|tx| {
            for report in reports {
                tx.execute("DELETE FROM envelope WHERE report = ?1", [report])?;
                for table in ["event", "sms", "sms_try"] {
                    let sql = format!("DELETE FROM {table} WHERE report = ?1");
                    tx.prepare_cached(&sql)?.execute([report])?;
                }
                tx.execute("DELETE FROM report WHERE id = ?1", [report])?;
                tx.execute("DELETE FROM attachment WHERE report = ?1", [report])?;
            }
            Ok(())
        })?;
        self.sweep_attachments()
    }
}
