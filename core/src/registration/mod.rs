//! Registration: who the traveler is, and which data may leave the phone.
//!
//! Everything is written to the record first and works with no network, as
//! [`fields`] that two phones of one traveler can be merged by. A later sync
//! seals the newest version as one envelope, however many edits there were, and
//! only under the traveler's consent for [`Purpose::Register`]. The standing
//! envelope of the SOS is renewed with each change.

mod consent;
mod date;
mod dependent;
mod dependents;
mod document;
mod expiry;
pub mod fields;
mod mrz;
mod profile;
mod states;
mod traveler;

pub(crate) use consent::in_force;
pub use consent::{Consent, Consents, Purpose};
pub use dependent::{Agreement, AgreementWay, Capacity, Dependent};
pub use dependents::{Dependents, dependents_of};
pub use document::{DocumentKind, TravelDocument};
pub use expiry::{ExpiryState, document_expiry};
pub use mrz::{
    Mrz, MrzDate, MrzFault, MrzFormat, MrzScan, MrzSex, NameMatch, compare_name, read_mrz, scan_mrz,
};
pub use profile::TRAVELER;
pub(crate) use profile::{changed, load_traveler, stage_profile};
pub use traveler::{Reachable, Traveler, TravelerKind};

use std::sync::Arc;

use crate::config::Policy;
use crate::error::{Result, guard};
use crate::homeline::{Listeners, Topic};
use crate::record::Record;
use crate::sos::StandingKeeper;
use date::Date;
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
                fields::save_within(tx, TRAVELER, &traveler, &stamp, limit)
            })?;
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
