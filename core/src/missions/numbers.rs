//! Local emergency numbers as items of a pack, and the book of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::words::EmergencyService;
use crate::config::Policy;
use crate::error::{HomelineError, Problem, Result};
use crate::language::Texts;
use crate::lenient;
use crate::registration::Date;
use crate::registration::country;
use crate::validate;

/// The emergency numbers of a country, facts with their source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EmergencyNumbers {
    /// Two letters (ISO 3166-1 alpha-2).
    pub country: String,
    /// In the order in which they are shown.
    #[serde(default, deserialize_with = "lenient::list")]
    pub numbers: Vec<EmergencyNumber>,
    /// Who says so.
    pub source: String,
    /// The day on which it was checked, `YYYY-MM-DD`.
    pub checked: String,
}

/// A number, as dialled in the country.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EmergencyNumber {
    /// Who answers.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub service: EmergencyService,
    /// 2 to 15 digits: `17`, `112`, `0800117117`.
    pub number: String,
    /// What else is worth knowing, by language.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub note: Texts,
}

const NUMBERS: &str = "emergency numbers as JSON, with country, numbers, source and checked";

impl EmergencyNumbers {
    /// Reads an item of a pack.
    ///
    /// Errors: `Invalid` for what is no such item: longer than the limit, without a
    /// country, or with a day that is none. What is no number of 2 to 15 digits is left
    /// out.
    pub fn from_json(json: &[u8]) -> Result<Self> {
        if json.len() > Policy::STANDARD.item_bytes {
            return Err(invalid("numbers", Problem::TooLong));
        }
        let mut read: Self =
            serde_json::from_slice(json).map_err(|_| invalid("numbers", Problem::Malformed))?;
        read.country = country("numbers.country", &read.country)?;
        if Date::parse(&read.checked).is_none() {
            return Err(invalid("numbers.checked", Problem::Malformed));
        }
        read.numbers.retain_mut(EmergencyNumber::is_dialled);
        Ok(read)
    }

    /// When they were checked, milliseconds UTC: as the day began.
    pub(crate) fn checked_ms(&self) -> Option<i64> {
        Date::parse(&self.checked).map(Date::begins_ms)
    }
}

impl EmergencyNumber {
    fn is_dialled(&mut self) -> bool {
        self.number = validate::ascii(self.number.trim());
        (2..=15).contains(&self.number.len()) && self.number.bytes().all(|b| b.is_ascii_digit())
    }
}

/// The emergency numbers of all countries.
#[derive(Debug, Default)]
pub struct NumbersBook(BTreeMap<String, EmergencyNumbers>);

impl NumbersBook {
    /// Of two items for the same country the later one counts.
    pub fn new(items: impl IntoIterator<Item = EmergencyNumbers>) -> Self {
        let by_country = items.into_iter().map(|item| (item.country.clone(), item));
        Self(by_country.collect())
    }

    /// Those of a country, two letters in any case; `None` where nothing is known of it.
    pub fn of(&self, country: &str) -> Option<&EmergencyNumbers> {
        self.0.get(&country.to_ascii_uppercase())
    }
}

fn invalid(field: &str, problem: Problem) -> HomelineError {
    HomelineError::invalid(field, problem, NUMBERS)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(item: &Value) -> Result<EmergencyNumbers> {
        EmergencyNumbers::from_json(item.to_string().as_bytes())
    }

    #[test]
    fn numbers_are_read_and_found_by_country() {
        let item = json!({"country": "fr", "source": "s", "checked": "2026-11-25", "numbers": [
            {"service": "ambulance", "number": "15"},
            {"service": "avalanche", "number": " １１２ ", "note": {"en": "from mobiles"}},
            {"service": "police", "number": "1"}, {"service": "police", "number": "+3317"},
            {"service": "police", "number": "17;18"}, {"service": "police"}, 7,
        ]});
        let numbers = read(&item).unwrap();
        let dialled: Vec<&str> = numbers.numbers.iter().map(|n| n.number.as_str()).collect();
        assert_eq!(dialled, ["15", "112"]);
        assert_eq!(
            String::from(numbers.numbers[1].service.clone()),
            "avalanche"
        );
        let book = NumbersBook::new([numbers]);
        assert_eq!(book.of("fR").unwrap().country, "FR");
        assert_eq!(book.of("DE"), None);
        assert_eq!(book.of(""), None);
    }

    #[test]
    fn what_is_no_item_is_refused() {
        for (country, checked) in [
            ("XX", "2026-11-25"),
            ("FR", "2026-02-30"),
            ("FR", ""),
            ("", "2026-11-25"),
        ] {
            let item = json!({"country": country, "source": "s", "checked": checked});
            assert!(read(&item).is_err(), "{country} {checked}");
        }
        assert!(EmergencyNumbers::from_json(b"[]").is_err());
        let long = vec![b' '; Policy::STANDARD.item_bytes + 1];
        assert!(EmergencyNumbers::from_json(&long).is_err());
    }
}
