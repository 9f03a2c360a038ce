//! A birth: of some only the year or the month is known, and what is unknown is
//! kept as unknown. Text is `YYYY`, `YYYY-MM` or `YYYY-MM-DD` (ISO 8601). Pure.

use super::date::Date;

/// A birth: the days that it may have been on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Birth {
    earliest: Date,
    latest: Date,
}

redacted_debug!(Birth);

impl Birth {
    /// `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let day = |text: &str| Date::parse(text);
        let (earliest, latest) = match text.split('-').count() {
            1 => (
                day(&format!("{text}-01-01"))?,
                day(&format!("{text}-12-31"))?,
            ),
            2 => {
                let first = day(&format!("{text}-01"))?;
                (first, first.plus_months(1).plus_days(-1))
            }
            _ => (day(text)?, day(text)?),
        };
        Some(Self { earliest, latest })
    }

    pub(crate) fn year(self) -> u16 {
        self.earliest.year()
    }

    pub(crate) fn month(self) -> Option<u8> {
        let month = self.earliest.month();
        (month == self.latest.month()).then_some(month)
    }

    pub(crate) fn day(self) -> Option<u8> {
        (self.earliest == self.latest).then(|| self.earliest.day())
    }

    /// The earliest day that it can be.
    pub(crate) fn earliest(self) -> Date {
        self.earliest
    }

    /// The latest day that it can be: of an age that is not known the youngest
    /// counts, where a child is to be protected.
    pub(crate) fn latest(self) -> Date {
        self.latest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_birth_may_be_known_in_part() {
        let rows = [
            ("1974", Some(("1974-01-01", "1974-12-31"))),
            ("1976-02", Some(("1976-02-01", "1976-02-29"))),
            ("1974-08-12", Some(("1974-08-12", "1974-08-12"))),
            ("1974-02-30", None),
            ("1974-13", None),
            ("1974-", None),
            ("74", None),
        ];
        for (text, expected) in rows {
            let known = Birth::parse(text)
                .map(|birth| (birth.earliest().to_string(), birth.latest().to_string()));
            let expected = expected.map(|(from, to)| (from.to_owned(), to.to_owned()));
            assert_eq!(known, expected, "{text}");
        }
    }
}
