//! A trip and its stays: the types, and the checks of their form.

use serde::{Deserialize, Serialize};

use crate::config::Policy;
use crate::error::{HomelineError, Problem, Result};
use crate::registration::countries::country;
use crate::registration::date::Date;
use crate::validate;

const DATE: &str = "a date, YYYY-MM-DD";

/// A journey abroad. Where it leads is what its stays say.
///
/// Each key of its JSON form is a field of the registration, see
/// [`crate::registration::fields`].
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Trip {
    /// What for, in the traveler's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[uniffi(default = None)]
    pub title: Option<String>,
    /// The day of departure, `YYYY-MM-DD` at home.
    pub departs: String,
    /// The declared day of return, `YYYY-MM-DD` at home; absent where it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[uniffi(default = None)]
    pub returns: Option<String>,
    /// Where the traveler stays, in order of arrival. Stays may overlap: a room
    /// that is kept during an excursion is one. Gaps are journeys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[uniffi(default = [])]
    pub stays: Vec<Stay>,
}

/// A stay at one place.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Stay {
    /// Country: two letters (ISO 3166-1 alpha-2).
    pub country: String,
    /// City or place.
    pub place: String,
    /// First day, `YYYY-MM-DD`, local to the place.
    pub from: String,
    /// Last day, `YYYY-MM-DD`, local to the place.
    pub to: String,
    /// Hotel, address or host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[uniffi(default = None)]
    pub lodging: Option<String>,
    /// Who is there with the traveler.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[uniffi(default = [])]
    pub companions: Vec<String>,
}

redacted_debug!(Trip, Stay);

impl Trip {
    /// The trip with its texts trimmed, its codes in capitals, and its stays in
    /// order of arrival.
    pub(crate) fn validated(self, policy: &Policy) -> Result<Self> {
        let departs = date("trip.departs", &self.departs)?;
        let returns = self
            .returns
            .as_deref()
            .map(|text| date("trip.returns", text))
            .transpose()?;
        if returns.is_some_and(|returns| returns < departs) {
            return Err(out_of_range(
                "trip.returns",
                "a day not before trip.departs",
            ));
        }
        if self.stays.len() > policy.stays {
            return Err(HomelineError::invalid(
                "trip.stays",
                Problem::TooLong,
                &format!("at most {} stays", policy.stays),
            ));
        }
        let mut stays = self
            .stays
            .into_iter()
            .enumerate()
            .map(|(at, stay)| {
                stay.validated(&format!("trip.stays[{at}]"), departs, returns, policy)
            })
            .collect::<Result<Vec<_>>>()?;
        // Dates of this form sort as their days do; a tie keeps its order.
        stays.sort_by(|one, other| one.from.cmp(&other.from));
        Ok(Self {
            title: self
                .title
                .map(|title| validate::line("trip.title", &title, policy))
                .transpose()?,
            departs: departs.to_string(),
            returns: returns.map(|returns| returns.to_string()),
            stays,
        })
    }

    /// The day of departure; `None` where another version wrote another form.
    pub(crate) fn departs(&self) -> Option<Date> {
        Date::parse(&self.departs)
    }

    /// The declared day of return.
    pub(crate) fn returns(&self) -> Option<Date> {
        Date::parse(self.returns.as_deref()?)
    }

    /// The last day that is known of: the return, or else the end of the last
    /// stay.
    pub(crate) fn ends(&self) -> Option<Date> {
        let last = || self.stays.iter().filter_map(|stay| Date::parse(&stay.to));
        self.returns().or_else(|| last().max())
    }
}

impl Stay {
    /// `field` is the stay's place in its trip. A stay may begin a day before
    /// the departure and end a day after the return: their dates are those of
    /// two places, with the date line between them.
    fn validated(
        self,
        field: &str,
        departs: Date,
        returns: Option<Date>,
        policy: &Policy,
    ) -> Result<Self> {
        let name = |part: &str| format!("{field}.{part}");
        let from = date(&name("from"), &self.from)?;
        let to = date(&name("to"), &self.to)?;
        if to < from {
            return Err(out_of_range(
                &name("to"),
                "a day not before the stay's from",
            ));
        }
        if from < departs.plus_days(-1) {
            return Err(out_of_range(&name("from"), "a day not before trip.departs"));
        }
        if returns.is_some_and(|returns| to > returns.plus_days(1)) {
            return Err(out_of_range(&name("to"), "a day not after trip.returns"));
        }
        if self.companions.len() > policy.companions {
            return Err(HomelineError::invalid(
                &name("companions"),
                Problem::TooLong,
                &format!("at most {} names", policy.companions),
            ));
        }
        let stay = Self {
            country: country(&name("country"), &self.country)?,
            place: validate::line(&name("place"), &self.place, policy)?,
            from: from.to_string(),
            to: to.to_string(),
            lodging: self
                .lodging
                .map(|lodging| validate::line(&name("lodging"), &lodging, policy))
                .transpose()?,
            companions: self
                .companions
                .iter()
                .map(|companion| validate::line(&name("companions"), companion, policy))
                .collect::<Result<_>>()?,
        };
        if stay.chars() > policy.stay_chars {
            return Err(HomelineError::invalid(
                field,
                Problem::TooLong,
                &format!("at most {} characters in all", policy.stay_chars),
            ));
        }
        Ok(stay)
    }

    fn chars(&self) -> usize {
        [&self.place]
            .into_iter()
            .chain(&self.lodging)
            .chain(&self.companions)
            .map(|text| text.chars().count())
            .sum()
    }

    /// The first and the last day.
    pub(crate) fn days(&self) -> Option<(Date, Date)> {
        Some((Date::parse(&self.from)?, Date::parse(&self.to)?))
    }
}

fn date(field: &str, text: &str) -> Result<Date> {
    let text = text.trim();
    Date::parse(text).ok_or_else(|| {
        let problem = if text.is_empty() {
            Problem::Empty
        } else {
            Problem::Malformed
        };
        HomelineError::invalid(field, problem, DATE)
    })
}

fn out_of_range(field: &str, expected: &str) -> HomelineError {
    HomelineError::invalid(field, Problem::OutOfRange, expected)
}
