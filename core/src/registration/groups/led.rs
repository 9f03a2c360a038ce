//! The leader's side in the record: who is in, and what is decided about each
//! text that is brought.
//!
//! ```text
//! phone  ──entry, serial n──▶  in   ──entry, serial > n──▶ in (newer details)
//!                              in   ──leave, serial > n──▶ out: details deleted
//!                              out  ──entry, serial > n──▶ in again
//! ```
//!
//! A word of a phone that is not newer than its last one changes nothing. A
//! person is one member, whatever phones or hands brought the same document;
//! a leave by any of the person's phones is the person's.

use rusqlite::{Connection, OptionalExtension as _, params};
use uuid::Uuid;

use super::types::{AddOutcome, GroupDetails};
use super::wire::{Entry, Leave, Person};
use crate::config::Policy;
use crate::error::{HomelineError, Problem, Result, StorageProblem};
use crate::sos::new_id;

/// States of a member, as they are stored.
pub(super) const IN: i64 = 0;
const LEFT: i64 = 1;
const REMOVED: i64 = 2;

/// A group that this phone leads.
pub(super) struct Led {
    pub(super) id: Uuid,
    pub(super) salt: [u8; 16],
    pub(super) signing: [u8; 32],
    pub(super) agreement: [u8; 32],
    pub(super) details: GroupDetails,
    pub(super) invited_until_ms: i64,
    pub(super) closed_ms: Option<i64>,
    pub(super) version: i64,
    pub(super) sent: i64,
}

const COLUMNS: &str =
    "id, salt, signing, agreement, json, invited_until_ms, closed_ms, version, sent";

pub(super) fn insert(tx: &Connection, group: &Led) -> Result<()> {
    tx.execute(
        "INSERT INTO led_group (id, salt, signing, agreement, json) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            group.id,
            group.salt,
            group.signing,
            group.agreement,
            to_json(&group.details)?
        ],
    )?;
    Ok(())
}

pub(super) fn load(tx: &Connection, id: Uuid) -> Result<Option<Led>> {
    let found = tx
        .query_row(
            &format!("SELECT {COLUMNS} FROM led_group WHERE id = ?1"),
            [id],
            |row| Ok(led(row)),
        )
        .optional()?;
    found.transpose()
}

pub(super) fn all(tx: &Connection) -> Result<Vec<Led>> {
    let mut statement = tx.prepare_cached(&format!("SELECT {COLUMNS} FROM led_group"))?;
    let rows = statement.query_map([], |row| Ok(led(row)))?;
    rows.map(|row| row?).collect()
}

fn led(row: &rusqlite::Row<'_>) -> Result<Led> {
    Ok(Led {
        id: row.get(0)?,
        salt: row.get(1)?,
        signing: row.get(2)?,
        agreement: row.get(3)?,
        details: from_json(&row.get::<_, String>(4)?)?,
        invited_until_ms: row.get(5)?,
        closed_ms: row.get(6)?,
        version: row.get(7)?,
        sent: row.get(8)?,
    })
}

/// Notes that an invitation is out that is good until `until_ms`.
pub(super) fn invited(tx: &Connection, id: Uuid, until_ms: i64) -> Result<()> {
    tx.execute(
        "UPDATE led_group SET invited_until_ms = max(invited_until_ms, ?2) WHERE id = ?1",
        params![id, until_ms],
    )?;
    Ok(())
}

/// Closes an open group.
pub(super) fn close(tx: &Connection, id: Uuid, now_ms: i64) -> Result<()> {
    let closed = tx.execute(
        "UPDATE led_group SET closed_ms = ?2 WHERE id = ?1 AND closed_ms IS NULL",
        params![id, now_ms],
    )?;
    if closed > 0 {
        changed(tx, id)?;
    }
    Ok(())
}

/// A new version of the group: it is uploaded again.
fn changed(tx: &Connection, id: Uuid) -> Result<()> {
    tx.execute(
        "UPDATE led_group SET version = version + 1 WHERE id = ?1",
        [id],
    )?;
    Ok(())
}

/// What a phone has said last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LastWord {
    pub(super) serial: i64,
    /// Whether it still stands: an entry that nothing has ended, or a leave.
    pub(super) stands: bool,
}

/// What a word of a phone is, by its serial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The phone's first word.
    First,
    /// Newer than the last one.
    Newer,
    /// The last one again.
    Again,
    /// Older than the last one, or the last one after it has been ended.
    Stale,
}

