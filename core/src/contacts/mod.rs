//! Emergency contacts: whom to call for the traveler, the first one first.
//!
//! They are part of the registration: each is an entity `contact/<uuid>` of its
//! fields, and `contact_order` keeps their order. A change makes a new version
//! of the profile, and renews the standing envelope of the SOS.

mod contact;

pub use contact::{Contact, Relation};

use std::sync::Arc;

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use crate::config::Policy;
use crate::error::{HomelineError, Result, guard};
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
    /// Errors: `Invalid` names the field; `Locked`, `KeyLost`, `Storage`.
    pub fn add(&self, contact: Contact) -> Result<String> {
        guard("Contacts::add", || {
            let contact = contact.validated(&self.policy)?;
            let stamp = self.stamper.stamp();
            let id = new_id(stamp.changed_ms)?.to_string();
            self.record.write(|tx| {
                let mut order: Order = fields::load(tx, ORDER)?.unwrap_or_default();
                order.ids.push(id.clone());
                fields::save(tx, ORDER, &order, &stamp)?;
                fields::save(tx, &entity(&id), &contact, &stamp)?;
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
                fields::save(tx, &entity(&id), &contact, &stamp)?;
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

    /// All contacts, the first one to call first.
    pub fn list(&self) -> Result<Vec<SavedContact>> {
        guard("Contacts::list", || self.record.read(load_contacts))
    }
}

impl Contacts {
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

fn sorted(contacts: Vec<(String, Contact)>, order: &Order) -> Vec<SavedContact> {
    let place = |id: &str| {
        let listed = order.ids.iter().position(|listed| listed == id);
        listed.unwrap_or(usize::MAX)
    };
    let mut out: Vec<SavedContact> = contacts
        .into_iter()
        .map(|(id, contact)| SavedContact { id, contact })
        .collect();
    out.sort_by_cached_key(|saved| place(&saved.id));
    out
}
