//! The fields of a zone: each one read, each digit checked, every fault named.

use super::zone::{At, Zone, check_digit};
use super::{Mrz, MrzDate, MrzFault, MrzFormat, MrzSex, fault};
use crate::error::Problem;
use crate::registration::date::Date;

const CHECK: &str = "the check digit of ICAO Doc 9303-3, section 4.9";

/// The zone, where nothing fails, or all that fails: the composite digit last.
pub(super) fn read(zone: &Zone, today: Date) -> (Option<Mrz>, Vec<MrzFault>) {
    let mut faults = Vec::new();
    let layout = zone.layout();
    let document_code = code(zone, &mut faults);
    let issuing_state = state(zone, layout.state, "issuing_state", &mut faults);
    let name = name(zone, &mut faults);
    let (number, optional_data) = number(zone, &mut faults);
    let nationality = state(zone, layout.nationality, "nationality", &mut faults);
    let birth_date = date(zone, layout.birth, "date_of_birth", &mut faults, |yy| {
        century_of_birth(yy, today)
    });
    let birth_date = not_after(birth_date, today);
    let sex = match zone.part(layout.sex) {
        "F" => MrzSex::Female,
        "M" => MrzSex::Male,
        // The standard has `<`; some states print the X of the page.
        "<" | "X" => MrzSex::Unspecified,
        _ => {
            faults.push(fault("sex", Problem::Malformed, "F, M or <"));
            MrzSex::Unspecified
        }
    };
    let expiry_date = date(zone, layout.expiry, "date_of_expiry", &mut faults, |yy| {
        century_of_expiry(yy, today)
    });
    composite(zone, &mut faults);
    if !faults.is_empty() {
        return (None, faults);
    }
    let mrz = Mrz {
        format: zone.format,
        document_code,
        issuing_state,
        number,
        nationality,
        surname: name.surname,
        given_names: name.given_names,
        name_may_be_cut: name.may_be_cut,
        birth_date,
        sex,
        expiry_date,
        optional_data,
        optional_data_2: layout
            .optional_2
            .map(|at| words(zone.part(at)))
            .unwrap_or_default(),
    };
    (Some(mrz), faults)
}

