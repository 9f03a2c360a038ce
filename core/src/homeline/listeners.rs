//! What changed, told to the host: after the commit, with no lock held.

use std::sync::{Arc, PoisonError, RwLock};

use crate::error::HostError;

/// What has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Topic {
    /// A report or its evidence.
    Sos,
    /// Registration, contacts or consents.
    Record,
    /// Positions.
    Whereabouts,
    /// A pass has ended.
    Sync,
}

/// Told of changes. It reads what it shows by the calls of the services.
#[uniffi::export(with_foreign)]
pub trait ChangeListener: Send + Sync {
    /// `topic` has changed. A failure is ignored; the library goes on.
    fn changed(&self, topic: Topic) -> Result<(), HostError>;
}

/// The host's listener, if any.
#[derive(Default)]
pub(crate) struct Listeners {
    listener: RwLock<Option<Arc<dyn ChangeListener>>>,
}

impl Listeners {
    pub(crate) fn set(&self, listener: Option<Arc<dyn ChangeListener>>) {
        *self
            .listener
            .write()
            .unwrap_or_else(PoisonError::into_inner) = listener;
    }

    pub(crate) fn notify(&self, topic: Topic) {
        let listener = self
            .listener
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(listener) = listener {
            // A listener of the host must not undo what is done: neither by an
            // error nor by a panic.
            let _ =
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| listener.changed(topic)));
        }
    }
}
