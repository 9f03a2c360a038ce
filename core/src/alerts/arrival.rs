//! When somebody has arrived in a country: a state machine over located fixes.
//!
//! * Only a fix that names one country, is confident of it, and was not taken in flight says
//!   anything. All others, those near a border above all, change nothing.
//! * One such fix far from every border is an arrival: whoever stands on an airport wants
//!   the notice at once, in transit, too. Near a border it takes a second one in the same
//!   country some minutes later, with none in the old country in between: a train through a
//!   corner of a country is not announced.
//! * A country is announced once. Coming back within a day (somebody who works across the
//!   border) is not announced again, later it is; so is a country of which nothing was heard
//!   for a month.
//! * Fixes may come late, in a lump and in any order. Of a lump only the country at its end
//!   is announced; those before it are named as passed through, and count as not announced.
//! * Coming home ends the notice.
//!
//! A fix older than the newest one that counted says nothing, nor does one from the future;
//! and a clock that was ahead once is forgotten, since no memory is newer than now.
//!
//! The state is data. [`step`] gives the new one together with the event, so that the caller
//! writes both in one transaction: after a kill the step is made again, or is done.

use serde::{Deserialize, Serialize};

use super::{LocalAlert, PlaceAlerts};
use crate::config::Policy;

/// A fix with what is known of its country.
#[derive(Clone, Default, PartialEq)]
pub struct LocatedFix {
    /// When, milliseconds UTC.
    pub time_ms: i64,
    /// The countries that it may be in: two letters each. None at sea.
    pub candidates: Vec<String>,
    /// Whether the accuracy of the fix leaves no doubt about them.
    pub confident: bool,
    /// Distance to the nearest border in metres, where it is known.
    pub border_m: Option<f64>,
    /// Speed over ground in metres a second, where it is known.
    pub speed_mps: Option<f64>,
}

redacted_debug!(LocatedFix);

/// What the machine remembers between two steps. A new one knows nothing.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ArrivalState {
    /// The country that the traveler is in.
    current: Option<Seen>,
    /// Another one that was seen once.
    pending: Option<Seen>,
    /// Countries that were announced, with the last time there.
    announced: Vec<Seen>,
    /// The newest fix that counted.
    latest_ms: Option<i64>,
}

redacted_debug!(ArrivalState);

/// A country, when it was first seen without a break, and when last.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    country: String,
    first_ms: i64,
    last_ms: i64,
}

/// What a step found.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum ArrivalEvent {
    /// The traveler is in a country that was not announced yet.
    Arrived {
        /// Two letters (ISO 3166-1 alpha-2).
        country: String,
        /// The first fix there, milliseconds UTC.
        since_ms: i64,
        /// Countries of the same step that were passed through before, in order.
        passed: Vec<String>,
    },
    /// The traveler is in another country than before, which is known already; what was said
    /// of the one before is over.
    Back {
        /// Two letters.
        country: String,
        /// The first fix there, milliseconds UTC.
        since_ms: i64,
    },
    /// The traveler is at home again: the notice is over.
    Home {
        /// The first fix there, milliseconds UTC.
        since_ms: i64,
    },
}

redacted_debug!(ArrivalEvent);

/// The next state, and what is to be said. `home` is the country of home in two letters,
/// `now_ms` the best time known, milliseconds UTC.
pub fn step(
    state: &ArrivalState,
    fixes: &[LocatedFix],
    home: &str,
    now_ms: i64,
) -> (ArrivalState, Option<ArrivalEvent>) {
    let policy = &Policy::STANDARD;
    let mut next = state.clone();
    next.forget(now_ms, policy);
    let mut usable: Vec<(&LocatedFix, &String)> = fixes
        .iter()
        .filter(|fix| fix.time_ms <= now_ms.saturating_add(policy.future_ms))
        .filter_map(|fix| Some((fix, fix.country(policy)?)))
        .collect();
    usable.sort_by_key(|(fix, country)| (fix.time_ms, *country));
    let mut entered = Vec::new();
    for (fix, country) in usable {
        if next.latest_ms.is_none_or(|latest| fix.time_ms > latest) {
            entered.extend(next.saw(fix, country, policy));
            next.latest_ms = Some(fix.time_ms);
        }
    }
    let event = next.event(entered, home, state.current.as_ref(), policy);
    (next, event)
}

impl LocatedFix {
    /// Its country, where it says anything.
    fn country(&self, policy: &Policy) -> Option<&String> {
        let is_airborne = self
            .speed_mps
            .is_some_and(|speed| speed > policy.airborne_mps);
        match self.candidates.as_slice() {
            [country] if self.confident && !is_airborne => Some(country),
            _ => None,
        }
    }

