//! What the ministry has refused for good: it is kept, shown with its reason, and
//! sent again when a person says so.

use uuid::Uuid;

use super::{Homeline, Topic};
use crate::error::{HomelineError, Result, guard};
use crate::outbox::{ParkedRow, Role};
use crate::sos::{Evidence, event};

/// What a parked item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum ParkedKind {
    /// An SOS report.
    Report,
    /// A better position of a report.
    ReportPosition,
    /// The cancellation of a report.
    ReportCancellation,
    /// Who calls, beside a report.
    WhoCalls,
    /// The medical card, beside a report.
    MedicalCard,
    /// The registration.
    Registration,
    /// Positions.
    Positions,
    /// A group.
    Group,
    /// The leave from a group.
    GroupLeave,
    /// The request to erase.
    EraseRequest,
    /// The manifest of an attachment.
    Attachment,
}

/// Something that the ministry has refused for good.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ParkedItem {
    /// Names it for `try_again`.
    pub id: String,
    /// What it is.
    pub kind: ParkedKind,
    /// The report that it belongs to, where it belongs to one.
    pub report: Option<String>,
    /// HTTP status of the refusal; absent where an older version parked it.
    pub status: Option<u16>,
    /// The kind of problem, a URI (RFC 9457); absent as `status`.
    pub reason: Option<String>,
    /// When it was refused, milliseconds UTC by the phone's clock of then.
    pub since_ms: Option<i64>,
}

#[uniffi::export]
impl Homeline {
    /// What the ministry has refused for good, in the order in which it was made.
    /// A person should look; `try_again` sends one of them again. Nothing of it is
    /// ever deleted unsent, save what the traveler replaces or takes back.
    ///
    /// Errors: `Storage`.
    pub fn parked(&self) -> Result<Vec<ParkedItem>> {
        guard("Homeline::parked", || {
            let rows = self.outbox.parked()?;
            Ok(rows.into_iter().map(ParkedItem::from).collect())
        })
    }

    /// Lets a parked item wait again: the next `sync` sends it.
    ///
    /// Errors: `NotFound` where no such item is parked, `Storage`.
    pub fn try_again(&self, id: String) -> Result<()> {
        guard("Homeline::try_again", || {
            let unknown = || HomelineError::not_found("parked item");
            let id = Uuid::parse_str(&id).map_err(|_| unknown())?;
            let rows = self.outbox.parked()?;
            let row = rows.iter().find(|row| row.id == id).ok_or_else(unknown)?;
            if row.role == Role::Attachment {
                // Its manifest may have to be sealed anew.
                self.attachments.try_again(id.to_string())?;
                return Ok(());
            }
            let event = row
                .report
                .filter(|_| row.role.is_of_a_report())
                .map(|report| event(report, &self.time.now(), &Evidence::TriedAgain))
                .transpose()?;
            if !self.outbox.unpark(id, event.as_ref())? {
                return Err(unknown());
            }
            self.listeners.notify(Topic::Sos);
            Ok(())
        })
    }
}

impl From<ParkedRow> for ParkedItem {
    fn from(row: ParkedRow) -> Self {
        let (status, reason) = row.why.unzip();
        Self {
            id: row.id.to_string(),
            report: row
                .report
                .filter(|_| row.role.is_of_a_report())
                .map(|report| report.to_string()),
            kind: row.role.into(),
            status,
            reason,
            since_ms: row.since_ms,
        }
    }
}

impl From<Role> for ParkedKind {
    fn from(role: Role) -> Self {
        match role {
            Role::Report => Self::Report,
            Role::Update => Self::ReportPosition,
            Role::Cancel => Self::ReportCancellation,
            Role::Standing => Self::WhoCalls,
            Role::Medical => Self::MedicalCard,
            Role::Profile => Self::Registration,
            Role::Positions => Self::Positions,
            Role::Group => Self::Group,
            Role::GroupLeave => Self::GroupLeave,
            Role::Erase => Self::EraseRequest,
            Role::Attachment => Self::Attachment,
        }
    }
}
