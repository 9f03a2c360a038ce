//! Those for whom the traveler registers. Each is an entity `dependent/<uuid>` of
//! the registration, and travels with the profile under the traveler's consent.
//! Nobody is in it twice: a document belongs to one person.

use std::sync::Arc;

use rusqlite::Connection;

use super::date::Date;
use super::dependent::{Dependent, PATH};
use super::document::Identity;
use super::fields::{self, Field, Stamper};
use super::{TRAVELER, Traveler, confirmed, load_traveler};
use crate::config::Policy;
use crate::error::{HomelineError, Problem, Result, guard};
use crate::homeline::{Listeners, Topic};
use crate::record::Record;
use crate::sos::{StandingKeeper, new_id};

/// The kind of the dependents' entities.
const DEPENDENT: &str = "dependent";

/// Those for whom the traveler registers. Reached through `Homeline::dependents`.
#[derive(uniffi::Object)]
pub struct Dependents {
    pub(crate) record: Arc<Record>,
    pub(crate) stamper: Stamper,
    pub(crate) standing: Arc<StandingKeeper>,
    pub(crate) listeners: Arc<Listeners>,
    pub(crate) policy: Policy,
}

#[uniffi::export]
impl Dependents {
    /// Saves a dependent, a new one or the one that `id` names; returns the id.
    ///
    /// Errors: `Invalid` names the field: `Duplicate` where the traveler or another
    /// dependent has the same document, `Mismatch` where a child is not registered
    /// on a guardian's word, `TooMany` for the field `dependents`,
    /// `TooLong` for `registration` where all of it would be more than a ministry
    /// takes; `NotFound`; `Locked`, `KeyLost`, `Storage`.
    pub fn save(&self, dependent: Dependent) -> Result<String> {
        guard("Dependents::save", || {
            let stamp = self.stamper.stamp();
            let today = Date::today(stamp.changed_ms);
            let dependent = dependent.validated(today, &self.policy)?;
            let id = match &dependent.id {
                Some(id) => id.clone(),
                None => new_id(stamp.changed_ms)?.to_string(),
            };
            let is_new = dependent.id.is_none();
            self.record.write(|tx| {
                if is_new {
                    self.refuse_too_many(tx)?;
                } else if !fields::exists(tx, &entity(&id))? {
                    return Err(HomelineError::not_found("dependent"));
                }
                refuse_twice(tx, &dependent.person, Who::Dependent(&id))?;
                let limit = self.policy.registration_bytes;
                fields::save_within(tx, &entity(&id), &dependent, &stamp, limit)?;
                confirmed::by_hand(tx, &stamp)
            })?;
            self.changed();
            Ok(id)
        })
    }

    /// All dependents with their ids, in the order in which they were added.
    pub fn list(&self) -> Result<Vec<Dependent>> {
        guard("Dependents::list", || self.record.read(load))
    }

    /// Removes a dependent; a later sync tells the ministry.
    ///
    /// Errors: `NotFound`; `Locked`, `KeyLost`, `Storage`.
    pub fn remove(&self, id: String) -> Result<()> {
        guard("Dependents::remove", || {
            let stamp = self.stamper.stamp();
            self.record.write(|tx| {
                if fields::remove(tx, &entity(&id), &stamp)? {
                    Ok(())
                } else {
                    Err(HomelineError::not_found("dependent"))
                }
            })?;
            self.changed();
            Ok(())
        })
    }
}

impl Dependents {
    fn refuse_too_many(&self, tx: &Connection) -> Result<()> {
        if fields::count(tx, DEPENDENT)? < self.policy.dependents {
            return Ok(());
        }
        let expected = format!("at most {}: make a group of them", self.policy.dependents);
        Err(HomelineError::invalid(
            "dependents",
            Problem::TooMany,
            &expected,
        ))
    }

    fn changed(&self) {
        self.standing.renew_if_stale();
        self.listeners.notify(Topic::Record);
    }
}

fn entity(id: &str) -> String {
    format!("{DEPENDENT}/{id}")
}

/// All dependents with their ids.
fn load(tx: &Connection) -> Result<Vec<Dependent>> {
    Ok(with_ids(fields::load_all(tx, DEPENDENT)?))
}

/// The dependents in the fields of a registration, as a ministry reads it.
pub fn dependents_of(fields: &[Field]) -> Vec<Dependent> {
    with_ids(fields::entities(fields, DEPENDENT))
}

/// The ids are UUIDs of version 7: their order is that of time.
fn with_ids(dependents: Vec<(String, Dependent)>) -> Vec<Dependent> {
    dependents
        .into_iter()
        .map(|(id, dependent)| Dependent {
            id: Some(id),
            ..dependent
        })
        .collect()
}

/// One of those whom a registration holds.
pub(super) enum Who<'a> {
    /// The traveler.
    Traveler,
    /// The dependent of this id.
    Dependent(&'a str),
}

/// Refuses a person who has a document of somebody else in the registration.
pub(super) fn refuse_twice(tx: &Connection, person: &Traveler, who: Who<'_>) -> Result<()> {
    if person.documents.is_empty() {
        return Ok(());
    }
    let (path, own_id) = match who {
        Who::Traveler => (TRAVELER.to_owned(), None),
        Who::Dependent(id) => (format!("{PATH}.person"), Some(id)),
    };
    let traveler = match who {
        Who::Traveler => None,
        Who::Dependent(_) => load_traveler(tx)?,
    };
    let others = load(tx)?
        .into_iter()
        .filter(|other| own_id.is_none() || other.id.as_deref() != own_id)
        .map(|other| {
            let id = other.id.unwrap_or_default();
            (format!("dependents.{id}"), other.person)
        })
        .chain(traveler.map(|traveler| (TRAVELER.to_owned(), traveler)));
    let own = identities(person);
    for (name, other) in others {
        let held = identities(&other);
        let same = |mine: &Identity| held.iter().any(|other| other.is_same(mine));
        if let Some(index) = own.iter().position(same) {
            return Err(HomelineError::invalid(
                &format!("{path}.documents.{index}.number"),
                Problem::Duplicate,
                &format!("a document of one person only: {name} has it"),
            ));
        }
    }
    Ok(())
}

fn identities(person: &Traveler) -> Vec<Identity> {
    person
        .documents
        .iter()
        .map(super::TravelDocument::identity)
        .collect()
}
