//! The last known positions, in memory, with their age. A press reads them here
//! and waits for nothing else.

use std::sync::{Mutex, PoisonError};

use super::fix::PLAUSIBLE_FROM_MS;
use super::{Fix, FixFlag, FixOrigin, RecordedFix};
use crate::clock::{ClockReading, elapsed_ms};
use crate::config::Policy;

/// A fix with its age.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct KnownFix {
    /// The fix.
    pub fix: Fix,
    /// Milliseconds since then; absent where no clock can tell.
    pub age_ms: Option<i64>,
    /// What is odd about it; nothing for one that is shown as current.
    #[uniffi(default = [])]
    pub flags: Vec<FixFlag>,
}

/// A fix with the phone's clocks at its recording.
#[derive(Clone, PartialEq)]
pub(crate) struct Entry {
    pub(super) recorded: RecordedFix,
    pub(super) clock: ClockReading,
}

/// The last positions, whether the record kept them or not.
pub(crate) struct LastKnown {
    policy: Policy,
    entries: Mutex<Vec<Entry>>,
}

impl LastKnown {
    pub(crate) fn new(policy: &Policy) -> Self {
        Self {
            policy: policy.clone(),
            entries: Mutex::new(Vec::new()),
        }
    }

    /// What is known, in no order.
    pub(super) fn entries(&self) -> Vec<Entry> {
        self.lock().clone()
    }

    /// Takes fixes that were recorded at `now`; what is older than what is known
    /// takes its place by its age.
    pub(super) fn push(&self, recorded: &[RecordedFix], now: &ClockReading) {
        // Sorted out before the lock: a press may wait for it.
        let newest = newest(
            recorded.iter().map(|recorded| (recorded, now)),
            now,
            self.keep(),
        );
        let mut entries = self.lock();
        let all = entries.iter().chain(&newest);
        let merged = self::newest(
            all.map(|entry| (&entry.recorded, &entry.clock)),
            now,
            self.keep(),
        );
        *entries = merged;
    }

    /// Forgets everything.
    pub(crate) fn forget(&self) {
        self.lock().clear();
    }

    /// Takes what the record has, the newest first, behind what is known already.
    pub(crate) fn restore(&self, recorded: Vec<Entry>, now: &ClockReading) {
        let mut entries = self.lock();
        let unknown = recorded
            .iter()
            .rev()
            .filter(|entry| !entries.contains(entry));
        let all = unknown.chain(entries.iter());
        let merged = newest(
            all.map(|entry| (&entry.recorded, &entry.clock)),
            now,
            self.keep(),
        );
        *entries = merged;
    }

    /// Forgets what counts for a moment before `at_ms`.
    pub(crate) fn forget_before(&self, at_ms: i64) {
        self.lock().retain(|entry| entry.recorded.at_ms >= at_ms);
    }

    /// The last positions at `now`, the current one first: those that may be
    /// shown as current, and only where there is none the doubtful ones, with
    /// their flags, since a report with a doubtful place is worth more than one
    /// without.
    pub(crate) fn recent(&self, now: &ClockReading) -> Vec<KnownFix> {
        arrange(self.entries(), now, &self.policy)
    }

    /// The current position; none where every one is doubtful.
    pub(crate) fn current(&self, now: &ClockReading) -> Option<KnownFix> {
        self.recent(now)
            .into_iter()
            .next()
            .filter(|known| !known.flags.iter().any(|flag| flag.casts_doubt()))
    }

