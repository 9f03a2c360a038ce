//! What is odd about a fix, decided from what was known before it. Pure.
//!
//! A fix is doubted when it was made up, when it is from the future, or when no
//! airliner could have come there from the last place that was believed. Once
//! [`Policy::jump_agree`] fixes in a row, one reachable from the other, say the
//! same against it, they are believed: the first of them keep their flag, the
//! last and those after it have none.

use super::fix::PLAUSIBLE_FROM_MS;
use super::last::Entry;
use super::{Fix, FixFlag, FixOrigin, Position, RecordedFix, age_ms};
use crate::clock::ClockReading;
use crate::config::Policy;
use crate::geo::sphere_m;

/// A place with how old it is now.
#[derive(Clone, Copy)]
struct Seen {
    position: Position,
    accuracy_m: f64,
    age_ms: i64,
}

/// Judges fixes that are recorded at one moment, in their order.
pub(super) struct Judge<'a> {
    policy: &'a Policy,
    now: &'a ClockReading,
    /// The best time known now, milliseconds UTC.
    best_ms: i64,
    trusted: Option<Seen>,
    /// Jumps since then that agree with each other.
    doubted: Vec<Seen>,
}

impl<'a> Judge<'a> {
    /// `known` are the last fixes, in any order; `offset_ms` is the ministry's
    /// clock less the phone's, as far as known.
    pub(super) fn new(
        known: &[Entry],
        now: &'a ClockReading,
        offset_ms: i64,
        policy: &'a Policy,
    ) -> Self {
        let mut judge = Self {
            policy,
            now,
            best_ms: best_time(known, now, offset_ms),
            trusted: None,
            doubted: Vec::new(),
        };
        let mut ages: Vec<(Seen, &RecordedFix)> = known
            .iter()
            .filter_map(|entry| {
                let age_ms = age_ms(&entry.recorded.fix, &entry.clock, now)?;
                Some((judge.seen(&entry.recorded.fix, age_ms), &entry.recorded))
            })
            .collect();
        ages.sort_by_key(|(seen, _)| std::cmp::Reverse(seen.age_ms));
        for (seen, recorded) in ages {
            if !recorded.is_doubtful() {
                (judge.trusted, judge.doubted) = (Some(seen), Vec::new());
            } else if recorded.flags == [FixFlag::Jump] {
                judge.doubt(seen);
            }
        }
        judge
    }

    /// A judge of a history of elsewhere: what is known now is of another time and
    /// says nothing against it, save what time it is.
    pub(super) fn of_history(
        known: &[Entry],
        now: &'a ClockReading,
        offset_ms: i64,
        policy: &'a Policy,
    ) -> Self {
        Self {
            policy,
            now,
            best_ms: best_time(known, now, offset_ms),
            trusted: None,
            doubted: Vec::new(),
        }
    }

    /// The last moment that is not the future.
    pub(super) fn latest_ms(&self) -> i64 {
        self.best_ms.saturating_add(self.policy.future_ms)
    }

    /// The fix with its moment and its flags.
    pub(super) fn judge(&mut self, fix: Fix) -> RecordedFix {
        let mut flags = Vec::new();
        let unknown = fix.time_ms < PLAUSIBLE_FROM_MS;
        let future = self.is_from_the_future(&fix);
        let mock = fix.origin == Some(FixOrigin::Mock);
        flags.extend((!future && !mock && self.jumps(&fix)).then_some(FixFlag::Jump));
        flags.extend(future.then_some(FixFlag::Future));
        flags.extend(mock.then_some(FixFlag::Mock));
        flags.extend(unknown.then_some(FixFlag::TimeUnknown));
        RecordedFix {
            at_ms: if unknown || future {
                self.best_ms
            } else {
                fix.time_ms
            },
            fix,
            flags,
        }
    }

    /// Satellites know the time better than any phone.
    fn is_from_the_future(&self, fix: &Fix) -> bool {
        let ahead = |time_ms: i64| fix.time_ms > time_ms.saturating_add(self.policy.future_ms);
        ahead(self.best_ms) && fix.gnss_time_ms.is_none_or(ahead)
    }

