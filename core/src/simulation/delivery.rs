//! What a phone decides about delivery: what an answer means, which receipt it
//! believes, what the evidence proves, what may be sent and what is tried next.
//!
//! All of it is pure, and none of it is decided here: each function passes its
//! arguments to the one that the library calls. The signature of a receipt is not
//! checked by any of these; that is the caller's part.

use uuid::Uuid;

use crate::config::Policy;
use crate::error::Result;
use crate::outbox::Role;
use crate::seal::signed::Signed;
use crate::sos::{
    AttemptResult, Conditions, DatagramOutcome, Evidence, NextAction, ReportEvent, ReportState,
    ReportStatus, SmsObstacle, decisions,
};
use crate::sync::protocol::{Problem, Receipt};
use crate::sync::verdict;
use crate::transport::{HttpResponse, TransportError};

/// What an exchange of HTTP came to, as far as status and headers tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judged {
    /// Perhaps the ministry's answer: what is in it decides.
    Answer,
    /// An attempt that brought no receipt.
    Attempt(AttemptResult),
    /// The ministry does not know this device: it enrols, and sends again.
    UnknownDevice,
    /// The ministry refuses the request for good.
    Refused {
        /// The status.
        status: u16,
        /// The URI of the problem.
        kind: String,
    },
    /// The phone itself ended it.
    Ended,
}

/// What an exchange came to.
pub fn judged(exchanged: std::result::Result<HttpResponse, TransportError>) -> Judged {
    verdict::judged(exchanged)
}

/// Whether the problem of one envelope is that it must be sealed to another key.
pub fn is_for_its_key(problem: &Problem) -> bool {
    verdict::is_for_its_key(problem)
}

/// Whether a receipt, its signature verified before, is for the envelope `id` of
/// which `sealed` waits; `earlier` are the SHA-256, in hex, of what was sealed under
/// that id before.
///
/// Errors: none of its own.
pub fn is_receipt_for(
    receipt: &Receipt,
    id: Uuid,
    sealed: &[u8],
    earlier: Vec<String>,
) -> Result<bool> {
    crate::sync::is_receipt_for(receipt, id, sealed, || Ok(earlier))
}

/// What a believed receipt for a report's own envelope proves.
///
/// Errors: `Bug` where `signed` is no JSON, which it always is.
pub fn receipt_evidence(receipt: &Receipt, signed: &Signed) -> Result<Option<Evidence>> {
    crate::sync::receipt_evidence(Role::Report, receipt, signed)
}

/// The state that `events` prove at `now_ms`, milliseconds UTC by the phone's clock.
pub fn state_of(events: &[ReportEvent], now_ms: i64) -> ReportState {
    decisions::state_of(events, now_ms, Policy::STANDARD.countdown_ms)
}

/// Why no datagram of a report is sent at `now_ms`; `None`: it is.
pub fn datagram_obstacle(status: &ReportStatus, now_ms: i64) -> Option<DatagramOutcome> {
    decisions::datagram(status, now_ms)
}

/// Why nothing of a report is sent by text message; `None`: it is.
pub fn sms_obstacle(status: &ReportStatus) -> Option<SmsObstacle> {
    decisions::sms(status)
}

/// What the planner advises at `now_ms`, the most urgent first, where the ministry
/// takes every channel and the kind of emergency is not known.
pub fn next_actions(
    status: &ReportStatus,
    conditions: &Conditions,
    now_ms: i64,
) -> Vec<NextAction> {
    decisions::next_actions(status, conditions, now_ms)
}
