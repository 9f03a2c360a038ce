//! Emergency contacts: whom to call for the traveler, in order of being added.
//!
//! They are part of the profile: a change makes a new version of it, and renews
//! the standing envelope of the SOS.

mod contact;

pub use contact::{Contact, Relation};

use std::sync::Arc;

use rusqlite::{Connection, params};

use crate::config::Policy;
use crate::error::{HomelineError, Result, StorageProblem, guard};
use crate::homeline::{Listeners, Topic};
use crate::record::Record;
use crate::registration;
use crate::sos::StandingKeeper;

/// A contact with its id.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct SavedContact {
    /// Names it in `change` and `remove`.
    pub id: i64,
    /// The contact.
    pub contact: Contact,
}

/// The traveler's emergency contacts. Reached through `Homeline::contacts`.
#[derive(uniffi::Object)]
pub struct Contacts {
    pub(crate) record: Arc<Record>,
    pub(crate) standing: Arc<StandingKeeper>,
    pub(crate) listeners: Arc<Listeners>,
    pub(crate) policy: Policy,
}

#[uniffi::export]
impl Contacts {
    /// Adds a contact behind the others; returns its id.
    ///
    /// Errors: `Invalid` names the field; `Locked`, `KeyLost`, `Storage`.
    pub fn add(&self, contact: Contact) -> Result<i64> {
        guard("Contacts::add", || {
            let json = to_json(contact.validated(&self.policy)?)?;
            let id = self.record.write(|tx| {
                tx.execute("INSERT INTO contact (json) VALUES (?1)", [&json])?;
                let id = tx.last_insert_rowid();
                registration::changed(tx)?;
                Ok(id)
            })?;
            self.changed();
            Ok(id)
        })
    }

    /// Replaces the contact `id`.
    ///
    /// Errors: as `add`; `NotFound`.
    pub fn change(&self, id: i64, contact: Contact) -> Result<()> {
        guard("Contacts::change", || {
            let json = to_json(contact.validated(&self.policy)?)?;
            self.edit(
                "UPDATE contact SET json = ?2 WHERE id = ?1",
                params![id, json],
            )
        })
    }

    /// Removes the contact `id`.
    ///
    /// Errors: `NotFound`; `Locked`, `KeyLost`, `Storage`.
    pub fn remove(&self, id: i64) -> Result<()> {
        guard("Contacts::remove", || {
            self.edit("DELETE FROM contact WHERE id = ?1", params![id])
        })
    }

    /// All contacts, in order.
    pub fn list(&self) -> Result<Vec<SavedContact>> {
        guard("Contacts::list", || self.record.read(load_contacts))
    }
}

impl Contacts {
    fn edit(&self, sql: &str, values: &[&dyn rusqlite::ToSql]) -> Result<()> {
        self.record.write(|tx| {
            if tx.execute(sql, values)? == 0 {
                return Err(HomelineError::not_found("contact"));
            }
            registration::changed(tx)
        })?;
        self.changed();
        Ok(())
    }

    fn changed(&self) {
        self.standing.renew_if_stale();
        self.listeners.notify(Topic::Record);
    }
}

fn to_json(contact: Contact) -> Result<String> {
    serde_json::to_string(&contact).map_err(|_| HomelineError::bug("contacts"))
}

/// All contacts, in order.
pub(crate) fn load_contacts(tx: &Connection) -> Result<Vec<SavedContact>> {
    let mut statement = tx.prepare_cached("SELECT id, json FROM contact ORDER BY id")?;
    let mut rows = statement.query([])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let json: String = row.get(1)?;
        out.push(SavedContact {
            id: row.get(0)?,
            contact: serde_json::from_str(&json).map_err(|_| StorageProblem::Damaged)?,
        });
    }
    Ok(out)
}
