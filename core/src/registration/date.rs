//! Days of the Gregorian calendar: of a birth, an expiry, an agreement.
//!
//! Text is `YYYY-MM-DD` (ISO 8601). Of a birth often only the year or the month
//! is known: [`Birth`] keeps what is unknown as unknown. Pure.

use std::fmt;

/// What the library was released on: a phone's clock that stands before it is
/// wrong, and this day counts in its place.
const RELEASED: Date = Date {
    year: 2026,
    month: 1,
    day: 1,
};

/// A day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Date {
    year: u16,
    month: u8,
    day: u8,
}

/// A birth as far as it is known: a month without a year is not.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Birth {
    year: u16,
    month: Option<u8>,
    day: Option<u8>,
}

redacted_debug!(Birth);

impl Date {
    /// `None` where there is no such day; years from 1 to 9999.
    pub(crate) fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        ((1..=9999).contains(&year) && (1..=days_in(year, month)).contains(&day)).then_some(Self {
            year,
            month,
            day,
        })
    }

    /// `YYYY-MM-DD`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let birth = Birth::parse(text)?;
        Self::new(birth.year, birth.month?, birth.day?)
    }

    /// The day of a wall time, in UTC; not before the release of the library.
    pub(crate) fn today(wall_ms: i64) -> Self {
        Self::from_days(wall_ms.div_euclid(86_400_000)).map_or(RELEASED, |date| date.max(RELEASED))
    }

    /// Whether `date` has come on this day, or comes tomorrow: east of UTC it is
    /// tomorrow already. A clock that stands before the release of the library
    /// tells nothing: then every date may have come.
    pub(crate) fn may_have_seen(self, date: Self) -> bool {
        self == RELEASED || self.days_to(date) <= 1
    }

    pub(crate) fn year(self) -> u16 {
        self.year
    }

    pub(crate) fn month(self) -> u8 {
        self.month
    }

    pub(crate) fn day(self) -> u8 {
        self.day
    }

    /// Days from this day to `other`; negative where `other` is earlier.
    pub(crate) fn days_to(self, other: Self) -> i64 {
        other.days() - self.days()
    }

    /// The same day so many months later; the last day of a shorter month.
    pub(crate) fn plus_months(self, months: u16) -> Self {
        let all = u32::from(self.year) * 12 + u32::from(self.month) - 1 + u32::from(months);
        let year = u16::try_from(all / 12).unwrap_or(9999).min(9999);
        let month = u8::try_from(all % 12 + 1).unwrap_or(12);
        Self {
            year,
            month,
            day: self.day.min(days_in(year, month)),
        }
    }

    /// Whole years from this day to `other`; 0 where `other` is earlier.
    pub(crate) fn years_to(self, other: Self) -> u16 {
        let years = other.year.saturating_sub(self.year);
        let reached = (other.month, other.day) >= (self.month, self.day);
        if reached {
            years
        } else {
            years.saturating_sub(1)
        }
    }

    /// Days from 1970-01-01 (the algorithm `days_from_civil` of H. Hinnant).
    fn days(self) -> i64 {
        let year = i64::from(self.year) - i64::from(self.month <= 2);
        let era = year.div_euclid(400);
        let of_era = year.rem_euclid(400);
        let month = (i64::from(self.month) + 9) % 12;
        let of_year = (153 * month + 2) / 5 + i64::from(self.day) - 1;
        era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
    }

    /// The other way round (`civil_from_days`).
    fn from_days(days: i64) -> Option<Self> {
        let days = days.checked_add(719_468)?;
        let era = days.div_euclid(146_097);
        let of_era = days.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = (month_from_march + 2) % 12 + 1;
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self::new(
            u16::try_from(year).ok()?,
            u8::try_from(month).ok()?,
            u8::try_from(day).ok()?,
        )
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl Birth {
    /// `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let year = number(parts.next()?, 4)?;
        let month = parts.next().map(|text| number(text, 2));
        let day = parts.next().map(|text| number(text, 2));
        if parts.next().is_some() || month == Some(None) || day == Some(None) {
            return None;
        }
        let small = |number: Option<Option<u16>>| number.flatten().map(u8::try_from).transpose();
        let (month, day) = (small(month).ok()?, small(day).ok()?);
        Date::new(year, month.unwrap_or(1), day.unwrap_or(1))?;
        Some(Self { year, month, day })
    }

    pub(crate) fn year(self) -> u16 {
        self.year
    }

    pub(crate) fn month(self) -> Option<u8> {
        self.month
    }

    pub(crate) fn day(self) -> Option<u8> {
        self.day
    }

    /// The earliest day that it can be.
    pub(crate) fn earliest(self) -> Date {
        Date {
            year: self.year,
            month: self.month.unwrap_or(1),
            day: self.day.unwrap_or(1),
        }
    }

    /// The latest day that it can be: of an age that is not known the youngest
    /// counts, where a child is to be protected.
    pub(crate) fn latest(self) -> Date {
        let month = self.month.unwrap_or(12);
        Date {
            year: self.year,
            month,
            day: self.day.unwrap_or_else(|| days_in(self.year, month)),
        }
    }
}