/// Judges a word by the phone's last one of the same kind of standing.
pub(super) fn judge(last: Option<LastWord>, serial: i64) -> Verdict {
    match last {
        None => Verdict::First,
        Some(last) if serial > last.serial => Verdict::Newer,
        Some(last) if serial == last.serial && last.stands => Verdict::Again,
        Some(_) => Verdict::Stale,
    }
}

/// A row of `group_entry`.
struct Device {
    serial: i64,
    member: String,
    has_entry: bool,
    has_leave: bool,
}

fn device(tx: &Connection, group: Uuid, device: &[u8; 32]) -> Result<Option<Device>> {
    Ok(tx
        .query_row(
            "SELECT serial, member, entry IS NOT NULL, leave IS NOT NULL FROM group_entry
             WHERE group_id = ?1 AND device = ?2",
            params![group, device],
            |row| {
                Ok(Device {
                    serial: row.get(0)?,
                    member: row.get(1)?,
                    has_entry: row.get(2)?,
                    has_leave: row.get(3)?,
                })
            },
        )
        .optional()?)
}

/// Takes a member's entry; `bytes` are those of its token.
pub(super) fn add_entry(
    tx: &Connection,
    entry: &Entry,
    bytes: &[u8],
    now_ms: i64,
    policy: &Policy,
) -> Result<AddOutcome> {
    let group = open_group(tx, entry.group, "entry.group")?;
    let known = device(tx, group.id, &entry.signing)?;
    let last = known.as_ref().map(|known| LastWord {
        serial: known.serial,
        stands: known.has_entry,
    });
    let own = known.as_ref().map(|known| known.member.as_str());
    let own = own.filter(|member| !member.is_empty()).map(str::to_owned);
    match (judge(last, entry.serial), &own) {
        (Verdict::Stale, _) => return Err(stale("entry")),
        (Verdict::Again, Some(member)) => {
            return Ok(AddOutcome::AlreadyIn {
                member: member.clone(),
            });
        }
        _ => {}
    }
    // Who is in may bring newer details when nobody is invited any more.
    let is_in = known.as_ref().is_some_and(|known| known.has_entry);
    if !is_in && now_ms > group.invited_until_ms {
        return Err(HomelineError::invalid(
            "invitation.expires",
            Problem::Expired,
            "an entry while the invitation is good; make a new invitation",
        ));
    }
    let same = same_document(tx, group.id, &entry.person)?;
    let person = same.as_ref().map(|(id, _)| id.as_str()).or(own.as_deref());
    if let Some(person) = person
        && newest(tx, group.id, person, "leave")? >= Some(entry.serial)
    {
        // Another phone of the same person has left since.
        return Err(stale("entry"));
    }
    let (member, was_in) = match (&own, same) {
        (_, Some((id, state))) => (id, state == IN),
        (Some(own), None) => (own.clone(), is_in),
        (None, None) => (new_member(tx, group.id, now_ms, policy)?, false),
    };
    if let Some(own) = own.filter(|own| *own != member) {
        // Two members have turned out to be one person.
        tx.execute(
            "UPDATE group_entry SET member = ?3 WHERE group_id = ?1 AND member = ?2",
            params![group.id, own, member],
        )?;
        tx.execute(
            "DELETE FROM group_member WHERE group_id = ?1 AND id = ?2",
            params![group.id, own],
        )?;
    }
    save_member(tx, group.id, &member, 0, &entry.person)?;
    tx.execute(
        "INSERT INTO group_entry (group_id, device, serial, member, entry)
         VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (group_id, device) DO UPDATE SET serial = excluded.serial,
             member = excluded.member, entry = excluded.entry, leave = NULL",
        params![group.id, entry.signing, entry.serial, member, bytes],
    )?;
    changed(tx, group.id)?;
    Ok(match (was_in, is_in) {
        (false, _) => AddOutcome::Added { member },
        (true, true) => AddOutcome::Updated { member },
        // Another phone of somebody who is in, or an entry of somebody by hand.
        (true, false) => AddOutcome::AlreadyIn { member },
    })
}

