//! Registration: who the traveler is, and which data may leave the phone.
//!
//! Everything is written to the record first and works with no network, as
//! [`fields`] that two phones of one traveler can be merged by. A later sync
//! seals the newest version as one envelope, however many edits there were, and
//! only under the traveler's consent for [`Purpose::Register`]. The standing
//! envelope of the SOS is renewed with each change.

pub mod card;
mod consent;
pub mod fields;
pub mod groups;
mod mrz;
mod profile;
mod traveler;

pub(crate) use consent::in_force;
pub use consent::{Consent, Consents, Purpose};
pub(crate) use groups::stage_groups;
pub use profile::TRAVELER;
pub(crate) use profile::{changed, load_traveler, stage_profile};
pub use traveler::{TravelDocument, Traveler, TravelerKind};

use std::sync::Arc;

use crate::config::Policy;
use crate::error::{Result, guard};
use crate::homeline::{Listeners, Topic};
use crate::record::Record;
use crate::sos::StandingKeeper;
use card::RegistrationCard;
use fields::Stamper;

/// The traveler's registration. Reached through `Homeline::registration`.
#[derive(uniffi::Object)]
pub struct Registration {
    pub(crate) record: Arc<Record>,
    pub(crate) stamper: Stamper,
    pub(crate) standing: Arc<StandingKeeper>,
    pub(crate) listeners: Arc<Listeners>,
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
            let stamp = self.stamper.stamp();
            self.record
                .write(|tx| fields::save(tx, TRAVELER, &traveler, &stamp))?;
            self.changed();
            Ok(())
        })
    }

    /// The traveler as saved, if any.
    pub fn traveler(&self) -> Result<Option<Traveler>> {
        guard("Registration::traveler", || self.record.read(load_traveler))
    }

    /// The registration card, once the ministry has issued one; absent while the
    /// traveler is removed. It can be expired: see `RegistrationCard::card`.
    pub fn card(&self) -> Result<Option<RegistrationCard>> {
        guard("Registration::card", || {
            let now_ms = self.stamper.stamp().changed_ms;
            self.record.read(|tx| {
                let traveler = load_traveler(tx)?;
                let card = card::load(tx, now_ms)?;
                Ok(card.filter(|_| traveler.is_some()))
            })
        })
    }

    /// Removes the traveler; a later sync tells the ministry.
    pub fn remove(&self) -> Result<()> {
        guard("Registration::remove", || {
            let stamp = self.stamper.stamp();
            self.record
                .write(|tx| fields::remove(tx, TRAVELER, &stamp))?;
            self.changed();
            Ok(())
        })
    }
}

impl Registration {
    fn changed(&self) {
        self.standing.renew_if_stale();
        self.listeners.notify(Topic::Record);
    }
}
