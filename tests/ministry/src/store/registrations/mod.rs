//! Registrations: the profiles of a traveler's phones, merged field by field.
//!
//! A device belongs to one registration at a time. It founds one by naming an id
//! that nobody has, and joins another's by a link code ([`links`]). What a device
//! sends under the id of a registration that it does not belong to is kept as its
//! own and touches nothing. After each merge the other phones find the changes in
//! their feed ([`news`]), and so does the sender what it did not know.

mod links;
mod news;
#[cfg(test)]
mod tests;

use homeline::registration::fields::Field;
use homeline::registration::merge::{Met, believed_ms, merge};
use homeline::sync::protocol::{Content, Profile};
use rusqlite::{OptionalExtension as _, Transaction, params};
use uuid::Uuid;

use super::{Result, Store};
use crate::intake::Sender;

/// A profile with who sent it and when it came.
struct Arrival<'a> {
    sender: &'a Sender,
    /// Id of the device, where it has proved it; else ''.
    device: String,
    profile: &'a Profile,
    received_ms: i64,
}

/// What the phones of a registration are to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tell {
    /// Nobody anything.
    Nobody,
    /// The sender what it lacks.
    Sender,
    /// Everybody.
    All,
}

impl Store {
    /// Takes a profile: keeps it as the sender's last one, and merges it where the
    /// sender belongs. `plain` are the bytes that were sealed.
    pub(super) fn take_profile(
        &self,
        tx: &Transaction<'_>,
        sender: &Sender,
        profile: &Profile,
        plain: &[u8],
        received_ms: i64,
    ) -> Result<()> {
        let arrival = Arrival {
            sender,
            device: proved_device(tx, sender, &profile.phones.device)?,
            profile,
            received_ms,
        };
        let registration = links::registration_of(tx, &arrival)?;
        let previous = last_profile(tx, sender, &registration)?;
        // SQLite's integers are signed; no phone counts so far.
        let version = i64::try_from(profile.version).unwrap_or(i64::MAX);
        if previous
            .as_ref()
            .is_some_and(|last| last.version >= version)
        {
            return Ok(());
        }
        tx.execute(
            "INSERT INTO profiles (sender, registration, version, received_ms, content)
             VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (sender, registration) DO UPDATE SET version = excluded.version,
                 received_ms = excluded.received_ms, content = excluded.content",
            params![sender, registration.as_bytes(), version, received_ms, plain],
        )?;
        if self.take_seat(tx, &arrival, &registration)? == Seat::Stranger {
            return self.tell_stranger(tx, sender, &registration);
        }
        let mut tell = self.unlink(tx, &arrival, &registration)?;
        let known = previous.map(|last| last.fields).unwrap_or_default();
        // What the device said before was merged then, by the clock of then.
        let fresh: Vec<Field> = profile
            .fields
            .iter()
            .filter(|field| !known.contains(field))
            .map(|field| believed(field, received_ms))
            .collect();
        tell = tell.max(merge_in(tx, &arrival, &registration, &fresh)?);
        self.tell(tx, &registration, sender, tell)?;
        self.take_link(tx, &arrival, &registration)?;
        self.answer_waiting(tx, &registration)
    }
}

impl Tell {
    fn max(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, _) | (_, Self::All) => Self::All,
            (Self::Sender, _) | (_, Self::Sender) => Self::Sender,
            _ => Self::Nobody,
        }
    }
}

/// A device's last profile under a registration.
struct Last {
    version: i64,
    received_ms: i64,
    fields: Known,
}

/// Fields that a device is known to have, as it stamped them.
#[derive(Default)]
struct Known(std::collections::HashMap<(String, String), Field>);

impl Known {
    fn contains(&self, field: &Field) -> bool {
        let name = (field.entity.clone(), field.key.clone());
        self.0.get(&name) == Some(field)
    }

