//! Texts of the ministry in several languages, and which one a traveler is shown.
//!
//! The lookup is RFC 4647's (section 3.4), with one addition: where only the main
//! language agrees, the same script is preferred, since a reader of `zh-TW` is not
//! well served by simplified characters. Whoever asks for a language that a text does
//! not have gets English, or else the first one; the answer says which it is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One text, by language tag (BCP 47).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Texts(pub BTreeMap<String, String>);

/// A text, and the language that it is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct LocalText {
    /// Language tag (BCP 47), for example `zh-Hans`.
    pub language: String,
    /// The text.
    pub text: String,
}

impl Texts {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text for a reader of `wanted`, the preferred language first; `None` only
    /// where there is none at all.
    pub fn best<'a>(&self, wanted: impl IntoIterator<Item = &'a String>) -> Option<LocalText> {
        best_of(&self.0, wanted).map(|(language, text)| LocalText {
            language: language.clone(),
            text: text.clone(),
        })
    }
}

/// Of something that is there in several languages, by tag, the one for a reader of
/// `wanted` with its tag; `None` only where there is none at all.
pub(crate) fn best_of<'a, 'b, T>(
    given: &'b BTreeMap<String, T>,
    wanted: impl IntoIterator<Item = &'a String>,
) -> Option<(&'b String, &'b T)> {
    wanted
        .into_iter()
        .find_map(|tag| nearest(given, tag))
        .or_else(|| nearest(given, "en"))
        .or_else(|| given.iter().next())
}

fn nearest<'b, T>(given: &'b BTreeMap<String, T>, wanted: &str) -> Option<(&'b String, &'b T)> {
    let closest = given
        .iter()
        .map(|entry| (nearness(wanted, entry.0), entry))
        .filter(|(nearness, _)| *nearness > 0)
        // The first of equals.
        .reduce(|best, next| if next.0 > best.0 { next } else { best });
    closest.map(|(_, entry)| entry)
}

/// How well a reader of `wanted` is served by a text in `given`: 0 is not at all. The
/// more subtags agree from the left, the better; the same script before none.
pub(crate) fn nearness(wanted: &str, given: &str) -> usize {
    let subtags =
        |tag: &str| -> Vec<String> { tag.split(['-', '_']).map(str::to_ascii_lowercase).collect() };
    let (wanted, given) = (subtags(wanted), subtags(given));
    let same = wanted
        .iter()
        .zip(&given)
        .take_while(|(one, other)| one == other)
        .count();
    match same {
        0 => 0,
        _ if wanted == given => usize::MAX,
        _ => same * 2 + usize::from(script(&wanted) == script(&given)),
    }
}

/// The script that a tag names or, for Chinese, implies.
fn script(tag: &[String]) -> Option<&str> {
    let rest = || tag.iter().skip(1).map(String::as_str);
    let named =
        rest().find(|subtag| subtag.len() == 4 && subtag.bytes().all(|b| b.is_ascii_alphabetic()));
    let is_chinese = tag.first().is_some_and(|main| main == "zh");
    match named {
        None if is_chinese && rest().any(|subtag| matches!(subtag, "tw" | "hk" | "mo")) => {
            Some("hant")
        }
        None if is_chinese => Some("hans"),
        named => named,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(tags: &[&str]) -> Texts {
        Texts(
            tags.iter()
                .map(|tag| ((*tag).into(), format!("in {tag}")))
                .collect(),
        )
    }

    #[test]
    fn the_nearest_language_is_shown_and_named() {
        let all = ["en", "fr-CA", "zh-Hans", "zh-Hant"];
        for (wanted, given) in [
            (&["zh-Hans"][..], "zh-Hans"),
            (&["zh-CN"], "zh-Hans"),
            (&["zh_Hans_CN"], "zh-Hans"),
            (&["zh"], "zh-Hans"),
            (&["zh-TW"], "zh-Hant"),
            (&["ZH-hant-HK"], "zh-Hant"),
            (&["fr"], "fr-CA"),
            (&["fr-FR"], "fr-CA"),
            (&["ug", "fr"], "fr-CA"),
            (&["en-GB"], "en"),
            // A language that nobody has.
            (&["x-klingon"], "en"),
            (&[""], "en"),
            (&[], "en"),
        ] {
            let wanted: Vec<String> = wanted.iter().map(|tag| (*tag).into()).collect();
            let text = texts(&all).best(&wanted).unwrap();
            assert_eq!(text.language, given, "{wanted:?}");
            assert_eq!(text.text, format!("in {given}"));
        }
    }

    #[test]
    fn without_english_it_is_the_first_and_without_any_none() {
        let wanted = ["ug".to_owned()];
        assert_eq!(texts(&["tr", "ka"]).best(&wanted).unwrap().language, "ka");
        assert_eq!(texts(&[]).best(&wanted), None);
        assert_eq!(
            texts(&["zh-Hant"])
                .best(&["zh-CN".to_owned()])
                .unwrap()
                .language,
            "zh-Hant"
        );
    }
}
