//! Whether a person is a child in the sense of consent: by date of birth, on the
//! day of the consent. Pure.

use serde_json::Value;

const DAY_MS: i64 = 24 * 3_600_000;

/// Whether somebody born on `birth` is under `age` years old at `at_ms`
/// (milliseconds UTC). A day is a day in UTC; a date that is no date is nobody's.
pub(super) fn under(age: i64, birth: &Value, at_ms: i64) -> bool {
    let Some((year, month, day)) = date(birth) else {
        return false;
    };
    days(year.saturating_add(age), month, day) > at_ms.div_euclid(DAY_MS)
}

/// A date as JSON may hold it: `"2015-04-30"`, or an object of year, month, day.
fn date(value: &Value) -> Option<(i64, i64, i64)> {
    let (year, month, day) = match value {
        Value::String(text) => {
            let mut parts = text.trim().split('-').map(|part| part.parse::<i64>().ok());
            (parts.next()??, parts.next()??, parts.next()??)
        }
        Value::Object(parts) => {
            let part = |name: &str| parts.get(name).and_then(Value::as_i64);
            (part("year")?, part("month")?, part("day")?)
        }
        _ => return None,
    };
    let real = (1..=9_999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    real.then_some((year, month, day))
}

/// Days from 1970-01-01 to a date of the Gregorian calendar (`days_from_civil`
/// of H. Hinnant, "chrono-compatible low-level date algorithms"). The 29th of
/// February of a common year is the 1st of March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// A time as a date, for a reader: `2026-11-25`.
pub(crate) fn date_of(at_ms: i64) -> String {
    // `civil_from_days`, the inverse of the above.
    let shifted = at_ms.div_euclid(DAY_MS) + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_birthday_itself_is_the_first_day_of_age() {
        let day = |text: &str| {
            let (year, month, day) = date(&json!(text)).unwrap();
            days(year, month, day) * DAY_MS
        };
        let cases = [
            (json!("2012-11-25"), "2026-11-25", false),
            (json!("2012-11-26"), "2026-11-25", true),
            (
                json!({"year": 2012, "month": 11, "day": 26}),
                "2026-11-25",
                true,
            ),
            // Born on a 29th of February: of age on the 1st of March.
            (json!("2012-02-29"), "2026-02-28", true),
            (json!("2012-02-29"), "2026-03-01", false),
            (json!("1960-01-01"), "2026-11-25", false),
            (json!("soon"), "2026-11-25", false),
            (json!("2012-13-01"), "2026-11-25", false),
            (json!(null), "2026-11-25", false),
        ];
        for (birth, today, child) in cases {
            assert_eq!(under(14, &birth, day(today)), child, "{birth} {today}");
        }
    }

    #[test]
    fn dates_are_what_the_calendar_says() {
        assert_eq!(date_of(0), "1970-01-01");
        assert_eq!(date_of(1_709_164_800_000), "2024-02-29");
        assert_eq!(date_of(-1), "1969-12-31");
        for n in (-800_000..800_000).step_by(997) {
            let text = date_of(n * DAY_MS);
            if let Some((year, month, day)) = date(&json!(text)) {
                assert_eq!(days(year, month, day), n, "{text}");
            }
        }
    }
}
