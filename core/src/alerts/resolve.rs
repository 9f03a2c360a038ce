//! Which alerts count: each one's state, from all of them and the best time known.
//!
//! * Only what says that it is actual warns. Exercises, tests, drafts and messages between
//!   systems do not, and they change nothing about what is actual.
//! * An update takes the place of every alert that it references, a cancel ends them,
//!   whichever arrived first. Both are taken from the same sender only, and only about what
//!   was sent before them: so a message that references itself does nothing, and of a
//!   circle of references the newest stays. Of messages sent in the same moment a cancel
//!   comes after an update, an update after an alert, and then the names decide.
//! * An update that is not effective yet leaves the old alert in force until it is; where it
//!   is itself updated, that update counts. A cancelled update does not bring back what it
//!   took the place of, unless it had never become effective.
//! * Of two messages with one name the one sent later counts.
//! * `expires` is over once it is reached. An alert is ahead while its `effective` or its
//!   `onset` is. That it was sent is proof that its time of sending has come: where the
//!   phone's clock says otherwise, the clock is behind, and that time counts for this
//!   alert. So an alert from the future is in force or ahead, and shown either way.
//!
//! The answer does not depend on the order of the alerts.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::{Alert, AlertKind, AlertStatus};

/// What an alert counts for.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum AlertState {
    /// In force.
    Active,
    /// In force later.
    Ahead {
        /// From when, milliseconds UTC.
        from_ms: i64,
    },
    /// Over.
    Expired {
        /// Since when, milliseconds UTC.
        since_ms: i64,
    },
    /// An update took its place.
    Superseded {
        /// The identifier of the newest of its updates; of the same sender.
        by: String,
    },
    /// Ended before its time.
    Cancelled {
        /// The identifier of the message that ended it; of the same sender.
        by: String,
    },
    /// No danger to show: an exercise, a test, a draft or a message between systems; or a
    /// cancel, which is about another alert.
    NotActual,
}

impl AlertState {
    /// Whether it is shown as a danger: in force, or ahead.
    pub fn is_shown(&self) -> bool {
        matches!(self, Self::Active | Self::Ahead { .. })
    }
}

/// What a newer message did to an alert.
#[derive(Clone)]
enum End<'a> {
    Superseded(&'a Alert),
    Cancelled(&'a Alert),
}

/// Places in the order of age, by sender and identifier.
type Names<'a> = HashMap<(&'a str, &'a str), Vec<usize>>;

/// The state of each alert, in the order given. `now_ms` is the best time known,
/// milliseconds UTC.
pub fn resolve(alerts: &[Alert], now_ms: i64) -> Vec<AlertState> {
    let mut by_age: Vec<(usize, &Alert)> = alerts
        .iter()
        .enumerate()
        .filter(|(_, alert)| counts(alert))
        .collect();
    by_age.sort_by(|(_, one), (_, other)| age(one, other));
    let mut states = vec![AlertState::NotActual; alerts.len()];
    for ((index, alert), end) in by_age.iter().zip(ends(&by_age, now_ms)) {
        if let Some(state) = states.get_mut(*index) {
            *state = state_of(alert, end, now_ms);
        }
    }
    states
}

/// Whether it is actual and about a danger.
fn counts(alert: &Alert) -> bool {
    alert.status == AlertStatus::Actual && !matches!(alert.kind, AlertKind::Ack | AlertKind::Fault)
}

/// Which of two messages is the older one. Two that differ in nothing are equal.
fn age(one: &Alert, other: &Alert) -> Ordering {
    let key = |alert: &Alert| match alert.kind {
        AlertKind::Cancel => (alert.sent_ms, 2),
        AlertKind::Update => (alert.sent_ms, 1),
        _ => (alert.sent_ms, 0),
    };
    let json = |alert: &Alert| serde_json::to_string(alert).unwrap_or_default();
    key(one)
        .cmp(&key(other))
        .then_with(|| name(one).cmp(&name(other)))
        // Two of one name and one moment: any order will do that is always the same.
        .then_with(|| json(one).cmp(&json(other)))
}

fn name(alert: &Alert) -> (&str, &str) {
    (&alert.sender, &alert.identifier)
}

/// What was done to each, in the order of age. The newest goes first: what it does to an
/// update is known when it is the update's turn, and nothing older can undo it.
fn ends<'a>(by_age: &[(usize, &'a Alert)], now_ms: i64) -> Vec<Option<End<'a>>> {
    let mut names = Names::new();
    for (place, (_, alert)) in by_age.iter().enumerate() {
        names.entry(name(alert)).or_default().push(place);
    }
    let mut ends: Vec<Option<End>> = vec![None; by_age.len()];
    for (place, (_, alert)) in by_age.iter().enumerate().rev() {
        let namesakes = names.get(&name(alert)).into_iter().flatten();
        let replaced = namesakes.map(|older| (*older, End::Superseded(alert)));
        let effect = effect(alert, ends.get(place).and_then(Option::as_ref), now_ms);
        let ended = effect.into_iter().flat_map(|end| {
            let targets = referenced(alert, by_age, &names);
            targets.map(move |older| (older, end.clone()))
        });
        for (older, end) in replaced.chain(ended).filter(|(older, _)| *older < place) {
            if let Some(free) = ends.get_mut(older).filter(|end| end.is_none()) {
                *free = Some(end);
            }
        }
    }
    ends
}

