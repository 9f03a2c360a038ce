//! What hosts see of a group.

use serde::{Deserialize, Serialize};

use crate::config::Policy;
use crate::error::{HomelineError, Problem, Result};
use crate::validate;

/// What a group is, and so what its members tell its leader.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
// The order is in signed texts: a new kind comes last.
pub enum GroupKind {
    /// A tour group.
    #[default]
    Tour,
    /// Employees of a company.
    Company,
    /// Pupils or students of a school.
    School,
    /// A family.
    Family,
    /// Another group.
    Other,
}

/// A detail of a member that the leader of a group is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum SharedDetail {
    /// The name.
    Name,
    /// The phone number.
    Phone,
    /// The number of the travel document and the state that issued it.
    Document,
}

impl GroupKind {
    /// What a member of such a group tells its leader, and no more: who answers
    /// for a tour, a posting or an exchange must show the documents, a family
    /// need not.
    pub fn shares(self) -> Vec<SharedDetail> {
        let mut shares = vec![SharedDetail::Name, SharedDetail::Phone];
        if matches!(self, Self::Tour | Self::Company | Self::School) {
            shares.push(SharedDetail::Document);
        }
        shares
    }
}

/// What a group is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GroupDetails {
    /// Name of the group.
    pub name: String,
    /// Kind of the group.
    pub kind: GroupKind,
    /// The agency, company or school behind it.
    #[uniffi(default = None)]
    pub agency: Option<String>,
    /// First day of the trip, `YYYY-MM-DD` (ISO 8601).
    #[uniffi(default = None)]
    pub first_day: Option<String>,
    /// Last day of the trip, not before the first.
    #[uniffi(default = None)]
    pub last_day: Option<String>,
}

impl GroupDetails {
    /// The details with their texts trimmed.
    pub(super) fn validated(self, policy: &Policy) -> Result<Self> {
        let day = |field: &str, day: Option<String>| day.map(|day| date(field, &day)).transpose();
        let out = Self {
            name: short("group.name", &self.name, policy)?,
            kind: self.kind,
            agency: self
                .agency
                .map(|agency| short("group.agency", &agency, policy))
                .transpose()?,
            first_day: day("group.first_day", self.first_day)?,
            last_day: day("group.last_day", self.last_day)?,
        };
        // ISO dates are in the order of their texts.
        if out.last_day.is_some() && out.last_day < out.first_day {
            return Err(HomelineError::invalid(
                "group.last_day",
                Problem::OutOfRange,
                "a day not before the first day",
            ));
        }
        Ok(out)
    }
}

/// A line that a token has room for.
pub(super) fn short(field: &str, text: &str, policy: &Policy) -> Result<String> {
    let text = validate::line(field, text, policy)?;
    if text.len() > policy.token_text_bytes {
        return Err(HomelineError::invalid(
            field,
            Problem::TooLong,
            &format!(
                "at most {} bytes in UTF-8: letters count 1, Chinese characters 3",
                policy.token_text_bytes
            ),
        ));
    }
    Ok(text)
}

fn date(field: &str, text: &str) -> Result<String> {
    let text = text.trim();
    let number = |from: usize, to: usize| -> Option<u32> {
        let digits = text.get(from..to)?;
        let right = digits.bytes().all(|b| b.is_ascii_digit());
        right.then(|| digits.parse().ok()).flatten()
    };
    let dashes = text.get(4..5) == Some("-") && text.get(7..8) == Some("-");
    match (number(0, 4), number(5, 7), number(8, 10)) {
        (Some(year), Some(month), Some(day))
            if dashes && text.len() == 10 && (1..=days(year, month)).contains(&day) =>
        {
            Ok(text.to_owned())
        }
        _ => Err(HomelineError::invalid(
            field,
            Problem::Malformed,
            "a day as YYYY-MM-DD",
        )),
    }
}

/// Days of a month of the Gregorian calendar; 0 where there is no such month.
fn days(year: u32, month: u32) -> u32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => 0,
    }
}

fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// What a traveler is asked to join, for the screen that asks.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct InvitationDetails {
    /// Id of the group. It is made from the leader's keys: nobody else can
    /// invite to it.
    pub group: String,
    /// What the group is about, as its leader says.
    pub details: GroupDetails,
    /// What the leader, and through the leader the ministry, will be told.
    pub shares: Vec<SharedDetail>,
    /// Until when one may join, milliseconds UTC by the leader's clock.
    pub expires_ms: i64,
    /// Whether one may join now.
    pub state: InvitationState,
}

/// Whether an invitation is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum InvitationState {
    /// One may join.
    Open,
    /// The traveler has joined, and has not left.
    Joined,
    /// It is too late: ask the leader for a new one.
    Expired,
}

/// What became of a text or a person that was added.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum AddOutcome {
    /// A new member, or one who had left and is back.
    Added {
        /// The member.
        member: String,
    },
    /// The member's details are the newer ones now.
    Updated {
        /// The member.
        member: String,
    },
    /// The person is in already: the same text again, another phone, or the same
    /// document. Nobody is in a group twice.
    AlreadyIn {
        /// The member.
        member: String,
    },
    /// The member has left.
    Left {
        /// Who it was; absent where the person had not come.
        member: Option<String>,
    },
}

/// A group of this phone.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct GroupSummary {
    /// Its id.
    pub id: String,
    /// What it is about.
    pub details: GroupDetails,
    /// What this phone is in it, and how it stands.
    pub state: GroupState,
}

/// How a group stands on this phone.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum GroupState {
    /// Led from this phone.
    Led {
        /// Members that are in.
        members: u32,
        /// Whether the outbox has the newest version.
        handed_over: bool,
    },
    /// Led from this phone, and closed.
    Closed {
        /// Members that were in.
        members: u32,
    },
    /// Joined.
    Joined,
    /// Joined once, and left.
    Left,
}

/// A member of a group, as its leader sees it.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct GroupMember {
    /// Names the member in `remove_member`.
    pub id: String,
    /// Name.
    pub name: String,
    /// Phone number.
    pub phone: Option<String>,
    /// Number of the travel document.
    pub document_number: Option<String>,
    /// How the member came in.
    pub origin: MemberOrigin,
}

/// How a member came into a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum MemberOrigin {
    /// By an entry that the member's own phone signed.
    Phone,
    /// Put in by the leader.
    ByHand,
}

redacted_debug!(GroupMember);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_days_of_the_calendar() {
        for good in ["2026-05-01", "2028-02-29", "2000-02-29", " 2026-12-31 "] {
            assert_eq!(date("f", good).as_deref(), Ok(good.trim()));
        }
        for bad in [
            "",
            "2026-5-1",
            "2026-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-04-31",
            "2026-04-00",
            "2026/04/01",
            "+026-04-01",
            "2026-04-011",
            "二〇二六-04-01",
        ] {
            assert!(date("f", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_trip_does_not_end_before_it_begins() {
        let details = |first: Option<&str>, last: Option<&str>| GroupDetails {
            name: " 丝路之旅 ".into(),
            kind: GroupKind::Tour,
            agency: None,
            first_day: first.map(str::to_owned),
            last_day: last.map(str::to_owned),
        };
        let policy = Policy::STANDARD;
        let kept = details(Some("2026-05-01"), Some("2026-05-01")).validated(&policy);
        assert_eq!(kept.unwrap().name, "丝路之旅");
        let back = details(Some("2026-05-02"), Some("2026-05-01")).validated(&policy);
        assert!(
            matches!(back, Err(HomelineError::Invalid { field, .. }) if field == "group.last_day")
        );
        assert!(details(None, Some("2026-05-01")).validated(&policy).is_ok());
    }
}
