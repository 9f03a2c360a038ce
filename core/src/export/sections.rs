//! The sections of the JSON: each writes one value.

use std::collections::BTreeMap;
use std::io::Write;

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Positions, Source};
use crate::error::Result;
use crate::outbox::Role;
use crate::registration::fields::{self, REMOVED};
use crate::registration::{Purpose, in_force, list_consents, load_medical_card, registration_id};
use crate::seal::hex;

use crate::sos::{AttachmentState, attachments_told, state_word};
use crate::whereabouts::{Position, RecordedFix, count_fixes, fixes_from, gaps_between};

/// Positions read at once: about 1 MB as they are unpacked.
const PIECE: u32 = 2_000;

pub(super) fn made(source: &Source<'_>, _: Positions, out: &mut dyn Write) -> Result<()> {
    put(out, &source.outbox.best_ms())
}

/// The entities of the registration by kind. One that was removed is left out,
/// and so is a field that was emptied.
pub(super) fn registration(source: &Source<'_>, _: Positions, out: &mut dyn Write) -> Result<()> {
    let (id, entities) = source
        .record
        .read(|tx| Ok((registration_id(tx)?, entities(tx)?)))?;
    put(out, &json!({ "id": id, "entities": entities }))
}

/// Each kind with its entities: their ids and values.
pub(super) fn entities(tx: &Connection) -> Result<BTreeMap<String, Vec<Value>>> {
    let mut found: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for field in fields::all(tx)? {
        // A removal stays beside the newer fields of what was made again.
        if field.key == REMOVED {
            continue;
        }
        let values = found.entry(field.entity).or_default();
        if !field.value.is_null() {
            values.insert(field.key, field.value);
        }
    }
    let mut out: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (entity, values) in found {
        let (kind, id) = entity.split_once('/').unwrap_or((&entity, ""));
        out.entry(kind.to_owned())
            .or_default()
            .push(json!({ "id": id, "values": values }));
    }
    Ok(out)
}

pub(super) fn consents(source: &Source<'_>, _: Positions, out: &mut dyn Write) -> Result<()> {
    let (given, now) = source.record.read(|tx| {
        let mut now = Vec::new();
        for purpose in Purpose::ALL {
            if in_force(tx, purpose)? {
                now.push(purpose);
            }
        }
        Ok((list_consents(tx)?, now))
    })?;
    put(out, &json!({ "in_force": now, "given": given }))
}

/// The medical card, `null` where there is none.
pub(super) fn medical_card(source: &Source<'_>, _: Positions, out: &mut dyn Write) -> Result<()> {
    put(out, &source.record.read(load_medical_card)?)
}

/// What the columns of the positions are, in order.
const COLUMNS: [&str; 15] = [
    "longitude",
    "latitude",
    "time_ms",
    "accuracy_m",
    "datum",
    "source",
    "at_ms",
    "confidence_percent",
    "altitude_m",
    "speed_mps",
    "heading_deg",
    "gnss_time_ms",
    "battery_percent",
    "origin",
    "flags",
];

pub(super) fn positions(source: &Source<'_>, which: Positions, out: &mut dyn Write) -> Result<()> {
    let count = source.record.read(count_fixes)?;
    let omitted = match which {
        Positions::All => 0,
        Positions::Newest(most) => count.saturating_sub(i64::from(most)).max(0),
    };
    write!(
        out,
        "{{\"count\":{count},\"omitted\":{omitted},\"columns\":"
    )?;
    put(out, &COLUMNS)?;
    write!(out, ",\"rows\":[")?;
    let mut comma = "";
    let mut skip = usize::try_from(omitted).unwrap_or(usize::MAX);
    let mut from_ms = i64::MIN;
    loop {
        // Between two pieces the record is free for others.
        let (piece, next) = source
            .record
            .read(|tx| fixes_from(tx, from_ms, PIECE, source.policy))?;
        let skipped = skip.min(piece.len());
        skip -= skipped;
        for fix in piece.iter().skip(skipped) {
            writeln!(out, "{comma}")?;
            put(out, &row(fix))?;
            comma = ",";
        }
        match next {
            Some(next) => from_ms = next,
            None => break,
        }
    }
    write!(out, "],\"gaps\":")?;
    let gaps = source
        .record
        .read(|tx| gaps_between(tx, i64::MIN, i64::MAX, u32::MAX))?;
    put(out, &gaps)?;
    write!(out, "}}")?;
    Ok(())
}

fn row(recorded: &RecordedFix) -> Value {
    let fix = &recorded.fix;
    let (latitude, longitude) = fix.position.degrees();
    let datum = match fix.position {
        Position::Wgs84 { .. } => "wgs84",
        Position::Gcj02 { .. } => "gcj02",
        Position::Bd09 { .. } => "bd09",
    };
    json!([
        longitude,
        latitude,
        fix.time_ms,
        fix.accuracy_m,
        datum,
        fix.source,
        recorded.at_ms,
        fix.confidence_percent,
        fix.altitude_m,
        fix.speed_mps,
        fix.heading_deg,
        fix.gnss_time_ms,
        fix.battery_percent,
        fix.origin,
        recorded.flags,
    ])
}

