//! A batch of envelopes in, one result each out, in one transaction.
//!
//! Idempotent by envelope id: the first one of an id is accepted, every later
//! one of the same sender gets the first receipt again. What a letter does to a
//! case depends neither on the order of arrival nor on how often it comes:
//! a case is found or made by its report's id, whoever speaks of it first.

use homeline::seal::signed::{Context, Signed};
use homeline::sync::protocol::{Content, EnvelopeOutcome, EnvelopeResult, Positions, Receipt};
use homeline::whereabouts::{Fix, FixFlag, unpack};
use rusqlite::{OptionalExtension as _, Transaction, params};
use uuid::Uuid;

use super::{Result, Store, cases, erase, groups, now_ms};
use crate::intake::{Letter, Refusal, Sender};
use crate::roster;

impl Store {
    /// Takes a batch. The receipts may be sent: the commit is done.
    pub(crate) fn take(
        &self,
        batch: &[(Uuid, std::result::Result<Letter, Refusal>)],
    ) -> Result<Vec<EnvelopeResult>> {
        self.write(|tx| {
            batch
                .iter()
                .map(|(id, letter)| {
                    let outcome = match letter {
                        Ok(letter) => self.take_one(tx, letter)?,
                        Err(refusal) => refused(*refusal),
                    };
                    Ok(EnvelopeResult { id: *id, outcome })
                })
                .collect()
        })
    }

