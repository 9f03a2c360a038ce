//! The registration as fields: what the record keeps, what crosses the network,
//! and what two phones of one traveler are merged by.
//!
//! An *entity* (`traveler`, `contact/<uuid>`, a single value) is a JSON object;
//! each of its top-level keys is a field of its own with a [`Stamp`]. Saving an
//! entity stamps only what has changed. An emptied field keeps a row with JSON
//! `null`, and a removed entity a row with the key `''`, so that both win over
//! older values; an entity is there when it has any other row. Pure SQL and JSON:
//! nothing here knows what a traveler is.
//!
//! A newer phone may send what this one cannot read. It is kept and sent on, and
//! not shown: an entity is read without the key that does not fit, or not at all,
//! and neither is an error.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::changed;
use crate::clock::Time;
use crate::error::{HomelineError, Problem, Result, StorageProblem};
use crate::outbox::Outbox;
use crate::sync::Sealer;

/// The key that stands for a whole entity: its value says that it was removed.
pub const REMOVED: &str = "";

/// One field of a registration.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Field {
    /// `traveler`, or a kind and a UUID: `contact/…`, `dependent/…`, `trip/…`.
    pub entity: String,
    /// A key of the entity's JSON form; empty where the whole entity was removed.
    pub key: String,
    /// The value; `null` where it was emptied.
    pub value: Value,
    /// When it was changed, milliseconds UTC by the best time that the phone knew.
    pub changed_ms: i64,
    /// Id of the device that changed it.
    pub device: String,
}

redacted_debug!(Field);

/// When and where a field is changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Stamp {
    /// Milliseconds UTC by the best time that the phone knew.
    pub changed_ms: i64,
    /// Id of the device.
    pub device: String,
}

/// Makes stamps: the phone's clock, corrected by the ministry's.
#[derive(Clone)]
pub(crate) struct Stamper {
    pub(crate) time: Time,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) sealer: Arc<Sealer>,
}

impl Stamper {
    pub(crate) fn stamp(&self) -> Stamp {
        let offset = self.outbox.get_number("offset_ms").ok().flatten();
        Stamp {
            changed_ms: self
                .time
                .now()
                .wall_ms
                .saturating_add(offset.unwrap_or_default()),
            device: self.sealer.device().id().to_owned(),
        }
    }
}

/// Saves `value` as `entity`: each key that differs from what is stored gets the
/// stamp. Notes a new version of the profile where anything differs; returns
/// whether it does.
pub(crate) fn save<T: Serialize>(
    tx: &Connection,
    entity: &str,
    value: &T,
    stamp: &Stamp,
) -> Result<bool> {
    let Value::Object(new) = serde_json::to_value(value).map_err(|_| bug())? else {
        return Err(bug());
    };
    let old = keys_of(tx, entity)?;
    let mut differs = false;
    for (key, value) in &new {
        if old.get(key) != Some(value) {
            put(tx, entity, key, value, stamp)?;
            differs = true;
        }
    }
    for (key, value) in &old {
        if key != REMOVED && !new.contains_key(key) && !value.is_null() {
            put(tx, entity, key, &Value::Null, stamp)?;
            differs = true;
        }
    }
    if differs {
        changed(tx)?;
    }
    Ok(differs)
}

/// [`save`], refused where the registration would become larger than `limit` bytes
/// as it is sent: a ministry would refuse the whole of it. What makes it smaller is
/// always saved.
pub(crate) fn save_within<T: Serialize>(
    tx: &Connection,
    entity: &str,
    value: &T,
    stamp: &Stamp,
    limit: usize,
) -> Result<bool> {
    let before = bytes(tx)?;
    let differs = save(tx, entity, value, stamp)?;
    let after = bytes(tx)?;
    if after > limit && after > before {
        return Err(HomelineError::invalid(
            "registration",
            Problem::TooLong,
            &format!("at most {} KB in all", limit / 1_000),
        ));
    }
    Ok(differs)
}

/// About how many bytes the registration has as it is sent.
fn bytes(tx: &Connection) -> Result<usize> {
    let bytes: i64 = tx
        .prepare_cached(
            // 70: the names of a field's five members, and its time.
            "SELECT coalesce(sum(length(CAST(json AS BLOB)) + length(entity) + length(key)
                                 + length(device) + 70), 0) FROM field",
        )?
        .query_row([], |row| row.get(0))?;
    Ok(usize::try_from(bytes).unwrap_or(usize::MAX))
}

