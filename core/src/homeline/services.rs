//! The services, each a small object.

use std::sync::Arc;

use super::Homeline;
use crate::alerts::Alerts;
use crate::contacts::Contacts;
use crate::guides::Guides;
use crate::packs::Packs;
use crate::registration::groups::Groups;
use crate::registration::{Consents, Dependents, Phones, Registration, Trips};
use crate::relay::Relay;
use crate::sos::{Attachments, Sos};
use crate::whereabouts::Whereabouts;

#[uniffi::export]
impl Homeline {
    /// The traveler's registration.
    pub fn registration(&self) -> Arc<Registration> {
        Arc::clone(&self.registration)
    }

    /// Those for whom the traveler registers.
    pub fn dependents(&self) -> Arc<Dependents> {
        Arc::clone(&self.dependents)
    }

    /// The traveler's consents.
    pub fn consents(&self) -> Arc<Consents> {
        Arc::clone(&self.consents)
    }

    /// The traveler's phones, where there are several.
    pub fn phones(&self) -> Arc<Phones> {
        Arc::clone(&self.phones)
    }

    /// The groups that are led from this phone, and those that it joined.
    pub fn groups(&self) -> Arc<Groups> {
        Arc::clone(&self.groups)
    }

    /// The emergency contacts.
    pub fn contacts(&self) -> Arc<Contacts> {
        Arc::clone(&self.contacts)
    }

    /// The traveler's trips.
    pub fn trips(&self) -> Arc<Trips> {
        Arc::clone(&self.trips)
    }

    /// The positions.
    pub fn whereabouts(&self) -> Arc<Whereabouts> {
        Arc::clone(&self.whereabouts)
    }

    /// The SOS reports.
    pub fn sos(&self) -> Arc<Sos> {
        Arc::clone(&self.sos)
    }

    /// The attachments of reports.
    pub fn attachments(&self) -> Arc<Attachments> {
        Arc::clone(&self.attachments)
    }

    /// What the ministry publishes for everybody.
    pub fn packs(&self) -> Arc<Packs> {
        Arc::clone(&self.packs)
    }

    /// What is dangerous where.
    pub fn alerts(&self) -> Arc<Alerts> {
        Arc::clone(&self.alerts)
    }

    /// What to do when something has happened.
    pub fn guides(&self) -> Arc<Guides> {
        Arc::clone(&self.guides)
    }

    /// What phones carry for each other.
    pub fn relay(&self) -> Arc<Relay> {
        Arc::clone(&self.relay)
    }
}
