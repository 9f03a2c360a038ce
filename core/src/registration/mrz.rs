//! The machine-readable zone of passports: ICAO Doc 9303-4 (TD3), check digits
//! by Doc 9303-3, section 4.9 (weights 7, 3, 1, modulo 10).

use crate::error::{HomelineError, Problem, Result};

const FIELD: &str = "traveler.document.mrz";

/// Checks form and check digits of a TD3 zone, and that it is of document `number`.
pub(crate) fn check_td3(mrz: &str, number: &str) -> Result<()> {
    let malformed = || {
        HomelineError::invalid(
            FIELD,
            Problem::Malformed,
            "two lines of 44 characters A-Z, 0-9 and <",
        )
    };
    let mut lines = mrz.split_ascii_whitespace();
    let (Some(first), Some(second), None) = (lines.next(), lines.next(), lines.next()) else {
        return Err(malformed());
    };
    for line in [first, second] {
        let right = line
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'<');
        if line.len() != 44 || !right {
            return Err(malformed());
        }
    }
    if !first.starts_with('P') {
        return Err(malformed());
    }
    let part = |from: usize, to: usize| second.get(from..to).unwrap_or_default();
    // (name of the part, its bytes, position of its check digit)
    let parts = [
        ("document_number", part(0, 9).to_owned(), 9),
        ("date_of_birth", part(13, 19).to_owned(), 19),
        ("date_of_expiry", part(21, 27).to_owned(), 27),
        ("optional_data", part(28, 42).to_owned(), 42),
        (
            "composite",
            [part(0, 10), part(13, 20), part(21, 43)].concat(),
            43,
        ),
    ];
    for (name, bytes, digit) in parts {
        let stated = part(digit, digit + 1);
        // An empty optional field may have `<` in place of the digit 0.
        let filler = name == "optional_data" && stated == "<" && bytes.bytes().all(|b| b == b'<');
        if !filler && stated != check_digit(&bytes).to_string() {
            return Err(HomelineError::invalid(
                &format!("{FIELD}.{name}"),
                Problem::CheckDigit,
                "the check digit of ICAO 9303",
            ));
        }
    }
    for (name, from) in [("date_of_birth", 13), ("date_of_expiry", 21)] {
        let date = part(from, from + 6);
        // `<<` stands for an unknown month or day of birth.
        if !date.bytes().all(|b| b.is_ascii_digit() || b == b'<') {
            return Err(HomelineError::invalid(
                &format!("{FIELD}.{name}"),
                Problem::Malformed,
                "YYMMDD",
            ));
        }
    }
    let in_zone = part(0, 9).trim_end_matches('<');
    if in_zone.eq_ignore_ascii_case(number) {
        Ok(())
    } else {
        Err(HomelineError::invalid(
            "traveler.document.number",
            Problem::Malformed,
            "the number that the machine-readable zone holds",
        ))
    }
}

fn check_digit(bytes: &str) -> u32 {
    bytes
        .bytes()
        .zip([7u32, 3, 1].into_iter().cycle())
        .map(|(byte, weight)| {
            let value = match byte {
                b'0'..=b'9' => u32::from(byte - b'0'),
                b'A'..=b'Z' => u32::from(byte - b'A') + 10,
                _ => 0,
            };
            value * weight
        })
        .sum::<u32>()
        % 10
}

#[cfg(test)]
mod tests {
    use super::*;

    // The specimen of ICAO Doc 9303-4.
    const FIRST: &str = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<";
    const SECOND: &str = "L898902C36UTO7408122F1204159ZE184226B<<<<<10";

    fn field_of(result: Result<()>) -> Option<String> {
        match result {
            Err(HomelineError::Invalid { field, .. }) => Some(field),
            _ => None,
        }
    }

    #[test]
    fn the_specimen_passes_and_each_changed_part_is_named() {
        assert_eq!(
            check_td3(&format!("{FIRST}\n{SECOND}"), "L898902C3"),
            Ok(())
        );
        let changed = [
            (0, "document_number"),
            (13, "date_of_birth"),
            (21, "date_of_expiry"),
            (28, "optional_data"),
            (43, "composite"),
        ];
        for (at, name) in changed {
            let mut line = SECOND.to_owned();
            // Of another value modulo 10 than each character that it replaces.
            line.replace_range(at..=at, "4");
            let field = field_of(check_td3(&format!("{FIRST} {line}"), "L898902C3"));
            assert_eq!(field.as_deref(), Some(format!("{FIELD}.{name}").as_str()));
        }
    }

    #[test]
    fn the_published_cases_are_judged_as_published() {
        let Some(file) = crate::testing::shared("mrz/mrz_td3_cases.json") else {
            return;
        };
        for case in file["td3"].as_array().unwrap() {
            let line = |name: &str| case[name].as_str().unwrap().to_owned();
            let (first, second) = (line("line1"), line("line2"));
            let number: String = second.chars().take(9).filter(|c| *c != '<').collect();
            let verdict = &case["recomputed"];
            let valid = ["doc", "birth", "exp", "opt", "composite"]
                .iter()
                .all(|part| verdict[*part].as_bool() == Some(true))
                && verdict["len"] == serde_json::json!([44, 44]);
            let judged = check_td3(&format!("{first}\n{second}"), &number);
            assert_eq!(judged.is_ok(), valid, "{}", case["note"]);
        }
    }

    #[test]
    fn a_zone_of_another_document_is_refused() {
        let field = field_of(check_td3(&format!("{FIRST}\n{SECOND}"), "X12345678"));
        assert_eq!(field.as_deref(), Some("traveler.document.number"));
    }

    #[test]
    fn hostile_zones_are_malformed() {
        for zone in [
            "",
            "P<",
            "\0\0",
            &"é".repeat(44),
            &format!("{FIRST}\n{FIRST}\n{FIRST}"),
        ] {
            assert!(check_td3(zone, "1").is_err());
        }
    }
}
