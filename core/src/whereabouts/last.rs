//! The last known positions, in memory, with their age.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use super::Fix;
use crate::clock::{ClockReading, elapsed_ms};
use crate::config::Policy;

/// A fix with its age.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct KnownFix {
    /// The fix.
    pub fix: Fix,
    /// Milliseconds since then; absent where no clock can tell.
    pub age_ms: Option<i64>,
}

/// A source time before this is that of a receiver without time: 2000-01-01.
const PLAUSIBLE_FROM_MS: i64 = 946_684_800_000;

/// The last positions, the newest last.
pub(crate) struct LastKnown {
    keep: usize,
    fixes: Mutex<VecDeque<(Fix, ClockReading)>>,
}

impl LastKnown {
    pub(crate) fn new(policy: &Policy) -> Self {
        Self {
            keep: policy.recent_positions + 1,
            fixes: Mutex::new(VecDeque::new()),
        }
    }

    pub(crate) fn push(&self, fix: Fix, recorded: &ClockReading) {
        let mut fixes = self.fixes.lock().unwrap_or_else(PoisonError::into_inner);
        fixes.push_back((fix, recorded.clone()));
        while fixes.len() > self.keep {
            fixes.pop_front();
        }
    }

    /// Takes what the record has, the newest last, behind what is known already.
    pub(crate) fn restore(&self, recorded: Vec<(Fix, ClockReading)>) {
        let mut fixes = self.fixes.lock().unwrap_or_else(PoisonError::into_inner);
        for fix in recorded.into_iter().rev() {
            if fixes.len() < self.keep && !fixes.contains(&fix) {
                fixes.push_front(fix);
            }
        }
    }

    pub(crate) fn forget_before(&self, time_ms: i64) {
        self.fixes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|(fix, _)| fix.time_ms >= time_ms);
    }

    /// Forgets what was recorded before a time.
    pub(crate) fn forget_recorded_before(&self, time_ms: i64) {
        self.fixes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|(_, recorded)| recorded.wall_ms >= time_ms);
    }

    /// Forgets everything.
    pub(crate) fn forget(&self) {
        self.fixes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// The last positions at `now`, the newest first.
    pub(crate) fn recent(&self, now: &ClockReading) -> Vec<KnownFix> {
        self.fixes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .rev()
            .map(|(fix, recorded)| KnownFix {
                fix: fix.clone(),
                age_ms: age_ms(fix, recorded, now),
            })
            .collect()
    }
}

/// Age of a fix: since it was recorded, and what it was old by then. A source
/// time that cannot be (1970, the future) adds nothing.
pub(crate) fn age_ms(fix: &Fix, recorded: &ClockReading, now: &ClockReading) -> Option<i64> {
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
        Fix {
            position: Position::Wgs84 {
                latitude: 1.0,
                longitude: 2.0,
            },
            time_ms,
            accuracy_m: None,
            source: FixSource::Gnss,
        }
    }

    fn reading(wall_ms: i64, monotonic_ms: i64) -> ClockReading {
        ClockReading {
            wall_ms,
            monotonic_ms,
            boot_id: "a".into(),
        }
    }

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
        for second in 0..100 {
            last.push(
                fix(1_700_000_000_000 + second),
                &reading(1_700_000_000_000, 0),
            );
        }
        let recent = last.recent(&reading(1_700_000_000_000, 0));
        assert_eq!(recent.len(), Policy::STANDARD.recent_positions + 1);
        assert_eq!(
            recent.first().map(|known| known.fix.time_ms),
            Some(1_700_000_000_099)
        );
    }
}