/// Takes a member's leave; `bytes` are those of its token. A closed group takes
/// it too.
pub(super) fn add_leave(tx: &Connection, leave: &Leave, bytes: &[u8]) -> Result<AddOutcome> {
    let group = load(tx, leave.group)?.ok_or_else(|| foreign("leave.group"))?;
    let known = device(tx, group.id, &leave.signing)?;
    let last = known.as_ref().map(|known| LastWord {
        serial: known.serial,
        stands: known.has_leave,
    });
    let member = known.map(|known| known.member).unwrap_or_default();
    let named = || Some(member.clone()).filter(|member| !member.is_empty());
    let verdict = judge(last, leave.serial);
    if verdict == Verdict::Stale {
        return Err(stale("leave"));
    }
    // Whoever has come by another phone since then has not left.
    let since = newest(tx, group.id, &member, "entry")? > Some(leave.serial);
    let outcome = match named() {
        Some(member) if since => AddOutcome::AlreadyIn { member },
        member => AddOutcome::Left { member },
    };
    if verdict == Verdict::Again {
        return Ok(outcome);
    }
    if !member.is_empty() && !since {
        put_out(tx, group.id, &member, LEFT)?;
    }
    // Kept also where nobody came before: an entry that is older comes too late.
    tx.execute(
        "INSERT INTO group_entry (group_id, device, serial, member, leave)
         VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (group_id, device) DO UPDATE SET serial = excluded.serial,
             entry = NULL, leave = excluded.leave",
        params![group.id, leave.signing, leave.serial, member, bytes],
    )?;
    changed(tx, group.id)?;
    Ok(outcome)
}

/// The newest standing word of a person's phones, of one kind.
fn newest(tx: &Connection, group: Uuid, member: &str, kind: &str) -> Result<Option<i64>> {
    Ok(tx.query_row(
        &format!(
            "SELECT max(serial) FROM group_entry
             WHERE group_id = ?1 AND member = ?2 AND ?2 <> '' AND {kind} IS NOT NULL"
        ),
        params![group, member],
        |row| row.get(0),
    )?)
}

