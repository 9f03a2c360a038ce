//! What the library's own first pack holds, so that the first start in flight mode
//! already answers: local emergency numbers of the world, and seven guides in Chinese and
//! English. Missions are not in it: only a ministry knows its phones.
//!
//! `numbers.tsv` is made by `../generate/numbers.py` from two sources that have to agree;
//! `../generate/README.md` has their licences. The guides are written for this library:
//! a text file each, the first line the title.

use std::collections::BTreeMap;

use serde::Serialize;

use super::PackName;
use super::content::write;
use super::offer::Held;
use super::shelf::Served;
use crate::guides::{Guide, GuideText};
use crate::language::Texts;
use crate::missions::{EmergencyNumber, EmergencyNumbers, EmergencyService};
use crate::seal::sha256_hex;

static NUMBERS: &str = include_str!("numbers.tsv");

/// The day of the last change of the guides.
const GUIDES_UPDATED: &str = "2026-11-25";

/// A guide in its two languages, as the files have it.
struct Source {
    id: &'static str,
    situation: &'static str,
    chinese: &'static str,
    english: &'static str,
}

macro_rules! guides {
    ($($id:literal for $situation:literal),+ $(,)?) => {
        [$(Source {
            id: $id,
            situation: $situation,
            chinese: include_str!(concat!("guides/", $id, ".zh-Hans.md")),
            english: include_str!(concat!("guides/", $id, ".en.md")),
        }),+]
    };
}

static GUIDES: [Source; 7] = guides![
    "consulate-can" for "consulate",
    "consulate-cannot" for "consulate",
    "detained" for "detained",
    "disaster" for "disaster",
    "ill" for "medical",
    "lost-passport" for "passport",
    "robbed" for "crime",
];

/// When it was put together, milliseconds UTC: 2026-11-25.
const ISSUED_MS: i64 = 1_795_564_800_000;

/// When the library's own pack of this name was made; `None` where it has none.
pub(super) fn issued_ms(name: PackName) -> Option<i64> {
    matches!(name, PackName::Numbers | PackName::Guides).then_some(ISSUED_MS)
}

/// The library's own pack of this name, in the form of the ministry's; empty where it
/// has none.
pub(super) fn served(name: PackName) -> Served {
    let content = match name {
        PackName::Numbers => content(numbers(), |it| it.country.clone()),
        PackName::Guides => content(guides(), |it| it.id.clone()),
        // Its own borders are used in place, and its own levels are code.
        PackName::Missions | PackName::Levels | PackName::Alerts | PackName::Boundaries => {
            Vec::new()
        }
    };
    Served {
        held: Held {
            version: 0,
            sha256: sha256_hex(&content),
            issued_ms: ISSUED_MS,
            checked_ms: None,
            bytes: u64::try_from(content.len()).unwrap_or(u64::MAX),
        },
        content,
    }
}

fn content<T: Serialize>(items: Vec<T>, id: impl Fn(&T) -> String) -> Vec<u8> {
    let items = items.iter().map(|it| {
        // Our own types: it cannot fail.
        (id(it), serde_json::to_vec(it).unwrap_or_default())
    });
    write(&items.collect())
}

/// Local emergency numbers of the countries and territories of ISO 3166-1, as far as the
/// sources agree on them.
pub fn numbers() -> Vec<EmergencyNumbers> {
    let said = |what: &str| {
        let lines = NUMBERS.lines();
        let mut found = lines.filter_map(|line| line.strip_prefix("# ")?.strip_prefix(what));
        found.next().unwrap_or_default().to_owned()
    };
    let (source, checked) = (said("source: "), said("checked: "));
    let rows = NUMBERS.lines().filter(|line| !line.starts_with('#'));
    let country = |row: &str| {
        let (country, numbers) = row.split_once('\t')?;
        Some(EmergencyNumbers {
            country: country.to_owned(),
            numbers: numbers.split(' ').filter_map(number).collect(),
            source: source.clone(),
            checked: checked.clone(),
        })
    };
    rows.filter_map(country).collect()
}

/// A number of the table: the letter of its service, and the digits.
fn number(entry: &str) -> Option<EmergencyNumber> {
    let (letter, number) = entry.split_at_checked(1)?;
    let service = match letter {
        "G" => EmergencyService::General,
        "P" => EmergencyService::Police,
        "A" => EmergencyService::Ambulance,
        "F" => EmergencyService::Fire,
        "C" => EmergencyService::CoastGuard,
        "M" => EmergencyService::MountainRescue,
        _ => return None,
    };
    Some(EmergencyNumber {
        service,
        number: number.to_owned(),
        note: Texts::default(),
    })
}

/// The guides, by id.
pub fn guides() -> Vec<Guide> {
    GUIDES.iter().map(Source::guide).collect()
}

/// One of the guides.
pub fn guide(id: &str) -> Option<Guide> {
    let source = GUIDES.iter().find(|source| source.id == id);
    source.map(Source::guide)
}

impl Source {
    fn guide(&self) -> Guide {
        let texts = [("zh-Hans", self.chinese), ("en", self.english)];
        let texts = texts.map(|(language, file)| (language.to_owned(), text(file)));
        Guide {
            id: self.id.to_owned(),
            situation: self.situation.to_owned(),
            countries: vec![],
            updated: GUIDES_UPDATED.to_owned(),
            texts: BTreeMap::from(texts),
        }
    }
}

fn text(file: &str) -> GuideText {
    let (title, body) = file.split_once('\n').unwrap_or((file, ""));
    GuideText {
        title: title.trim_start_matches("# ").to_owned(),
        body: body.trim_end().to_owned(),
    }
}

#[cfg(test)]
mod tests;
