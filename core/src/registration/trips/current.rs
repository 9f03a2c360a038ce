//! Where the traveler should be: which stay, and which trip, it is at a moment.
//!
//! Dates are local and the moment is UTC, so a stay is current *for sure* where
//! every date that it is anywhere on earth lies in it, and *perhaps* where only
//! some do: on its first and last day, and on the day beside them. Pure.

use super::trip::{Stay, Trip};
use crate::registration::date::{Date, Today};

/// How sure it is that a stay is the current one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// In every time zone.
    Certain,
    /// In some time zones: it begins or ends about now.
    Possible,
}

/// The stay of a moment, and the next one.
#[derive(Clone, Copy)]
pub struct Placement<'a> {
    /// The stay; `None` between two stays, and before and after all of them.
    pub stay: Option<&'a Stay>,
    /// How sure that is.
    pub certainty: Certainty,
    /// The next one to begin.
    pub next: Option<&'a Stay>,
}

/// Which of `stays` it is at `utc_ms`. Of those that overlap it is the one that
/// most of today's dates lie in, and of those the one that began last: the
/// excursion, not the room that is kept meanwhile.
pub fn stay_at(stays: &[Stay], utc_ms: i64) -> Placement<'_> {
    let today = Today::at(utc_ms);
    let dated = || stays.iter().filter_map(|stay| Some((stay, stay.days()?)));
    let best = dated()
        .map(|(stay, (from, to))| (today.within(from, to), from, stay))
        .filter(|(hits, _, _)| *hits > 0)
        // The last of equals, so the later one of two that begin together.
        .max_by_key(|(hits, from, _)| (*hits, *from));
    let certainty = match best {
        Some((hits, _, _)) if hits < today.count() => Certainty::Possible,
        _ => Certainty::Certain,
    };
    let since = best.map_or(today.first, |(_, from, _)| from);
    let next = dated()
        .map(|(stay, (from, _))| (from, stay))
        .filter(|(from, stay)| {
            let same = best.is_some_and(|(_, _, current)| std::ptr::eq(current, *stay));
            !same && *from >= since && *from > today.first
        })
        .min_by_key(|(from, _)| *from);
    Placement {
        stay: best.map(|(_, _, stay)| stay),
        certainty,
        next: next.map(|(_, stay)| stay),
    }
}

/// Whether a trip has begun, is over, or will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Nowhere on earth is it the day of departure yet.
    Ahead,
    /// Everywhere on earth the declared day of return is over.
    Past,
    /// Between the two.
    Running,
}

/// The phase of a trip; `None` where its dates cannot be read.
pub(crate) fn phase(trip: &Trip, today: Today) -> Option<Phase> {
    let departs = trip.departs()?;
    let past = trip.returns().is_some_and(|returns| today.first > returns);
    Some(if past {
        Phase::Past
    } else if today.last < departs {
        Phase::Ahead
    } else {
        Phase::Running
    })
}

/// The trip that a traveler is on: the running one that departed last; or else,
/// since nobody said that it is over, the last one that is past its return; or
/// else the next one ahead. `trips` are those that are not closed.
pub(crate) fn open_trip_at<T>(trips: &[T], trip: impl Fn(&T) -> &Trip, today: Today) -> Option<&T> {
    trips
        .iter()
        .filter_map(|item| {
            let departs = trip(item).departs()?;
            Some((rank(phase(trip(item), today)?, departs), item))
        })
        .max_by_key(|(rank, _)| *rank)
        .map(|(_, item)| item)
}

/// The trip of `utc_ms` among `trips`, none of which is closed: the running one, or
/// the last one past its return, or the next one.
pub fn trip_at(trips: &[Trip], utc_ms: i64) -> Option<&Trip> {
    open_trip_at(trips, |trip| trip, Today::at(utc_ms))
}

/// Larger is nearer to now.
fn rank(phase: Phase, departs: Date) -> (u8, std::cmp::Reverse<Date>, Date) {
    use std::cmp::Reverse;
    let epoch = Date::at(0);
    match phase {
        Phase::Running => (2, Reverse(epoch), departs),
        Phase::Past => (1, Reverse(epoch), departs),
        Phase::Ahead => (0, Reverse(departs), epoch),
    }
}