    fn is_far_from_borders(&self, policy: &Policy) -> bool {
        self.border_m
            .is_some_and(|metres| metres >= policy.arrival_border_m)
    }
}

impl ArrivalState {
    /// The country that the traveler is believed to be in: two letters.
    pub fn country(&self) -> Option<&str> {
        self.current.as_ref().map(|seen| seen.country.as_str())
    }

    /// Drops what is over, and what is newer than now.
    fn forget(&mut self, now_ms: i64, policy: &Policy) {
        self.latest_ms = self.latest_ms.map(|latest| latest.min(now_ms));
        let seen = self.current.iter_mut().chain(&mut self.pending);
        for seen in seen.chain(&mut self.announced) {
            seen.first_ms = seen.first_ms.min(now_ms);
            seen.last_ms = seen.last_ms.min(now_ms);
        }
        let since = |seen: &Seen| now_ms.saturating_sub(seen.last_ms);
        self.announced
            .retain(|seen| since(seen) <= policy.arrival_forget_ms);
    }

    /// Takes in one fix; the country that was entered by it.
    fn saw(&mut self, fix: &LocatedFix, country: &str, policy: &Policy) -> Option<Entered> {
        let seen = Seen {
            country: country.into(),
            first_ms: fix.time_ms,
            last_ms: fix.time_ms,
        };
        if let Some(current) = self.current.as_mut().filter(|it| it.country == country) {
            let silence_ms = fix.time_ms.saturating_sub(current.last_ms);
            self.pending = None;
            if silence_ms <= policy.arrival_forget_ms {
                current.last_ms = fix.time_ms;
                self.announced_at(country, fix.time_ms);
                return None;
            }
            return Some(self.enter(seen));
        }
        let first = match self.pending.take() {
            Some(pending) if pending.country == country => pending,
            _ => seen,
        };
        let stayed_ms = fix.time_ms.saturating_sub(first.first_ms);
        let entered = Seen {
            last_ms: fix.time_ms,
            ..first
        };
        if stayed_ms >= policy.arrival_dwell_ms || fix.is_far_from_borders(policy) {
            return Some(self.enter(entered));
        }
        self.pending = Some(entered);
        None
    }

    fn enter(&mut self, seen: Seen) -> Entered {
        let known = self
            .announced
            .iter()
            .find(|it| it.country == seen.country)
            .map(|it| it.last_ms);
        self.current = Some(seen.clone());
        self.pending = None;
        Entered {
            away_ms: known.map(|last_ms| seen.first_ms.saturating_sub(last_ms)),
            seen,
        }
    }

    fn announced_at(&mut self, country: &str, time_ms: i64) {
        let known = self.announced.iter_mut();
        for seen in known.filter(|seen| seen.country == country) {
            seen.last_ms = time_ms;
        }
    }

    /// What the last country that was entered is worth saying.
    fn event(
        &mut self,
        mut entered: Vec<Entered>,
        home: &str,
        before: Option<&Seen>,
        policy: &Policy,
    ) -> Option<ArrivalEvent> {
        let last = entered.pop()?;
        let (country, since_ms) = (last.seen.country.clone(), last.seen.first_ms);
        let is_home = |country: &str| country.eq_ignore_ascii_case(home);
        if is_home(&country) {
            let was_abroad = before.is_some_and(|before| !is_home(&before.country));
            let passed_abroad = entered.iter().any(|it| !is_home(&it.seen.country));
            return (was_abroad || passed_abroad).then_some(ArrivalEvent::Home { since_ms });
        }
        let is_known = last
            .away_ms
            .is_some_and(|away| away <= policy.arrival_again_ms);
        // The last fix there may be newer than the one that was the arrival.
        let seen = self.current.clone().unwrap_or(last.seen);
        self.announced.retain(|it| it.country != country);
        self.announced.push(seen);
        if is_known {
            let is_elsewhere = before.is_none_or(|before| before.country != country);
            return is_elsewhere.then_some(ArrivalEvent::Back { country, since_ms });
        }
        let mut passed: Vec<String> = Vec::new();
        for earlier in entered.into_iter().map(|it| it.seen.country) {
            if earlier != country && !is_home(&earlier) && !passed.contains(&earlier) {
                passed.push(earlier);
            }
        }
        Some(ArrivalEvent::Arrived {
            country,
            since_ms,
            passed,
        })
    }
}

/// A country that was entered, and how long the traveler was not there, where it had been
/// announced before.
struct Entered {
    seen: Seen,
    away_ms: Option<i64>,
}

/// The alerts of an arrival notice: the most important ones at the place.
pub fn alerts_of_arrival(place: &PlaceAlerts) -> &[LocalAlert] {
    let count = Policy::STANDARD.arrival_alerts;
    place.alerts.get(..count).unwrap_or(&place.alerts)
}

#[cfg(test)]
mod tests;
