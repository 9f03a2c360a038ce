//! Whether a trip is over: the decision, as a function of what is known.
//!
//! A register that still lists who came home long ago is worth little, and one
//! that drops who is still away is worse. So a trip is closed without asking
//! only on two independent signs, the phone seen at home and the declared return
//! reached, and only where the ministry has confirmed what time it is. Anything
//! less is a question to the traveler.

use serde::{Deserialize, Serialize};

use super::current::{Phase, phase};
use super::trip::Trip;
use crate::config::Policy;
use crate::registration::date::Today;

/// Why a trip was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum CloseReason {
    /// The phone was seen at home, and the declared return has come.
    SeenAtHome,
    /// The traveler said so.
    SaidByTraveler,
}

/// What the host should ask the traveler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum TripQuestion {
    /// "Are you back?": the phone is at home before the declared return, or no
    /// return was declared.
    HomeEarly,
    /// "Are you back?": the declared return is past.
    PastReturn,
    /// "Is this still right?": nothing was heard for long.
    LongSilence,
}

/// What is to be done about a trip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum TripOutcome {
    /// Nothing: the traveler is away as declared.
    Away,
    /// Nothing more: it was over, and has been closed.
    Closed {
        /// Why.
        reason: CloseReason,
    },
    /// Ask, then call `Trips::close`, `Trips::change` or `Trips::confirm`.
    Ask {
        /// What.
        question: TripQuestion,
    },
}

/// Where the host last saw the phone: a run of reports of one country.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) country: String,
    /// The first report of the run, milliseconds UTC by the best time known.
    pub(crate) since_ms: i64,
    /// The last one.
    pub(crate) last_ms: i64,
}

redacted_debug!(Seen);

/// Whether the time that the phone tells may be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeTrust {
    /// Corrected by the ministry's clock.
    Confirmed,
    /// The phone's own: it may be off by years.
    PhoneOnly,
}

/// All that a trip is judged by.
#[derive(Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) now_ms: i64,
    pub(crate) trust: TimeTrust,
    pub(crate) home: &'a str,
    pub(crate) seen: Option<&'a Seen>,
    pub(crate) confirmed_ms: Option<i64>,
}

/// What is to be done about a trip that is not closed, and since when,
/// milliseconds UTC. `None`: it has not begun, or its dates cannot be read.
pub(crate) fn review(
    trip: &Trip,
    known: &Known<'_>,
    policy: &Policy,
) -> Option<(TripOutcome, i64)> {
    let phase = phase(trip, Today::at(known.now_ms))?;
    if phase == Phase::Ahead {
        return None;
    }
    let departed_ms = trip.departs()?.over_ms();
    let home = seen_at_home(departed_ms, known, policy);
    let asked_lately = |since_ms: i64| {
        known.confirmed_ms.is_some_and(|at_ms| {
            at_ms >= since_ms && within(known.now_ms, at_ms, policy.ask_again_ms)
        })
    };
    let ask = |question| TripOutcome::Ask { question };
    if let Some(seen) = home {
        let as_declared = trip
            .returns()
            .is_some_and(|returns| Today::at(seen.last_ms).first >= returns);
        if as_declared && known.trust == TimeTrust::Confirmed {
            let reason = CloseReason::SeenAtHome;
            return Some((TripOutcome::Closed { reason }, seen.since_ms));
        }
        if phase != Phase::Past && !asked_lately(seen.since_ms) {
            return Some((ask(TripQuestion::HomeEarly), seen.since_ms));
        }
    }
    if let Some(returns) = trip.returns().filter(|_| phase == Phase::Past) {
        if asked_lately(returns.over_ms()) {
            return Some((TripOutcome::Away, returns.over_ms()));
        }
        return Some((ask(TripQuestion::PastReturn), returns.over_ms()));
    }
    let heard_ms = last_heard(trip.departs()?.begins_ms(), known);
    Some(if within(known.now_ms, heard_ms, policy.silence_ms) {
        (TripOutcome::Away, heard_ms)
    } else {
        let since_ms = heard_ms.saturating_add(policy.silence_ms);
        (ask(TripQuestion::LongSilence), since_ms)
    })
}

/// The phone is at home, and has been long enough after the departure that it
/// is not a plane that was late.
fn seen_at_home<'a>(departed_ms: i64, known: &Known<'a>, policy: &Policy) -> Option<&'a Seen> {
    let surely_ms = departed_ms.saturating_add(policy.home_after_departure_ms);
    known.seen.filter(|seen| {
        seen.country == known.home && (surely_ms..=known.now_ms).contains(&seen.last_ms)
    })
}

/// The last sign of the traveler: the departure, a confirmation, or the phone
/// seen anywhere. A time ahead of now is a clock's mistake, no sign.
fn last_heard(departs_ms: i64, known: &Known<'_>) -> i64 {
    [known.confirmed_ms, known.seen.map(|seen| seen.last_ms)]
        .into_iter()
        .flatten()
        .filter(|at_ms| *at_ms <= known.now_ms)
        .fold(departs_ms, i64::max)
}

/// Whether `at_ms` is not ahead of `now_ms`, and less than `span_ms` ago.
fn within(now_ms: i64, at_ms: i64, span_ms: i64) -> bool {
    (0..span_ms).contains(&now_ms.saturating_sub(at_ms))
}
