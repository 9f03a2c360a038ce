//! The guides as a host reaches them.

use std::sync::Arc;

use super::{GuideArticle, GuideHit, GuideWanted, get, list, search};
use crate::error::{HomelineError, Result, guard};
use crate::packs::PackName;
use crate::reference::{Place, Reference};

/// What to do when something has happened: small documents, searched with no network.
/// Reached through `Homeline::guides`.
#[derive(uniffi::Object)]
pub struct Guides {
    pub(crate) reference: Arc<Reference>,
}

#[uniffi::export]
impl Guides {
    /// Guides in which the words of `query` are, the best first: those in the traveler's
    /// languages and about the place first, and what is for `situation` (the kind of an
    /// SOS, such as `medical`) higher. Chinese words of any length are found. A query
    /// without a word finds nothing.
    ///
    /// Errors: `Invalid` for a place that is none.
    #[uniffi::method(default(situation = None))]
    pub fn search(
        &self,
        query: String,
        place: Place,
        situation: Option<String>,
    ) -> Result<Vec<GuideHit>> {
        guard("Guides::search", || {
            let wanted = self.wanted(place, situation)?;
            let shelf = &self.reference.shelf;
            shelf.guides(|tables| search(tables, &query, &wanted, usize::MAX))
        })
    }

    /// The guides for a situation, or all, by title: those about the place first.
    ///
    /// Errors: `Invalid` for a place that is none.
    #[uniffi::method(default(situation = None))]
    pub fn list(&self, place: Place, situation: Option<String>) -> Result<Vec<GuideHit>> {
        guard("Guides::list", || {
            let wanted = self.wanted(place, situation)?;
            let shelf = &self.reference.shelf;
            shelf.guides(|tables| list(tables, &wanted, usize::MAX))
        })
    }

    /// One guide, in the traveler's language, with its age.
    ///
    /// Errors: `NotFound`.
    pub fn read(&self, id: String) -> Result<GuideArticle> {
        guard("Guides::read", || {
            let shelf = &self.reference.shelf;
            let pack_ms = shelf.issued_ms(PackName::Guides);
            let (languages, now_ms) = (self.reference.languages(), self.reference.now_ms());
            let guide = shelf.guides(|tables| get(tables, &id, languages, pack_ms, now_ms))?;
            guide.ok_or_else(|| HomelineError::not_found("guide"))
        })
    }
}

impl Guides {
    fn wanted(&self, place: Place, situation: Option<String>) -> Result<GuideWanted> {
        Ok(GuideWanted {
            languages: self.reference.languages().to_vec(),
            countries: self.reference.find(place)?.spot.countries,
            situation,
        })
    }
}