    fn seen(&self, fix: &Fix, age_ms: i64) -> Seen {
        Seen {
            position: fix.position,
            accuracy_m: fix.accuracy_m.unwrap_or(self.policy.unknown_accuracy_m),
            age_ms,
        }
    }

    /// Whether the fix is farther than possible from what is believed; takes
    /// note of it either way.
    fn jumps(&mut self, fix: &Fix) -> bool {
        let Some(age_ms) = age_ms(fix, self.now, self.now) else {
            return false;
        };
        let seen = self.seen(fix, age_ms);
        let Some(trusted) = self.trusted else {
            self.trusted = Some(seen);
            return false;
        };
        if !self.too_far(&trusted, &seen) {
            // One that comes late says nothing of now.
            if seen.age_ms <= trusted.age_ms {
                (self.trusted, self.doubted) = (Some(seen), Vec::new());
            }
            return false;
        }
        if seen.age_ms > trusted.age_ms {
            return true;
        }
        self.doubt(seen);
        if self.doubted.len() < self.policy.jump_agree {
            return true;
        }
        (self.trusted, self.doubted) = (Some(seen), Vec::new());
        false
    }

    fn doubt(&mut self, seen: Seen) {
        match self.doubted.last() {
            Some(last) if self.too_far(last, &seen) => self.doubted = vec![seen],
            // The same moment again is no second witness.
            Some(last) if last.age_ms == seen.age_ms => {}
            _ => self.doubted.push(seen),
        }
    }

    /// Whether no airliner could have flown from one to the other.
    fn too_far(&self, a: &Seen, b: &Seen) -> bool {
        let apart_m = sphere_m(a.position.degrees(), b.position.degrees());
        let datums = std::mem::discriminant(&a.position) != std::mem::discriminant(&b.position);
        let shift_m = if datums {
            self.policy.datum_shift_m
        } else {
            0.0
        };
        // Twice the radius of 68 % holds 95 %.
        let unsure_m = 2.0 * (a.accuracy_m + b.accuracy_m) + shift_m;
        // Sources round their time to a second.
        let between_ms = a.age_ms.abs_diff(b.age_ms).saturating_add(1_000);
        let seconds = std::time::Duration::from_millis(between_ms).as_secs_f64();
        apart_m - unsure_m > self.policy.airliner_mps * seconds
    }
}

