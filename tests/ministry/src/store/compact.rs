//! Compact messages in, receipts out: reports and notes that come by text message
//! or packet, in any order, any number of times.
//!
//! The case is found or opened by the report's id, as for an envelope, and its owner
//! is who sent the report. A report of somebody who is not the owner of that case is
//! kept and counted, and gets no receipt.

use homeline::seal::compact::{CompactReceipt, message_hash};
use homeline::sos::compact::{CompactReport, TextPart};
use homeline::sync::protocol::Content;
use rusqlite::{OptionalExtension as _, Transaction, params};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::cases::{self, Case};
use super::view::Word;
use super::{Result, Store, StoreError, now_ms, unsigned};
use crate::intake::{CompactContent, CompactLetter, Refusal, Sender};

const REPORT: i64 = 0;
const TEXT: i64 = 1;

/// How a compact message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CompactChannel {
    Sms,
    Datagram,
}

impl CompactChannel {
    fn name(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Datagram => "datagram",
        }
    }
}

/// A compact message that is on disk.
pub(crate) struct TakenCompact {
    /// The bytes of the receipt; a part of a note has none, only the report proves
    /// a case.
    pub(crate) receipt: Option<Vec<u8>>,
}

/// A part of a note, for the desk.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextView {
    /// Which part, from 1.
    pub part: u8,
    /// What it says; absent while it is missing.
    pub text: Option<String>,
}

/// What has come of a report in its compact form.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompactView {
    /// How the first of it came: `sms` or `datagram`.
    pub channel: String,
    /// When, milliseconds UTC.
    pub received_ms: i64,
    /// Whether the report itself has come, or parts of its note only.
    pub report: bool,
    /// Whether the full report has come, too.
    pub full_report: bool,
    /// Milliseconds from the press to the sealing, as the phone says.
    pub waited_ms: Option<i64>,
    /// The note so far, all of its parts in order, those that are missing too.
    pub texts: Vec<TextView>,
    /// Whether the note was longer than all the parts hold.
    pub cut: bool,
}

impl Store {
    /// Takes a compact message. The receipt may be sent: the commit is done.
    pub(crate) fn take_compact(
        &self,
        message: &[u8],
        letter: &CompactLetter,
        channel: CompactChannel,
    ) -> Result<std::result::Result<TakenCompact, Refusal>> {
        self.write(|tx| {
            let hash = message_hash(message);
            let report = letter.content.report();
            let received_ms = match repeated(tx, &hash)? {
                Some(received_ms) => received_ms,
                None => self.keep_compact(tx, &hash, letter, channel)?,
            };
            let (number, owner) = tx.query_row(
                "SELECT number, sender FROM cases WHERE report = ?1",
                [report.as_bytes()],
                |row| Ok((row.get::<_, String>(0)?, row.get::<_, Sender>(1)?)),
            )?;
            if owner != letter.sender {
                return Ok(Err(Refusal::OtherSender));
            }
            Ok(Ok(TakenCompact {
                receipt: match letter.content {
                    CompactContent::Report(_) => {
                        Some(self.compact_receipt(message, &report, received_ms, &number)?)
                    }
                    CompactContent::Text(_) => None,
                },
            }))
        })
    }

    fn compact_receipt(
        &self,
        message: &[u8],
        report: &Uuid,
        received_ms: i64,
        number: &str,
    ) -> Result<Vec<u8>> {
        let key = self.keys.receipt();
        CompactReceipt::for_message(message, report, received_ms, number)
            .sign(key.public(), |bytes| key.sign_bytes(bytes).to_vec())
            .ok_or(StoreError::Seal)
    }

    fn keep_compact(
        &self,
        tx: &Transaction<'_>,
        hash: &[u8; 16],
        letter: &CompactLetter,
        channel: CompactChannel,
    ) -> Result<i64> {
        let received_ms = now_ms();
        let report = letter.content.report();
        let is_report = matches!(letter.content, CompactContent::Report(_));
        cases::find_or_open(tx, &report, &letter.sender, received_ms)?;
        tx.execute(
            "INSERT INTO compact_letters (hash, report, sender, channel, kind, received_ms, content)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                hash,
                report.as_bytes(),
                letter.sender,
                channel.name(),
                if is_report { REPORT } else { TEXT },
                received_ms,
                letter.plain
            ],
        )?;
        if is_report && !has_report_of_owner(tx, &report)? {
            self.name_sender(tx, &report, &letter.sender)?;
        }
        Ok(received_ms)
    }
}

