//! Which time retention believes.
//!
//! A phone's clock may jump years ahead, and a record must not be wiped for
//! that. The ministry's time is believed at once, as long as the phone has not
//! been started since: the counter of the boot carries it. The phone's own clock
//! is believed as long as it goes on from the last time believed; a jump is
//! believed only when it is seen again on another day. Until then nothing new
//! expires. Pure.

use serde::{Deserialize, Serialize};

use crate::clock::{ClockReading, elapsed_ms};
use crate::config::Policy;

/// Finer than an hour nothing is written down: each pass would cost a sync.
const COARSE_MS: i64 = 3_600_000;

/// What is known of the time, kept in the record.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Believed {
    /// The last time believed, milliseconds UTC.
    pub(super) ms: i64,
    /// The first reading of a jump that nothing has proved yet.
    #[serde(default)]
    jump: Option<ClockReading>,
}

impl Believed {
    /// Takes the time of now into account: `ministry_ms` is the ministry's, where
    /// it is known; `phone` the phone's own clocks, with its best guess of the
    /// time as the wall time. Returns the time up to which things may expire.
    pub(super) fn at(
        &mut self,
        ministry_ms: Option<i64>,
        phone: &ClockReading,
        policy: &Policy,
    ) -> i64 {
        if let Some(ms) = ministry_ms {
            if self.jump.take().is_some() || self.ms.saturating_sub(ms).saturating_abs() > COARSE_MS
            {
                self.ms = ms;
            }
            return ms;
        }
        let now_ms = phone.wall_ms;
        if now_ms <= self.ms.saturating_add(policy.clock_jump_ms) {
            self.jump = None;
            if now_ms > self.ms.saturating_add(COARSE_MS) {
                self.ms = now_ms;
            }
            // A clock that went back lets less expire, never more.
            return now_ms;
        }
        let proved = self.jump.as_ref().is_some_and(|first| {
            elapsed_ms(first, phone).is_some_and(|ms| ms >= policy.clock_proof_ms)
        });
        if proved {
            *self = Self {
                ms: now_ms,
                jump: None,
            };
            return now_ms;
        }
        // A clock that went back since proves nothing: the last jump counts.
        let known = self.jump.as_ref();
        if known.is_none_or(|first| elapsed_ms(first, phone).is_none()) {
            self.jump = Some(phone.clone());
        }
        self.ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;
    const DAY: i64 = 24 * HOUR;
    const YEARS: i64 = 9 * 365 * DAY;
    const NOW: i64 = 1_790_000_000_000;

    /// Wall time and hours since the boot; `None` a boot of its own.
    fn phone(wall_ms: i64, hours: i64, boot: &str) -> ClockReading {
        ClockReading {
            wall_ms,
            monotonic_ms: hours * HOUR,
            boot_id: boot.into(),
        }
    }

    fn known() -> Believed {
        Believed {
            ms: NOW,
            jump: None,
        }
    }

    fn tell(believed: &mut Believed, phone: &ClockReading) -> i64 {
        believed.at(None, phone, &Policy::STANDARD)
    }

    #[test]
    fn a_clock_that_goes_on_is_believed_and_one_that_went_back_expires_less() {
        let mut believed = known();
        assert_eq!(tell(&mut believed, &phone(NOW + DAY, 24, "a")), NOW + DAY);
        assert_eq!(
            tell(&mut believed, &phone(NOW - YEARS, 25, "a")),
            NOW - YEARS
        );
        assert_eq!(believed.ms, NOW + DAY);
    }

    #[test]
    fn a_jump_is_not_believed_at_once_however_often_it_is_read() {
        let mut believed = known();
        for minute in 0..60 {
            let wall_ms = NOW + YEARS + minute * 60_000;
            assert_eq!(tell(&mut believed, &phone(wall_ms, 0, "a")), NOW);
        }
    }

    #[test]
    fn a_jump_that_stays_is_believed_on_another_day() {
        // In the same boot the counter decides, after a reboot the clock.
        for (boot, hours) in [("a", 21), ("b", 0)] {
            let mut believed = known();
            assert_eq!(tell(&mut believed, &phone(NOW + YEARS, 0, "a")), NOW);
            let early = phone(NOW + YEARS + 2 * HOUR, 2, "a");
            assert_eq!(tell(&mut believed, &early), NOW);
            let later = NOW + YEARS + 21 * HOUR;
            assert_eq!(tell(&mut believed, &phone(later, hours, boot)), later);
        }
    }

    #[test]
    fn a_second_jump_within_a_boot_proves_nothing() {
        let mut believed = known();
        tell(&mut believed, &phone(NOW + YEARS, 0, "a"));
        // The clock says a day more; the counter says an hour.
        let again = phone(NOW + YEARS + DAY, 1, "a");
        assert_eq!(tell(&mut believed, &again), NOW);
    }

    #[test]
    fn the_ministrys_time_is_believed_at_once_and_ends_a_jump() {
        let mut believed = known();
        let jumped = phone(NOW + YEARS, 0, "a");
        tell(&mut believed, &jumped);
        let ministry = Some(NOW + 3 * DAY);
        assert_eq!(
            believed.at(ministry, &jumped, &Policy::STANDARD),
            NOW + 3 * DAY
        );
        assert_eq!(believed.jump, None);
    }

    #[test]
    fn a_new_record_believes_no_clock_on_its_first_day() {
        let mut believed = Believed::default();
        assert_eq!(tell(&mut believed, &phone(NOW, 0, "a")), 0);
        assert_eq!(tell(&mut believed, &phone(NOW + DAY, 24, "a")), NOW + DAY);
    }
}
