//! What a traveler asks of a place, answered with no network: where it is, and who helps.

use super::Homeline;
use crate::error::{Result, guard};
use crate::missions::Help;
use crate::reference::{Place, PlaceFound};

#[uniffi::export]
impl Homeline {
    /// Which countries a place may be in, and how near the border is. From borders in the
    /// library, or those that the ministry has published.
    ///
    /// Errors: `Invalid` for a position or a code that is none.
    pub fn locate(&self, place: Place) -> Result<PlaceFound> {
        guard("Homeline::locate", || {
            let found = self.reference.find(place)?;
            Ok(PlaceFound {
                basis: found.basis,
                countries: found.spot.countries,
                located: found.located,
            })
        })
    }

    /// Who helps at a place, in the order in which help comes: the local emergency numbers,
    /// the responsible mission, the hotline, and what a consulate can and cannot do; each
    /// with its age.
    ///
    /// It never fails and needs no network, no unlock and no registration. Of a place that
    /// cannot be (91 degrees north) it says what holds anywhere.
    pub fn help_at(&self, place: Place) -> Help {
        guard("Homeline::help_at", || Ok(self.reference.help(place)))
            .unwrap_or_else(|_| self.reference.help_anywhere())
    }
}