fn number(text: &str, digits: usize) -> Option<u16> {
    let right = text.len() == digits && text.bytes().all(|b| b.is_ascii_digit());
    right.then(|| text.parse().ok())?
}

/// Days in a month; 0 where there is no such month.
fn days_in(year: u16, month: u8) -> u8 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        Date::parse(text).unwrap()
    }

    #[test]
    fn days_are_read_and_impossible_ones_refused() {
        for text in ["2024-02-29", "0001-01-01", "9999-12-31", "2000-02-29"] {
            assert_eq!(date(text).to_string(), text);
        }
        for text in [
            "2023-02-29",
            "1900-02-29",
            "2024-13-01",
            "2024-00-10",
            "2024-04-31",
            "0000-01-01",
            "24-01-01",
            "2024-1-1",
            "2024-01",
            "2024",
            "2024-01-01-01",
            "2024/01/01",
            "",
            "-",
            "２０２４-01-01",
            "+024-01-01",
        ] {
            assert_eq!(Date::parse(text), None, "{text}");
        }
    }

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

    #[test]
    fn days_count_over_leap_years_and_back() {
        assert_eq!(date("1970-01-01").days(), 0);
        assert_eq!(date("2000-03-01").days(), 11_017);
        assert_eq!(date("2026-11-25").days(), 20_782);
        assert_eq!(date("2024-02-28").days_to(date("2024-03-01")), 2);
        for days in (-700_000..2_900_000).step_by(997) {
            assert_eq!(Date::from_days(days).unwrap().days(), days);
        }
    }

    #[test]
    fn a_clock_before_the_release_is_wrong() {
        assert_eq!(Date::today(0), RELEASED);
        assert_eq!(Date::today(i64::MIN), RELEASED);
        assert_eq!(Date::today(i64::MAX), RELEASED);
        assert_eq!(Date::today(1_795_564_800_000), date("2026-11-25"));
    }

    #[test]
    fn tomorrow_may_have_come_and_a_wrong_clock_tells_nothing() {
        let today = date("2026-11-25");
        assert!(today.may_have_seen(today) && today.may_have_seen(date("2026-11-26")));
        assert!(!today.may_have_seen(date("2026-11-27")));
        assert!(Date::today(0).may_have_seen(date("2026-11-27")));
    }

    #[test]
    fn months_end_with_the_month_and_years_with_the_birthday() {
        assert_eq!(date("2026-08-31").plus_months(6), date("2027-02-28"));
        assert_eq!(date("2026-01-15").plus_months(6), date("2026-07-15"));
        assert_eq!(date("9999-12-31").plus_months(6).year(), 9999);
        let born = date("2012-11-26");
        assert_eq!(born.years_to(date("2026-11-25")), 13);
        assert_eq!(born.years_to(date("2026-11-26")), 14);
        assert_eq!(born.years_to(date("2000-01-01")), 0);
        assert_eq!(date("2012-02-29").years_to(date("2026-02-28")), 13);
    }
}
