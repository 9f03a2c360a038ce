//! Sync: the ministry protocol and the engine that runs one pass of it.
//!
//! A pass is synchronous and single-flight, has a deadline and can be cancelled.
//! It sends what waits, the SOS lane first at every request, fetches the change
//! feed, and says what is left and when to call again. Being offline is an
//! outcome, not an error. No SQL is in here, and no HTTP library.
//!
//! [`classify`] and [`backoff`] are pure functions: every decision about a
//! response or a wait stands there, tested as a table. [`hold`] is what waits though
//! a network is there.

mod backoff;
mod carry;
mod classify;
mod client;
mod compress;
mod engine;
mod feed;
mod flight;
mod hold;
mod packs;
mod pass;
pub mod protocol;
mod reseal;
mod sealer;
pub mod signature;
mod upload;

pub(crate) use engine::{Engine, Parts};
pub use hold::{Pause, PauseCause};
pub(crate) use hold::{network_changed, pause};
pub(crate) use pass::receipt_evidence;
pub use reseal::CANNOT_RESEAL;
pub(crate) use reseal::is_receipt_for;
pub(crate) use sealer::{Sealer, to_json};

/// What [`crate::simulation`] calls.
#[cfg(feature = "simulation")]
pub(crate) mod pace {
    use super::backoff::Asked;
    pub(crate) use super::backoff::{busy_wait_ms, return_wait_ms};
    use super::classify::{Verdict, classify};
    use super::protocol::StandBy;

    /// What a busy answer asks for; `None` where it says something else. `headers`
    /// are its media type and its `Retry-After`.
    pub(crate) fn asked(status: u16, headers: (&str, &str), body: &[u8]) -> Option<Asked> {
        let (content_type, retry_after) = headers;
        match classify(status, Some(content_type), Some(retry_after), None) {
            Verdict::Busy { after_ms } => Some(Asked {
                after_ms,
                spread_ms: StandBy::of(Some(content_type), body),
            }),
            _ => None,
        }
    }
}

/// What [`crate::simulation::delivery`] calls.
#[cfg(feature = "simulation")]
pub(crate) mod verdict {
    use super::client::{Failure, judge};
    pub(crate) use super::reseal::is_for_its_key;
    use crate::simulation::delivery::Judged;
    use crate::transport::Exchanged;

    /// What an exchange came to.
    pub(crate) fn judged(exchanged: Exchanged) -> Judged {
        match judge(exchanged) {
            Ok(_) => Judged::Answer,
            Err(Failure::Attempt { result, .. }) => Judged::Attempt(result),
            Err(Failure::UnknownDevice) => Judged::UnknownDevice,
            Err(Failure::Refused { status, kind }) => Judged::Refused { status, kind },
            Err(Failure::Deadline | Failure::Cancelled) => Judged::Ended,
        }
    }
}

use uuid::Uuid;

/// Why a pass ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum SyncStop {
    /// Nothing is left to do now.
    Done,
    /// The ministry cannot be reached.
    Offline,
    /// Something else answers in its place: a captive portal, a proxy, a server
    /// with another certificate.
    NotTheMinistry,
    /// The ministry asks to wait.
    Busy,
    /// The ministry does not accept this device's signature now.
    NotAuthorized,
    /// The deadline has come.
    Deadline,
    /// `cancel_sync` was called.
    Cancelled,
    /// Another pass is running.
    AlreadyRunning,
}

/// What a pass has done.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct SyncOutcome {
    /// Envelopes that the ministry has now, each proved by its receipt.
    pub sent: u32,
    /// Of these, how many it had already.
    pub duplicates: u32,
    /// Envelopes that still wait.
    pub waiting: u32,
    /// Envelopes that were refused for good: a person must look.
    pub parked: u32,
    /// Attachments that the ministry does not have whole yet, paused ones included.
    pub attachments: u32,
    /// Whether a registration stays on the phone for want of consent.
    pub without_consent: bool,
    /// Items of the change feed that were applied.
    pub changes: u32,
    /// Why it ended.
    pub stopped: SyncStop,
    /// When to call again, in milliseconds from now; absent: when something new
    /// is there, or the network changes.
    pub next_ms: Option<i64>,
}

/// The id of an envelope made from a row of the record and its version: the
/// same again after a crash between record and outbox (UUIDv8, RFC 9562).
pub(crate) fn stable_id(instance: &str, what: &str, version: i64) -> Uuid {
    let name = format!("homeline/{instance}/{what}/{version}");
    let hash = ring::digest::digest(&ring::digest::SHA256, name.as_bytes());
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(hash.as_ref()) {
        *to = *from;
    }
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}
