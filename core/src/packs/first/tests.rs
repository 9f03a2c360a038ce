//! The contents of the first pack, against what everybody knows and against their limits.

use super::*;
use crate::missions::{NumbersBook, PROTECTION};
use crate::registration::Date;
use crate::registration::country;

/// Bytes of the whole: it is in every host app.
const LIMIT: usize = 60_000;

fn dialled(book: &NumbersBook, country: &str) -> Vec<String> {
    let item = book.of(country).unwrap();
    item.numbers
        .iter()
        .map(|it| format!("{} {}", String::from(it.service.clone()), it.number))
        .collect()
}

#[test]
fn well_known_numbers_are_right() {
    let book = NumbersBook::new(numbers());
    let rows: [(&str, &[&str]); 22] = [
        ("AU", &["general 000", "general 112"]),
        (
            "BR",
            &["general 911", "police 190", "ambulance 192", "fire 193"],
        ),
        (
            "CH",
            &["general 112", "police 117", "ambulance 144", "fire 118"],
        ),
        ("CN", &["police 110", "ambulance 120", "fire 119"]),
        ("DE", &["general 112", "police 110"]),
        ("EG", &["police 122", "ambulance 123", "fire 180"]),
        (
            "FR",
            &["general 112", "police 17", "ambulance 15", "fire 18"],
        ),
        ("GB", &["general 999", "general 112"]),
        ("GE", &["general 112"]),
        ("HK", &["general 999", "general 112"]),
        ("IN", &["general 112", "ambulance 108"]),
        ("JP", &["police 110", "ambulance 119", "fire 119"]),
        ("KR", &["police 112", "ambulance 119", "fire 119"]),
        ("MO", &["general 999"]),
        ("NZ", &["general 111"]),
        (
            "RU",
            &["general 112", "police 102", "ambulance 103", "fire 101"],
        ),
        ("SG", &["police 999", "ambulance 995", "fire 995"]),
        ("TH", &["police 191", "ambulance 1669", "fire 199"]),
        (
            "TR",
            &["general 112", "police 155", "ambulance 112", "fire 110"],
        ),
        (
            "TW",
            &["general 112", "police 110", "ambulance 119", "fire 119"],
        ),
        ("US", &["general 911"]),
        ("VN", &["police 113", "ambulance 115", "fire 114"]),
    ];
    for (country, expected) in rows {
        assert_eq!(dialled(&book, country), expected, "{country}");
    }
}

#[test]
fn every_row_is_an_item_and_most_of_the_world_is_there() {
    let numbers = numbers();
    let rows = NUMBERS.lines().filter(|line| !line.starts_with('#'));
    assert_eq!(numbers.len(), rows.clone().count());
    assert!(numbers.len() >= 230, "{}", numbers.len());
    assert!(
        numbers
            .windows(2)
            .all(|pair| pair[0].country < pair[1].country)
    );
    for (item, row) in numbers.iter().zip(rows) {
        assert_eq!(country("c", &item.country).unwrap(), item.country);
        assert_eq!(
            item.numbers.len(),
            row.split([' ', '\t']).count() - 1,
            "{row}"
        );
        let json = serde_json::to_vec(item).unwrap();
        assert_eq!(EmergencyNumbers::from_json(&json).unwrap(), *item);
        assert!(!item.source.is_empty());
    }
}

#[test]
fn guides_are_items_in_two_languages_and_short() {
    let guides = guides();
    for guide in &guides {
        let json = serde_json::to_vec(guide).unwrap();
        assert_eq!(Guide::from_json(&json).unwrap(), *guide);
        assert!(Date::parse(&guide.updated).is_some());
        let languages: Vec<&str> = guide.texts.keys().map(String::as_str).collect();
        assert_eq!(languages, ["en", "zh-Hans"]);
        for text in guide.texts.values() {
            assert!(
                (8..=15).contains(&text.body.lines().count()),
                "{}",
                guide.id
            );
            assert!(!text.title.starts_with('#') && !text.title.is_empty());
            // No number is invented: article 36 of a convention is the only figure.
            let figures: String = text.body.chars().filter(char::is_ascii_digit).collect();
            assert!(
                ["", "36"].contains(&figures.as_str()),
                "{} {figures}",
                guide.id
            );
        }
    }
    assert!(PROTECTION.iter().all(|id| guide(id).is_some()));
}

#[test]
fn the_whole_is_small() {
    let texts = GUIDES
        .iter()
        .map(|guide| guide.chinese.len() + guide.english.len());
    let bytes = NUMBERS.len() + texts.sum::<usize>();
    assert!(bytes < LIMIT, "{bytes}");
}