/// When the message was stored, if it was; it is counted once more.
fn repeated(tx: &Transaction<'_>, hash: &[u8; 16]) -> Result<Option<i64>> {
    Ok(tx
        .query_row(
            "UPDATE compact_letters SET times_received = times_received + 1
             WHERE hash = ?1 RETURNING received_ms",
            [hash],
            |row| row.get(0),
        )
        .optional()?)
}

/// Whether the case's owner has sent the report itself, in full or compact: then
/// the case is theirs for good.
fn has_report_of_owner(tx: &Transaction<'_>, report: &Uuid) -> Result<bool> {
    Ok(tx.query_row(
        "SELECT EXISTS (SELECT 1 FROM envelopes e JOIN cases c ON c.sender = e.sender
                        WHERE e.id = ?1 AND c.report = ?1)
             OR EXISTS (SELECT 1 FROM compact_letters l JOIN cases c
                        ON c.report = l.report AND c.sender = l.sender
                        WHERE l.report = ?1 AND l.kind = 0)",
        [report.as_bytes()],
        |row| row.get(0),
    )?)
}

/// The compact reports of a case, as words about it.
pub(super) fn words(tx: &Transaction<'_>, case: &Case) -> Result<Vec<Word>> {
    let mut select = tx.prepare_cached(
        "SELECT sender, received_ms, content FROM compact_letters
         WHERE report = ?1 AND kind = 0 ORDER BY row DESC",
    )?;
    let rows = select
        .query_map([case.report.as_bytes()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get::<_, Vec<u8>>(2)?))
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(rows
        .into_iter()
        .filter_map(|(sender, received_ms, content)| {
            Some(Word {
                sender,
                received_ms,
                content: Content::Sos(CompactReport::decode(&content)?.to_report()),
            })
        })
        .collect())
}

/// How often the report has come in its compact form.
pub(super) fn times(tx: &Transaction<'_>, case: &Case) -> Result<u64> {
    Ok(tx.query_row(
        "SELECT coalesce(sum(times_received), 0) FROM compact_letters
         WHERE report = ?1 AND sender = ?2 AND kind = 0",
        params![case.report.as_bytes(), case.sender],
        |row| unsigned(row, 0),
    )?)
}

/// What the owner has sent in the compact form; `None`: nothing.
pub(super) fn view(tx: &Transaction<'_>, case: &Case) -> Result<Option<CompactView>> {
    let mut select = tx.prepare_cached(
        "SELECT channel, received_ms, kind, content FROM compact_letters
         WHERE report = ?1 AND sender = ?2 ORDER BY row",
    )?;
    let rows = select
        .query_map(params![case.report.as_bytes(), case.sender], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?
        .collect::<rusqlite::Result<Vec<(String, i64, i64, Vec<u8>)>>>()?;
    let Some((channel, received_ms, ..)) = rows.first().cloned() else {
        return Ok(None);
    };
    let of_kind = |wanted: i64| {
        rows.iter()
            .filter(move |(_, _, kind, _)| *kind == wanted)
            .map(|(_, _, _, content)| content)
    };
    let report = of_kind(REPORT)
        .filter_map(|content| CompactReport::decode(content))
        .next_back();
    let parts: Vec<TextPart> = of_kind(TEXT)
        .filter_map(|content| TextPart::decode(content))
        .collect();
    Ok(Some(CompactView {
        channel,
        received_ms,
        waited_ms: report.as_ref().and_then(|report| report.waited_ms),
        texts: texts(
            &parts,
            report.as_ref().map_or(0, |report| report.text_parts),
        ),
        cut: parts.iter().any(|part| part.cut),
        report: report.is_some(),
        full_report: tx.query_row(
            "SELECT EXISTS (SELECT 1 FROM envelopes WHERE id = ?1 AND sender = ?2)",
            params![case.report.as_bytes(), case.sender],
            |row| row.get(0),
        )?,
    }))
}

/// The parts in order, the newest of each, with a place for those that are missing.
fn texts(parts: &[TextPart], announced: u8) -> Vec<TextView> {
    let of = parts.iter().map(|part| part.of).max().unwrap_or(0);
    (1..=of.max(announced))
        .map(|number| TextView {
            part: number,
            text: parts
                .iter()
                .rev()
                .find(|part| part.part == number)
                .map(|part| part.text.clone()),
        })
        .collect()
}
