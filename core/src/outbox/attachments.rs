//! Attachments: what follows a report in chunks.
//!
//! ```text
//! attached ─▶ its report is received ─▶ manifest in the lane Attachments, received
//!          ─▶ chunks, the file with the fewest bytes first ─▶ signed receipt
//! ```
//!
//! A row is never deleted unsent, but by the traveler, with its report's countdown,
//! or by an erasure. Its sealed bytes stay until the receipt: see `ciphertext`.

use rusqlite::{OptionalExtension as _, Row, Transaction, params};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Lane, Outbox, Role};
use crate::error::{HomelineError, Problem, Result};

/// Over which links an attachment may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum SendOver {
    /// Any.
    AnyLink,
    /// Only one that costs nothing by the byte; its announcement, some hundred
    /// bytes, goes over any.
    UnmeteredLink,
    /// None: it waits until the traveler says otherwise.
    NoLink,
}

impl SendOver {
    pub(crate) fn number(self) -> i64 {
        match self {
            Self::AnyLink => 0,
            Self::UnmeteredLink => 1,
            Self::NoLink => 2,
        }
    }

    pub(crate) fn from_number(number: i64) -> Self {
        match number {
            0 => Self::AnyLink,
            1 => Self::UnmeteredLink,
            _ => Self::NoLink,
        }
    }
}

/// An attachment to be stored. Its file is whole and has its name.
pub(crate) struct NewAttachment {
    pub(crate) id: Uuid,
    pub(crate) report: Uuid,
    pub(crate) made_ms: i64,
    pub(crate) bytes: u64,
    pub(crate) chunks: u32,
    /// Of a sealed chunk.
    pub(crate) chunk_bytes: u64,
    pub(crate) root: [u8; 32],
    pub(crate) manifest: Vec<u8>,
    pub(crate) about: Vec<u8>,
    pub(crate) send_over: SendOver,
}

/// How an attachment has ended.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "ended", rename_all = "snake_case")]
pub(crate) enum Ended {
    Received { received_ms: i64, signed: String },
    Refused { status: u16, reason: String },
}

/// What has become of a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AttachmentSent {
    /// It waits: for its report, or in its lane.
    Nothing,
    /// The ministry has the manifest.
    Announced,
}

/// An attachment as it is shown.
#[derive(Clone)]
pub(crate) struct AttachmentRow {
    pub(crate) id: Uuid,
    pub(crate) report: Uuid,
    pub(crate) made_ms: i64,
    pub(crate) bytes: u64,
    pub(crate) chunks: u32,
    pub(crate) chunk_bytes: u64,
    pub(crate) handed: u32,
    pub(crate) send_over: SendOver,
    pub(crate) due_ms: i64,
    pub(crate) about: Vec<u8>,
    pub(crate) sent: AttachmentSent,
    pub(crate) ended: Option<Ended>,
}

/// An attachment of which chunks may be sent.
#[derive(Clone)]
pub(crate) struct UploadRow {
    pub(crate) id: Uuid,
    pub(crate) chunks: u32,
    pub(crate) chunk_bytes: u64,
    pub(crate) root: Vec<u8>,
    pub(crate) attempts: u32,
}

/// What may be uploaded next.
pub(crate) enum Upload {
    Next(UploadRow),
    /// Nothing before this time, milliseconds UTC.
    Wait {
        until_ms: i64,
    },
    Nothing,
}

const ROW: &str = "SELECT a.id, a.report, a.made_ms, a.bytes, a.chunks, a.chunk_bytes, a.handed,
                          a.send_over, max(a.due, coalesce(e.due, 0)), a.about, e.state, a.ended
                   FROM attachment a LEFT JOIN envelope e ON e.id = a.id";

