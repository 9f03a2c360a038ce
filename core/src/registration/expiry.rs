//! How long a document is still good, so that its bearer learns of it in time.
//! Pure: the day and the end of the stay are arguments.

use super::date::Date;
use super::document::TravelDocument;
use crate::config::Policy;
use crate::error::{HomelineError, Problem, Result, guard};

/// How long a document is still good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum ExpiryState {
    /// Long enough.
    Valid,
    /// Less than six months are left at the end of the stay: many states refuse
    /// entry then.
    BelowSixMonths {
        /// Days from the end of the stay to the expiry.
        days: u32,
    },
    /// It expires soon: time to renew it, which takes weeks abroad.
    ExpiresSoon {
        /// Days from today to the expiry.
        days: u32,
    },
    /// It expires before the stay ends.
    ExpiresDuringStay {
        /// Days from today to the expiry.
        days: u32,
    },
    /// It has expired; it is good through its last day.
    Expired {
        /// Days from the expiry to today.
        days: u32,
    },
    /// The document has no expiry date here.
    Unknown,
}

/// How long a document is still good.
///
/// `today` and `needed_until` (the end of the stay; absent: today) are
/// `YYYY-MM-DD`.
///
/// Errors: `Invalid` names `today`, `needed_until` or `document.expiry_date`.
#[uniffi::export(default(needed_until = None))]
pub fn document_expiry(
    document: TravelDocument,
    today: String,
    needed_until: Option<String>,
) -> Result<ExpiryState> {
    guard("document_expiry", || {
        let day = |field: &str, text: &str| {
            let date = Date::parse(text.trim());
            date.ok_or_else(|| HomelineError::invalid(field, Problem::Malformed, "YYYY-MM-DD"))
        };
        let today = day("today", &today)?;
        let until = needed_until
            .map(|text| day("needed_until", &text))
            .transpose()?;
        let Some(expiry) = document.expiry_date else {
            return Ok(ExpiryState::Unknown);
        };
        let expiry = day("document.expiry_date", &expiry)?;
        Ok(expiry_state(expiry, today, until, &Policy::STANDARD))
    })
}

/// The most urgent state that a document is in.
pub(crate) fn expiry_state(
    expiry: Date,
    today: Date,
    needed_until: Option<Date>,
    policy: &Policy,
) -> ExpiryState {
    let days = |from: Date, to: Date| u32::try_from(from.days_to(to)).unwrap_or(0);
    let until = needed_until.unwrap_or(today).max(today);
    let left = days(today, expiry);
    if expiry < today {
        ExpiryState::Expired {
            days: days(expiry, today),
        }
    } else if expiry < until {
        ExpiryState::ExpiresDuringStay { days: left }
    } else if left <= policy.expiry_soon_days {
        ExpiryState::ExpiresSoon { days: left }
    } else if expiry < until.plus_months(policy.expiry_months) {
        ExpiryState::BelowSixMonths {
            days: days(until, expiry),
        }
    } else {
        ExpiryState::Valid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_urgent_state_is_told() {
        use ExpiryState as S;
        let rows = [
            ("2026-11-24", None, S::Expired { days: 1 }),
            ("2026-11-25", None, S::ExpiresSoon { days: 0 }),
            (
                "2026-12-20",
                Some("2026-12-20"),
                S::ExpiresSoon { days: 25 },
            ),
            (
                "2026-12-20",
                Some("2026-12-21"),
                S::ExpiresDuringStay { days: 25 },
            ),
            ("2027-02-23", None, S::ExpiresSoon { days: 90 }),
            ("2027-02-24", None, S::BelowSixMonths { days: 91 }),
            ("2027-05-24", None, S::BelowSixMonths { days: 180 }),
            ("2027-05-25", None, S::Valid),
            (
                "2027-05-25",
                Some("2027-01-01"),
                S::BelowSixMonths { days: 144 },
            ),
            ("2027-07-01", Some("2027-01-01"), S::Valid),
            // A stay that has ended is no reason to be lenient.
            (
                "2027-05-24",
                Some("2020-01-01"),
                S::BelowSixMonths { days: 180 },
            ),
            ("2010-01-01", Some("2030-01-01"), S::Expired { days: 6_172 }),
        ];
        let document = |expiry: &str| TravelDocument {
            expiry_date: Some(expiry.into()),
            ..TravelDocument::default()
        };
        for (expiry, until, expected) in rows {
            let state = document_expiry(
                document(expiry),
                "2026-11-25".into(),
                until.map(str::to_owned),
            );
            assert_eq!(state, Ok(expected), "{expiry} {until:?}");
        }
        let none = document_expiry(TravelDocument::default(), "2026-11-25".into(), None);
        assert_eq!(none, Ok(S::Unknown));
        let bad = document_expiry(document("2026-11-31"), "2026-11-25".into(), None);
        assert!(matches!(bad, Err(HomelineError::Invalid { field, .. })
            if field == "document.expiry_date"));
    }
}