    /// So many of each kind: what a report carries, and what a judge needs.
    fn keep(&self) -> usize {
        (self.policy.recent_positions + 1).max(self.policy.jump_agree)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The `keep` newest that may be shown and the `keep` newest others. Of one age,
/// the one that comes later in `all` is the newer one.
fn newest<'a>(
    all: impl Iterator<Item = (&'a RecordedFix, &'a ClockReading)>,
    now: &ClockReading,
    keep: usize,
) -> Vec<Entry> {
    let (mut shown, mut doubtful) = (Vec::new(), Vec::new());
    for (recorded, clock) in all {
        let age = age_ms(&recorded.fix, clock, now);
        let kind = match recorded.is_doubtful() {
            false => &mut shown,
            true => &mut doubtful,
        };
        kind.push((order(age), recorded, clock));
        // A batch may be long: what cannot stay is dropped on the way.
        if kind.len() > 4 * keep {
            shrink(kind, keep);
        }
    }
    shrink(&mut shown, keep);
    shrink(&mut doubtful, keep);
    shown
        .into_iter()
        .chain(doubtful)
        .map(|(_, recorded, clock)| Entry {
            recorded: recorded.clone(),
            clock: clock.clone(),
        })
        .collect()
}

type Aged<'a> = (i64, &'a RecordedFix, &'a ClockReading);

/// Keeps the newest, in the order that they came.
fn shrink(kind: &mut Vec<Aged<'_>>, keep: usize) {
    // Oldest first; the sort is stable.
    kind.sort_by_key(|(age, _, _)| std::cmp::Reverse(*age));
    kind.drain(..kind.len().saturating_sub(keep));
}

/// An unknown age is older than any.
fn order(age_ms: Option<i64>) -> i64 {
    age_ms.unwrap_or(i64::MAX)
}

/// What is shown at `now`, the current one first. Pure.
fn arrange(entries: Vec<Entry>, now: &ClockReading, policy: &Policy) -> Vec<KnownFix> {
    let all_doubtful = entries.iter().all(|entry| entry.recorded.is_doubtful());
    let mut known: Vec<KnownFix> = entries
        .into_iter()
        .filter(|entry| all_doubtful || !entry.recorded.is_doubtful())
        .map(|entry| KnownFix {
            age_ms: age_ms(&entry.recorded.fix, &entry.clock, now),
            fix: entry.recorded.fix,
            flags: entry.recorded.flags,
        })
        .collect();
    known.reverse();
    known.sort_by_key(|known| order(known.age_ms));
    // A worse fix of the same moment does not replace a better one.
    let newest = known.first().map_or(i64::MAX, |known| order(known.age_ms));
    let same =
        |known: &KnownFix| order(known.age_ms).saturating_sub(newest) <= policy.same_moment_ms;
    let radius = |known: &KnownFix| known.fix.accuracy_m.unwrap_or(f64::INFINITY);
    let best = known
        .iter()
        .enumerate()
        .take_while(|(_, known)| same(known))
        .min_by(|(_, a), (_, b)| radius(a).total_cmp(&radius(b)))
        .map_or(0, |(index, _)| index);
    if let Some(first) = known.get_mut(..=best) {
        first.rotate_right(1);
    }
    known.truncate(policy.recent_positions + 1);
    known
}

/// A fix that the host hands over at `now`, for a report: what can be told of it
/// without anything else is its age, and whether it was made up.
pub(crate) fn given(fix: Fix, now: &ClockReading) -> KnownFix {
    let mut flags = Vec::new();
    flags.extend((fix.origin == Some(FixOrigin::Mock)).then_some(FixFlag::Mock));
    flags.extend((fix.time_ms < PLAUSIBLE_FROM_MS).then_some(FixFlag::TimeUnknown));
    KnownFix {
        age_ms: age_ms(&fix, now, now),
        fix,
        flags,
    }
}

/// Age of a fix: since it was recorded, and what it was old by then. A source
/// time that cannot be (1970, the future) adds nothing.
pub(super) fn age_ms(fix: &Fix, recorded: &ClockReading, now: &ClockReading) -> Option<i64> {
    let since = elapsed_ms(recorded, now)?;
    let before = if fix.time_ms >= PLAUSIBLE_FROM_MS {
        recorded.wall_ms.saturating_sub(fix.time_ms).max(0)
    } else {
        0
    };
    Some(since.saturating_add(before))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::whereabouts::{FixSource, Position};

    fn fix(time_ms: i64) -> Fix {
        let position = Position::Wgs84 {
            latitude: 1.0,
            longitude: 2.0,
        };
        Fix::new(position, time_ms, FixSource::Gnss)
    }

    fn recorded(time_ms: i64, accuracy_m: Option<f64>, flags: &[FixFlag]) -> RecordedFix {
        RecordedFix {
            fix: Fix {
                accuracy_m,
                ..fix(time_ms)
            },
            at_ms: time_ms,
            flags: flags.to_vec(),
        }
    }

    fn reading(wall_ms: i64, monotonic_ms: i64) -> ClockReading {
        ClockReading {
            wall_ms,
            monotonic_ms,
            boot_id: "a".into(),
        }
    }

    const NOW_MS: i64 = 1_700_000_100_000;

    #[test]
    fn ages_add_what_the_fix_was_old_when_it_was_recorded() {
        let recorded = reading(1_700_000_010_000, 0);
        let now = reading(1_700_000_020_000, 10_000);
        assert_eq!(
            age_ms(&fix(1_700_000_000_000), &recorded, &now),
            Some(20_000)
        );
        // 1970 and the future count from the recording.
        assert_eq!(age_ms(&fix(0), &recorded, &now), Some(10_000));
        assert_eq!(
            age_ms(&fix(1_900_000_000_000), &recorded, &now),
            Some(10_000)
        );
    }

    #[test]
    fn only_the_last_are_kept_and_the_newest_comes_first() {
        let last = LastKnown::new(&Policy::STANDARD);
        let now = reading(1_700_000_000_000, 0);
        for second in 0..100 {
            last.push(&[recorded(1_700_000_000_000 + second, None, &[])], &now);
        }
        let recent = last.recent(&now);
        assert_eq!(recent.len(), Policy::STANDARD.recent_positions + 1);
        assert_eq!(
            recent.first().map(|known| known.fix.time_ms),
            Some(1_700_000_000_099)
        );
    }

    #[test]
    fn what_comes_late_takes_its_place_by_its_age() {
        let last = LastKnown::new(&Policy::STANDARD);
        let now = reading(NOW_MS, 0);
        let batch: Vec<RecordedFix> = (0..50)
            .map(|n| recorded(NOW_MS - 50_000 + n * 1_000, None, &[]))
            .collect();
        last.push(&batch, &now);
        last.push(&[recorded(NOW_MS - 900_000, None, &[])], &now);
        assert_eq!(last.current(&now).unwrap().fix.time_ms, NOW_MS - 1_000);
    }

    #[test]
    fn a_clock_that_went_back_does_not_hide_the_newer_fix() {
        let last = LastKnown::new(&Policy::STANDARD);
        last.push(&[recorded(NOW_MS, None, &[])], &reading(NOW_MS, 1_000));
        // Two years back, five seconds later, and the source goes by that clock.
        let back = reading(NOW_MS - 63_000_000_000, 6_000);
        last.push(&[recorded(back.wall_ms, Some(9.0), &[])], &back);
        let current = last.current(&back).unwrap();
        assert_eq!(
            (current.fix.accuracy_m, current.age_ms),
            (Some(9.0), Some(0))
        );
    }

    #[test]
    fn which_one_is_current_is_decided_by_doubt_then_moment_then_accuracy() {
        let now = reading(NOW_MS, 0);
        let jump = &[FixFlag::Jump][..];
        // Each: seconds old, accuracy, flags; and the accuracy of the current one.
        type Given<'a> = (i64, Option<f64>, &'a [FixFlag]);
        let table: [(&[Given<'_>], Option<f64>); 8] = [
            (&[(60, Some(5.0), &[]), (0, Some(900.0), &[])], Some(900.0)),
            // The same moment: a worse one never replaces a better one.
            (&[(1, Some(5.0), &[]), (0, Some(900.0), &[])], Some(5.0)),
            (&[(0, Some(900.0), &[]), (1, Some(5.0), &[])], Some(5.0)),
            (&[(1, Some(5.0), &[]), (0, None, &[])], Some(5.0)),
            (&[(0, Some(5.0), &[]), (0, Some(6.0), &[])], Some(5.0)),
            // Doubt weighs more than age.
            (&[(600, Some(50.0), &[]), (0, Some(5.0), jump)], Some(50.0)),
            (
                &[(0, Some(5.0), jump), (0, Some(3.0), &[FixFlag::Mock])],
                None,
            ),
            (&[(5, Some(7.0), &[FixFlag::TimeUnknown])], Some(7.0)),
        ];
        for (case, (given, current)) in table.into_iter().enumerate() {
            let last = LastKnown::new(&Policy::STANDARD);
            for (seconds, accuracy_m, flags) in given {
                let one = recorded(NOW_MS - seconds * 1_000, *accuracy_m, flags);
                last.push(&[one], &now);
            }
            let found = last.current(&now);
            assert_eq!(
                found.and_then(|known| known.fix.accuracy_m),
                current,
                "case {case}"
            );
        }
    }

    #[test]
    fn a_press_has_a_doubtful_position_rather_than_none_and_its_flag_with_it() {
        let last = LastKnown::new(&Policy::STANDARD);
        let now = reading(NOW_MS, 0);
        last.push(&[recorded(NOW_MS, None, &[FixFlag::Mock])], &now);
        assert_eq!(last.current(&now), None);
        assert_eq!(last.recent(&now)[0].flags, [FixFlag::Mock]);
        last.push(&[recorded(NOW_MS - 60_000, None, &[])], &now);
        let recent = last.recent(&now);
        assert_eq!((recent.len(), recent[0].flags.len()), (1, 0));
        last.forget_before(i64::MAX);
        assert_eq!(last.recent(&now), []);
    }
}
