//! Calendar dates, and which of them it is somewhere on earth at one moment.
//!
//! Hosts pass dates as `YYYY-MM-DD`, local to the place that they speak of. The
//! core knows only UTC, and a phone's time zone says little of where a stay is.
//! At each moment the world has two or three dates at once, from UTC-12 to
//! UTC+14: [`Today`] holds them, and what is asked of it is answered "for sure"
//! or "perhaps". That is right in every time zone, and never by chance.
//! [`Date::today`] is for checks of form: is this birth in the past?

/// The day of the first release, 2026-01-01: a phone's clock that stands before it
/// is wrong, and this day counts in its place.
const RELEASED: Date = Date { days: 20_454 };
const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;
/// The last place on earth where a date begins is at UTC-12...
const LATEST_MS: i64 = 12 * HOUR_MS;
/// ...and the first at UTC+14.
const EARLIEST_MS: i64 = 14 * HOUR_MS;

/// A day of the proleptic Gregorian calendar, in the years 1 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Date {
    /// Days since 1970-01-01.
    days: i64,
}

impl Date {
    /// From `YYYY-MM-DD` (ISO 8601); `None` for any other form, and for a day
    /// that the calendar does not have.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let year = digits(parts.next()?, 4)?;
        let month = digits(parts.next()?, 2)?;
        let day = digits(parts.next()?, 2)?;
        if parts.next().is_some() {
            return None;
        }
        Self::of(year, month, day)
    }

    /// `None` where there is no such day.
    pub(crate) fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        Self::of(year.into(), month.into(), day.into())
    }

    /// The day of a wall time, in UTC; not before the release of the library.
    pub(crate) fn today(wall_ms: i64) -> Self {
        Self::at(wall_ms).max(RELEASED)
    }

    /// Whether `date` has come on this day, or comes tomorrow: east of UTC it is
    /// tomorrow already. A clock that stands before the release of the library
    /// tells nothing: then every date may have come.
    pub(crate) fn may_have_seen(self, date: Self) -> bool {
        self == RELEASED || date.days - self.days <= 1
    }

    pub(crate) fn year(self) -> u16 {
        u16::try_from(civil_from_days(self.days).0).unwrap_or(u16::MAX)
    }

    pub(crate) fn month(self) -> u8 {
        u8::try_from(civil_from_days(self.days).1).unwrap_or(u8::MAX)
    }

    pub(crate) fn day(self) -> u8 {
        u8::try_from(civil_from_days(self.days).2).unwrap_or(u8::MAX)
    }

    /// Whole years from this day to `other`; 0 where `other` is earlier.
    pub(crate) fn years_to(self, other: Self) -> u16 {
        let years = other.year().saturating_sub(self.year());
        let reached = (other.month(), other.day()) >= (self.month(), self.day());
        years.saturating_sub(u16::from(!reached))
    }

    fn of(year: i64, month: i64, day: i64) -> Option<Self> {
        let there = (1..=9_999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=days_in(year, month)).contains(&day);
        there.then(|| Self {
            days: days_from_civil(year, month, day),
        })
    }

    /// The date in UTC at a moment; moments outside of the years 1 to 9999 are
    /// taken for the nearest one inside.
    pub(crate) fn at(utc_ms: i64) -> Self {
        Self::from_days(utc_ms.div_euclid(DAY_MS))
    }

    fn from_days(days: i64) -> Self {
        let first = days_from_civil(1, 1, 1);
        let last = days_from_civil(9_999, 12, 31);
        Self {
            days: days.clamp(first, last),
        }
    }

    /// The date so many days later, or earlier.
    pub(crate) fn plus_days(self, days: i64) -> Self {
        Self::from_days(self.days.saturating_add(days))
    }

    /// The same day so many months later; the last of the month where it has no
    /// such day.
    pub(crate) fn plus_months(self, months: i64) -> Self {
        let (year, month, day) = civil_from_days(self.days);
        let months = (year * 12 + month - 1).saturating_add(months);
        let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
        if !(1..=9_999).contains(&year) {
            return Self::from_days(if year < 1 { i64::MIN } else { i64::MAX });
        }
        let day = day.min(days_in(year, month));
        Self {
            days: days_from_civil(year, month, day),
        }
    }

    /// The first moment of the date anywhere on earth, milliseconds UTC.
    pub(crate) fn begins_ms(self) -> i64 {
        self.days * DAY_MS - EARLIEST_MS
    }

    /// The first moment at which the date is over everywhere, milliseconds UTC.
    pub(crate) fn over_ms(self) -> i64 {
        (self.days + 1) * DAY_MS + LATEST_MS
    }
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (year, month, day) = civil_from_days(self.days);
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// The dates that it is at one moment, somewhere on earth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Today {
    /// The date where the day is youngest, at UTC-12.
    pub(crate) first: Date,
    /// The date where it is oldest, at UTC+14.
    pub(crate) last: Date,
}

impl Today {
    pub(crate) fn at(utc_ms: i64) -> Self {
        Self {
            first: Date::at(utc_ms.saturating_sub(LATEST_MS)),
            last: Date::at(utc_ms.saturating_add(EARLIEST_MS)),
        }
    }

    /// How many dates there are: two or three.
    pub(crate) fn count(self) -> i64 {
        self.last.days - self.first.days + 1
    }

