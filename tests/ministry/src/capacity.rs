//! How many requests the service takes in a second, and what it says to those beyond:
//! to wait, and over how long to come back. Pure functions of the time, so that the
//! simulation of a storm runs the very same code.

use homeline::sync::protocol::StandBy;

/// A slice of its time, milliseconds: what comes in one competes in it.
const SLICE_MS: u64 = 100;
/// Of the capacity, one part in so many is for those who were asked to stand by; the
/// rest is for those who come for the first time.
const SHARE_OF_STANDING_BY: u64 = 2;
/// What is said in `Retry-After`, seconds.
const AFTER_S: u32 = 5;
/// The longest spread that is asked for, seconds: phones obey no longer one.
const LONGEST_SPREAD_S: u64 = 3_600;

/// What is said to whoever is turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TurnedAway {
    /// For `Retry-After`, seconds.
    pub after_s: u32,
    /// For the problem of the answer.
    pub stand_by: StandBy,
}

/// The capacity, and what of it is used and promised.
#[derive(Debug)]
pub struct Capacity {
    per_second: u32,
    slice: u64,
    taken: u64,
    /// Until when those who were turned away fill their share, microseconds.
    booked_us: u64,
}

impl Capacity {
    /// So many requests a second; 0 turns all away.
    pub fn new(per_second: u32) -> Self {
        Self {
            per_second,
            slice: 0,
            taken: 0,
            booked_us: 0,
        }
    }

    /// A request at `now_ms`, milliseconds since any fixed moment.
    ///
    /// # Errors
    /// It is turned away.
    pub fn ask(&mut self, now_ms: u64) -> Result<(), TurnedAway> {
        let slice = now_ms / SLICE_MS;
        if slice != self.slice {
            (self.slice, self.taken) = (slice, 0);
        }
        if self.taken < self.of_slice(slice) {
            self.taken += 1;
            return Ok(());
        }
        Err(TurnedAway {
            after_s: AFTER_S,
            stand_by: StandBy {
                spread_s: self.book(now_ms),
            },
        })
    }

    /// The tenths of the capacity that do not divide go to the later slices.
    fn of_slice(&self, slice: u64) -> u64 {
        let (capacity, tenth) = (u64::from(self.per_second), slice % 10);
        capacity * (tenth + 1) / 10 - capacity * tenth / 10
    }

    /// Books a place for one who is turned away; seconds until all places are used.
    fn book(&mut self, now_ms: u64) -> u32 {
        let now_us = now_ms.saturating_mul(1_000);
        let each_us = (1_000_000 * SHARE_OF_STANDING_BY).checked_div(u64::from(self.per_second));
        let longest_us = LONGEST_SPREAD_S * 1_000_000;
        let wait_us = self.booked_us.saturating_sub(now_us);
        let wait_us = wait_us
            .saturating_add(each_us.unwrap_or(longest_us))
            .min(longest_us);
        self.booked_us = now_us.saturating_add(wait_us);
        u32::try_from(wait_us.div_ceil(1_000_000)).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_takes_its_capacity_and_no_more() {
        for (per_second, taken_in_one) in [(0, 0), (1, 1), (7, 7), (10, 10), (5_003, 5_003)] {
            let mut capacity = Capacity::new(per_second);
            let taken = |capacity: &mut Capacity, second: u64| {
                (0..1_000)
                    .flat_map(|ms| [second * 1_000 + ms; 20])
                    .filter(|now_ms| capacity.ask(*now_ms).is_ok())
                    .count()
            };
            for second in [3, 4] {
                assert_eq!(taken(&mut capacity, second), taken_in_one);
            }
        }
    }

    #[test]
    fn those_who_are_turned_away_spread_over_their_share_and_it_ends() {
        let mut capacity = Capacity::new(10);
        let spread = |capacity: &mut Capacity, now_ms| {
            capacity
                .ask(now_ms)
                .err()
                .map(|away| away.stand_by.spread_s)
        };
        assert_eq!(spread(&mut capacity, 0), None);
        // Five a second come back: the hundredth waits for 20 s.
        let all: Vec<_> = (0..100).map(|_| spread(&mut capacity, 0)).collect();
        assert_eq!(all.first(), Some(&Some(1)));
        assert_eq!(all.last(), Some(&Some(20)));
        // Ten seconds later ten of them are left.
        assert_eq!(spread(&mut capacity, 10_000), None);
        assert_eq!(spread(&mut capacity, 10_000), Some(11));
        assert_eq!(spread(&mut Capacity::new(0), 0), Some(3_600));
    }
}
