//! News of the registration, from the ministry into the record.
//!
//! The change feed may bring them while the record is locked, so they are kept,
//! sealed as they came, in the outbox together with the feed's cursor, and
//! applied when the record is open: one transaction each, and dropped after it.
//! A kill in between applies them again, which changes nothing.
//!
//! What comes from the ministry is not sent back: the profile's version grows
//! without being unsent, so that the standing envelope is renewed and two phones
//! at rest exchange nothing. The one exception is a field that a removal has
//! ended while a newer edit of this phone keeps its entity: it is said again.

use rusqlite::{Connection, params};

use super::super::CONFIRMED;
use super::{alone, asked};
use crate::config::Policy;
use crate::error::Result;
use crate::outbox::Outbox;
use crate::record::{Record, meta_number, set_meta, set_meta_number};
use crate::registration::fields::{self, Stamp};
use crate::registration::merge::{AHEAD_MS, Merged, Met, merge};
use crate::registration::profile::registration_id;
use crate::sync::protocol::{LinkRefusal, Membership, Overruled, ProfileNews};

const TAKEN: i64 = 0;
const KEPT: i64 = 1;

/// Whether this phone has to send something after the news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// Nothing.
    Rest,
    /// A new version of its profile.
    Send,
}

/// Applies the news at `seq` of the feed. `stamp` is this phone's, now.
pub(crate) fn apply(
    tx: &Connection,
    news: &ProfileNews,
    seq: u64,
    stamp: &Stamp,
    policy: &Policy,
) -> Result<After> {
    let joining = answer(tx, news)?;
    if registration_id(tx)? != news.registration {
        // Of a registration that this phone has left.
        return Ok(After::Rest);
    }
    set_meta(tx, "news_seen", &seq.to_string())?;
    if news.membership == Membership::Stranger {
        alone(tx)?;
        return Ok(After::Send);
    }
    phones(tx, news)?;
    let before = fields::all(tx)?;
    let merged = merge(before.clone(), &news.fields);
    fields::replace(tx, &before, &merged.fields)?;
    tell(tx, news, &merged, joining, stamp, policy)?;
    if merged.fields == before {
        return Ok(After::Rest);
    }
    let version = meta_number(tx, "profile_version")?;
    set_meta_number(tx, "profile_version", version + 1)?;
    if meta_number(tx, "profile_sent")? == version {
        set_meta_number(tx, "profile_sent", version + 1)?;
    }
    for field in &merged.cut {
        fields::say_again(tx, field, stamp)?;
    }
    Ok(match merged.cut.is_empty() {
        true => After::Rest,
        false => After::Send,
    })
}

/// Whether the news are those that this phone has waited for since its link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joining {
    Now,
    No,
}

fn answer(tx: &Connection, news: &ProfileNews) -> Result<Joining> {
    let (Some(answer), Some((nonce, registration))) = (&news.link, asked(tx)?) else {
        return Ok(Joining::No);
    };
    if answer.nonce != nonce {
        return Ok(Joining::No);
    }
    match answer.refused {
        Some(reason) => {
            tx.execute("UPDATE link SET refused = ?1", [number(reason)])?;
        }
        None if news.registration == registration => {
            tx.execute("DELETE FROM link", [])?;
            set_meta(tx, "registration", &registration.to_string())?;
            return Ok(Joining::Now);
        }
        None => {}
    }
    Ok(Joining::No)
}

fn phones(tx: &Connection, news: &ProfileNews) -> Result<()> {
    if news.phones.is_empty() {
        return Ok(());
    }
    let mut statement = tx.prepare("SELECT device FROM phone WHERE unlinking = 1")?;
    let unlinking: Vec<String> = statement
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    tx.execute("DELETE FROM phone", [])?;
    for phone in &news.phones {
        tx.execute(
            "INSERT OR REPLACE INTO phone (device, linked_ms, seen_ms, unlinking)
             VALUES (?1, ?2, ?3, ?4)",
            params![
                phone.device,
                phone.linked_ms,
                phone.seen_ms,
                i64::from(unlinking.contains(&phone.device))
            ],
        )?;
    }
    Ok(())
}

/// Notes what the traveler is to be told. At the link only what has replaced
/// something: the rest is a copy, not a change.
fn tell(
    tx: &Connection,
    news: &ProfileNews,
    merged: &Merged,
    joining: Joining,
    stamp: &Stamp,
    policy: &Policy,
) -> Result<()> {
    let others = |met: &&Met| {
        met.newer.device != stamp.device && (joining == Joining::No || met.older.is_some())
    };
    for met in merged.taken.iter().filter(others) {
        note(tx, (&met.entity, &met.key), &met.newer, TAKEN, stamp)?;
    }
    let mine =
        |met: &&Overruled| met.newer.device == stamp.device && met.older.device != stamp.device;
    for met in news.overruled.iter().filter(mine) {
        note(tx, (&met.entity, &met.key), &met.older, KEPT, stamp)?;
    }
    tx.execute(
        "DELETE FROM merged WHERE noted_ms < ?1",
        [stamp.changed_ms.saturating_sub(policy.merged_kept_ms)],
    )?;
    Ok(())
}

fn note(
    tx: &Connection,
    (entity, key): (&str, &str),
    theirs: &Stamp,
    outcome: i64,
    now: &Stamp,
) -> Result<()> {
    // When somebody last confirmed is no change that a traveler would look for.
    if entity == CONFIRMED {
        return Ok(());
    }
    tx.prepare_cached(
        "INSERT OR IGNORE INTO merged (entity, key, changed_ms, device, outcome, noted_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        entity,
        key,
        theirs.changed_ms,
        theirs.device,
        outcome,
        now.changed_ms
    ])?;
    Ok(())
}

// The numbers are in files: they never change their meaning.
fn number(reason: LinkRefusal) -> i64 {
    match reason {
        LinkRefusal::NotGenuine => 0,
        LinkRefusal::Expired => 1,
        LinkRefusal::Used => 2,
        LinkRefusal::NotLinked => 3,
    }
}

pub(super) fn refusal_from_number(number: i64) -> LinkRefusal {
    match number {
        1 => LinkRefusal::Expired,
        2 => LinkRefusal::Used,
        3 => LinkRefusal::NotLinked,
        _ => LinkRefusal::NotGenuine,
    }
}

/// Brings stamps of a clock that was ahead down to the ministry's receipt of the
/// last profile, as the ministry has done: see [`super::super::merge::believed_ms`].
/// What was changed since that profile stays newer than it.
pub(crate) fn settle_clock(record: &Record, outbox: &Outbox) -> Result<()> {
    let Some(received_ms) = outbox.get_number("profile_received_ms")? else {
        return Ok(());
    };
    record.write(|tx| {
        let unsent = meta_number(tx, "profile_version")? > meta_number(tx, "profile_sent")?;
        tx.execute(
            "UPDATE field SET changed_ms = ?1 + ?2 - (key = '') WHERE changed_ms > ?1 + ?3",
            params![received_ms, i64::from(unsent), AHEAD_MS],
        )?;
        Ok(())
    })?;
    outbox.set("profile_received_ms", b"")
}

#[cfg(test)]
mod tests;