    /// How many of them are within `from` and `to`, both included.
    pub(crate) fn within(self, from: Date, to: Date) -> i64 {
        let (first, last) = (self.first.max(from), self.last.min(to));
        (last.days - first.days + 1).max(0)
    }
}

fn digits(text: &str, length: usize) -> Option<i64> {
    let right = text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
    right.then(|| text.parse().ok()).flatten()
}

fn days_in(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01. The year is counted from March, so that the leap day
/// is its last (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`days_from_civil`]: year, month, day.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = (shifted + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn date(text: &str) -> Date {
        Date::parse(text).unwrap()
    }

    #[test]
    fn only_days_that_the_calendar_has_are_read() {
        for (text, days) in [
            ("1970-01-01", Some(0)),
            ("1969-12-31", Some(-1)),
            ("2000-02-29", Some(11_016)),
            ("2024-02-29", Some(19_782)),
            ("0001-01-01", Some(-719_162)),
            ("9999-12-31", Some(2_932_896)),
            ("2026-02-30", None),
            ("2026-02-29", None),
            ("1900-02-29", None),
            ("2026-13-01", None),
            ("2026-00-01", None),
            ("2026-01-00", None),
            ("2026-01-32", None),
            ("0000-01-01", None),
            ("2026-1-01", None),
            ("2026-01-1", None),
            ("26-01-01", None),
            ("2026/01/01", None),
            ("2026-01-01T00:00", None),
            ("2026-01-01-", None),
            ("+026-01-01", None),
            (" 2026-01-01", None),
            ("２０２６-01-01", None),
            ("", None),
            ("--", None),
        ] {
            assert_eq!(Date::parse(text).map(|date| date.days), days, "{text:?}");
        }
    }

    #[test]
    fn a_clock_before_the_release_is_wrong_and_tells_nothing() {
        assert_eq!(RELEASED, date("2026-01-01"));
        assert_eq!(Date::today(0), RELEASED);
        assert_eq!(Date::today(i64::MIN), RELEASED);
        let today = Date::today(1_795_564_800_000);
        assert_eq!(today, date("2026-11-25"));
        assert!(today.may_have_seen(date("2026-11-26")));
        assert!(!today.may_have_seen(date("2026-11-27")));
        assert!(Date::today(0).may_have_seen(date("2026-11-27")));
    }

    #[test]
    fn years_end_with_the_birthday() {
        let born = date("2012-11-26");
        assert_eq!(born.years_to(date("2026-11-25")), 13);
        assert_eq!(born.years_to(date("2026-11-26")), 14);
        assert_eq!(born.years_to(date("2000-01-01")), 0);
        assert_eq!(date("2012-02-29").years_to(date("2026-02-28")), 13);
    }

    #[test]
    fn months_end_where_they_end() {
        for (from, months, to) in [
            ("2026-08-31", 6, "2027-02-28"),
            ("2023-08-31", 6, "2024-02-29"),
            ("2026-01-15", 12, "2027-01-15"),
            ("2026-03-31", -1, "2026-02-28"),
            ("2026-01-31", -13, "2024-12-31"),
            ("9999-12-01", 1, "9999-12-31"),
        ] {
            assert_eq!(date(from).plus_months(months).to_string(), to, "{from}");
        }
    }

    #[test]
    fn a_date_holds_from_the_first_place_to_the_last() {
        // 10:30 UTC: three dates at once; 00:30: two.
        let noon = date("2026-06-10").days * DAY_MS + 10 * HOUR_MS + HOUR_MS / 2;
        let today = Today::at(noon);
        assert_eq!(today.first, date("2026-06-09"));
        assert_eq!((today.last, today.count()), (date("2026-06-11"), 3));
        let night = date("2026-06-10").days * DAY_MS + HOUR_MS / 2;
        assert_eq!(Today::at(night).count(), 2);
        let day = date("2026-06-10");
        assert_eq!(Today::at(day.begins_ms()).last, day);
        assert!(Today::at(day.begins_ms() - 1).last < day);
        assert_eq!(Today::at(day.over_ms() - 1).first, day);
        assert!(Today::at(day.over_ms()).first > day);
    }

    proptest! {
        #[test]
        fn every_day_is_written_as_it_is_read(days in -719_162_i64..=2_932_896) {
            let date = Date { days };
            prop_assert_eq!(Date::parse(&date.to_string()), Some(date));
            let next = date.plus_days(1);
            prop_assert!(next > date || days == 2_932_896);
            prop_assert!(next.to_string() >= date.to_string());
        }

        #[test]
        fn no_text_and_no_moment_is_too_much(text in ".{0,12}", ms in any::<i64>(), months in any::<i64>()) {
            if let Some(date) = Date::parse(&text) {
                prop_assert_eq!(date.to_string(), text);
            }
            let today = Today::at(ms);
            prop_assert!((1..=3).contains(&today.count()));
            let moved = today.first.plus_months(months).plus_days(months);
            prop_assert!(Date::parse(&moved.to_string()).is_some());
        }

        #[test]
        fn every_zone_has_one_of_todays_dates(ms in -10_i64.pow(14)..10_i64.pow(14), quarters in -48_i64..=56) {
            let local = Date::at(ms + quarters * 15 * 60_000);
            let today = Today::at(ms);
            prop_assert!(today.first <= local && local <= today.last);
        }
    }
}
