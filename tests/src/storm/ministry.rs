//! The ministry of the storm: so many requests a second, and an answer that turns
//! away what is beyond.

/// A slice of its time, milliseconds: what comes in one competes in it.
const SLICE_MS: u64 = 100;
/// Of its capacity, what it gives to those whom it asked to stand by; the rest is
/// for those who come for the first time.
const FOR_STANDING_BY: f64 = 0.5;
/// What it says in `Retry-After`, seconds.
const AFTER_S: u32 = 5;

/// What a busy ministry says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// 503 with a `Retry-After`.
    RetryAfter,
    /// The same, and over how long those who are turned away shall spread.
    StandBy,
}

/// What it answers to whom it turns away: 503 problem+json with these.
pub(super) struct Answer {
    pub(super) retry_after: String,
    pub(super) body: Vec<u8>,
}

pub(super) struct Ministry {
    capacity: u32,
    says: Says,
    slice: u64,
    taken: u32,
    /// Until when those who were turned away fill its spare time, milliseconds.
    booked_ms: f64,
    pub(super) refused: u64,
}

impl Ministry {
    pub(super) fn new(capacity: u32, says: Says) -> Self {
        Self {
            capacity,
            says,
            slice: 0,
            taken: 0,
            booked_ms: 0.0,
            refused: 0,
        }
    }

    /// A request at `now_ms`: taken, or turned away with an answer.
    pub(super) fn ask(&mut self, now_ms: u64) -> Option<Answer> {
        let slice = now_ms / SLICE_MS;
        if slice != self.slice {
            (self.slice, self.taken) = (slice, 0);
        }
        // The tenths of the capacity that do not divide go to the later slices.
        let tenths = u32::try_from(slice % 10).unwrap_or_default();
        let limit = self.capacity * (tenths + 1) / 10 - self.capacity * tenths / 10;
        if self.taken < limit {
            self.taken += 1;
            return None;
        }
        self.refused += 1;
        let body = match self.says {
            Says::RetryAfter => r#"{"status":503}"#.to_owned(),
            Says::StandBy => format!(r#"{{"status":503,"spread_s":{}}}"#, self.book(now_ms)),
        };
        Some(Answer {
            retry_after: AFTER_S.to_string(),
            body: body.into_bytes(),
        })
    }

    /// Books a place for one who is turned away; seconds until all places are used.
    fn book(&mut self, now_ms: u64) -> u32 {
        let now_ms = f64::from(u32::try_from(now_ms).unwrap_or(u32::MAX));
        let each_ms = 1_000.0 / (f64::from(self.capacity) * FOR_STANDING_BY);
        self.booked_ms = self.booked_ms.max(now_ms) + each_ms;
        let seconds = ((self.booked_ms - now_ms) / 1_000.0).ceil();
        // A count of seconds below a day; there is no `From` for it.
        (0..86_400)
            .find(|s| f64::from(*s) >= seconds)
            .unwrap_or(86_400)
    }
}