    fn new(fields: Vec<Field>) -> Self {
        let named = |field: Field| ((field.entity.clone(), field.key.clone()), field);
        Self(fields.into_iter().map(named).collect())
    }
}

fn believed(field: &Field, received_ms: i64) -> Field {
    Field {
        changed_ms: believed_ms(field, received_ms),
        ..field.clone()
    }
}

fn last_profile(
    tx: &Transaction<'_>,
    sender: &Sender,
    registration: &Uuid,
) -> Result<Option<Last>> {
    let row: Option<(i64, i64, Vec<u8>)> = tx
        .query_row(
            "SELECT version, received_ms, content FROM profiles
             WHERE sender = ?1 AND registration = ?2",
            params![sender, registration.as_bytes()],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .optional()?;
    let Some((version, received_ms, content)) = row else {
        return Ok(None);
    };
    let fields = match serde_json::from_slice(&content)? {
        Content::Profile(profile) => profile.fields,
        _ => Vec::new(),
    };
    Ok(Some(Last {
        version,
        received_ms,
        fields: Known::new(fields),
    }))
}

/// The device id that the sender names, if its keys are those of that device:
/// the enrolment binds the id to the agreement key, this seal the key to the id.
fn proved_device(tx: &Transaction<'_>, sender: &Sender, device: &str) -> Result<String> {
    let known: Option<String> = tx
        .query_row(
            "SELECT id FROM devices WHERE id = ?1 AND agreement = ?2",
            params![device, sender],
            |row| row.get(0),
        )
        .optional()?;
    Ok(known.unwrap_or_default())
}

/// The registration that a device belongs to.
fn membership(tx: &Transaction<'_>, sender: &Sender) -> Result<Option<Uuid>> {
    let id: Option<[u8; 16]> = tx
        .query_row(
            "SELECT registration FROM members WHERE sender = ?1",
            [sender],
            |row| row.get(0),
        )
        .optional()?;
    Ok(id.map(Uuid::from_bytes))
}

fn members(tx: &Transaction<'_>, registration: &Uuid) -> Result<Vec<Sender>> {
    let mut select = tx.prepare_cached(
        "SELECT sender FROM members WHERE registration = ?1 ORDER BY joined_ms, sender",
    )?;
    let rows = select.query_map([registration.as_bytes()], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seat {
    Member,
    Stranger,
}

impl Store {
    /// Finds the sender in the registration, or lets it found one that is nobody's.
    fn take_seat(
        &self,
        tx: &Transaction<'_>,
        arrival: &Arrival<'_>,
        registration: &Uuid,
    ) -> Result<Seat> {
        let before = membership(tx, arrival.sender)?;
        if before != Some(*registration) {
            if !members(tx, registration)?.is_empty() {
                return Ok(Seat::Stranger);
            }
            let Arrival {
                sender,
                device,
                received_ms,
                ..
            } = arrival;
            seat(tx, sender, device, registration, *received_ms)?;
            if let Some(left) = before {
                self.tell_members(tx, &left)?;
            }
        }
        tx.execute(
            "UPDATE members SET seen_ms = ?2, device = ?3 WHERE sender = ?1",
            params![arrival.sender, arrival.received_ms, arrival.device],
        )?;
        Ok(Seat::Member)
    }
}

/// Puts a device into a registration, out of the one that it was in.
fn seat(
    tx: &Transaction<'_>,
    sender: &Sender,
    device: &str,
    registration: &Uuid,
    now_ms: i64,
) -> Result<()> {
    let before = membership(tx, sender)?;
    tx.execute(
        "INSERT INTO members (sender, registration, device, joined_ms, seen_ms)
         VALUES (?1, ?2, ?3, ?4, ?4)
         ON CONFLICT (sender) DO UPDATE SET registration = excluded.registration,
             device = excluded.device, joined_ms = excluded.joined_ms",
        params![sender, registration.as_bytes(), device, now_ms],
    )?;
    if let Some(before) = before {
        tx.execute(
            "DELETE FROM profiles WHERE sender = ?1 AND registration = ?2",
            params![sender, before.as_bytes()],
        )?;
        forget_if_empty(tx, &before)?;
    }
    Ok(())
}

/// Takes a device out of its registration and deletes what it sent. What it was
/// merged into stays as long as another phone of the traveler is in it.
pub(super) fn erase(tx: &Transaction<'_>, sender: &Sender) -> Result<()> {
    let registration: Option<[u8; 16]> = tx
        .query_row(
            "SELECT registration FROM members WHERE sender = ?1",
            [sender],
            |row| row.get(0),
        )
        .optional()?;
    for table in ["profiles", "links", "members"] {
        tx.execute(&format!("DELETE FROM {table} WHERE sender = ?1"), [sender])?;
    }
    registration.map_or(Ok(()), |id| forget_if_empty(tx, &Uuid::from_bytes(id)))
}

/// A registration that no phone belongs to any more is nobody's data.
fn forget_if_empty(tx: &Transaction<'_>, registration: &Uuid) -> Result<()> {
    if members(tx, registration)?.is_empty() {
        for table in ["registration_fields", "overruled"] {
            tx.execute(
                &format!("DELETE FROM {table} WHERE registration = ?1"),
                [registration.as_bytes()],
            )?;
        }
    }
    Ok(())
}

/// The merged fields of a registration, in order of entity and key.
fn fields_of(tx: &Transaction<'_>, registration: &Uuid) -> Result<Vec<Field>> {
    let mut select = tx.prepare_cached(
        "SELECT entity, key, json, changed_ms, device FROM registration_fields
         WHERE registration = ?1 ORDER BY entity, key",
    )?;
    let mut rows = select.query([registration.as_bytes()])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let json: String = row.get(2)?;
        out.push(Field {
            entity: row.get(0)?,
            key: row.get(1)?,
            value: serde_json::from_str(&json)?,
            changed_ms: row.get(3)?,
            device: row.get(4)?,
        });
    }
    Ok(out)
}

/// Merges what a device has newly said into a registration.
fn merge_in(
    tx: &Transaction<'_>,
    arrival: &Arrival<'_>,
    registration: &Uuid,
    fresh: &[Field],
) -> Result<Tell> {
    if fresh.is_empty() {
        return Ok(Tell::Nobody);
    }
    let before = fields_of(tx, registration)?;
    let merged = merge(before.clone(), fresh);
    let met = note_met(tx, arrival, registration, (&merged.taken, &merged.kept))?;
    store_fields(tx, registration, &before, &merged.fields)?;
    let cut = fresh.iter().any(|field| !merged.fields.contains_at(field));
    Ok(
        if !merged.taken.is_empty() || met > 0 || !merged.cut.is_empty() {
            Tell::All
        } else if cut {
            Tell::Sender
        } else {
            Tell::Nobody
        },
    )
}

/// Whether a sorted list of fields has this very one.
trait ContainsAt {
    fn contains_at(&self, field: &Field) -> bool;
}

impl ContainsAt for Vec<Field> {
    fn contains_at(&self, field: &Field) -> bool {
        self.binary_search_by(|known| (&known.entity, &known.key).cmp(&(&field.entity, &field.key)))
            .ok()
            .and_then(|at| self.get(at))
            == Some(field)
    }
}

/// Writes down where the sender's change and another phone's met, neither having
/// heard of the other; returns how many there are.
fn note_met(
    tx: &Transaction<'_>,
    arrival: &Arrival<'_>,
    registration: &Uuid,
    (taken, kept): (&[Met], &[Met]),
) -> Result<usize> {
    let own = arrival.device.as_str();
    let mut noted = 0;
    for met in taken.iter().chain(kept) {
        let Some(older) = &met.older else { continue };
        let by_sender = met.newer.device == own && older.device != own;
        let against_sender = older.device == own && met.newer.device != own;
        if own.is_empty()
            || !(by_sender && !knew(tx, arrival, registration, met)? || against_sender)
        {
            continue;
        }
        noted += tx
            .prepare_cached(
                "INSERT OR IGNORE INTO overruled (registration, entity, key, newer_ms,
                     newer_device, older_ms, older_device, at_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                registration.as_bytes(),
                met.entity,
                met.key,
                met.newer.changed_ms,
                met.newer.device,
                older.changed_ms,
                older.device,
                arrival.received_ms
            ])?;
    }
    Ok(noted)
}

/// Whether the sender had seen what its change replaces, when it sent this.
fn knew(
    tx: &Transaction<'_>,
    arrival: &Arrival<'_>,
    registration: &Uuid,
    met: &Met,
) -> Result<bool> {
    let arrived: Option<i64> = tx
        .prepare_cached(
            // Of a whole entity the latest.
            "SELECT max(arrived) FROM registration_fields
             WHERE registration = ?1 AND entity = ?2 AND (key = ?3 OR ?3 = '')",
        )?
        .query_row(
            params![registration.as_bytes(), met.entity, met.key],
            |row| row.get(0),
        )?;
    let seen = i64::try_from(arrival.profile.phones.seen).unwrap_or(i64::MAX);
    Ok(arrived.is_none_or(|arrived| seen > arrived))
}

fn store_fields(
    tx: &Transaction<'_>,
    registration: &Uuid,
    before: &[Field],
    after: &[Field],
) -> Result<()> {
    let arrived: i64 = tx.query_row(
        "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'changes'",
        [],
        |row| row.get(0),
    )?;
    let mut old = before.iter().peekable();
    for field in after {
        let name = (&field.entity, &field.key);
        while let Some(gone) = old.next_if(|old| (&old.entity, &old.key) < name) {
            delete_field(tx, registration, gone)?;
        }
        let known = old.next_if(|old| (&old.entity, &old.key) == name);
        if known == Some(field) {
            continue;
        }
        tx.prepare_cached(
            "INSERT INTO registration_fields
                 (registration, entity, key, json, changed_ms, device, arrived)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (registration, entity, key) DO UPDATE SET json = excluded.json,
                 changed_ms = excluded.changed_ms, device = excluded.device,
                 arrived = excluded.arrived",
        )?
        .execute(params![
            registration.as_bytes(),
            field.entity,
            field.key,
            field.value.to_string(),
            field.changed_ms,
            field.device,
            arrived
        ])?;
    }
    old.try_for_each(|gone| delete_field(tx, registration, gone))
}

fn delete_field(tx: &Transaction<'_>, registration: &Uuid, field: &Field) -> Result<()> {
    tx.prepare_cached(
        "DELETE FROM registration_fields WHERE registration = ?1 AND entity = ?2 AND key = ?3",
    )?
    .execute(params![registration.as_bytes(), field.entity, field.key])?;
    Ok(())
}

/// The registration of a sender for the desk, with when it last changed; what it
/// sent as a stranger where it belongs to none.
pub(super) fn registration_for(
    tx: &Transaction<'_>,
    sender: &Sender,
) -> Result<Option<(i64, Content)>> {
    let Some(registration) = membership(tx, sender)? else {
        let own: Option<(i64, Vec<u8>)> = tx
            .query_row(
                "SELECT received_ms, content FROM profiles WHERE sender = ?1
                 ORDER BY received_ms DESC LIMIT 1",
                [sender],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        return own
            .map(|(at, content)| Ok((at, serde_json::from_slice(&content)?)))
            .transpose();
    };
    let seen_ms: i64 = tx.query_row(
        "SELECT max(seen_ms) FROM members WHERE registration = ?1",
        [registration.as_bytes()],
        |row| row.get(0),
    )?;
    let content = Content::Profile(Profile {
        version: 0,
        registration,
        fields: fields_of(tx, &registration)?,
        phones: Default::default(),
    });
    Ok(Some((seen_ms, content)))
}
