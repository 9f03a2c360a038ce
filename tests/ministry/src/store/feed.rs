//! Devices and the change feed.
//!
//! News are sealed to the key that sealed the report, when they are made, so
//! they wait for a device that enrols later. A device reads those of its own
//! agreement key and no others.

use homeline::seal::envelope::seal_to_device;
use homeline::seal::signed::{Context, Signed};
use homeline::sync::protocol::{Base64, CaseNews, CaseState, Change, ChangePage, Enrolment};
use rusqlite::{OptionalExtension as _, Transaction, params};

use super::cases::{self, Case};
use super::{Result, Store, StoreError, now_ms, unsigned};
use crate::intake::Sender;
use crate::keys::random;

/// Changes on one page.
const PAGE: usize = 100;
/// One more, to know whether there is another page.
const PAGE_AND_NEXT: i64 = 101;

/// Sealed bytes on one page, save that there is always one item: a phone reads at
/// most 1 MiB, and base64 makes a third more of it.
const PAGE_BYTES: usize = 512 * 1024;

/// How many of these go on one page.
fn fitting(changes: &[Change]) -> usize {
    let mut bytes = 0usize;
    let fit = changes.iter().take(PAGE).take_while(|change| {
        bytes = bytes.saturating_add(change.sealed.0.len());
        bytes <= PAGE_BYTES
    });
    fit.count().max(1)
}

/// The public keys of an enrolled device.
pub(crate) struct Device {
    pub(crate) signing: Vec<u8>,
    pub(crate) agreement: Vec<u8>,
}

impl Store {
    /// Enrols a device, or leaves it as it is when it is known.
    pub(crate) fn enrol(&self, id: &str, keys: &Enrolment) -> Result<()> {
        self.write(|tx| {
            tx.execute(
                "INSERT INTO devices (id, signing, agreement, enrolled_ms)
                 VALUES (?1, ?2, ?3, ?4) ON CONFLICT (id) DO NOTHING",
                params![id, keys.signing_key.0, keys.agreement_key.0, now_ms()],
            )?;
            Ok(())
        })
    }

    pub(crate) fn device(&self, id: &str) -> Result<Option<Device>> {
        self.read(|tx| {
            let device = tx
                .query_row(
                    "SELECT signing, agreement FROM devices WHERE id = ?1",
                    [id],
                    |row| {
                        Ok(Device {
                            signing: row.get(0)?,
                            agreement: row.get(1)?,
                        })
                    },
                )
                .optional()?;
            Ok(device)
        })
    }

    /// The changes for the holder of `agreement` that come after `after`.
    pub(crate) fn changes(&self, agreement: &[u8], after: u64) -> Result<ChangePage> {
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        self.read(|tx| {
            let mut select = tx.prepare_cached(
                "SELECT seq, kind, sealed FROM changes
                 WHERE recipient = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
            )?;
            let mut changes = select
                .query_map(params![agreement, after, PAGE_AND_NEXT], |row| {
                    Ok(Change {
                        seq: unsigned(row, 0)?,
                        kind: row.get(1)?,
                        sealed: Base64(row.get(2)?),
                    })
                })?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            let room = fitting(&changes);
            let more = changes.len() > room;
            changes.truncate(room);
            let last = newest(tx)?;
            let beyond = changes.is_empty() && last < after;
            Ok(ChangePage {
                changes,
                more,
                newest: beyond.then(|| u64::try_from(last).unwrap_or(0)),
                packs: Some(super::packs::serial(tx)?),
            })
        })
    }

    /// Puts what a case has come to into its sender's feed; once a state.
    pub(super) fn publish(&self, tx: &Transaction<'_>, case: &Case) -> Result<()> {
        let states = [
            (
                CaseState::Acknowledged,
                "acknowledged",
                case.acknowledged_ms,
            ),
            (CaseState::Closed, "closed", case.closed_ms),
        ];
        for (state, name, at_ms) in states {
            let Some(at_ms) = at_ms else { continue };
            let topic = format!("case/{}/{name}", case.report.simple());
            let known: bool = tx.query_row(
                "SELECT EXISTS (SELECT 1 FROM changes WHERE recipient = ?1 AND topic = ?2)",
                params![case.sender, topic],
                |row| row.get(0),
            )?;
            if !known {
                let news = self.signed_news(case, state, at_ms)?;
                add(tx, &case.sender, &topic, "case", &news)?;
            }
        }
        Ok(())
    }

    /// Signs all that is in the feeds anew, because the key that signed it is not to
    /// be believed any more. It takes new places: phones that were told are told again.
    pub(crate) fn sign_news_anew(&self) -> Result<()> {
        self.write(|tx| {
            tx.execute("DELETE FROM changes WHERE kind = 'case'", [])?;
            for case in cases::all(tx)? {
                self.publish(tx, &case)?;
            }
            self.tell_all(tx)?;
            self.issue_all(tx)
        })
    }

    fn signed_news(&self, case: &Case, state: CaseState, at_ms: i64) -> Result<Signed> {
        let news = CaseNews {
            report: case.report,
            case: case.number.clone(),
            state,
            mission: case.mission.clone(),
            officer: case.officer.clone(),
            at_ms,
        };
        Ok(self.keys.receipt().sign(Context::Case, &news)?)
    }
}

/// The last position in any feed, deleted ones included. Before the first it is 0.
fn newest(tx: &Transaction<'_>) -> Result<i64> {
    let sql = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'changes'";
    Ok(tx.query_row(sql, [], |row| row.get(0))?)
}

/// Puts a parcel for another phone into the feed of the one that shall carry it.
pub(super) fn hand_on(tx: &Transaction<'_>, carrier: &Sender, parcel: &[u8]) -> Result<()> {
    let topic = format!("parcel/{}", homeline::seal::sha256_hex(parcel));
    tx.execute(
        "INSERT INTO changes (recipient, topic, kind, sealed) VALUES (?1, ?2, 'parcel', ?3)",
        params![carrier, topic, parcel],
    )?;
    Ok(())
}

/// Seals what was signed to a device and puts it at the end of its feed, in place
/// of an older item of that topic.
pub(super) fn add(
    tx: &Transaction<'_>,
    recipient: &Sender,
    topic: &str,
    kind: &str,
    signed: &Signed,
) -> Result<()> {
    let id = uuid::Builder::from_random_bytes(random()?).into_uuid();
    let sealed = seal_to_device(&serde_json::to_vec(signed)?, id, recipient)
        .map_err(|_| StoreError::Seal)?;
    tx.execute(
        "INSERT OR REPLACE INTO changes (recipient, topic, kind, sealed)
         VALUES (?1, ?2, ?3, ?4)",
        params![recipient, topic, kind, sealed],
    )?;
    Ok(())
}