/// A field without fillers at its ends; those inside are spaces.
fn words(text: &str) -> String {
    text.split('<')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn code(zone: &Zone, faults: &mut Vec<MrzFault>) -> String {
    let code = zone.part((0, 0, 2));
    let first = code.chars().next().unwrap_or('<');
    let second = code.chars().nth(1).unwrap_or('<');
    let letters = second == '<' || second.is_ascii_uppercase();
    // `V` in the second place is never given out, so that no card is a visa.
    let card_visa = zone.format != MrzFormat::Td3 && second == 'V';
    if !zone.layout().codes.contains(first) || !letters || card_visa {
        let expected = match zone.format {
            MrzFormat::Td3 => "P: a passport; V is a visa, which is no travel document",
            MrzFormat::Td1 | MrzFormat::Td2 => "A, C or I: a card",
        };
        faults.push(fault("document_code", Problem::Malformed, expected));
    }
    words(code)
}

fn state(zone: &Zone, at: At, field: &str, faults: &mut Vec<MrzFault>) -> String {
    let text = zone.part(at);
    let code = text.trim_end_matches('<');
    if code.is_empty() || !code.bytes().all(|b| b.is_ascii_uppercase()) {
        let expected = "letters, with fillers < behind them only";
        faults.push(fault(field, Problem::Malformed, expected));
    }
    code.to_owned()
}

/// The document number, and the optional data without the rest of a long one:
/// on cards `<` for the check digit says that the number goes on in the optional
/// data, and ends there with its check digit (Doc 9303-5 and -6, note j).
fn number(zone: &Zone, faults: &mut Vec<MrzFault>) -> (String, String) {
    let layout = zone.layout();
    let (part, digit) = (zone.part(layout.number), zone.digit(layout.number));
    let optional = zone.part(layout.optional);
    let long = zone.format != MrzFormat::Td3 && digit == "<" && !part.contains('<');
    if long {
        let (rest, others) = optional.split_once('<').unwrap_or((optional, ""));
        let mut rest = rest.to_owned();
        let digit = rest.pop().map(String::from).unwrap_or_default();
        let number = format!("{part}{rest}");
        if rest.is_empty() || digit != check_digit(&number) {
            faults.push(fault("document_number", Problem::CheckDigit, CHECK));
        }
        return (number, words(others));
    }
    if part.bytes().all(|b| b == b'<') {
        let expected = "the number of the document";
        faults.push(fault("document_number", Problem::Empty, expected));
    } else if digit != check_digit(part) {
        faults.push(fault("document_number", Problem::CheckDigit, CHECK));
    }
    if zone.format == MrzFormat::Td3 {
        let digit = zone.digit(layout.optional);
        // An empty optional field may have `<` in place of the digit 0.
        let empty = digit == "<" && optional.bytes().all(|b| b == b'<');
        if !empty && digit != check_digit(optional) {
            faults.push(fault("optional_data", Problem::CheckDigit, CHECK));
        }
    }
    (words(part), words(optional))
}

/// Two-digit year to the whole one.
fn date(
    zone: &Zone,
    at: At,
    field: &str,
    faults: &mut Vec<MrzFault>,
    whole_year: impl Fn(u16) -> u16,
) -> MrzDate {
    let text = zone.part(at);
    if zone.digit(at) != check_digit(text) && !(zone.digit(at) == "<" && text == "<<<<<<") {
        faults.push(fault(field, Problem::CheckDigit, CHECK));
    }
    let pair = |from: usize| match text.get(from..from + 2) {
        Some("<<") => Some(None),
        Some(pair) if pair.bytes().all(|b| b.is_ascii_digit()) => pair.parse::<u8>().ok().map(Some),
        _ => None,
    };
    let known = match (pair(0), pair(2), pair(4)) {
        (Some(year), Some(month), Some(day)) => Some(MrzDate {
            year: year.map(|yy| whole_year(u16::from(yy))),
            month,
            day,
        }),
        _ => None,
    };
    match known {
        Some(date) if possible(date) => date,
        Some(_) => {
            faults.push(fault(field, Problem::OutOfRange, "a day of the calendar"));
            UNKNOWN
        }
        None => {
            let expected = "YYMMDD, with << for an unknown part";
            faults.push(fault(field, Problem::Malformed, expected));
            UNKNOWN
        }
    }
}

const UNKNOWN: MrzDate = MrzDate {
    year: None,
    month: None,
    day: None,
};

/// What is unknown counts as the most lenient: a leap year, a long month.
fn possible(date: MrzDate) -> bool {
    Date::new(
        date.year.unwrap_or(2000),
        date.month.unwrap_or(1),
        date.day.unwrap_or(1),
    )
    .is_some()
}

fn century_of_birth(yy: u16, today: Date) -> u16 {
    let year = today.year() - today.year() % 100 + yy;
    if year > today.year() {
        year - 100
    } else {
        year
    }
}

/// A birth later in this very year is one of a hundred years ago.
fn not_after(date: MrzDate, today: Date) -> MrzDate {
    let late = date.year == Some(today.year())
        && date
            .month
            .is_some_and(|month| (month, date.day.unwrap_or(1)) > (today.month(), today.day()));
    MrzDate {
        year: date.year.map(|year| if late { year - 100 } else { year }),
        ..date
    }
}

fn century_of_expiry(yy: u16, today: Date) -> u16 {
    let first = today.year() - 50;
    first + (yy + 100 - first % 100) % 100
}

fn composite(zone: &Zone, faults: &mut Vec<MrzFault>) {
    let layout = zone.layout();
    let all: String = layout
        .composite_of
        .iter()
        .map(|at| zone.part(*at))
        .collect();
    if zone.part(layout.composite) != check_digit(&all) {
        faults.push(fault("composite", Problem::CheckDigit, CHECK));
    }
}

struct Name {
    surname: String,
    given_names: String,
    may_be_cut: bool,
}

fn name(zone: &Zone, faults: &mut Vec<MrzFault>) -> Name {
    let text = zone.part(zone.layout().name);
    let (surname, given) = text.split_once("<<").unwrap_or((text, ""));
    if text.starts_with('<') || text.bytes().any(|b| b.is_ascii_digit()) {
        let expected = "letters: SURNAME<<GIVEN<NAMES";
        faults.push(fault("name", Problem::Malformed, expected));
    }
    Name {
        surname: words(surname),
        given_names: words(given),
        may_be_cut: !text.ends_with('<'),
    }
}