    pub(super) fn take_one(
        &self,
        tx: &Transaction<'_>,
        letter: &Letter,
    ) -> Result<EnvelopeOutcome> {
        let known: Option<(Sender, String)> = tx
            .query_row(
                "SELECT sender, receipt FROM envelopes WHERE id = ?1",
                [letter.id.as_bytes()],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        match known {
            None => self.accept(tx, letter),
            Some((sender, _)) if sender != letter.sender => Ok(refused(Refusal::OtherSender)),
            Some((_, receipt)) => {
                tx.execute(
                    "UPDATE envelopes SET times_received = times_received + 1 WHERE id = ?1",
                    [letter.id.as_bytes()],
                )?;
                let receipt = self.believable(serde_json::from_str(&receipt)?)?;
                Ok(EnvelopeOutcome::Duplicate { receipt })
            }
        }
    }

    fn accept(&self, tx: &Transaction<'_>, letter: &Letter) -> Result<EnvelopeOutcome> {
        let received_ms = now_ms();
        let case = match report_of(&letter.content) {
            Some(report) => Some(cases::find_or_open(
                tx,
                &report,
                &letter.sender,
                received_ms,
            )?),
            None => None,
        };
        let receipt = self.receipt(letter, received_ms, case)?;
        tx.execute(
            "INSERT INTO envelopes (id, sender, receipt) VALUES (?1, ?2, ?3)",
            params![
                letter.id.as_bytes(),
                letter.sender,
                serde_json::to_string(&receipt)?
            ],
        )?;
        if erase::keeps(tx, &letter.sender, &letter.content)? {
            self.keep(tx, letter, received_ms)?;
        }
        if let Content::Sos(report) = &letter.content {
            self.name_sender(tx, &report.report, &letter.sender)?;
        }
        if let Content::Profile(_) = &letter.content {
            self.issue_card(tx, &letter.sender)?;
        }
        Ok(EnvelopeOutcome::Accepted { receipt })
    }

    fn keep(&self, tx: &Transaction<'_>, letter: &Letter, received_ms: i64) -> Result<()> {
        match &letter.content {
            Content::Profile(profile) => {
                self.take_profile(tx, &letter.sender, profile, &letter.plain, received_ms)
            }
            _ => keep(tx, letter, received_ms),
        }
    }

    /// A receipt of before, signed anew where its key is not to be believed any more:
    /// what it says is still true.
    fn believable(&self, receipt: Signed) -> Result<Signed> {
        if self.keys.is_believed(&receipt.key) {
            return Ok(receipt);
        }
        let said: Receipt = serde_json::from_slice(&receipt.body.0)?;
        Ok(self.keys.receipt().sign(Context::Receipt, &said)?)
    }

    fn receipt(&self, letter: &Letter, received_ms: i64, case: Option<String>) -> Result<Signed> {
        let receipt = Receipt {
            envelope: letter.id,
            sha256: letter.sha256.clone(),
            received_ms,
            case,
        };
        Ok(self.keys.receipt().sign(Context::Receipt, &receipt)?)
    }
}

fn refused(refusal: Refusal) -> EnvelopeOutcome {
    EnvelopeOutcome::Refused {
        problem: refusal.problem(),
    }
}

/// The report that a content is or speaks of.
fn report_of(content: &Content) -> Option<Uuid> {
    match content {
        Content::Sos(report) => Some(report.report),
        Content::SosUpdate(update) => Some(update.report),
        Content::SosCancel(cancel) => Some(cancel.report),
        Content::Standing(_)
        | Content::Profile(_)
        | Content::Positions(_)
        | Content::Group(_)
        | Content::GroupLeave(_)
        | Content::Medical(_)
        | Content::Erase(_) => None,
    }
}

/// Keeps what the letter says, where it belongs.
fn keep(tx: &Transaction<'_>, letter: &Letter, received_ms: i64) -> Result<()> {
    let envelope = letter.id.as_bytes();
    match &letter.content {
        Content::Sos(_) | Content::SosUpdate(_) | Content::SosCancel(_) => {
            let report = report_of(&letter.content).unwrap_or_default();
            tx.execute(
                "INSERT INTO case_letters (envelope, report, sender, received_ms, content)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    envelope,
                    report.as_bytes(),
                    letter.sender,
                    received_ms,
                    letter.plain
                ],
            )?;
        }
        Content::Standing(_) => {
            tx.execute(
                "INSERT INTO standings (envelope, sender, received_ms, content)
                 VALUES (?1, ?2, ?3, ?4)",
                params![envelope, letter.sender, received_ms, letter.plain],
            )?;
        }
        Content::Medical(_) => {
            tx.execute(
                "INSERT INTO medical_cards (envelope, sender, received_ms, content)
                 VALUES (?1, ?2, ?3, ?4)",
                params![envelope, letter.sender, received_ms, letter.plain],
            )?;
        }
        // Merged into its registration, see `registrations`.
        Content::Profile(_) => {}
        Content::Erase(_) => erase::erase(tx, &letter.sender, received_ms)?,
        Content::Group(group) => groups::keep(tx, group, &letter.sender, received_ms)?,
        Content::GroupLeave(given) => {
            // Intake has refused one that does not verify.
            if let Some(leave) = roster::leave(&given.leave) {
                groups::leave(tx, &leave, received_ms)?;
            }
        }
        Content::Positions(positions) => keep_positions(tx, letter, positions)?,
    }
    Ok(())
}

/// Keeps the positions of a letter one by one, and its holes. Its blocks were
/// read once before, when the letter was opened: see [`crate::intake`].
fn keep_positions(tx: &Transaction<'_>, letter: &Letter, positions: &Positions) -> Result<()> {
    let envelope = letter.id.as_bytes();
    let mut insert = tx.prepare_cached(
        "INSERT INTO positions (envelope, sender, fix, flags) VALUES (?1, ?2, ?3, ?4)",
    )?;
    let mut keep = |fix: &Fix, flags: &[FixFlag]| -> Result<()> {
        insert.execute(params![
            envelope,
            letter.sender,
            serde_json::to_string(fix)?,
            serde_json::to_string(flags)?
        ])?;
        Ok(())
    };
    for fix in &positions.fixes {
        keep(fix, &[])?;
    }
    for block in &positions.blocks {
        for recorded in unpack(&block.0).unwrap_or_default() {
            keep(&recorded.fix, &recorded.flags)?;
        }
    }
    let mut insert = tx.prepare_cached(
        "INSERT INTO position_gaps (envelope, sender, from_ms, to_ms, gap)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for gap in &positions.gaps {
        insert.execute(params![
            envelope,
            letter.sender,
            gap.from_ms,
            gap.to_ms,
            serde_json::to_string(gap)?
        ])?;
    }
    Ok(())
}
