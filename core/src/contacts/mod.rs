//! Emergency contacts: whom to call for the traveler, the first one first.
//!
//! They are part of the registration: each is an entity `contact/<uuid>` of its
//! fields, and `contact_order` keeps their order. A change makes a new version
//! of the profile, and renews the standing envelope of the SOS.

mod contact;

pub use contact::{Contact, Relation, Tell};

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use crate::config::Policy;
use crate::error::{HomelineError, Problem, Result, guard};
use crate::homeline::{Listeners, Topic};
use crate::record::Record;
use crate::registration::confirmed_by_hand;
use crate::registration::fields::{self, Stamper};
use crate::sos::{StandingKeeper, new_id};

/// The kind of the contacts' entities.
const CONTACT: &str = "contact";
/// The entity that keeps their order.
const ORDER: &str = "contact_order";

/// A contact with its id.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct SavedContact {
    /// Names it in `change` and `remove`.
    pub id: String,
    /// The contact.
    pub contact: Contact,
}

/// Ids of contacts, the first one to call first. Ids that are not listed come
/// behind those that are.
#[derive(Default, Serialize, Deserialize)]
struct Order {
    ids: Vec<String>,
}

/// The traveler's emergency contacts. Reached through `Homeline::contacts`.
#[derive(uniffi::Object)]
pub struct Contacts {
    pub(crate) record: Arc<Record>,
    pub(crate) stamper: Stamper,
    pub(crate) standing: Arc<StandingKeeper>,
    pub(crate) listeners: Arc<Listeners>,
    pub(crate) policy: Policy,
}

#[uniffi::export]
impl Contacts {
    /// Adds a contact behind the others; returns its id.
    ///
    /// Errors: `Invalid` names the field, or `contacts` with `TooMany` where there
    /// are 100, or `registration` with `TooLong` where all of it would be more than a
    /// ministry takes; `Locked`, `KeyLost`, `Storage`.
    pub fn add(&self, contact: Contact) -> Result<String> {
        guard("Contacts::add", || {
            let contact = contact.validated(&self.policy)?;
            let stamp = self.stamper.stamp();
            let id = new_id(stamp.changed_ms)?.to_string();
            self.record.write(|tx| {
                self.refuse_too_many(tx)?;
                let mut order: Order = fields::load(tx, ORDER)?.unwrap_or_default();
                order.ids.push(id.clone());
                fields::save(tx, ORDER, &order, &stamp)?;
                let limit = self.policy.registration_bytes;
                fields::save_within(tx, &entity(&id), &contact, &stamp, limit)?;
                confirmed_by_hand(tx, &stamp)
            })?;
            self.changed();
            Ok(id)
        })
    }

    /// Replaces the contact `id`.
    ///
    /// Errors: as `add`; `NotFound`.
    pub fn change(&self, id: String, contact: Contact) -> Result<()> {
        guard("Contacts::change", || {
            let contact = contact.validated(&self.policy)?;
            let stamp = self.stamper.stamp();
            self.record.write(|tx| {
                if !fields::exists(tx, &entity(&id))? {
                    return Err(HomelineError::not_found("contact"));
                }
                let limit = self.policy.registration_bytes;
                fields::save_within(tx, &entity(&id), &contact, &stamp, limit)?;
                confirmed_by_hand(tx, &stamp)
            })?;
            self.changed();
            Ok(())
        })
    }

    /// Removes the contact `id`.
    ///
    /// Errors: `NotFound`; `Locked`, `KeyLost`, `Storage`.
    pub fn remove(&self, id: String) -> Result<()> {
        guard("Contacts::remove", || {
            let stamp = self.stamper.stamp();
            self.record.write(|tx| {
                if !fields::remove(tx, &entity(&id), &stamp)? {
                    return Err(HomelineError::not_found("contact"));
                }
                let mut order: Order = fields::load(tx, ORDER)?.unwrap_or_default();
                order.ids.retain(|listed| *listed != id);
                fields::save(tx, ORDER, &order, &stamp)
            })?;
            self.changed();
            Ok(())
        })
    }

    /// Moves the contact `id` to `position`, counted from 0; behind all others
    /// where that is beyond the last one.
    ///
    /// Errors: `NotFound`; `Locked`, `KeyLost`, `Storage`.
    pub fn move_to(&self, id: String, position: u32) -> Result<()> {
        guard("Contacts::move_to", || {
            let stamp = self.stamper.stamp();
            let position = usize::try_from(position).unwrap_or(usize::MAX);
            self.record.write(|tx| {
                let listed = load_contacts(tx)?.into_iter().map(|saved| saved.id);
                let ids = moved(listed.collect(), &id, position)
                    .ok_or_else(|| HomelineError::not_found("contact"))?;
                fields::save(tx, ORDER, &Order { ids }, &stamp)
            })?;
            self.changed();
            Ok(())
        })
    }

    /// All contacts, the first one to call first.
    pub fn list(&self) -> Result<Vec<SavedContact>> {
        guard("Contacts::list", || self.record.read(load_contacts))
    }
}

impl Contacts {
    fn refuse_too_many(&self, tx: &Connection) -> Result<()> {
        if fields::count(tx, CONTACT)? < self.policy.contacts {
            return Ok(());
        }
        Err(HomelineError::invalid(
            "contacts",
            Problem::TooMany,
            &format!("at most {} contacts", self.policy.contacts),
        ))
    }

    fn changed(&self) {
        self.standing.renew_if_stale();
        self.listeners.notify(Topic::Record);
    }
}

fn entity(id: &str) -> String {
    format!("{CONTACT}/{id}")
}

/// All contacts, the first one to call first.
pub(crate) fn load_contacts(tx: &Connection) -> Result<Vec<SavedContact>> {
    let order = fields::load(tx, ORDER)?.unwrap_or_default();
    Ok(sorted(fields::load_all(tx, CONTACT)?, &order))
}

/// The contacts in the fields of a registration, the first one to call first.
pub fn contacts_of(fields: &[fields::Field]) -> Vec<Contact> {
    let order = fields::entity(fields, ORDER).unwrap_or_default();
    sorted(fields::entities(fields, CONTACT), &order)
        .into_iter()
        .map(|saved| saved.contact)
        .collect()
}

/// The ids with `id` at `position`; `None` where it is not one of them.
fn moved(mut ids: Vec<String>, id: &str, position: usize) -> Option<Vec<String>> {
    let from = ids.iter().position(|listed| listed == id)?;
    let id = ids.remove(from);
    ids.insert(position.min(ids.len()), id);
    Some(ids)
}

fn sorted(contacts: Vec<(String, Contact)>, order: &Order) -> Vec<SavedContact> {
    let places: HashMap<&str, usize> = order
        .ids
        .iter()
        .enumerate()
        .map(|(place, id)| (id.as_str(), place))
        .collect();
    let mut out: Vec<SavedContact> = contacts
        .into_iter()
        .map(|(id, contact)| SavedContact { id, contact })
        .collect();
    out.sort_by_cached_key(|saved| places.get(saved.id.as_str()).copied().unwrap_or(usize::MAX));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_moves_and_the_others_keep_their_order() {
        let ids = || ["a", "b", "c"].map(str::to_owned).to_vec();
        let rows = [
            ("c", 0, Some("cab")),
            ("a", 1, Some("bac")),
            ("a", 99, Some("bca")),
            ("b", 1, Some("abc")),
            ("x", 0, None),
        ];
        for (id, position, expected) in rows {
            let order = moved(ids(), id, position).map(|ids| ids.concat());
            assert_eq!(order.as_deref(), expected, "{id} to {position}");
        }
    }
}