/// Removes `entity`; `false` where there is none.
pub(crate) fn remove(tx: &Connection, entity: &str, stamp: &Stamp) -> Result<bool> {
    if !exists(tx, entity)? {
        return Ok(false);
    }
    let newest: i64 = tx.query_row(
        "SELECT max(changed_ms) FROM field WHERE entity = ?1",
        [entity],
        |row| row.get(0),
    )?;
    let stamp = Stamp {
        changed_ms: stamp.changed_ms.max(newest.saturating_add(1)),
        device: stamp.device.clone(),
    };
    tx.execute("DELETE FROM field WHERE entity = ?1", [entity])?;
    put(tx, entity, REMOVED, &Value::Bool(true), &stamp)?;
    changed(tx)?;
    Ok(true)
}

/// Whether there is such an entity.
pub(crate) fn exists(tx: &Connection, entity: &str) -> Result<bool> {
    Ok(is_there(&keys_of(tx, entity)?))
}

/// One entity, if it is there.
pub(crate) fn load<T: DeserializeOwned>(tx: &Connection, entity: &str) -> Result<Option<T>> {
    Ok(object(keys_of(tx, entity)?))
}

/// All entities of a kind with their ids, in order of the id.
pub(crate) fn load_all<T: DeserializeOwned>(
    tx: &Connection,
    kind: &str,
) -> Result<Vec<(String, T)>> {
    let mut statement = tx.prepare_cached(
        // '0' follows '/' in ASCII: a range of the primary key.
        "SELECT entity, key, json FROM field
         WHERE entity >= ?1 || '/' AND entity < ?1 || '0' ORDER BY entity, key",
    )?;
    let mut rows = statement.query([kind])?;
    let mut found: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let entity: String = row.get(0)?;
        let json: String = row.get(2)?;
        let id = entity.split_once('/').map_or("", |(_, id)| id).to_owned();
        found
            .entry(id)
            .or_default()
            .insert(row.get(1)?, parse(&json)?);
    }
    Ok(found
        .into_iter()
        .filter_map(|(id, keys)| Some((id, object(keys)?)))
        .collect())
}

/// How many entities of a kind there are.
pub(crate) fn count(tx: &Connection, kind: &str) -> Result<usize> {
    let count: i64 = tx
        .prepare_cached(
            // A removed entity has the key '' only.
            "SELECT count(DISTINCT entity) FROM field
             WHERE entity >= ?1 || '/' AND entity < ?1 || '0' AND key <> ''",
        )?
        .query_row([kind], |row| row.get(0))?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

/// Every field, removals included, in order of entity and key.
pub(crate) fn all(tx: &Connection) -> Result<Vec<Field>> {
    let mut statement = tx.prepare_cached(
        "SELECT entity, key, json, changed_ms, device FROM field ORDER BY entity, key",
    )?;
    let mut rows = statement.query([])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let json: String = row.get(2)?;
        out.push(Field {
            entity: row.get(0)?,
            key: row.get(1)?,
            value: parse(&json)?,
            changed_ms: row.get(3)?,
            device: row.get(4)?,
        });
    }
    Ok(out)
}

/// One entity out of the fields of a registration, as a ministry reads it;
/// `None` where it is not there, was removed, or is not of the form.
pub fn entity<T: DeserializeOwned>(fields: &[Field], entity: &str) -> Option<T> {
    let keys: BTreeMap<String, Value> = fields
        .iter()
        .filter(|field| field.entity == entity)
        .map(|field| (field.key.clone(), field.value.clone()))
        .collect();
    object(keys)
}

/// All entities of a kind out of the fields of a registration, with their ids.
pub fn entities<T: DeserializeOwned>(fields: &[Field], kind: &str) -> Vec<(String, T)> {
    // One look at each field: a hostile registration may have very many.
    let mut found: BTreeMap<&str, BTreeMap<String, Value>> = BTreeMap::new();
    for field in fields {
        if let Some((of, id)) = field.entity.split_once('/')
            && of == kind
        {
            let keys = found.entry(id).or_default();
            keys.insert(field.key.clone(), field.value.clone());
        }
    }
    found
        .into_iter()
        .filter_map(|(id, keys)| Some((id.to_owned(), object(keys)?)))
        .collect()
}

