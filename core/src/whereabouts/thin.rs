//! Which fixes the record keeps, by what the host is doing. Pure.

use super::RecordedFix;
use crate::config::{Policy, Thinning};

/// What the host records positions for; it decides how densely they are kept.
/// Set by the host; a press of SOS does not change it by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum WhereaboutsMode {
    /// Everything that is handed over is kept. The mode of a new record.
    Everything,
    /// In the background, cheaply: where the traveler was, to a place and a
    /// quarter of an hour.
    SignificantChange,
    /// A check-in is running: the way the traveler takes.
    CheckIn,
    /// A rescue may be under way: nearly everything.
    ActiveSos,
}

impl WhereaboutsMode {
    /// The mode's number in the record: a number never changes its meaning.
    pub(super) fn number(self) -> i64 {
        match self {
            Self::Everything => 0,
            Self::SignificantChange => 1,
            Self::CheckIn => 2,
            Self::ActiveSos => 3,
        }
    }

    pub(super) fn from_number(number: i64) -> Self {
        match number {
            1 => Self::SignificantChange,
            2 => Self::CheckIn,
            3 => Self::ActiveSos,
            _ => Self::Everything,
        }
    }

    /// The mode's limits.
    pub(super) fn limits(self, policy: &Policy) -> Thinning {
        match self {
            Self::Everything => policy.everything,
            Self::SignificantChange => policy.significant_change,
            Self::CheckIn => policy.check_in,
            Self::ActiveSos => policy.active_sos,
        }
    }
}

/// Whether the record keeps a fix or only the memory does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Keep,
    Skip,
}

/// Decides on `fix`, which comes `after_ms` after `kept`, the last one that was
/// kept; `None` where no clock can tell.
pub(super) fn decide(
    kept: Option<(&RecordedFix, Option<i64>)>,
    fix: &RecordedFix,
    limits: Thinning,
) -> Verdict {
    let Some((kept, Some(after_ms))) = kept else {
        return Verdict::Keep;
    };
    let radius = |fix: &RecordedFix| fix.fix.accuracy_m.unwrap_or(f64::INFINITY);
    // Of a doubtful and a sure one, each is news.
    let other_kind = kept.is_doubtful() != fix.is_doubtful();
    let long_after = after_ms >= limits.time_ms;
    // What comes late is history, not a crowd: it is the only one of its time.
    let late = after_ms < 0;
    let sharp = radius(fix) <= limits.accuracy_m;
    // A move counts where it is more than the fixes are unsure of.
    let far = fix.fix.distance_m(&kept.fix) >= limits.distance_m.max(radius(fix).min(radius(kept)));
    // Twice as sharp, and the one before was not sharp enough for the mode.
    let sharper = radius(kept) > limits.accuracy_m && radius(fix) * 2.0 <= radius(kept);
    if other_kind || late || long_after || (sharp && far) || sharper {
        Verdict::Keep
    } else {
        Verdict::Skip
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::whereabouts::{Fix, FixFlag, FixSource, Position};

    fn fix(metres: f64, accuracy_m: Option<f64>) -> RecordedFix {
        let position = Position::Wgs84 {
            latitude: 41.0 + metres / 111_195.0,
            longitude: 29.0,
        };
        RecordedFix {
            fix: Fix {
                accuracy_m,
                ..Fix::new(position, 1_700_000_000_000, FixSource::Gnss)
            },
            at_ms: 1_700_000_000_000,
            flags: vec![],
        }
    }

    #[test]
    fn each_mode_keeps_what_it_is_for() {
        use Verdict::{Keep, Skip};
        use WhereaboutsMode::{ActiveSos, CheckIn, Everything, SignificantChange};
        let sharp = Some(8.0);
        // metres moved, accuracy, seconds after: what each mode does.
        let table = [
            (0.0, sharp, 1, [Keep, Skip, Skip, Skip]),
            (15.0, sharp, 5, [Keep, Skip, Skip, Keep]),
            (150.0, sharp, 60, [Keep, Skip, Keep, Keep]),
            (600.0, sharp, 60, [Keep, Keep, Keep, Keep]),
            // Standing still, and still there: one each interval.
            (0.0, sharp, 31, [Keep, Skip, Skip, Keep]),
            (0.0, sharp, 301, [Keep, Skip, Keep, Keep]),
            (0.0, sharp, 901, [Keep, Keep, Keep, Keep]),
            // A cell of 1.5 km says nothing of a move of 150 m.
            (150.0, Some(1_500.0), 20, [Keep, Skip, Skip, Skip]),
            // ... but is better than nothing for long.
            (150.0, Some(1_500.0), 901, [Keep, Keep, Keep, Keep]),
            // Late: of another time than all others.
            (0.0, sharp, -60, [Keep, Keep, Keep, Keep]),
        ];
        for (metres, accuracy_m, seconds, verdicts) in table {
            for (mode, verdict) in [Everything, SignificantChange, CheckIn, ActiveSos]
                .into_iter()
                .zip(verdicts)
            {
                let kept = fix(0.0, Some(8.0));
                let new = fix(metres, accuracy_m);
                let limits = mode.limits(&Policy::STANDARD);
                assert_eq!(
                    decide(Some((&kept, Some(seconds * 1_000))), &new, limits),
                    verdict,
                    "{mode:?}: {metres} m, {accuracy_m:?}, {seconds} s"
                );
            }
        }
    }

    #[test]
    fn the_first_one_a_sharper_one_and_one_of_another_kind_are_kept() {
        let limits = WhereaboutsMode::SignificantChange.limits(&Policy::STANDARD);
        let keeps = |kept: Option<(&RecordedFix, Option<i64>)>, new: &RecordedFix| {
            decide(kept, new, limits) == Verdict::Keep
        };
        let (coarse, sharp) = (fix(0.0, Some(3_000.0)), fix(10.0, Some(8.0)));
        assert!(keeps(None, &sharp));
        assert!(keeps(Some((&coarse, Some(1_000))), &sharp));
        assert!(!keeps(Some((&sharp, Some(1_000))), &coarse));
        assert!(keeps(Some((&sharp, None)), &sharp), "no clock can tell");
        let doubtful = RecordedFix {
            flags: vec![FixFlag::Mock],
            ..sharp.clone()
        };
        assert!(keeps(Some((&sharp, Some(1_000))), &doubtful));
        assert!(!keeps(Some((&doubtful, Some(1_000))), &doubtful));
    }

    #[test]
    fn a_modes_number_never_changes() {
        for number in 0..4 {
            assert_eq!(WhereaboutsMode::from_number(number).number(), number);
        }
    }
}
