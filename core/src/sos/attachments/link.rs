//! What the link of now allows, and how far the running pass is.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use super::SendOver;
use crate::sos::DataCost;

/// Why an attachment is paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum AttachmentPause {
    /// It may go over unmetered links only, and this is none, or nobody has said.
    Metered,
    /// The traveler has said that it shall wait, or has taken the report back.
    ByTraveler,
}

/// Why it may not go over a link now, if so. Pure.
pub(super) fn pause(over: SendOver, link: Option<DataCost>) -> Option<AttachmentPause> {
    match (over, link) {
        (SendOver::NoLink, _) => Some(AttachmentPause::ByTraveler),
        (SendOver::UnmeteredLink, Some(DataCost::Metered) | None) => Some(AttachmentPause::Metered),
        (SendOver::UnmeteredLink, Some(DataCost::Free)) | (SendOver::AnyLink, _) => None,
    }
}

/// Shared between the host's calls and the pass.
#[derive(Default)]
pub(crate) struct Uploads {
    now: Mutex<Now>,
}

#[derive(Default)]
struct Now {
    /// `None`: nobody has said.
    link: Option<DataCost>,
    handed: BTreeMap<Uuid, u32>,
}

impl Uploads {
    /// What the link costs; `None`: nobody has said.
    pub(crate) fn link(&self) -> Option<DataCost> {
        self.lock().link
    }

    pub(crate) fn set_link(&self, cost: DataCost) {
        self.lock().link = Some(cost);
    }

    /// What may go over the link of now: this, and what is stricter not.
    pub(crate) fn over(&self) -> SendOver {
        match self.link() {
            Some(DataCost::Free) => SendOver::UnmeteredLink,
            Some(DataCost::Metered) | None => SendOver::AnyLink,
        }
    }

    /// Chunks that the running pass has handed over.
    pub(crate) fn handed(&self, id: Uuid) -> Option<u32> {
        self.lock().handed.get(&id).copied()
    }

    pub(crate) fn set_handed(&self, id: Uuid, chunks: u32) {
        self.lock().handed.insert(id, chunks);
    }

    /// What is on disk counts from here on.
    pub(crate) fn forget(&self) {
        self.lock().handed.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
