//! What changed, told to the host: after the commit, with no lock held.

use std::sync::atomic::{AtomicBool, Ordering};
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
    /// Missions, numbers, alerts or guides: a newer pack serves.
    Packs,
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
    /// Whether the traveler has done something since the network came back: what
    /// they see happen must not wait for the crowd, see `sync::hold`.
    acted: AtomicBool,
}

impl Listeners {
    pub(crate) fn set(&self, listener: Option<Arc<dyn ChangeListener>>) {
        *self
            .listener
            .write()
            .unwrap_or_else(PoisonError::into_inner) = listener;
    }

    /// The traveler does something now.
    pub(crate) fn note_act(&self) {
        self.acted.store(true, Ordering::SeqCst);
    }

    /// The network has come back: only what is done from now on counts.
    pub(crate) fn forget_acts(&self) {
        self.acted.store(false, Ordering::SeqCst);
    }

    /// Whether the traveler has done something since.
    pub(crate) fn acted(&self) -> bool {
        self.acted.load(Ordering::SeqCst)
    }

    pub(crate) fn notify(&self, topic: Topic) {
        if topic == Topic::Record {
            self.note_act();
        }
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