/// The best time known: the phone's clock as the ministry corrected it, and
/// never before the newest fix that was believed, so that a clock that went back
/// by years does not put every satellite fix into the future.
fn best_time(known: &[Entry], now: &ClockReading, offset_ms: i64) -> i64 {
    known
        .iter()
        .filter(|entry| !entry.recorded.is_doubtful())
        .map(|entry| {
            let since = age_ms(&entry.recorded.fix, &entry.clock, now).unwrap_or(0);
            entry.recorded.at_ms.saturating_add(since)
        })
        .chain([now.wall_ms.saturating_add(offset_ms)])
        .max()
        .unwrap_or(now.wall_ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::whereabouts::FixSource;

    const NOW_MS: i64 = 1_750_000_000_000;
    const MINUTE: i64 = 60_000;

    fn clock(wall_ms: i64) -> ClockReading {
        ClockReading {
            wall_ms,
            monotonic_ms: 10_000_000,
            boot_id: "a".into(),
        }
    }

    /// A fix on the meridian of Istanbul, `km` north of it.
    fn at(km: f64, time_ms: i64) -> Fix {
        let position = Position::Wgs84 {
            latitude: 41.0 + km / 111.195,
            longitude: 29.0,
        };
        Fix {
            accuracy_m: Some(10.0),
            ..Fix::new(position, time_ms, FixSource::Gnss)
        }
    }

    fn flags(fixes: Vec<Fix>) -> Vec<Vec<FixFlag>> {
        let now = clock(NOW_MS);
        let mut judge = Judge::new(&[], &now, 0, &Policy::STANDARD);
        fixes
            .into_iter()
            .map(|fix| judge.judge(fix).flags)
            .collect()
    }

    #[test]
    fn faster_than_an_airliner_is_a_jump_and_as_fast_as_one_is_not() {
        let start = NOW_MS - 60 * MINUTE;
        for (km, after_ms, jumps) in [
            (0.0, 0, false),
            (1_000.0, 60 * MINUTE, false), // an airliner
            (1_300.0, 60 * MINUTE, false), // with the jet stream behind it
            (1_500.0, 60 * MINUTE, true),
            (20.0, MINUTE, false), // 333 m/s
            (30.0, MINUTE, true),
            (0.3, 0, false), // rounded times
            (5.0, 1_000, true),
        ] {
            let found = flags(vec![at(0.0, start), at(km, start + after_ms)]);
            assert_eq!(
                found[1] == [FixFlag::Jump],
                jumps,
                "{km} km in {after_ms} ms"
            );
        }
    }

    #[test]
    fn what_both_are_unsure_of_is_no_distance() {
        let start = NOW_MS - 60 * MINUTE;
        let cell = |accuracy_m| Fix {
            accuracy_m,
            ..at(20.0, start + 1_000)
        };
        for (accuracy_m, jumps) in [(Some(50.0), true), (Some(9_700.0), false), (None, true)] {
            let found = flags(vec![at(0.0, start), cell(accuracy_m)]);
            assert_eq!(found[1] == [FixFlag::Jump], jumps, "{accuracy_m:?}");
        }
        // Another datum of the same place is no jump: GCJ-02 is up to 700 m off.
        let other = Fix {
            position: Position::Gcj02 {
                latitude: 41.005,
                longitude: 29.006,
            },
            ..at(0.0, start + 1_000)
        };
        assert_eq!(flags(vec![at(0.0, start), other])[1], []);
    }

    #[test]
    fn a_jump_that_proves_true_becomes_the_place_and_one_that_does_not_never() {
        let start = NOW_MS - 60 * MINUTE;
        let track = |kilometres: &[f64]| {
            let fixes = (0i64..)
                .zip(kilometres)
                .map(|(n, km)| at(*km, start + n * 10_000));
            flags(fixes.collect())
                .into_iter()
                .map(|flags| !flags.is_empty())
                .collect::<Vec<bool>>()
        };
        // A single glitch.
        assert_eq!(track(&[0.0, 500.0, 0.1, 0.2]), [false, true, false, false]);
        // Two glitches, not of one place.
        assert_eq!(
            track(&[0.0, 500.0, 900.0, 500.0, 900.0]),
            [false, true, true, true, true]
        );
        // The new place is confirmed by the third fix there; then the old one jumps.
        assert_eq!(
            track(&[0.0, 500.0, 500.1, 500.2, 500.3, 0.0]),
            [false, true, true, false, false, true]
        );
        // A way back in between, and the count begins anew.
        assert_eq!(
            track(&[0.0, 500.0, 500.1, 0.0, 500.0, 500.1]),
            [false, true, true, false, true, true]
        );
    }

    #[test]
    fn one_moment_twice_is_no_second_witness() {
        let start = NOW_MS - 60 * MINUTE;
        let there = || at(500.0, start + 1_000);
        let found = flags(vec![at(0.0, start), there(), there(), there(), there()]);
        assert!(found[1..].iter().all(|flags| flags == &[FixFlag::Jump]));
    }

    #[test]
    fn times_that_cannot_be_are_told_and_the_moment_is_that_of_the_recording() {
        let gnss = |time_ms, gnss_time_ms| Fix {
            gnss_time_ms,
            ..at(0.0, time_ms)
        };
        let year = 365 * 24 * 60 * MINUTE;
        for (fix, flag, at_ms) in [
            (at(0.0, NOW_MS), None, NOW_MS),
            (at(0.0, NOW_MS + MINUTE), None, NOW_MS + MINUTE),
            (at(0.0, NOW_MS + year), Some(FixFlag::Future), NOW_MS),
            (at(0.0, i64::MAX), Some(FixFlag::Future), NOW_MS),
            // The satellites say so, and the phone's clock is behind.
            (
                gnss(NOW_MS + year, Some(NOW_MS + year)),
                None,
                NOW_MS + year,
            ),
            (
                gnss(NOW_MS + year, Some(NOW_MS)),
                Some(FixFlag::Future),
                NOW_MS,
            ),
            (at(0.0, 0), Some(FixFlag::TimeUnknown), NOW_MS),
            (at(0.0, i64::MIN), Some(FixFlag::TimeUnknown), NOW_MS),
            (at(0.0, NOW_MS - 20 * year), None, NOW_MS - 20 * year),
        ] {
            let now = clock(NOW_MS);
            let time_ms = fix.time_ms;
            let judged = Judge::new(&[], &now, 0, &Policy::STANDARD).judge(fix);
            assert_eq!(judged.flags, Vec::from_iter(flag), "{time_ms}");
            assert_eq!(judged.at_ms, at_ms, "{time_ms}");
        }
    }

    #[test]
    fn the_ministrys_clock_and_the_newest_fix_correct_a_phone_that_is_behind() {
        let year = 365 * 24 * 60 * MINUTE;
        let behind = clock(NOW_MS - year);
        let fix = || at(0.0, NOW_MS);
        let alone = Judge::new(&[], &behind, 0, &Policy::STANDARD).judge(fix());
        assert_eq!(alone.flags, [FixFlag::Future]);
        let told = Judge::new(&[], &behind, year, &Policy::STANDARD).judge(fix());
        assert_eq!(told.flags, []);
        // The clock was set back between two fixes of one boot.
        let before = ClockReading {
            monotonic_ms: behind.monotonic_ms - MINUTE,
            ..clock(NOW_MS - MINUTE)
        };
        let known = [Entry {
            recorded: RecordedFix {
                fix: at(0.0, NOW_MS - MINUTE),
                at_ms: NOW_MS - MINUTE,
                flags: vec![],
            },
            clock: before,
        }];
        let later = Judge::new(&known, &behind, 0, &Policy::STANDARD).judge(fix());
        assert_eq!(later.flags, []);
    }

    #[test]
    fn a_mock_is_flagged_and_is_no_witness() {
        let start = NOW_MS - 60 * MINUTE;
        let mock = |km, time_ms| Fix {
            origin: Some(FixOrigin::Mock),
            ..at(km, time_ms)
        };
        let found = flags(vec![
            at(0.0, start),
            mock(500.0, start + 1_000),
            mock(500.0, start + 2_000),
            mock(500.0, start + 3_000),
            at(0.0, start + 4_000),
        ]);
        assert_eq!(
            found[1..4],
            [[FixFlag::Mock], [FixFlag::Mock], [FixFlag::Mock]]
        );
        assert_eq!(found[4], []);
    }

    #[test]
    fn what_was_known_before_a_restart_still_counts() {
        let now = clock(NOW_MS);
        let entry = |km, age: i64, flags| Entry {
            recorded: RecordedFix {
                fix: at(km, NOW_MS - age),
                at_ms: NOW_MS - age,
                flags,
            },
            clock: now.clone(),
        };
        let known = [
            entry(500.1, 20_000, vec![FixFlag::Jump]),
            entry(0.0, 40_000, vec![]),
            entry(500.0, 30_000, vec![FixFlag::Jump]),
        ];
        let mut judge = Judge::new(&known, &now, 0, &Policy::STANDARD);
        assert_eq!(judge.judge(at(500.2, NOW_MS - 10_000)).flags, []);
        let mut judge = Judge::new(&known[1..], &now, 0, &Policy::STANDARD);
        assert_eq!(
            judge.judge(at(500.2, NOW_MS - 10_000)).flags,
            [FixFlag::Jump]
        );
    }
}
