//! Groups: the newest version of each, less those who have left.
//!
//! A leave may come before the group does, by the leader or from the member's own
//! phone: it is kept by phone, and wins over every older entry of that person.

use homeline::registration::groups::wire::{Leave, Person};
use homeline::registration::groups::{GroupDetails, GroupKind};
use homeline::sync::protocol::Group;
use rusqlite::{Transaction, params};
use serde::Serialize;
use uuid::Uuid;

use super::{Result, Store, unsigned};
use crate::intake::Sender;
use crate::roster;

/// A group as the desk shows it.
#[derive(Clone, PartialEq, Serialize)]
pub struct GroupView {
    /// Its id.
    pub id: Uuid,
    /// Its name, as the leader wrote it.
    pub name: String,
    /// Its kind.
    pub kind: GroupKind,
    /// The agency, company or school behind it.
    pub agency: Option<String>,
    /// First and last day of the trip.
    pub days: (Option<String>, Option<String>),
    /// The leader's version of it.
    pub version: u64,
    /// When it came, milliseconds UTC by the ministry's clock.
    pub received_ms: i64,
    /// When the leader closed it.
    pub closed_ms: Option<i64>,
    /// Who is in, each person once.
    pub members: Vec<GroupMemberView>,
    /// Phones whose leave has come.
    pub left: u32,
    /// Entries that did not verify and are not shown.
    pub unverified: u32,
}

/// A member of a group.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct GroupMemberView {
    /// Name.
    pub name: String,
    /// Phone.
    pub phone: Option<String>,
    /// Number of the travel document.
    pub document_number: Option<String>,
    /// Whether the member's own phone has signed.
    pub signed: bool,
    /// An earlier group of the same days that the same person is in: there the
    /// person is counted, not here.
    pub also_in: Option<Uuid>,
}

macro_rules! redacted {
    ($($name:ty),+) => {$(
        /// Names the type and shows nothing: what it holds is personal.
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )+};
}

redacted!(GroupView, GroupMemberView);

/// Keeps a group, unless a newer version is there, and the leaves in it.
pub(super) fn keep(
    tx: &Transaction<'_>,
    group: &Group,
    leader: &Sender,
    received_ms: i64,
) -> Result<()> {
    let read = roster::read(group);
    for leave in &read.leaves {
        note_leave(tx, leave, received_ms)?;
    }
    let newer = tx.execute(
        "INSERT INTO rosters (id, leader, version, received_ms, details, closed_ms, unverified)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (id) DO UPDATE SET version = excluded.version,
             received_ms = excluded.received_ms, details = excluded.details,
             closed_ms = excluded.closed_ms, unverified = excluded.unverified
         WHERE excluded.version > version",
        params![
            group.id.as_bytes(),
            leader,
            i64::try_from(group.version).unwrap_or(i64::MAX),
            received_ms,
            serde_json::to_string(&group.details)?,
            group.closed_ms,
            read.unverified
        ],
    )?;
    if newer > 0 {
        tx.execute(
            "DELETE FROM roster_people WHERE roster = ?1",
            [group.id.as_bytes()],
        )?;
        let mut insert = tx.prepare_cached(
            "INSERT OR IGNORE INTO roster_people (roster, member, device, serial, person)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        for row in &read.rows {
            insert.execute(params![
                group.id.as_bytes(),
                row.member.as_bytes(),
                row.device,
                row.serial,
                serde_json::to_string(&row.person)?
            ])?;
        }
    }
    delete_left(tx, group.id)
}

/// Keeps a leave and does what it says.
pub(super) fn leave(tx: &Transaction<'_>, leave: &Leave, received_ms: i64) -> Result<()> {
    note_leave(tx, leave, received_ms)?;
    delete_left(tx, leave.group)
}

fn note_leave(tx: &Transaction<'_>, leave: &Leave, received_ms: i64) -> Result<()> {
    tx.execute(
        "INSERT INTO roster_leaves (roster, device, serial, received_ms) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (roster, device) DO UPDATE SET serial = excluded.serial,
             received_ms = excluded.received_ms
         WHERE excluded.serial > serial",
        params![
            leave.group.as_bytes(),
            leave.signing,
            leave.serial,
            received_ms
        ],
    )?;
    Ok(())
}

/// Deletes everybody one of whose phones has left after the person's newest entry.
fn delete_left(tx: &Transaction<'_>, group: Uuid) -> Result<()> {
    tx.execute(
        "DELETE FROM roster_people WHERE roster = ?1 AND member IN (
             SELECT person.member FROM roster_people AS person
             JOIN roster_leaves AS out
                 ON out.roster = person.roster AND out.device = person.device
             WHERE person.roster = ?1 GROUP BY person.member
             HAVING max(out.serial) > (
                 SELECT max(entry.serial) FROM roster_people AS entry
                 WHERE entry.roster = ?1 AND entry.member = person.member))",
        [group.as_bytes()],
    )?;
    Ok(())
}

impl Store {
    /// All groups, in order of their first arrival.
    pub(crate) fn groups(&self) -> Result<Vec<GroupView>> {
        self.read(|tx| {
            let mut statement = tx.prepare_cached(
                "SELECT id, version, received_ms, details, closed_ms, unverified,
                     (SELECT count(*) FROM roster_leaves WHERE roster = id)
                 FROM rosters ORDER BY row",
            )?;
            let mut rows = statement.query([])?;
            let mut seen: Vec<(GroupDetails, Uuid, Vec<Person>)> = Vec::new();
            let mut out = Vec::new();
            while let Some(row) = rows.next()? {
                let id = Uuid::from_bytes(row.get(0)?);
                let details: GroupDetails = serde_json::from_str(&row.get::<_, String>(3)?)?;
                let people = people(tx, id)?;
                let members = people
                    .iter()
                    .map(|(person, signed)| member(person, *signed, &details, &seen))
                    .collect();
                out.push(GroupView {
                    id,
                    name: details.name.clone(),
                    kind: details.kind,
                    agency: details.agency.clone(),
                    days: (details.first_day.clone(), details.last_day.clone()),
                    version: unsigned(row, 1)?,
                    received_ms: row.get(2)?,
                    closed_ms: row.get(4)?,
                    members,
                    left: row.get(6)?,
                    unverified: row.get(5)?,
                });
                let people = people.into_iter().map(|(person, _)| person).collect();
                seen.push((details, id, people));
            }
            Ok(out)
        })
    }
}

/// Each member once, by the newest word; and whether a phone has signed it.
fn people(tx: &Transaction<'_>, group: Uuid) -> Result<Vec<(Person, bool)>> {
    let mut statement = tx.prepare_cached(
        "SELECT person, device <> x'', max(serial) FROM roster_people
         WHERE roster = ?1 GROUP BY member ORDER BY member",
    )?;
    let mut rows = statement.query([group.as_bytes()])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let person: Person = serde_json::from_str(&row.get::<_, String>(0)?)?;
        out.push((person, row.get(1)?));
    }
    Ok(out)
}

fn member(
    person: &Person,
    signed: bool,
    details: &GroupDetails,
    earlier: &[(GroupDetails, Uuid, Vec<Person>)],
) -> GroupMemberView {
    let also_in = earlier.iter().find(|(other, _, people)| {
        roster::overlap(details, other) && people.iter().any(|known| roster::same(known, person))
    });
    GroupMemberView {
        name: person.name.clone(),
        phone: person.phone.clone(),
        document_number: person
            .document
            .as_ref()
            .map(|document| document.number.clone()),
        signed,
        also_in: also_in.map(|(_, id, _)| *id),
    }
}
