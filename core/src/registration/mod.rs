//! Registration: who the traveler is, and which data may leave the phone.
//!
//! Everything is written to the record first and works with no network. A later
//! sync seals the newest version as one envelope, however many edits there were,
//! and only under the traveler's consent for [`Purpose::Register`]. The standing
//! envelope of the SOS is renewed with each change.

mod consent;
mod mrz;
mod profile;
mod traveler;

pub(crate) use consent::in_force;
pub use consent::{Consent, Purpose};
pub(crate) use profile::{changed, load_traveler, stage_profile};
pub use traveler::{TravelDocument, Traveler, TravelerKind};

use std::sync::Arc;

use crate::clock::Time;
use crate::config::Policy;
use crate::error::{Result, guard};
use crate::homeline::{Listeners, Topic};
use crate::outbox::{Outbox, Role};
use crate::record::Record;
use crate::sos::StandingKeeper;
use crate::validate;

/// The traveler's registration. Reached through `Homeline::registration`.
#[derive(uniffi::Object)]
pub struct Registration {
    pub(crate) record: Arc<Record>,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) standing: Arc<StandingKeeper>,
    pub(crate) listeners: Arc<Listeners>,
    pub(crate) time: Time,
    pub(crate) policy: Policy,
}

#[uniffi::export]
impl Registration {
    /// Saves the traveler, or the changes.
    ///
    /// Errors: `Invalid` names the field; `Locked`, `KeyLost`, `Storage`.
    pub fn save(&self, traveler: Traveler) -> Result<()> {
        guard("Registration::save", || {
            let traveler = traveler.validated(&self.policy)?;
            self.record
                .write(|tx| profile::save_traveler(tx, &traveler))?;
            self.changed();
            Ok(())
        })
    }

    /// The traveler as saved, if any.
    pub fn traveler(&self) -> Result<Option<Traveler>> {
        guard("Registration::traveler", || self.record.read(load_traveler))
    }

    /// Removes the traveler; a later sync tells the ministry.
    pub fn remove(&self) -> Result<()> {
        guard("Registration::remove", || {
            self.record.write(profile::remove_traveler)?;
            self.changed();
            Ok(())
        })
    }

    /// The traveler gives consent. `text_version` names the text that was shown.
    /// Positions recorded before are not covered.
    pub fn give_consent(&self, purpose: Purpose, text_version: String) -> Result<()> {
        guard("Registration::give_consent", || {
            let version = validate::line("text_version", &text_version, &self.policy)?;
            let now_ms = self.time.now().wall_ms;
            self.record
                .write(|tx| consent::give(tx, purpose, &version, now_ms))?;
            self.listeners.notify(Topic::Record);
            Ok(())
        })
    }

    /// The traveler takes a consent back: what waits under it is deleted.
    pub fn withdraw_consent(&self, purpose: Purpose) -> Result<()> {
        guard("Registration::withdraw_consent", || {
            let now_ms = self.time.now().wall_ms;
            self.record
                .write(|tx| consent::withdraw(tx, purpose, now_ms))?;
            self.outbox.withdraw(match purpose {
                Purpose::Register => Role::Profile,
                Purpose::Whereabouts => Role::Positions,
            })?;
            self.listeners.notify(Topic::Record);
            Ok(())
        })
    }

    /// Every consent that was given, withdrawn ones included.
    pub fn consents(&self) -> Result<Vec<Consent>> {
        guard("Registration::consents", || self.record.read(consent::list))
    }
}

impl Registration {
    fn changed(&self) {
        self.standing.renew_if_stale();
        self.listeners.notify(Topic::Record);
    }
}
