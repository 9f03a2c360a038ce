//! Registration: who the traveler is, and which data may leave the phone.
//!
//! Everything is written to the record first and works with no network, as
//! [`fields`] that two phones of one traveler can be merged by. A later sync
//! seals the newest version as one envelope, however many edits there were, and
//! only under the traveler's consent for [`Purpose::Register`]. The standing
//! envelope of the SOS is renewed with each change.

mod birth;
pub mod card;
mod confirmed;
mod consent;
mod countries;
mod date;
mod dependent;
mod dependents;
mod document;
pub mod fields;
pub(crate) mod gate;
pub mod groups;
mod ledger;
pub mod link;
mod medical;
pub mod merge;
mod mrz;
mod phones;
mod profile;
mod reminders;
mod states;
mod traveler;
mod trips;

use confirmed::CONFIRMED;
pub use confirmed::confirmed_of;
pub(crate) use confirmed::{by_hand as confirmed_by_hand, load as last_confirmed};
pub use consent::{Consent, ConsentGiven, Consents, Guardian, Purpose};
pub(crate) use countries::country;
pub(crate) use date::{Date, Today};

pub use dependent::{Agreement, AgreementWay, Capacity, Dependent};
pub use dependents::{Dependents, dependents_of};
pub use document::{DocumentKind, TravelDocument};
pub(crate) use groups::stage_groups;
pub(crate) use ledger::{all_in_force, expire as expire_consents, in_force, list as list_consents};
pub use medical::{BloodGroup, MedicalCard};
pub(crate) use medical::{load as load_medical_card, medical_ground, version as medical_version};
pub use mrz::{
    Mrz, MrzDate, MrzFault, MrzFormat, MrzScan, MrzSex, NameMatch, compare_name, read_mrz, scan_mrz,
};
pub(crate) use phones::news;
pub use phones::{LinkState, LinkedPhone, MergeOutcome, MergedField, PhoneKind, Phones};
pub use profile::TRAVELER;
pub(crate) use profile::{changed, load_traveler, registration_id, stage_profile};
pub use reminders::{Reminder, ReminderKind, Urgency};
pub use traveler::{Reachable, Traveler, TravelerKind};
pub use trips::{
    Certainty, CloseReason, CurrentStay, Placement, SavedTrip, Stay, Trip, TripClosed, TripOutcome,
    TripQuestion, TripReview, Trips, stay_at, trip_at, trips_of,
};
pub(crate) use trips::{
    expire as expire_trips, load as load_trips, open_trip_at, stay_of_today, stays_ahead,
};

use std::sync::Arc;

use crate::config::Policy;
use crate::error::{Result, guard};
use crate::homeline::{Listeners, Topic};
use crate::record::Record;
use crate::sos::StandingKeeper;
use card::RegistrationCard;
use dependents::Who;
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
    /// Errors: `Invalid` names the field: `Duplicate` where a dependent has the same
    /// document, `Mismatch` where a document's zone says otherwise; `registration`
    /// with `TooLong` where all of it would be more than a ministry takes;
    /// `Locked`, `KeyLost`, `Storage`.
    pub fn save(&self, traveler: Traveler) -> Result<()> {
        guard("Registration::save", || {
            let stamp = self.stamper.stamp();
            let today = Date::today(stamp.changed_ms);
            let traveler = traveler.validated(TRAVELER, today, &self.policy)?;
            self.record.write(|tx| {
                dependents::refuse_twice(tx, &traveler, Who::Traveler)?;
                let limit = self.policy.registration_bytes;
                fields::save_within(tx, TRAVELER, &traveler, &stamp, limit)?;
                confirmed::by_hand(tx, &stamp)
            })?;
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

    /// Saves the medical card, or the changes. It leaves the phone only beside an
    /// SOS of the kind `Medical`, and never under a consent that was withdrawn.
    ///
    /// Errors: `Invalid` names the field; `Locked`, `KeyLost`, `Storage`.
    pub fn save_medical_card(&self, card: MedicalCard) -> Result<()> {
        guard("Registration::save_medical_card", || {
            let card = card.validated(&self.policy)?;
            self.record.write(|tx| medical::save(tx, &card))?;
            self.changed();
            Ok(())
        })
    }

    /// The medical card as saved, if any.
    pub fn medical_card(&self) -> Result<Option<MedicalCard>> {
        guard("Registration::medical_card", || {
            self.record.read(medical::load)
        })
    }

    /// Removes the medical card, and what of it waits to be sent.
    pub fn remove_medical_card(&self) -> Result<()> {
        guard("Registration::remove_medical_card", || {
            self.record.write(medical::remove)?;
            // A failure is shown here: what was removed must not leave.
            self.standing.renew_medical()?;
            self.listeners.notify(Topic::Record);
            Ok(())
        })
    }

    /// What the traveler should look after now, the most urgent first. Empty
    /// where nothing is registered.
    pub fn reminders(&self) -> Result<Vec<Reminder>> {
        guard("Registration::reminders", || {
            let now_ms = self.stamper.stamp().changed_ms;
            let found = self.record.read(reminders::collect)?;
            Ok(reminders::decide(&found, now_ms, &self.policy))
        })
    }
}

impl Registration {
    fn changed(&self) {
        self.standing.renew_if_stale();
        self.listeners.notify(Topic::Record);
    }
}
