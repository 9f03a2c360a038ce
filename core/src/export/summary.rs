//! The summary of an export: what is kept, for a reader. Plain text in English,
//! one fact a line; a host that shows another language builds its own of the JSON.

use std::fmt::Write as _;

use serde_json::Value;

use super::Source;
use super::sections::{entities, report_ids, role_word};
use crate::error::Result;
use crate::registration::{Date, list_consents};
use crate::sos::state_word;
use crate::whereabouts::count_fixes;

pub(super) fn text(source: &Source<'_>) -> Result<String> {
    let (entities, consents, fixes) = source
        .record
        .read(|tx| Ok((entities(tx)?, list_consents(tx)?, count_fixes(tx)?)))?;
    let mut out = String::new();
    line(
        &mut out,
        &format!(
            "Everything that Homeline keeps about you, as of {}",
            day_of(source.outbox.best_ms())
        ),
    );

    heading(&mut out, "Registration");
    for (kind, entities) in &entities {
        for entity in entities {
            let name = entity.pointer("/values/name").and_then(Value::as_str);
            line(
                &mut out,
                &format!("{kind}: {}", name.unwrap_or("(no name)")),
            );
        }
    }

    heading(&mut out, "Consents");
    for consent in &consents {
        let until = consent.withdrawn_ms.map_or_else(
            || "in force".to_owned(),
            |ms| format!("withdrawn {}", day_of(ms)),
        );
        let by = consent
            .guardian
            .as_ref()
            .map_or_else(String::new, |guardian| {
                format!(", by {} ({})", guardian.name, guardian.relation)
            });
        line(
            &mut out,
            &format!(
                "{:?}: text {}, given {}{by}, {until}",
                consent.purpose,
                consent.text_version,
                day_of(consent.given_ms)
            ),
        );
    }

    heading(&mut out, "Positions");
    line(&mut out, &format!("{fixes} recorded"));

    heading(&mut out, "SOS reports");
    for report in report_ids(source)? {
        let (copy, status) = source.sos.told(report)?;
        let pressed = copy.as_ref().map(|copy| copy.pressed.wall_ms);
        let at = pressed.or_else(|| status.events.first().map(|event| event.wall_ms));
        line(
            &mut out,
            &format!(
                "{}: {}, {}",
                at.map_or_else(|| "date unknown".to_owned(), day_of),
                state_word(&status.state),
                copy.map_or_else(|| "not readable now".to_owned(), |copy| copy.note)
            ),
        );
    }

    heading(&mut out, "Sent to the ministry");
    for counts in source.outbox.role_counts()? {
        line(
            &mut out,
            &format!(
                "{}: {} delivered, {} waiting, {} refused",
                role_word(counts.role),
                counts.received,
                counts.waiting,
                counts.parked
            ),
        );
    }
    Ok(out)
}

fn heading(out: &mut String, text: &str) {
    let _ = write!(out, "\n{text}\n");
}

/// What a traveler typed stays on its line.
fn line(out: &mut String, text: &str) {
    let flat: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let _ = writeln!(out, "{flat}");
}

/// A time as a date, for a reader: `2026-11-25`.
fn day_of(at_ms: i64) -> String {
    Date::at(at_ms).to_string()
}