/// Writes what a merge made of `before`, the fields of the record: no stamp of
/// this phone, and no new version of the profile.
pub(crate) fn replace(tx: &Connection, before: &[Field], after: &[Field]) -> Result<()> {
    let name = |field: &Field| (field.entity.clone(), field.key.clone());
    let mut rest: BTreeMap<_, &Field> = before.iter().map(|field| (name(field), field)).collect();
    for field in after {
        if rest.remove(&name(field)) != Some(field) {
            tx.prepare_cached(
                "INSERT INTO field (entity, key, json, changed_ms, device)
                 VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (entity, key) DO UPDATE SET json = excluded.json,
                     changed_ms = excluded.changed_ms, device = excluded.device",
            )?
            .execute(params![
                field.entity,
                field.key,
                field.value.to_string(),
                field.changed_ms,
                field.device
            ])?;
        }
    }
    for (entity, key) in rest.into_keys() {
        tx.prepare_cached("DELETE FROM field WHERE entity = ?1 AND key = ?2")?
            .execute([entity, key])?;
    }
    Ok(())
}

/// Says a field again as it is, with a new stamp.
pub(crate) fn say_again(tx: &Connection, field: &Field, stamp: &Stamp) -> Result<()> {
    put(tx, &field.entity, &field.key, &field.value, stamp)?;
    changed(tx)
}

fn put(tx: &Connection, entity: &str, key: &str, value: &Value, stamp: &Stamp) -> Result<()> {
    tx.prepare_cached(
        // A change is newer than the one that it follows, whatever the clock says.
        "INSERT INTO field (entity, key, json, changed_ms, device)
         -- The last number is the largest that one can still be added to.
         VALUES (?1, ?2, ?3, max(?4, 1 + min(coalesce((SELECT max(changed_ms) FROM field
             WHERE entity = ?1 AND key IN (?2, '')), 0), 9223372036854775806)), ?5)
         ON CONFLICT (entity, key) DO UPDATE SET json = excluded.json,
             changed_ms = excluded.changed_ms, device = excluded.device",
    )?
    .execute(params![
        entity,
        key,
        value.to_string(),
        stamp.changed_ms,
        stamp.device
    ])?;
    Ok(())
}

fn keys_of(tx: &Connection, entity: &str) -> Result<BTreeMap<String, Value>> {
    let mut statement = tx.prepare_cached("SELECT key, json FROM field WHERE entity = ?1")?;
    let mut rows = statement.query([entity])?;
    let mut out = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let json: String = row.get(1)?;
        out.insert(row.get(0)?, parse(&json)?);
    }
    Ok(out)
}

/// Whether these are the rows of an entity that is there.
fn is_there(keys: &BTreeMap<String, Value>) -> bool {
    keys.keys().any(|key| key != REMOVED)
}

/// The entity, without the one key that does not fit where there is such a key;
/// `None` where it was removed or cannot be read by this version.
fn object<T: DeserializeOwned>(keys: BTreeMap<String, Value>) -> Option<T> {
    if !is_there(&keys) {
        return None;
    }
    let map: Map<String, Value> = keys
        .into_iter()
        .filter(|(key, value)| key != REMOVED && !value.is_null())
        .collect();
    if let Ok(object) = T::deserialize(Value::Object(map.clone())) {
        return Some(object);
    }
    map.keys().find_map(|unfit| {
        let mut rest = map.clone();
        rest.remove(unfit);
        T::deserialize(Value::Object(rest)).ok()
    })
}

fn parse(json: &str) -> Result<Value> {
    serde_json::from_str(json).map_err(|_| StorageProblem::Damaged.into())
}