/// The reports, the newest first, one at a time.
pub(super) fn reports(source: &Source<'_>, _: Positions, out: &mut dyn Write) -> Result<()> {
    write!(out, "[")?;
    let mut comma = "";
    for report in report_ids(source)? {
        let (copy, status) = source.sos.told(report)?;
        let events: Vec<Value> = status
            .events
            .iter()
            .map(|event| {
                json!({
                    "at_ms": event.wall_ms,
                    "times": event.times,
                    "last_ms": event.last_wall_ms,
                    "evidence": event.evidence,
                })
            })
            .collect();
        writeln!(out, "{comma}")?;
        put(
            out,
            &json!({
                "id": report,
                "state": state_word(&status.state),
                "content": copy,
                "events": events,
                "attachments": attachments(source, report)?,
            }),
        )?;
        comma = ",";
    }
    write!(out, "]")?;
    Ok(())
}

/// What was attached to a report: what it is and how far it is, not its bytes, which
/// this phone has sealed to the ministry and cannot open.
fn attachments(source: &Source<'_>, report: Uuid) -> Result<Vec<Value>> {
    let all = attachments_told(source.sos, report)?;
    Ok(all
        .into_iter()
        .map(|one| {
            let state = match one.state {
                AttachmentState::Received { .. } => "received",
                AttachmentState::Parked { .. } => "parked",
                AttachmentState::Sending { .. } => "sending",
                AttachmentState::Waiting | AttachmentState::Paused { .. } => "waiting",
            };
            json!({
                "id": one.attachment,
                "made_ms": one.made_ms,
                "bytes": one.bytes,
                "media_type": one.media_type,
                "name": one.name,
                "state": state,
            })
        })
        .collect())
}

/// Those that the outbox knows, and those of which only the copy is left.
pub(super) fn report_ids(source: &Source<'_>) -> Result<Vec<Uuid>> {
    let mut ids = source.outbox.reports()?;
    let copies: Vec<Uuid> = source.record.read(|tx| {
        let mut statement = tx.prepare("SELECT id FROM report ORDER BY id DESC")?;
        let ids = statement.query_map([], |row| row.get(0))?;
        Ok(ids.collect::<rusqlite::Result<_>>()?)
    })?;
    for copy in copies {
        if !ids.contains(&copy) {
            ids.push(copy);
        }
    }
    Ok(ids)
}

/// Groups that are led from this phone, with who is in them, and those that it
/// joined.
pub(super) fn groups(source: &Source<'_>, _: Positions, out: &mut dyn Write) -> Result<()> {
    let value = source.record.read(|tx| {
        Ok(json!({
            "led": rows(tx, "led_group")?,
            "members": rows(tx, "group_member")?,
            "entries": rows(tx, "group_entry")?,
            "joined": rows(tx, "joined_group")?,
        }))
    })?;
    put(out, &value)
}

/// The registration card, the traveler's other phones, what was merged from them,
/// and the country that the phone was last seen in.
pub(super) fn other(source: &Source<'_>, _: Positions, out: &mut dyn Write) -> Result<()> {
    let value = source.record.read(|tx| {
        Ok(json!({
            "card": rows(tx, "card")?,
            "phones": rows(tx, "phone")?,
            "links": rows(tx, "link")?,
            "merged": rows(tx, "merged")?,
            "seen_country": rows(tx, "seen_country")?,
            "alerts_read": rows(tx, "alert_read")?,
            "alerts_shown": rows(tx, "alert_state")?,
        }))
    })?;
    put(out, &value)
}

/// A table as it is: a value for each column by its name, bytes in hex.
fn rows(tx: &Connection, table: &str) -> Result<Vec<Value>> {
    let mut statement = tx.prepare(&format!("SELECT * FROM {table}"))?;
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut found = statement.query([])?;
    let mut out = Vec::new();
    while let Some(row) = found.next()? {
        let mut object = Map::new();
        for (at, name) in names.iter().enumerate() {
            let value = match row.get_ref(at)? {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(number) => number.into(),
                ValueRef::Real(number) => number.into(),
                ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
                ValueRef::Blob(bytes) => hex(bytes).into(),
            };
            object.insert(name.clone(), value);
        }
        out.push(Value::Object(object));
    }
    Ok(out)
}

/// What the ministry has been sent, and what waits to be.
pub(super) fn sent(source: &Source<'_>, _: Positions, out: &mut dyn Write) -> Result<()> {
    let counts: Map<String, Value> = source
        .outbox
        .role_counts()?
        .into_iter()
        .map(|counts| {
            let value = json!({
                "delivered": counts.received,
                "waiting": counts.waiting,
                "refused": counts.parked,
            });
            (role_word(counts.role).to_owned(), value)
        })
        .collect();
    put(out, &counts)
}

pub(super) fn role_word(role: Role) -> &'static str {
    match role {
        Role::Report => "report",
        Role::Update => "report_update",
        Role::Cancel => "report_cancel",
        Role::Standing => "standing",
        Role::Profile => "registration",
        Role::Positions => "positions",
        Role::Group => "group",
        Role::GroupLeave => "group_leave",
        Role::Erase => "erase",
        Role::Medical => "medical_card",
        Role::Attachment => "attachment",
    }
}

fn put<T: Serialize>(out: &mut dyn Write, value: &T) -> Result<()> {
    serde_json::to_writer(out, value).map_err(std::io::Error::from)?;
    Ok(())
}
