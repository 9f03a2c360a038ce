//! A fix as it is kept: with the moment it counts for, and what is odd about it.

use serde::{Deserialize, Serialize};

use super::Fix;

/// What is odd about a fix. The odd are kept and handed out with their flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum FixFlag {
    /// No airliner could have come here in the time since the position before.
    Jump,
    /// Its time lies ahead of the best time that the phone knew.
    Future,
    /// The platform says that an app made it up.
    Mock,
    /// Its source had no time (1970): it counts from when it was recorded.
    TimeUnknown,
}

impl FixFlag {
    /// Whether a fix with this flag may not be shown as where the traveler is.
    /// One without a time may: its place was measured, and its age is known from
    /// the recording on.
    pub(super) fn casts_doubt(self) -> bool {
        !matches!(self, Self::TimeUnknown)
    }
}

/// A fix of the record.
#[derive(Clone, PartialEq, uniffi::Record)]
pub struct RecordedFix {
    /// The fix.
    pub fix: Fix,
    /// The moment it counts for, milliseconds UTC: its own time where that can
    /// be, else when it was recorded. The record is in this order.
    pub at_ms: i64,
    /// What is odd about it; mostly nothing.
    pub flags: Vec<FixFlag>,
}

redacted_debug!(RecordedFix);

impl RecordedFix {
    /// Whether it may not be shown as where the traveler is.
    pub fn is_doubtful(&self) -> bool {
        self.flags.iter().any(|flag| flag.casts_doubt())
    }
}
