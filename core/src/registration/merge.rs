//! The merge of two sets of fields: what two phones of one traveler, and the
//! ministry between them, agree on.
//!
//! Field by field the newer stamp wins; of two stamps of one moment the higher
//! device id, and of two values of one stamp the higher text, so that everybody
//! decides alike. A removal of an entity (the key `''`) ends its fields that are
//! not newer, and stays beside those that are, so that an older field never
//! comes back by another way. So `merge` is commutative, associative and
//! idempotent: whoever hears what in whichever order comes to the same. Pure.
//!
//! A phone's clock may be ahead by years, and must not win for ever: see
//! [`believed_ms`].

use std::collections::BTreeMap;

use super::fields::{Field, REMOVED, Stamp};

/// A stamp may be so far ahead of the ministry's clock: what a phone learns of
/// that clock by a receipt is late by the time that the receipt was on its way.
pub const AHEAD_MS: i64 = 10 * 60_000;

/// The stamp that is believed of a field that came to the ministry at
/// `received_ms`, milliseconds UTC by its clock: none from the future.
///
/// The phone that made it does the same by the receipt of the profile, so that
/// both have one stamp without another word. A removal is put a millisecond
/// earlier: the fields of an entity that was removed and made again outlive it.
pub fn believed_ms(field: &Field, received_ms: i64) -> i64 {
    if field.changed_ms <= received_ms.saturating_add(AHEAD_MS) {
        field.changed_ms
    } else if field.key == REMOVED {
        received_ms.saturating_sub(1)
    } else {
        received_ms
    }
}

/// Two changes of one field that met; of the whole entity where `key` is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Met {
    /// The entity.
    pub entity: String,
    /// The key.
    pub key: String,
    /// The change that stands.
    pub newer: Stamp,
    /// The one that it replaced, where there was one.
    pub older: Option<Stamp>,
}

/// What a merge came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged {
    /// The fields, in order of entity and key.
    pub fields: Vec<Field>,
    /// Where something else is seen than before, by a change of theirs.
    pub taken: Vec<Met>,
    /// Where theirs was another value, of another device, and older.
    pub kept: Vec<Met>,
    /// Fields of mine that a removal of theirs ended though their entity lives on,
    /// by a newer field: whoever made that field has to say them again.
    pub cut: Vec<Field>,
}

/// One field on its way through a merge.
struct Slot {
    field: Field,
    /// Mine, where a change of theirs stands in its place.
    mine: Option<Field>,
    theirs: bool,
}

type Slots = BTreeMap<(String, String), Slot>;

/// Merges `theirs` into `mine`.
pub fn merge(mine: Vec<Field>, theirs: &[Field]) -> Merged {
    let mut slots = Slots::new();
    for field in mine {
        own(&mut slots, field);
    }
    let mut kept = Vec::new();
    for field in theirs {
        other(&mut slots, field, &mut kept);
    }
    settle(slots, kept)
}

fn own(slots: &mut Slots, field: Field) {
    let slot = Slot {
        field,
        mine: None,
        theirs: false,
    };
    let name = name(&slot.field);
    if slots
        .get(&name)
        .is_none_or(|known| newer(&slot.field, &known.field))
    {
        slots.insert(name, slot);
    }
}

fn other(slots: &mut Slots, field: &Field, kept: &mut Vec<Met>) {
    let Some(slot) = slots.get_mut(&name(field)) else {
        let slot = Slot {
            field: field.clone(),
            mine: None,
            theirs: true,
        };
        slots.insert(name(field), slot);
        return;
    };
    if newer(field, &slot.field) {
        let old = std::mem::replace(&mut slot.field, field.clone());
        if !slot.theirs {
            slot.mine = Some(old);
        }
        slot.theirs = true;
    } else if !slot.theirs && lost(field, &slot.field) {
        kept.push(met(field, stamp(&slot.field), Some(stamp(field))));
    }
}

/// Whether `loser` is another phone's other word, and not the same once more.
fn lost(loser: &Field, winner: &Field) -> bool {
    loser.value != winner.value && loser.device != winner.device
}

/// Lets the removals act, and tells what changed.
fn settle(slots: Slots, mut kept: Vec<Met>) -> Merged {
    let mut out = Merged {
        fields: Vec::with_capacity(slots.len()),
        taken: Vec::new(),
        kept: Vec::new(),
        cut: Vec::new(),
    };
    let mut entity: Vec<Slot> = Vec::new();
    for (_, slot) in slots {
        if entity
            .first()
            .is_some_and(|first| first.field.entity != slot.field.entity)
        {
            settle_entity(std::mem::take(&mut entity), &mut out, &mut kept);
        }
        entity.push(slot);
    }
    settle_entity(entity, &mut out, &mut kept);
    out.kept = kept;
    out
}

fn settle_entity(slots: Vec<Slot>, out: &mut Merged, kept: &mut Vec<Met>) {
    // The removal has the empty key, which comes first.
    let removal = slots
        .first()
        .filter(|slot| slot.field.key == REMOVED)
        .map(|slot| (stamp(&slot.field), slot.theirs, slot.field.clone()));
    let lives = |slot: &Slot| match &removal {
        Some((at, ..)) => slot.field.key == REMOVED || slot.field.changed_ms > at.changed_ms,
        None => true,
    };
    let survives = slots
        .iter()
        .any(|slot| slot.field.key != REMOVED && lives(slot));
    let mut ended: Option<Stamp> = None;
    for slot in slots {
        let alive = lives(&slot);
        let Slot {
            field,
            mine,
            theirs,
        } = slot;
        if field.key == REMOVED {
            out.fields.push(field);
        } else if alive {
            if theirs && seen_otherwise(mine.as_ref(), &field) {
                let older = mine.as_ref().map(stamp);
                out.taken.push(met(&field, stamp(&field), older));
            }
            out.fields.push(field);
        } else if let Some(own) = if theirs { mine } else { Some(field.clone()) } {
            ended = ended.max(Some(stamp(&own)));
            if survives {
                out.cut.push(own);
            }
        } else if let Some((at, ..)) = removal.as_ref().filter(|(at, by_them, _)| {
            !by_them && !field.value.is_null() && at.device != field.device
        }) {
            kept.push(met(&field, at.clone(), Some(stamp(&field))));
        }
    }
    if let (Some((at, true, row)), Some(_), false) = (removal, &ended, survives) {
        out.taken.push(met(&row, at, ended));
    }
}

fn seen_otherwise(mine: Option<&Field>, field: &Field) -> bool {
    match mine {
        Some(mine) => mine.value != field.value,
        None => !field.value.is_null(),
    }
}

/// Whether `left` stands before `right`: by time, device, and value.
fn newer(left: &Field, right: &Field) -> bool {
    (left.changed_ms, &left.device)
        .cmp(&(right.changed_ms, &right.device))
        .then_with(|| match left.value == right.value {
            true => std::cmp::Ordering::Equal,
            false => left.value.to_string().cmp(&right.value.to_string()),
        })
        .is_gt()
}

fn name(field: &Field) -> (String, String) {
    (field.entity.clone(), field.key.clone())
}

fn stamp(field: &Field) -> Stamp {
    Stamp {
        changed_ms: field.changed_ms,
        device: field.device.clone(),
    }
}

fn met(field: &Field, newer: Stamp, older: Option<Stamp>) -> Met {
    Met {
        entity: field.entity.clone(),
        key: field.key.clone(),
        newer,
        older,
    }
}

#[cfg(test)]
mod tests;
