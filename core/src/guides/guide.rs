//! A guide as an item of a pack, and as a traveler reads it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::config::Policy;
use crate::error::{HomelineError, Problem, Result};
use crate::language;
use crate::lenient;
use crate::missions::AsOf;
use crate::registration::Date;
use crate::registration::country;
use crate::validate;

/// A small document, in one or more languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Guide {
    /// Stable id, one line, for example `robbed`.
    pub id: String,
    /// What it is for: a kind of SOS as its JSON has it (`medical`, `crime`, `detained`,
    /// `disaster`), or another word of the ministry, such as `passport` or `consulate`.
    pub situation: String,
    /// The countries that it is about: two letters each (ISO 3166-1 alpha-2). Empty: all.
    #[serde(default, deserialize_with = "lenient::list")]
    pub countries: Vec<String>,
    /// The day of its last change, `YYYY-MM-DD`.
    pub updated: String,
    /// The document by language tag (BCP 47).
    pub texts: BTreeMap<String, GuideText>,
}

/// A guide in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GuideText {
    /// Its title, one line.
    pub title: String,
    /// Its body: lines of plain text.
    pub body: String,
}

/// A guide, in the language that serves the traveler best.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct GuideArticle {
    /// Stable id.
    pub id: String,
    /// What it is for, see [`Guide::situation`].
    pub situation: String,
    /// The countries that it is about: two letters each. Empty: all.
    pub countries: Vec<String>,
    /// The language that it is shown in (BCP 47).
    pub language: String,
    /// Its title.
    pub title: String,
    /// Its body: lines of plain text.
    pub body: String,
    /// How old it is; its last change counts as checked.
    pub as_of: AsOf,
}

const GUIDE: &str = "a guide as JSON, with id, situation, updated and texts";

impl Guide {
    /// Reads an item of a pack.
    ///
    /// Errors: `Invalid` for what is no guide: longer than the limit, without an id, a
    /// situation or a text, or with a day that is none. What is no code of a country
    /// becomes `ZZ`, which no place has: a guide for it must not become one for all. A text
    /// whose language is no tag is left out.
    pub fn from_json(json: &[u8]) -> Result<Self> {
        let policy = &Policy::STANDARD;
        if json.len() > policy.item_bytes {
            return Err(invalid("guide", Problem::TooLong));
        }
        let mut guide: Self =
            serde_json::from_slice(json).map_err(|_| invalid("guide", Problem::Malformed))?;
        guide.id = validate::line("guide.id", &guide.id, policy)?;
        guide.situation = validate::line("guide.situation", &guide.situation, policy)?;
        guide
            .texts
            .retain(|tag, _| validate::language("guide.texts", tag).is_ok_and(|kept| kept == *tag));
        if guide.texts.is_empty() {
            return Err(invalid("guide.texts", Problem::Empty));
        }
        if Date::parse(&guide.updated).is_none() {
            return Err(invalid("guide.updated", Problem::Malformed));
        }
        for code in &mut guide.countries {
            *code = country("guide.countries", code).unwrap_or_else(|_| "ZZ".into());
        }
        Ok(guide)
    }

    /// As a reader of `languages` sees it, from a pack made at `pack_ms`, at `now_ms`
    /// (milliseconds UTC); `None` only where it has no text at all.
    pub fn view(
        &self,
        languages: &[String],
        pack_ms: Option<i64>,
        now_ms: i64,
    ) -> Option<GuideArticle> {
        let (language, text) = language::best_of(&self.texts, languages)?;
        let changed_ms = Date::parse(&self.updated).map(Date::begins_ms);
        Some(GuideArticle {
            id: self.id.clone(),
            situation: self.situation.clone(),
            countries: self.countries.clone(),
            language: language.clone(),
            title: text.title.clone(),
            body: text.body.clone(),
            as_of: AsOf::of(pack_ms, changed_ms, now_ms),
        })
    }
}

fn invalid(field: &str, problem: Problem) -> HomelineError {
    HomelineError::invalid(field, problem, GUIDE)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn robbed() -> Value {
        json!({
            "id": "robbed", "situation": "crime", "countries": ["tr"], "updated": "2026-11-25",
            "texts": {"zh-Hans": {"title": "被抢", "body": "报警"}, "en": {"title": "Robbed", "body": "Call"}}
        })
    }

    fn read(guide: &Value) -> Result<Guide> {
        Guide::from_json(guide.to_string().as_bytes())
    }

    #[test]
    fn a_guide_is_read_and_shown_in_the_nearest_language() {
        let guide = read(&robbed()).unwrap();
        assert_eq!(guide.countries, ["TR"]);
        assert_eq!(read(&serde_json::to_value(&guide).unwrap()).unwrap(), guide);
        let day = 24 * 3_600_000;
        let changed = Date::parse("2026-11-25").unwrap().begins_ms();
        for (wanted, title) in [("zh-CN", "被抢"), ("en-GB", "Robbed"), ("ug", "Robbed")] {
            let view = guide
                .view(&[wanted.to_owned()], Some(7), changed + day)
                .unwrap();
            assert_eq!(view.title, title);
            assert_eq!(
                (view.as_of.pack_ms, view.as_of.age_ms),
                (Some(7), Some(day))
            );
        }
    }

    #[test]
    fn a_guide_for_an_unknown_country_is_not_one_for_all() {
        let mut guide = robbed();
        guide["countries"] = json!(["XX", "", "A B", 7]);
        assert_eq!(read(&guide).unwrap().countries, ["ZZ", "ZZ", "ZZ"]);
    }

    #[test]
    fn what_is_no_guide_is_refused() {
        for (field, value) in [
            ("id", json!(" ")),
            ("id", json!("two\nlines")),
            ("situation", json!("")),
            ("texts", json!({})),
            ("texts", json!({"no tag": {"title": "t", "body": "b"}})),
            ("texts", json!({"en": {"title": "no body"}})),
            ("updated", json!("yesterday")),
        ] {
            let mut guide = robbed();
            guide[field] = value.clone();
            assert!(read(&guide).is_err(), "{field} {value}");
        }
        assert!(Guide::from_json(&vec![b' '; Policy::STANDARD.item_bytes + 1]).is_err());
    }
}
