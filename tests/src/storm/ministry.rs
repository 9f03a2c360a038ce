//! The ministry of the storm: the capacity of the real one, and its answers.

use ministry::capacity::{Capacity, TurnedAway};

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
    capacity: Capacity,
    says: Says,
    pub(super) refused: u64,
}

impl Ministry {
    pub(super) fn new(capacity: u32, says: Says) -> Self {
        Self {
            capacity: Capacity::new(capacity),
            says,
            refused: 0,
        }
    }

    /// A request at `now_ms`: taken, or turned away with an answer.
    pub(super) fn ask(&mut self, now_ms: u64) -> Option<Answer> {
        let TurnedAway { after_s, stand_by } = self.capacity.ask(now_ms).err()?;
        self.refused += 1;
        let body = match self.says {
            Says::RetryAfter => r#"{"status":503}"#.to_owned(),
            Says::StandBy => format!(r#"{{"status":503,"spread_s":{}}}"#, stand_by.spread_s),
        };
        Some(Answer {
            retry_after: after_s.to_string(),
            body: body.into_bytes(),
        })
    }
}
