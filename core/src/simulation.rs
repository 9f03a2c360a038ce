//! What a phone decides about its pace, as plain functions, for simulations of a
//! million of them; and what it decides about delivery, for a model that is checked
//! in every state: [`delivery`]. Only with the feature `simulation`, never in a release.
//!
//! Nothing is decided here: each function passes its arguments to the one that a
//! pass of `sync` calls.

pub mod delivery;

use crate::config::Policy;
use crate::outbox::Lane;
use crate::sync::pace;

/// What waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// An SOS.
    Sos,
    /// Registration, positions, the feed.
    Ordinary,
}

/// An answer that is no success.
#[derive(Debug, Clone, Copy)]
pub struct Busy<'a> {
    /// The status.
    pub status: u16,
    /// Its media type.
    pub content_type: &'a str,
    /// Its `Retry-After`.
    pub retry_after: &'a str,
    /// Its body.
    pub body: &'a [u8],
}

/// Milliseconds until a phone comes again that got this answer: `None` where it is
/// not to wait but to give up. `attempts` counts the failures, this one included.
pub fn busy_wait_ms(urgency: Urgency, attempts: u32, busy: &Busy<'_>, random: u32) -> Option<i64> {
    let lane = match urgency {
        Urgency::Sos => Lane::Sos,
        Urgency::Ordinary => Lane::Registration,
    };
    let headers = (busy.content_type, busy.retry_after);
    let asked = pace::asked(busy.status, headers, busy.body)?;
    Some(pace::busy_wait_ms(
        lane,
        attempts,
        asked,
        random,
        &Policy::STANDARD,
    ))
}

/// Milliseconds that all but an SOS waits after `cut_ms` without a network.
pub fn return_wait_ms(cut_ms: i64, random: u32) -> i64 {
    pace::return_wait_ms(cut_ms, random, &Policy::STANDARD)
}

/// After how many milliseconds a phone fetches the service document anew.
pub fn service_age_ms() -> i64 {
    Policy::STANDARD.service_age_ms
}