/// Puts a person in that has no phone.
pub(super) fn add_by_hand(
    tx: &Connection,
    id: Uuid,
    person: &Person,
    now_ms: i64,
    policy: &Policy,
) -> Result<AddOutcome> {
    let group = open_group(tx, id, "group")?;
    let same = match same_document(tx, group.id, person)? {
        None => same_by_hand(tx, group.id, person)?,
        found => found,
    };
    let member = match same {
        Some((_, LEFT)) => {
            // The leader must not undo what the person's own phone has said.
            return Err(HomelineError::invalid(
                "member",
                Problem::Stale,
                "somebody who has not left; who left comes back by an own entry",
            ));
        }
        Some((member, IN)) => {
            let (by_hand, json): (bool, String) = tx.query_row(
                "SELECT by_hand, json FROM group_member WHERE group_id = ?1 AND id = ?2",
                params![group.id, member],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            // What the person has signed counts more than what was written down.
            if !by_hand || from_json::<Person>(&json)? == *person {
                return Ok(AddOutcome::AlreadyIn { member });
            }
            save_member(tx, group.id, &member, 1, person)?;
            changed(tx, group.id)?;
            return Ok(AddOutcome::Updated { member });
        }
        Some((member, _)) => member,
        None => new_member(tx, group.id, now_ms, policy)?,
    };
    save_member(tx, group.id, &member, 1, person)?;
    changed(tx, group.id)?;
    Ok(AddOutcome::Added { member })
}

/// The leader takes a member out.
pub(super) fn remove_member(tx: &Connection, group: Uuid, member: &str) -> Result<()> {
    if put_out(tx, group, member, REMOVED)? == 0 {
        return Err(HomelineError::not_found("member"));
    }
    changed(tx, group)
}

/// Ends a membership: what the leader knew of the person is deleted, but for the
/// hash of the document, so that the same person is not put in by hand again.
fn put_out(tx: &Connection, group: Uuid, member: &str, state: i64) -> Result<usize> {
    let ended = tx.execute(
        "UPDATE group_member SET state = ?3, json = '' WHERE group_id = ?1 AND id = ?2
             AND state = 0",
        params![group, member, state],
    )?;
    if ended > 0 {
        tx.execute(
            "UPDATE group_entry SET entry = NULL WHERE group_id = ?1 AND member = ?2",
            params![group, member],
        )?;
    }
    Ok(ended)
}

/// A member with the person's document, and its state.
fn same_document(tx: &Connection, group: Uuid, person: &Person) -> Result<Option<(String, i64)>> {
    let Some(document) = &person.document else {
        return Ok(None);
    };
    Ok(tx
        .query_row(
            "SELECT id, state FROM group_member WHERE group_id = ?1 AND document = ?2
                 AND (issuer = ?3 OR issuer = '' OR ?3 = '')
             ORDER BY state, id LIMIT 1",
            params![group, document.key(), document.issuer],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?)
}

/// A member by hand of whom the very same was written down: a second tap.
fn same_by_hand(tx: &Connection, group: Uuid, person: &Person) -> Result<Option<(String, i64)>> {
    Ok(tx
        .query_row(
            "SELECT id, state FROM group_member
             WHERE group_id = ?1 AND by_hand = 1 AND state = 0 AND json = ?2",
            params![group, to_json(person)?],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?)
}

fn new_member(tx: &Connection, group: Uuid, now_ms: i64, policy: &Policy) -> Result<String> {
    let most = i64::try_from(policy.group_members).unwrap_or(i64::MAX);
    if count(tx, group)? >= most {
        return Err(HomelineError::invalid(
            "group.members",
            Problem::TooLong,
            &format!("at most {most}; make another group for the others"),
        ));
    }
    Ok(new_id(now_ms)?.to_string())
}

fn save_member(
    tx: &Connection,
    group: Uuid,
    member: &str,
    by_hand: i64,
    person: &Person,
) -> Result<()> {
    let document = person.document.as_ref();
    tx.execute(
        "INSERT INTO group_member (group_id, id, state, by_hand, document, issuer, json)
         VALUES (?1, ?2, 0, ?3, ?4, ?5, ?6)
         ON CONFLICT (group_id, id) DO UPDATE SET state = 0, by_hand = excluded.by_hand,
             issuer = CASE WHEN excluded.issuer = '' AND document = excluded.document
                 THEN issuer ELSE excluded.issuer END,
             document = excluded.document, json = excluded.json",
        params![
            group,
            member,
            by_hand,
            document.map(|document| document.key()).unwrap_or_default(),
            document
                .map(|document| document.issuer.as_str())
                .unwrap_or_default(),
            to_json(person)?
        ],
    )?;
    Ok(())
}

/// How many are in.
pub(super) fn count(tx: &Connection, group: Uuid) -> Result<i64> {
    Ok(tx.query_row(
        "SELECT count(*) FROM group_member WHERE group_id = ?1 AND state = ?2",
        params![group, IN],
        |row| row.get(0),
    )?)
}

/// Who is in, in the order of coming: id, whether by hand, who.
pub(super) fn members(tx: &Connection, group: Uuid) -> Result<Vec<(String, bool, Person)>> {
    let mut statement = tx.prepare_cached(
        "SELECT id, by_hand, json FROM group_member
         WHERE group_id = ?1 AND state = ?2 ORDER BY id",
    )?;
    let mut rows = statement.query(params![group, IN])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push((
            row.get(0)?,
            row.get(1)?,
            from_json(&row.get::<_, String>(2)?)?,
        ));
    }
    Ok(out)
}

/// The group, if this phone leads it and it is open.
fn open_group(tx: &Connection, id: Uuid, field: &str) -> Result<Led> {
    let group = load(tx, id)?.ok_or_else(|| match field {
        "group" => HomelineError::not_found("group"),
        _ => foreign(field),
    })?;
    check_open(&group)?;
    Ok(group)
}

/// Refuses a closed group.
pub(super) fn check_open(group: &Led) -> Result<()> {
    match group.closed_ms {
        None => Ok(()),
        Some(_) => Err(HomelineError::invalid(
            "group.closed",
            Problem::Expired,
            "a group that is open",
        )),
    }
}

fn foreign(field: &str) -> HomelineError {
    HomelineError::invalid(field, Problem::Foreign, "a text for a group of this phone")
}

fn stale(what: &str) -> HomelineError {
    HomelineError::invalid(
        &format!("{what}.serial"),
        Problem::Stale,
        "a newer text than the last one of that phone",
    )
}

pub(super) fn to_json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|_| HomelineError::bug("registration::groups"))
}

pub(super) fn from_json<T: serde::de::DeserializeOwned>(json: &str) -> Result<T> {
    serde_json::from_str(json).map_err(|_| StorageProblem::Damaged.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_newer_word_of_a_phone_counts() {
        let last = |serial, stands| Some(LastWord { serial, stands });
        let rows = [
            (None, 5, Verdict::First),
            (last(4, true), 5, Verdict::Newer),
            (last(4, false), 5, Verdict::Newer),
            (last(5, true), 5, Verdict::Again),
            (last(5, false), 5, Verdict::Stale),
            (last(6, true), 5, Verdict::Stale),
            (last(i64::MAX, false), i64::MIN, Verdict::Stale),
        ];
        for (last, serial, expected) in rows {
            assert_eq!(judge(last, serial), expected, "{last:?} {serial}");
        }
    }
}
