//! The text messages of the reports, and what became of each.

use rusqlite::{OptionalExtension as _, params};
use uuid::Uuid;

use super::Outbox;
use super::events::{self, EventRow};
use crate::error::Result;
use crate::seal::compact::message_hash;
use crate::sos::SmsResult;

/// The messages of a report that are in force, the report first.
pub(crate) struct SmsSet {
    pub(crate) recipient: String,
    pub(crate) made_ms: i64,
    pub(crate) sealed: Vec<Vec<u8>>,
}

/// One message that was handed to the phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SmsTry {
    pub(crate) part: u32,
    pub(crate) sim: u32,
    pub(crate) at_ms: i64,
    /// Messages that it may have cost.
    pub(crate) messages: u32,
    pub(crate) result: SmsResult,
}

// The numbers are in files: they never change their meaning.
const RESULTS: [(SmsResult, i64); 6] = [
    (SmsResult::Sent, 0),
    (SmsResult::Delivered, 1),
    (SmsResult::NoService, 2),
    (SmsResult::RadioOff, 3),
    (SmsResult::LimitExceeded, 4),
    (SmsResult::Failed, 5),
];

impl Outbox {
    /// The messages of a report, if they have been made.
    pub(crate) fn sms_set(&self, report: Uuid) -> Result<Option<SmsSet>> {
        self.read(|tx| {
            let mut statement = tx.prepare_cached(
                "SELECT recipient, made_ms, sealed FROM sms WHERE report = ?1 AND made =
                   (SELECT max(made) FROM sms WHERE report = ?1) ORDER BY part",
            )?;
            let mut rows = statement.query([report])?;
            let mut set: Option<SmsSet> = None;
            while let Some(row) = rows.next()? {
                let sealed = row.get(2)?;
                match &mut set {
                    Some(set) => set.sealed.push(sealed),
                    None => {
                        set = Some(SmsSet {
                            recipient: row.get(0)?,
                            made_ms: row.get(1)?,
                            sealed: vec![sealed],
                        });
                    }
                }
            }
            Ok(set)
        })
    }

    /// Keeps messages of a report, in the place of those before. Receipts for those
    /// are still found.
    pub(crate) fn keep_sms(&self, report: Uuid, set: &SmsSet) -> Result<()> {
        self.write(|tx| {
            let made: i64 = tx.query_row(
                "SELECT coalesce(max(made), 0) + 1 FROM sms WHERE report = ?1",
                [report],
                |row| row.get(0),
            )?;
            for (part, sealed) in (1i64..).zip(&set.sealed) {
                tx.execute(
                    "INSERT INTO sms (report, made, part, recipient, made_ms, hash, sealed)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    params![
                        report,
                        made,
                        part,
                        set.recipient,
                        set.made_ms,
                        message_hash(sealed),
                        sealed
                    ],
                )?;
            }
            Ok(())
        })
    }

    /// The report whose message this is the hash of.
    pub(crate) fn sms_report(&self, hash: &[u8; 16]) -> Result<Option<Uuid>> {
        self.read(|tx| {
            Ok(tx
                .query_row(
                    "SELECT report FROM sms WHERE hash = ?1 AND part = 1",
                    [hash],
                    |row| row.get(0),
                )
                .optional()?)
        })
    }

    /// What became of the messages of a report.
    pub(crate) fn sms_tries(&self, report: Uuid) -> Result<Vec<SmsTry>> {
        self.tries("report = ?1", &report)
    }

    /// What became of all messages of one SIM.
    pub(crate) fn sms_tries_of_sim(&self, sim: u32) -> Result<Vec<SmsTry>> {
        self.tries("sim = ?1", &sim)
    }

    fn tries(&self, which: &str, value: &dyn rusqlite::ToSql) -> Result<Vec<SmsTry>> {
        self.read(|tx| {
            let mut statement = tx.prepare_cached(&format!(
                "SELECT part, sim, at_ms, messages, result FROM sms_try WHERE {which} ORDER BY seq"
            ))?;
            let rows = statement.query_map([value], |row| {
                let number: i64 = row.get(4)?;
                let known = RESULTS.iter().find(|(_, known)| *known == number);
                Ok(SmsTry {
                    part: row.get(0)?,
                    sim: row.get(1)?,
                    at_ms: row.get(2)?,
                    messages: row.get(3)?,
                    // One of a later version may have cost something.
                    result: known.map_or(SmsResult::Failed, |(result, _)| *result),
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Notes what became of a message, with its event.
    pub(crate) fn note_sms(&self, tried: &SmsTry, event: &EventRow) -> Result<()> {
        let known = RESULTS.iter().find(|(result, _)| *result == tried.result);
        let number = known.map_or(5, |(_, number)| *number);
        self.write(|tx| {
            tx.execute(
                "INSERT INTO sms_try (report, part, sim, at_ms, messages, result)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    event.report,
                    tried.part,
                    tried.sim,
                    tried.at_ms,
                    tried.messages,
                    number
                ],
            )?;
            events::append(tx, event)
        })
    }

    /// Appends an event to a report.
    pub(crate) fn add_event(&self, event: &EventRow) -> Result<()> {
        self.write(|tx| events::append(tx, event))
    }
}
