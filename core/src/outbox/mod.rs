//! `outbox.db`: what waits to be sent, and the evidence of what was.
//!
//! It holds sealed envelopes only and needs no secret, so it works before the
//! first unlock. One connection, one lock, short transactions: a press waits for
//! nothing else. Invariants:
//!
//! * a row that is `waiting` has its sealed bytes, and is never deleted unless a
//!   newer envelope replaces it whole or the traveler took the consent back, or it
//!   holds whereabouts and they fill the disk: see `thin`;
//! * a row becomes `received` only together with an event or a verified receipt;
//! * a file that cannot be read is set aside, its rows are salvaged as far as
//!   they can be read, and the operation is repeated on a new file.
//!
//! The connection opens at the first use and again after `close`. What is too large
//! for a row lies sealed in a file of its own, see `ciphertext`.

mod attachments;
mod ciphertext;
mod connection;
mod envelopes;
mod erase;
mod events;
mod expire;
mod news;
mod parcels;
mod reseal;
mod settle;
mod sms;
mod standing;
mod state;
mod thin;

pub use attachments::SendOver;
pub(crate) use attachments::{
    AttachmentRow, AttachmentSent, Ended, NewAttachment, Upload, UploadRow,
};
pub(crate) use ciphertext::{PartialFile, destroy_all};
pub(crate) use connection::Outbox;
pub(crate) use envelopes::{Batch, Beside, Gate, NewEnvelope, Press, Waiting};
pub(crate) use erase::Fate;
pub(crate) use events::EventRow;
pub(crate) use news::News;
pub(crate) use parcels::{Carried as CarriedParcel, ParcelFate};
pub(crate) use settle::{ParkedRow, Settled, Verdict};
pub(crate) use sms::{SmsSet, SmsTry};
pub(crate) use standing::{StandingKind, StandingRow};

use crate::config::Policy;

/// Rows that are written in one transaction: a press waits for it, and this many take
/// as long as a sync.
const ROWS_AT_ONCE: usize = 16;

/// Lanes, the most urgent first. A higher lane overtakes at every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lane {
    /// Reports, their updates and cancellations, the standing envelope.
    Sos,
    /// Answers to a roll call or a check-in.
    Safety,
    /// Messages.
    Messages,
    /// Registration.
    Registration,
    /// Whereabouts.
    Whereabouts,
    /// What belongs to a report and is large: voice, photos.
    Attachments,
}

/// What an envelope is, for those who must find it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// An SOS report.
    Report,
    /// A better position of a report.
    Update,
    /// The cancellation of a report.
    Cancel,
    /// The standing envelope, sent beside a report.
    Standing,
    /// A registration: a newer one replaces it.
    Profile,
    /// Positions.
    Positions,
    /// A group: a newer one of the same subject replaces it.
    Group,
    /// The traveler leaves a group.
    GroupLeave,
    /// The request to erase.
    Erase,
    /// The medical card, sent beside a report of the kind `Medical`.
    Medical,
    /// The manifest of an attachment.
    Attachment,
}

// The numbers below are in files: they never change their meaning. Gaps in the
// lanes are kept for what comes between.
impl Lane {
    /// All lanes, the most urgent first.
    pub(crate) const ALL: [Self; 6] = [
        Self::Sos,
        Self::Safety,
        Self::Messages,
        Self::Registration,
        Self::Whereabouts,
        Self::Attachments,
    ];

    /// The longest wait that is ever set for its envelopes, milliseconds. One beyond
    /// it is taken for a clock that went back.
    pub(crate) fn longest_wait_ms(self, policy: &Policy) -> i64 {
        match self {
            Self::Sos => policy
                .retry_after_sos_ms
                .saturating_add(policy.backoff_sos_ms),
            Self::Safety | Self::Messages => policy
                .retry_after_people_ms
                .saturating_add(policy.backoff_people_ms),
            Self::Registration | Self::Whereabouts | Self::Attachments => policy.due_horizon_ms,
        }
    }

    pub(crate) fn number(self) -> i64 {
        match self {
            Self::Sos => 0,
            Self::Safety => 10,
            Self::Messages => 20,
            Self::Registration => 30,
            Self::Whereabouts => 40,
            Self::Attachments => 50,
        }
    }

    /// The lane of a number; one of a later version goes last.
    fn from_number(number: i64) -> Self {
        Self::ALL
            .into_iter()
            .find(|lane| lane.number() == number)
            .unwrap_or(Self::Attachments)
    }
}

impl Role {
    fn number(self) -> i64 {
        match self {
            Self::Report => 0,
            Self::Update => 1,
            Self::Cancel => 2,
            Self::Standing => 3,
            Self::Profile => 4,
            Self::Positions => 5,
            Self::Group => 6,
            Self::GroupLeave => 7,
            Self::Erase => 8,
            Self::Medical => 9,
            Self::Attachment => 10,
        }
    }

    /// Whether its envelopes belong to a report, and their evidence with them.
    pub(crate) fn is_of_a_report(self) -> bool {
        matches!(self, Self::Report | Self::Update | Self::Cancel)
    }

    fn from_number(number: i64) -> Self {
        match number {
            0 => Self::Report,
            1 => Self::Update,
            2 => Self::Cancel,
            3 => Self::Standing,
            4 => Self::Profile,
            6 => Self::Group,
            7 => Self::GroupLeave,
            8 => Self::Erase,
            9 => Self::Medical,
            10 => Self::Attachment,
            _ => Self::Positions,
        }
    }
}