impl Outbox {
    /// Stores an attachment of a report that is here.
    pub(crate) fn add_attachment(&self, new: &NewAttachment) -> Result<()> {
        let most = self.policy().attachments_per_report;
        self.write(|tx| {
            let report: Option<i64> = tx
                .query_row("SELECT 1 FROM report WHERE id = ?1", [new.report], |row| {
                    row.get(0)
                })
                .optional()?;
            if report.is_none() {
                return Err(HomelineError::not_found("report"));
            }
            let count: u32 = tx.query_row(
                "SELECT count(*) FROM attachment WHERE report = ?1",
                [new.report],
                |row| row.get(0),
            )?;
            if count >= most {
                return Err(HomelineError::invalid(
                    "attachment",
                    Problem::TooMany,
                    &format!("at most {most} of one report"),
                ));
            }
            tx.execute(
                "INSERT INTO attachment (id, report, made_ms, bytes, chunks, chunk_bytes, root,
                                         manifest, about, send_over)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                params![
                    new.id,
                    new.report,
                    new.made_ms,
                    signed(new.bytes),
                    new.chunks,
                    signed(new.chunk_bytes),
                    new.root,
                    new.manifest,
                    new.about,
                    new.send_over.number()
                ],
            )?;
            Ok(())
        })
    }

    /// The attachments of a report, or all, in the order in which they came.
    pub(crate) fn attachment_rows(&self, report: Option<Uuid>) -> Result<Vec<AttachmentRow>> {
        self.read(|tx| {
            let mut statement = tx.prepare_cached(&format!(
                "{ROW} WHERE ?1 IS NULL OR a.report = ?1 ORDER BY a.seq"
            ))?;
            let rows = statement.query_map([report], read_row)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    pub(crate) fn attachment_row(&self, id: Uuid) -> Result<Option<AttachmentRow>> {
        self.read(|tx| {
            let sql = format!("{ROW} WHERE a.id = ?1");
            Ok(tx.query_row(&sql, [id], read_row).optional()?)
        })
    }

    /// Attachments that are neither received nor refused.
    pub(crate) fn attachments_waiting(&self) -> Result<u32> {
        self.read(|tx| {
            let sql = "SELECT count(*) FROM attachment WHERE state = 0";
            Ok(tx.query_row(sql, [], |row| row.get(0))?)
        })
    }

    /// Puts the manifests of received reports into their lane; whether there was one.
    pub(crate) fn stage_attachments(&self) -> Result<bool> {
        // Most passes have none: no write for that.
        let any: Option<i64> = self.read(|tx| {
            Ok(tx
                .query_row(
                    &format!("SELECT 1 FROM {STAGEABLE} LIMIT 1"),
                    [SendOver::NoLink.number()],
                    |row| row.get(0),
                )
                .optional()?)
        })?;
        if any.is_none() {
            return Ok(false);
        }
        self.write(|tx| {
            tx.execute(
                &format!(
                    "INSERT OR IGNORE INTO envelope (id, lane, role, report, sealed, made_ms)
                     SELECT a.id, ?2, ?3, a.report, a.manifest, a.made_ms FROM {STAGEABLE}"
                ),
                params![
                    SendOver::NoLink.number(),
                    Lane::Attachments.number(),
                    Role::Attachment.number()
                ],
            )?;
            tx.execute(
                "UPDATE attachment SET manifest = NULL
                 WHERE manifest IS NOT NULL AND id IN (SELECT id FROM envelope)",
                [],
            )?;
            Ok(true)
        })
    }

    /// The next attachment of which chunks may go over a link of this kind.
    pub(crate) fn next_upload(&self, now_ms: i64, over: SendOver) -> Result<Upload> {
        let horizon = self.policy().due_horizon_ms;
        self.read(|tx| {
            let mut statement = tx.prepare_cached(
                // The small ones first: a voice note says more by the byte.
                "SELECT a.id, a.chunks, a.chunk_bytes, a.root, a.attempts,
                        CASE WHEN a.due > ?1 + ?3 THEN ?1 ELSE a.due END AS at
                 FROM attachment a JOIN envelope e ON e.id = a.id AND e.state = 1
                 WHERE a.state = 0 AND a.send_over <= ?2 ORDER BY a.bytes, a.seq",
            )?;
            let mut rows = statement.query(params![now_ms, over.number(), horizon])?;
            let mut first: Option<i64> = None;
            while let Some(row) = rows.next()? {
                let at: i64 = row.get(5)?;
                if at <= now_ms {
                    return Ok(Upload::Next(UploadRow {
                        id: row.get(0)?,
                        chunks: row.get(1)?,
                        chunk_bytes: unsigned(row, 2)?,
                        root: row.get(3)?,
                        attempts: row.get(4)?,
                    }));
                }
                first = Some(first.map_or(at, |first| first.min(at)));
            }
            Ok(first.map_or(Upload::Nothing, |until_ms| Upload::Wait { until_ms }))
        })
    }

    /// Whether an envelope goes before a chunk at `now_ms`: one that is due, or a
    /// report, due or not, for then the link is in use anyway.
    pub(crate) fn goes_before_a_chunk(&self, now_ms: i64, skip: &[Uuid]) -> Result<bool> {
        let horizon = self.policy().due_horizon_ms;
        self.read(|tx| {
            let mut statement = tx.prepare_cached(
                "SELECT id FROM envelope
                 WHERE state = 0 AND (not_before <= ?1 OR not_before > ?1 + ?2)
                   AND (lane = 0 OR due <= ?1 OR due > ?1 + ?2)",
            )?;
            let mut rows = statement.query([now_ms, horizon])?;
            while let Some(row) = rows.next()? {
                if !skip.contains(&row.get(0)?) {
                    return Ok(true);
                }
            }
            Ok(false)
        })
    }

    /// The reports that wait for their back-off are due: something else is sent now.
    pub(crate) fn reports_due(&self) -> Result<()> {
        self.write(|tx| {
            tx.execute(
                "UPDATE envelope SET due = 0 WHERE state = 0 AND lane = 0 AND due <> 0",
                [],
            )?;
            Ok(())
        })
    }

    /// Notes how many chunks the ministry has, as it says; the link works again.
    pub(crate) fn note_handed(&self, id: Uuid, handed: u32) -> Result<()> {
        self.write(|tx| {
            tx.execute(
                "UPDATE attachment SET handed = ?2, attempts = 0 WHERE id = ?1 AND state = 0",
                params![id, handed],
            )?;
            Ok(())
        })
    }

    /// An attempt failed: so many now, and due again at `due_ms`.
    pub(crate) fn retry_upload(&self, id: Uuid, attempts: u32, due_ms: i64) -> Result<()> {
        self.write(|tx| {
            tx.execute(
                "UPDATE attachment SET attempts = ?2, due = ?3 WHERE id = ?1 AND state = 0",
                params![id, attempts, due_ms],
            )?;
            Ok(())
        })
    }

    /// Ends an attachment: received with its receipt, and then its bytes go; or
    /// refused, and then they stay.
    pub(crate) fn end_attachment(&self, id: Uuid, ended: &Ended) -> Result<()> {
        let json =
            serde_json::to_string(ended).map_err(|_| HomelineError::bug("outbox::attachments"))?;
        let state = match ended {
            Ended::Received { .. } => 1,
            Ended::Refused { .. } => 2,
        };
        self.write(|tx| {
            tx.execute(
                "UPDATE attachment SET state = ?2, ended = ?3, manifest = NULL
                 WHERE id = ?1 AND state <> 1",
                params![id, state, json],
            )?;
            Ok(())
        })?;
        if state == 1 {
            self.sweep_attachments()?;
        }
        Ok(())
    }

    /// Sets over which links it may go; `false` where there is nothing left to send.
    pub(crate) fn set_send_over(&self, id: Uuid, over: SendOver) -> Result<bool> {
        self.write(|tx| {
            let changed = tx.execute(
                "UPDATE attachment SET send_over = ?2, due = 0 WHERE id = ?1 AND state = 0",
                params![id, over.number()],
            )?;
            if over == SendOver::NoLink {
                unstage(tx, "id = ?1", id)?;
            }
            Ok(changed > 0)
        })
    }

    /// The report was taken back: what was not sent waits for a word.
    pub(crate) fn hold_attachments(&self, report: Uuid) -> Result<()> {
        self.write(|tx| {
            tx.execute(
                "UPDATE attachment SET send_over = ?2 WHERE report = ?1 AND state = 0",
                params![report, SendOver::NoLink.number()],
            )?;
            unstage(tx, "report = ?1", report)
        })
    }

    /// Makes a parked one wait again: with its manifest sealed anew, or with the
    /// one that the ministry has.
    pub(crate) fn revive_attachment(&self, id: Uuid, manifest: Option<&[u8]>) -> Result<()> {
        self.write(|tx| {
            if manifest.is_some() {
                tx.execute("DELETE FROM envelope WHERE id = ?1", [id])?;
            }
            tx.execute(
                "UPDATE attachment SET manifest = ?2, state = 0, ended = NULL, attempts = 0,
                                       due = 0, handed = 0
                 WHERE id = ?1 AND state = 2",
                params![id, manifest],
            )?;
            Ok(())
        })
    }

    /// Removes an attachment with its bytes; `false` where the ministry has it whole.
    pub(crate) fn remove_attachment(&self, id: Uuid) -> Result<bool> {
        let removed = self.write(|tx| {
            let removed =
                tx.execute("DELETE FROM attachment WHERE id = ?1 AND state <> 1", [id])?;
            if removed > 0 {
                tx.execute("DELETE FROM envelope WHERE id = ?1 AND state <> 1", [id])?;
            }
            Ok(removed > 0)
        })?;
        self.sweep_attachments()?;
        Ok(removed)
    }
}

/// Attachments whose manifest may go now.
const STAGEABLE: &str = "attachment a JOIN envelope r ON r.id = a.report AND r.state = 1
     WHERE a.manifest IS NOT NULL AND a.state = 0 AND a.send_over <> ?1";

/// Takes manifests that wait in their lane back to their rows.
fn unstage(tx: &Transaction<'_>, which: &str, id: Uuid) -> Result<()> {
    tx.execute(
        &format!(
            "UPDATE attachment SET manifest =
               (SELECT sealed FROM envelope e WHERE e.id = attachment.id AND e.state = 0)
             WHERE {which} AND manifest IS NULL AND state = 0"
        ),
        [id],
    )?;
    tx.execute(
        &format!("DELETE FROM envelope WHERE {which} AND role = ?2 AND state = 0"),
        params![id, Role::Attachment.number()],
    )?;
    Ok(())
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<AttachmentRow> {
    let ended: Option<String> = row.get(11)?;
    let envelope: Option<i64> = row.get(10)?;
    Ok(AttachmentRow {
        id: row.get(0)?,
        report: row.get(1)?,
        made_ms: row.get(2)?,
        bytes: unsigned(row, 3)?,
        chunks: row.get(4)?,
        chunk_bytes: unsigned(row, 5)?,
        handed: row.get(6)?,
        send_over: SendOver::from_number(row.get(7)?),
        due_ms: row.get(8)?,
        about: row.get(9)?,
        sent: match envelope {
            Some(1) => AttachmentSent::Announced,
            _ => AttachmentSent::Nothing,
        },
        ended: ended.and_then(|json| serde_json::from_str(&json).ok()),
    })
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    Ok(u64::try_from(number).unwrap_or(0))
}
