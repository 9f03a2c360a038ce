//! What a host shows of the alerts at a place: ready to be drawn, in the traveler's
//! language.
//!
//! The most important comes first: what has the higher level, then what is in force before
//! what is ahead, then by severity, urgency and certainty, then the newest, and last by
//! name, so that a list never jumps.

use std::cmp::Reverse;

use super::{
    Alert, AlertCategory, AlertCertainty, AlertSeverity, AlertState, AlertUrgency, LevelRank,
    LevelScale, LocalLevel,
};
use crate::language::{LocalText, Texts};

/// One alert, as a host shows it.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct LocalAlert {
    /// Its name; with `sender` it is unique.
    pub identifier: String,
    /// Who sent it.
    pub sender: String,
    /// When it was sent, milliseconds UTC.
    pub sent_ms: i64,
    /// Whether it is in force.
    pub state: AlertState,
    /// The ministry's level, where it has one.
    pub level: Option<LocalLevel>,
    /// What kinds of danger.
    pub categories: Vec<AlertCategory>,
    /// How great the threat is.
    pub severity: AlertSeverity,
    /// How soon to act.
    pub urgency: AlertUrgency,
    /// How sure it is.
    pub certainty: AlertCertainty,
    /// When the danger begins, milliseconds UTC, where it is said.
    pub onset_ms: Option<i64>,
    /// Until when it is in force, milliseconds UTC; absent: until further notice.
    pub expires_ms: Option<i64>,
    /// A line about it.
    pub headline: Option<LocalText>,
    /// What happens.
    pub description: Option<LocalText>,
    /// What to do.
    pub instruction: Option<LocalText>,
}

/// The alerts at a place.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct PlaceAlerts {
    /// The highest level of those in force; absent where none of them has one.
    pub level: Option<LocalLevel>,
    /// Those in force and those ahead, the most important first.
    pub alerts: Vec<LocalAlert>,
    /// When the phone last had all alerts from the ministry, milliseconds UTC; absent
    /// where it never had.
    pub as_of_ms: Option<i64>,
}

/// All that a view is made from.
#[derive(Clone, Copy)]
pub struct Resolved<'a> {
    /// The alerts.
    pub alerts: &'a [Alert],
    /// The state of each, from [`super::resolve()`].
    pub states: &'a [AlertState],
    /// The levels in force.
    pub scale: &'a LevelScale,
}

impl<'a> Resolved<'a> {
    pub(super) fn get(&self, index: usize) -> Option<(&'a Alert, &'a AlertState)> {
        Some((self.alerts.get(index)?, self.states.get(index)?))
    }
}

/// The alerts found at a place (`found`, by their place in the list), for a reader of
/// `wanted`, the preferred language first. `as_of_ms` is given on as it is.
pub fn at_place(
    of: Resolved<'_>,
    found: &[usize],
    wanted: &[String],
    as_of_ms: Option<i64>,
) -> PlaceAlerts {
    let shown: Vec<(&Alert, &AlertState)> = important_first(of, found.iter().copied())
        .into_iter()
        .filter_map(|index| of.get(index))
        .filter(|(_, state)| state.is_shown())
        .collect();
    // Of two in one level any: the wording is the level's.
    let highest = shown
        .iter()
        .filter(|(_, state)| **state == AlertState::Active)
        .max_by_key(|(alert, _)| of.scale.rank(alert));
    PlaceAlerts {
        level: highest.and_then(|(alert, _)| of.scale.view(alert, wanted)),
        alerts: shown
            .iter()
            .map(|(alert, state)| view(alert, state, of.scale, wanted))
            .collect(),
        as_of_ms,
    }
}

/// Alerts in any state, each with its state, the most important first: for a list that
/// also shows what is over.
pub fn views(of: Resolved<'_>, found: &[usize], wanted: &[String]) -> Vec<LocalAlert> {
    important_first(of, found.iter().copied())
        .into_iter()
        .filter_map(|index| of.get(index))
        .map(|(alert, state)| view(alert, state, of.scale, wanted))
        .collect()
}

/// The same alerts, the most important first; without those that are not in the list.
pub(super) fn important_first(
    of: Resolved<'_>,
    found: impl IntoIterator<Item = usize>,
) -> Vec<usize> {
    let known = found.into_iter().filter_map(|index| {
        let (alert, state) = of.get(index)?;
        Some((importance(alert, state, of.scale), index))
    });
    let mut known: Vec<_> = known.collect();
    known.sort();
    known.into_iter().map(|(_, index)| index).collect()
}

/// In ascending order the most important first.
type Importance<'a> = (
    Reverse<LevelRank>,
    bool,
    Reverse<(AlertSeverity, AlertUrgency, AlertCertainty, i64)>,
    (&'a str, &'a str),
);

fn importance<'a>(alert: &'a Alert, state: &AlertState, scale: &LevelScale) -> Importance<'a> {
    (
        Reverse(scale.rank(alert)),
        *state != AlertState::Active,
        Reverse((
            alert.severity,
            alert.urgency,
            alert.certainty,
            alert.sent_ms,
        )),
        (&alert.identifier, &alert.sender),
    )
}

pub(super) fn view(
    alert: &Alert,
    state: &AlertState,
    scale: &LevelScale,
    wanted: &[String],
) -> LocalAlert {
    let best = |texts: &Texts| texts.best(wanted);
    LocalAlert {
        identifier: alert.identifier.clone(),
        sender: alert.sender.clone(),
        sent_ms: alert.sent_ms,
        state: state.clone(),
        level: scale.view(alert, wanted),
        categories: alert.categories.clone(),
        severity: alert.severity,
        urgency: alert.urgency,
        certainty: alert.certainty,
        onset_ms: alert.onset_ms,
        expires_ms: alert.expires_ms,
        headline: best(&alert.headline),
        description: best(&alert.description),
        instruction: best(&alert.instruction),
    }
}

#[cfg(test)]
mod tests;