fn bug() -> HomelineError {
    HomelineError::bug("registration::fields")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registration::{Traveler, TravelerKind};

    fn record() -> Connection {
        let tx = Connection::open_in_memory().unwrap();
        for script in [
            include_str!("../record/migrations/0001.sql"),
            include_str!("../record/migrations/0002/registration.sql"),
        ] {
            tx.execute_batch(script).unwrap();
        }
        tx
    }

    fn stamp(changed_ms: i64) -> Stamp {
        Stamp {
            changed_ms,
            device: "d".into(),
        }
    }

    fn traveler(name: &str, phone: Option<&str>) -> Traveler {
        Traveler {
            name: name.into(),
            kind: TravelerKind::ShortTrip,
            phone: phone.map(str::to_owned),
            ..Traveler::default()
        }
    }

    fn stamps(tx: &Connection) -> Vec<(String, i64)> {
        all(tx)
            .unwrap()
            .into_iter()
            .map(|field| (field.key, field.changed_ms))
            .collect()
    }

    #[test]
    fn only_what_changed_is_stamped_and_an_emptied_field_stays_known() {
        let tx = record();
        assert!(save(&tx, "traveler", &traveler("a", Some("12308")), &stamp(10)).unwrap());
        assert!(!save(&tx, "traveler", &traveler("a", Some("12308")), &stamp(20)).unwrap());
        assert!(save(&tx, "traveler", &traveler("a", None), &stamp(30)).unwrap());
        let expected =
            [("kind", 10), ("name", 10), ("phone", 30)].map(|(key, ms)| (key.to_owned(), ms));
        assert_eq!(stamps(&tx), expected);
        assert_eq!(load(&tx, "traveler").unwrap(), Some(traveler("a", None)));
    }

    #[test]
    fn a_registration_does_not_outgrow_what_a_ministry_takes() {
        let tx = record();
        let long = |letters: usize| traveler(&"李".repeat(letters), None);
        let saved = |letters| save_within(&tx, "traveler", &long(letters), &stamp(1), 1_000);
        assert_eq!(saved(100), Ok(true));
        assert!(
            matches!(saved(300), Err(HomelineError::Invalid { field, .. })
            if field == "registration")
        );
        // What is too large already, after a merge, may only become smaller.
        save(&tx, "traveler", &long(500), &stamp(2)).unwrap();
        assert_eq!(saved(400), Ok(true));
        let sent = serde_json::to_string(&all(&tx).unwrap()).unwrap().len();
        let counted = bytes(&tx).unwrap();
        assert!(
            counted.abs_diff(sent) < 40,
            "{counted} counted, {sent} sent"
        );
    }

    #[test]
    fn a_change_is_newer_than_the_one_before_though_the_clock_went_back() {
        let tx = record();
        save(&tx, "traveler", &traveler("a", None), &stamp(1_000)).unwrap();
        save(&tx, "traveler", &traveler("b", None), &stamp(10)).unwrap();
        assert!(stamps(&tx).contains(&("name".to_owned(), 1_001)));
        assert!(remove(&tx, "traveler", &stamp(5)).unwrap());
        assert!(stamps(&tx).contains(&(REMOVED.to_owned(), 1_002)));
        assert!(!remove(&tx, "traveler", &stamp(5)).unwrap());
        assert_eq!(load::<Traveler>(&tx, "traveler").unwrap(), None);
        save(&tx, "traveler", &traveler("c", None), &stamp(6)).unwrap();
        // The removal stays beside what is newer.
        let expected =
            [("", 1_002), ("kind", 1_003), ("name", 1_003)].map(|(key, ms)| (key.to_owned(), ms));
        assert_eq!(stamps(&tx), expected);
        assert_eq!(load(&tx, "traveler").unwrap(), Some(traveler("c", None)));
    }

    #[test]
    fn an_entity_that_was_removed_and_made_again_is_there_for_everybody() {
        let tx = record();
        let entity = "contact/a";
        for (at, name) in [(1, "m"), (3, "n")] {
            save(&tx, entity, &traveler(name, None), &stamp(at)).unwrap();
            if at == 1 {
                assert!(remove(&tx, entity, &stamp(2)).unwrap());
                assert!(entities::<Traveler>(&all(&tx).unwrap(), "contact").is_empty());
            }
        }
        // The removal stays beside what is newer: see the merge.
        let sent = all(&tx).unwrap();
        assert!(sent.iter().any(|field| field.key == REMOVED));
        let expected = [("a".to_owned(), traveler("n", None))];
        assert_eq!(entities(&sent, "contact"), expected);
        assert_eq!(load_all(&tx, "contact").unwrap(), expected);
    }

    #[test]
    fn entities_of_a_kind_are_found_and_no_others() {
        let tx = record();
        for entity in [
            "contact/b",
            "contact/a",
            "contacts/x",
            "contact0/y",
            "traveler",
        ] {
            save(&tx, entity, &traveler(entity, None), &stamp(1)).unwrap();
        }
        let found: Vec<(String, Traveler)> = load_all(&tx, "contact").unwrap();
        let ids: Vec<&str> = found.iter().map(|(id, _)| id.as_str()).collect();
        assert_eq!(ids, ["a", "b"]);
        let fields = all(&tx).unwrap();
        assert_eq!(entities::<Traveler>(&fields, "contact"), found);
        assert_eq!(
            entity(&fields, "traveler"),
            Some(traveler("traveler", None))
        );
    }
}
