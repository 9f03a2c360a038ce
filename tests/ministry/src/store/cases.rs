//! Cases: opened by the first word of a report, acknowledged and closed by a
//! duty officer.
//!
//! The sender of the report owns the case. An envelope's id is readable to
//! whoever carries it, so somebody else could speak of a report that is not
//! theirs: such a letter is kept and counted, but changes nothing.

use homeline::registration::Dependent;
use homeline::sos::SosKind;
use homeline::sync::protocol::{Content, Medical, SosReport};
use rusqlite::{OptionalExtension as _, Row, Transaction, params};
use serde::Serialize;
use uuid::Uuid;

use super::view::{self, CaseView, Material, Who, Word};
use super::{Result, Store, attachments, compact, now_ms, registrations, unsigned};
use crate::intake::Sender;
use crate::keys::random;

/// Cases that the desk shows at most: what a person can still scroll through.
pub(crate) const SHOWN: usize = 500;

/// A row of `cases`.
pub(super) struct Case {
    pub(super) report: Uuid,
    pub(super) number: String,
    pub(super) sender: Sender,
    pub(super) opened_ms: i64,
    pub(super) officer: String,
    pub(super) mission: String,
    pub(super) acknowledged_ms: Option<i64>,
    pub(super) closed_ms: Option<i64>,
}

/// Cases in the order of the desk.
#[derive(Serialize)]
pub(crate) struct CaseList {
    /// The ministry's clock, so that the page can say how old things are.
    pub(crate) now_ms: i64,
    pub(crate) cases: Vec<CaseView>,
    /// Whether there are older ones that are not listed.
    pub(crate) more: bool,
}

const COLUMNS: &str =
    "report, number, sender, opened_ms, officer, mission, acknowledged_ms, closed_ms";

impl Store {
    /// At most `most` cases: those that nobody has taken, then those that are
    /// taken, then closed ones, each the newest first.
    pub(crate) fn cases(&self, most: usize) -> Result<CaseList> {
        self.read(|tx| {
            let mut select = tx.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM cases
                 ORDER BY closed_ms IS NOT NULL, acknowledged_ms IS NOT NULL, row DESC LIMIT ?1"
            ))?;
            let mut rows = select
                .query_map(
                    [i64::try_from(most.saturating_add(1)).unwrap_or(i64::MAX)],
                    case_row,
                )?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            let more = rows.len() > most;
            rows.truncate(most);
            let cases = rows
                .into_iter()
                .map(|case| view_of(tx, case))
                .collect::<Result<_>>()?;
            Ok(CaseList {
                now_ms: now_ms(),
                cases,
                more,
            })
        })
    }

    /// A duty officer takes the case. The first one stays; `None`: no such case.
    pub(crate) fn acknowledge(
        &self,
        number: &str,
        officer: &str,
        mission: &str,
    ) -> Result<Option<CaseView>> {
        self.change(number, |tx| {
            tx.execute(
                "UPDATE cases SET officer = ?2, mission = ?3, acknowledged_ms = ?4
                 WHERE number = ?1 AND acknowledged_ms IS NULL AND closed_ms IS NULL",
                params![number, officer, mission, now_ms()],
            )
        })
    }

    /// Closes the case, acknowledged or not; `None`: no such case.
    pub(crate) fn close(&self, number: &str) -> Result<Option<CaseView>> {
        self.change(number, |tx| {
            tx.execute(
                "UPDATE cases SET closed_ms = ?2 WHERE number = ?1 AND closed_ms IS NULL",
                params![number, now_ms()],
            )
        })
    }

    fn change(
        &self,
        number: &str,
        update: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<usize>,
    ) -> Result<Option<CaseView>> {
        self.write(|tx| {
            update(tx)?;
            let case = tx
                .query_row(
                    &format!("SELECT {COLUMNS} FROM cases WHERE number = ?1"),
                    [number],
                    case_row,
                )
                .optional()?;
            let Some(case) = case else { return Ok(None) };
            self.publish(tx, &case)?;
            view_of(tx, case).map(Some)
        })
    }

    /// Gives the case to the sender of its report, and that sender the news
    /// that the case has by now.
    pub(super) fn name_sender(
        &self,
        tx: &Transaction<'_>,
        report: &Uuid,
        sender: &Sender,
    ) -> Result<()> {
        let case = tx.query_row(
            &format!("UPDATE cases SET sender = ?2 WHERE report = ?1 RETURNING {COLUMNS}"),
            params![report.as_bytes(), sender],
            case_row,
        )?;
        self.publish(tx, &case)
    }
}

