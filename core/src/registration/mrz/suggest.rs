//! What a zone that was read badly may have been: characters that look alike are
//! exchanged, and every digit must be right afterwards.

use super::fields;
use super::zone::{At, Zone};
use crate::registration::date::Date;

/// Pairs that cameras and people mistake in the typeface OCR-B: letter, digit.
const ALIKE: [(char, char); 5] = [('O', '0'), ('I', '1'), ('Z', '2'), ('S', '5'), ('B', '8')];

/// Faults that an exchange where letters and digits may stand can mend.
const FREE: [&str; 3] = ["mrz.document_number", "mrz.optional_data", "mrz.composite"];

/// The one zone that is right, if there is just one within one exchange in the
/// number and the optional data. Two exchanges would fit by chance too often: a
/// check digit tells one of ten zones, and the composite one no more, for it weighs
/// the number as the number's own digit does.
pub(super) fn suggestion(text: &str, today: Date) -> Option<String> {
    let zone = plain_places(Zone::of(text).ok()?);
    let faults = fields::read(&zone, today).1;
    if faults.is_empty() {
        return Some(zone.text());
    }
    let free_only = faults
        .iter()
        .all(|fault| FREE.contains(&fault.field.as_str()));
    if !free_only {
        return None;
    }
    let mut right: Vec<String> = free_places(&zone)
        .into_iter()
        .flat_map(|at| exchanged(&zone, at))
        .filter(|zone| fields::read(zone, today).1.is_empty())
        .map(|zone| zone.text())
        .collect();
    match (right.pop(), right.pop()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

/// Where only digits or only letters can stand, the other kind is a mistake.
fn plain_places(zone: Zone) -> Zone {
    let layout = zone.layout();
    let behind = |(line, _, to): At| (line, to, to + 1);
    let mut digits = vec![
        layout.birth,
        layout.expiry,
        behind(layout.number),
        behind(layout.birth),
        behind(layout.expiry),
        layout.composite,
    ];
    if zone.format == super::MrzFormat::Td3 {
        digits.push(behind(layout.optional));
    }
    let letters = [layout.state, layout.nationality, layout.name];
    let zone = digits.into_iter().fold(zone, |zone, at| {
        let text = zone.part(at).chars().map(as_digit).collect::<String>();
        zone.with(at, &text)
    });
    letters.into_iter().fold(zone, |zone, at| {
        let text = zone.part(at).chars().map(as_letter).collect::<String>();
        zone.with(at, &text)
    })
}

fn as_digit(c: char) -> char {
    let pair = ALIKE.iter().find(|(letter, _)| *letter == c);
    pair.map_or(c, |(_, digit)| *digit)
}

fn as_letter(c: char) -> char {
    let pair = ALIKE.iter().find(|(_, digit)| *digit == c);
    pair.map_or(c, |(letter, _)| *letter)
}

/// Places where letters and digits may stand.
fn free_places(zone: &Zone) -> Vec<At> {
    let layout = zone.layout();
    [
        Some(layout.number),
        Some(layout.optional),
        layout.optional_2,
    ]
    .into_iter()
    .flatten()
    .flat_map(|(line, from, to)| (from..to).map(move |at| (line, at, at + 1)))
    .collect()
}

/// The zones with another character in one place.
fn exchanged(zone: &Zone, at: At) -> Vec<Zone> {
    let Some(c) = zone.part(at).chars().next() else {
        return Vec::new();
    };
    ALIKE
        .iter()
        .filter_map(|(letter, digit)| match c {
            c if c == *letter => Some(*digit),
            c if c == *digit => Some(*letter),
            _ => None,
        })
        .map(|other| zone.with(at, &other.to_string()))
        .collect()
}
