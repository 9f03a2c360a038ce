//! What a host can know of Homeline as a whole.

use crate::error::StorageProblem;
use crate::record::RecordState;
use crate::salvage::Recovery;

/// What works now, and what was set aside.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct HomeState {
    /// Whether the record can be read and written.
    pub record: RecordState,
    /// What waits in the outbox.
    pub outbox: Waiting,
    /// Names of files that could not be read and were set aside, in
    /// `config.directory`. They are kept until the host removes them.
    pub set_aside: Vec<String>,
    /// Damaged files of which what could be read was saved, the oldest first: show
    /// them to the traveler, then call `dismiss_recoveries`. Those of the record
    /// are known only while it can be read.
    pub recovered: Vec<Recovery>,
    /// The ministry's clock minus the phone's, milliseconds, as of the last
    /// receipt; absent before the first.
    pub clock_offset_ms: Option<i64>,
    /// What has become of the last request to erase.
    pub erase_request: EraseRequest,
}

/// What has become of the request to the ministry that `erase` made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum EraseRequest {
    /// There is none, or its receipt is so old that it was deleted.
    Absent,
    /// It waits to be sent.
    Waiting,
    /// The ministry has proved by a receipt that it has done it.
    Received {
        /// When, milliseconds UTC by the phone's clock.
        at_ms: i64,
    },
    /// The ministry refused it for good.
    Refused,
}

/// What waits in the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Waiting {
    /// It can be read and written.
    Known {
        /// Envelopes that wait to be sent.
        waiting: u32,
        /// Envelopes that were refused for good.
        parked: u32,
    },
    /// It cannot be opened now: a press would be `NotStored`.
    Unavailable {
        /// Why.
        problem: StorageProblem,
    },
}