/// All cases, in the order in which they were opened.
pub(super) fn all(tx: &Transaction<'_>) -> Result<Vec<Case>> {
    let mut select = tx.prepare_cached(&format!("SELECT {COLUMNS} FROM cases ORDER BY row"))?;
    let rows = select.query_map([], case_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The number of the report's case, which is opened when there is none.
pub(super) fn find_or_open(
    tx: &Transaction<'_>,
    report: &Uuid,
    sender: &Sender,
    now_ms: i64,
) -> Result<String> {
    loop {
        let known = tx
            .query_row(
                "SELECT number FROM cases WHERE report = ?1",
                [report.as_bytes()],
                |row| row.get(0),
            )
            .optional()?;
        if let Some(number) = known {
            return Ok(number);
        }
        // One number in 10^12: the second turn is for the day it is taken.
        tx.execute(
            "INSERT OR IGNORE INTO cases (report, number, sender, opened_ms)
             VALUES (?1, ?2, ?3, ?4)",
            params![report.as_bytes(), number('C')?, sender, now_ms],
        )?;
    }
}

/// A number such as `C-7K2M-9QXF`, with the letter of its kind: random, and without the letters that are
/// misheard or misread (Crockford's base 32).
pub(super) fn number(kind: char) -> Result<String> {
    const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let letters: String = random::<8>()?
        .iter()
        .filter_map(|byte| LETTERS.get(usize::from(byte % 32)))
        .map(|letter| char::from(*letter))
        .collect();
    let (first, last) = letters.split_at_checked(4).unwrap_or_default();
    Ok(format!("{kind}-{first}-{last}"))
}

fn case_row(row: &Row<'_>) -> rusqlite::Result<Case> {
    Ok(Case {
        report: Uuid::from_bytes(row.get(0)?),
        number: row.get(1)?,
        sender: row.get(2)?,
        opened_ms: row.get(3)?,
        officer: row.get(4)?,
        mission: row.get(5)?,
        acknowledged_ms: row.get(6)?,
        closed_ms: row.get(7)?,
    })
}

/// Reads all that is known of a case.
fn view_of(tx: &Transaction<'_>, case: Case) -> Result<CaseView> {
    // The full report comes first: where it is there, it is what counts.
    let mut words = words_of(tx, &case)?;
    words.extend(compact::words(tx, &case)?);
    let report = words.iter().find_map(|word| match &word.content {
        Content::Sos(report) if word.sender == case.sender => Some(report),
        _ => None,
    });
    let standing = report.and_then(|report| report.standing);
    let medical = match report {
        Some(report) => medical_card(tx, &case.sender, report)?,
        None => None,
    };
    let material = Material {
        who: who(tx, &case.sender, standing)?,
        dependents: dependents(tx, &case.sender)?,
        medical,
        attachments: attachments::views(tx, &case.report, &case.sender)?,
        times_received: tx
            .query_row(
                "SELECT times_received FROM envelopes WHERE id = ?1",
                [case.report.as_bytes()],
                |row| unsigned(row, 0),
            )
            .optional()?
            .unwrap_or_default()
            .saturating_add(compact::times(tx, &case)?),
        compact: compact::view(tx, &case)?,
        device: tx
            .query_row(
                "SELECT id FROM devices WHERE agreement = ?1 ORDER BY enrolled_ms LIMIT 1",
                [case.sender],
                |row| row.get(0),
            )
            .optional()?,
        words,
    };
    Ok(view::view(case, material))
}

fn words_of(tx: &Transaction<'_>, case: &Case) -> Result<Vec<Word>> {
    let mut select = tx.prepare_cached(
        "SELECT sender, received_ms, content FROM case_letters WHERE report = ?1 ORDER BY row",
    )?;
    let rows = select
        .query_map([case.report.as_bytes()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get::<_, Vec<u8>>(2)?))
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    rows.into_iter()
        .map(|(sender, received_ms, content)| {
            Ok(Word {
                sender,
                received_ms,
                content: serde_json::from_slice(&content)?,
            })
        })
        .collect()
}

/// Who calls: the standing envelope that the report names, or else the latest
/// that the same sender has said of itself.
fn who(tx: &Transaction<'_>, sender: &Sender, standing: Option<Uuid>) -> Result<Who> {
    let named = match standing {
        Some(id) => tx
            .query_row(
                "SELECT content FROM standings WHERE envelope = ?1 AND sender = ?2",
                params![id.as_bytes(), sender],
                |row| row.get::<_, Vec<u8>>(0),
            )
            .optional()?,
        None => None,
    };
    let latest: Option<(i64, Vec<u8>)> = tx
        .query_row(
            "SELECT received_ms, content FROM standings WHERE sender = ?1
             ORDER BY received_ms DESC, row DESC LIMIT 1",
            [sender],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let read = |content: Vec<u8>| serde_json::from_slice::<Content>(&content);
    let named = named.map(read).transpose()?;
    let mut said = Vec::new();
    if let Some((at_ms, content)) = latest {
        said.push((at_ms, read(content)?));
    }
    said.extend(registrations::registration_for(tx, sender)?);
    // Sorting is stable: of one moment the standing envelope comes first.
    said.sort_by_key(|(at_ms, _)| std::cmp::Reverse(*at_ms));
    let said = said.into_iter().map(|(_, content)| content);
    for content in named.into_iter().chain(said) {
        let who = Who::from(content);
        if who.says_something() {
            return Ok(who);
        }
    }
    Ok(Who::default())
}

/// For whom the sender is registered too: a standing envelope does not say so.
fn dependents(tx: &Transaction<'_>, sender: &Sender) -> Result<Vec<Dependent>> {
    let profile = tx
        .query_row(
            "SELECT content FROM profiles WHERE sender = ?1",
            [sender],
            |row| row.get::<_, Vec<u8>>(0),
        )
        .optional()?;
    match profile {
        Some(content) => Ok(view::dependents(&serde_json::from_slice(&content)?)),
        None => Ok(Vec::new()),
    }
}

/// The medical card of a report, and when it was stored: only where the report is
/// a medical one and says that there is a card.
///
/// It is the one that the report names, or a newer one of the same sender: a card
/// that was corrected while it waited comes under another id. An older one that
/// came beside another report is not shown: it may have been removed since.
fn medical_card(
    tx: &Transaction<'_>,
    sender: &Sender,
    report: &SosReport,
) -> Result<Option<(Medical, i64)>> {
    let Some(named) = report.medical.filter(|_| report.kind == SosKind::Medical) else {
        return Ok(None);
    };
    let mut select = tx.prepare_cached(
        "SELECT envelope, content, received_ms FROM medical_cards WHERE sender = ?1 ORDER BY row",
    )?;
    let rows = select
        .query_map([sender], |row| {
            let envelope = Uuid::from_bytes(row.get(0)?);
            Ok((envelope, row.get::<_, Vec<u8>>(1)?, row.get(2)?))
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let mut newest: Option<(Medical, i64)> = None;
    for (envelope, content, received_ms) in rows {
        let Content::Medical(letter) = serde_json::from_slice(&content)? else {
            continue;
        };
        if envelope != named && !view::is_later(&letter.as_of, &report.pressed) {
            continue;
        }
        let later = newest
            .as_ref()
            .is_none_or(|(best, _)| view::is_later(&letter.as_of, &best.as_of));
        if later {
            newest = Some((letter, received_ms));
        }
    }
    Ok(newest)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_case_number_has_its_form() {
        let number = super::number('C').unwrap();
        let (prefix, rest) = number.split_once('-').unwrap();
        let (first, last) = rest.split_once('-').unwrap();
        assert_eq!((prefix, first.len(), last.len()), ("C", 4, 4), "{number}");
    }
}
