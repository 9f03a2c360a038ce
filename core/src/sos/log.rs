//! Between the events as rows and the evidence as types; and the readable
//! copies of the reports.
//!
//! Evidence is JSON in `outbox.db`, which needs no secret. News of a case names
//! an officer and a mission, so they are sealed to this device there.

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Evidence, ReadableCopy, ReportEvent};
use crate::clock::ClockReading;
use crate::error::{HomelineError, Result};
use crate::outbox::{EventRow, Outbox};
use crate::record::Record;
use crate::sync::Sealer;
use crate::sync::protocol::{Base64, CaseNews};

/// Evidence that is sealed to this device.
#[derive(Serialize, Deserialize)]
struct SealedEvidence {
    sealed: Base64,
}

/// The row of an event.
pub(crate) fn event(report: Uuid, at: &ClockReading, evidence: &Evidence) -> Result<EventRow> {
    Ok(EventRow::new(report, at, json(evidence)?))
}

/// The row of news of a case.
pub(crate) fn case_news(news: CaseNews, at: &ClockReading, sealer: &Sealer) -> Result<EventRow> {
    let evidence = Evidence::CaseNews {
        state: news.state,
        case_id: news.case,
        mission: news.mission,
        officer: news.officer,
        at_ms: news.at_ms,
    };
    let sealed = SealedEvidence {
        sealed: Base64(sealer.to_self(&evidence, news.report)?),
    };
    Ok(EventRow::new(news.report, at, json(&sealed)?))
}

/// The events of a report. One that this device cannot read (its key changed, a
/// newer version wrote it) is left out: it proves nothing here.
pub(super) fn events(outbox: &Outbox, sealer: &Sealer, report: Uuid) -> Result<Vec<ReportEvent>> {
    Ok(outbox
        .events(report)?
        .into_iter()
        .filter_map(|row| {
            let evidence = evidence(&row.evidence, sealer)?;
            Some(ReportEvent {
                wall_ms: row.at.wall_ms,
                monotonic_ms: row.at.monotonic_ms,
                boot_id: row.at.boot_id,
                times: row.times,
                last_wall_ms: row.last_wall_ms,
                evidence,
            })
        })
        .collect())
}

/// The readable copy: in the record, or sealed in the outbox.
pub(super) fn readable(
    record: &Record,
    outbox: &Outbox,
    sealer: &Sealer,
    report: Uuid,
) -> Option<ReadableCopy> {
    let stored: Option<String> = record
        .read(|tx| {
            Ok(tx
                .query_row("SELECT json FROM report WHERE id = ?1", [report], |row| {
                    row.get(0)
                })
                .optional()?)
        })
        .ok()
        .flatten();
    if let Some(json) = stored {
        return serde_json::from_str(&json).ok();
    }
    // While it waits, it lies beside the envelope when the record has it.
    let copy = outbox
        .own_copy(report)
        .ok()?
        .or(outbox.readable(report).ok()?)?;
    sealer.open_own(&copy)
}

/// Moves the readable copies to the record. A copy that this device cannot open
/// stays where it is.
pub(super) fn settle(record: &Record, outbox: &Outbox, sealer: &Sealer) -> Result<()> {
    let mut copies = Vec::new();
    for (report, sealed) in outbox.own_copies()? {
        if let Some(copy) = sealer.open_own::<ReadableCopy>(&sealed) {
            copies.push((report, json(&copy)?));
        }
    }
    if copies.is_empty() {
        return Ok(());
    }
    record.write(|tx| {
        let mut insert =
            tx.prepare_cached("INSERT OR REPLACE INTO report (id, json) VALUES (?1, ?2)")?;
        for (report, json) in &copies {
            insert.execute(params![report, json])?;
        }
        Ok(())
    })?;
    let moved: Vec<Uuid> = copies.into_iter().map(|(report, _)| report).collect();
    outbox.drop_own_copies(&moved)
}

/// Deletes the readable copies of reports.
pub(crate) fn expire_copies(tx: &Connection, reports: &[Uuid]) -> Result<()> {
    for report in reports {
        tx.execute("DELETE FROM report WHERE id = ?1", [report])?;
    }
    Ok(())
}

fn evidence(row: &str, sealer: &Sealer) -> Option<Evidence> {
    match serde_json::from_str::<SealedEvidence>(row) {
        Ok(sealed) => sealer.open_own(&sealed.sealed.0),
        Err(_) => serde_json::from_str(row).ok(),
    }
}

fn json<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|_| HomelineError::bug("sos::log"))
}