/// What a message does to those it references, when `own` was done to it.
fn effect<'a>(alert: &'a Alert, own: Option<&End<'a>>, now_ms: i64) -> Option<End<'a>> {
    let is_effective = alert
        .effective_ms
        .is_none_or(|effective| effective <= moment(alert, now_ms));
    match (alert.kind, own) {
        (AlertKind::Update, _) if is_effective => Some(End::Superseded(alert)),
        (AlertKind::Update, Some(End::Superseded(by))) => Some(End::Superseded(by)),
        // A cancel that was itself taken back does nothing.
        (AlertKind::Cancel, None) if is_effective => Some(End::Cancelled(alert)),
        _ => None,
    }
}

/// The places of what a message references and may speak of.
fn referenced<'a>(
    alert: &'a Alert,
    by_age: &[(usize, &'a Alert)],
    names: &Names<'a>,
) -> impl Iterator<Item = usize> {
    let of_sender = alert
        .references
        .iter()
        .filter(|reference| reference.sender == alert.sender);
    of_sender.flat_map(|reference| {
        let name = (reference.sender.as_str(), reference.identifier.as_str());
        let places = names.get(&name).into_iter().flatten().copied();
        places.filter(|place| {
            let target = by_age.get(*place).map(|(_, target)| target.sent_ms);
            reference.sent_ms.is_none() || reference.sent_ms == target
        })
    })
}

/// The best time known for an alert: it has been sent.
fn moment(alert: &Alert, now_ms: i64) -> i64 {
    alert.sent_ms.max(now_ms)
}

fn state_of(alert: &Alert, end: Option<End<'_>>, now_ms: i64) -> AlertState {
    let starts = alert.effective_ms.max(alert.onset_ms);
    match (end, alert.expires_ms, starts) {
        _ if alert.kind == AlertKind::Cancel => AlertState::NotActual,
        (Some(End::Superseded(by)), ..) => AlertState::Superseded {
            by: by.identifier.clone(),
        },
        (Some(End::Cancelled(by)), ..) => AlertState::Cancelled {
            by: by.identifier.clone(),
        },
        (None, Some(since_ms), _) if since_ms <= now_ms => AlertState::Expired { since_ms },
        (None, _, Some(from_ms)) if from_ms > moment(alert, now_ms) => {
            AlertState::Ahead { from_ms }
        }
        _ => AlertState::Active,
    }
}

#[cfg(test)]
mod tests;
