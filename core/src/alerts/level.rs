//! The ministry's levels of danger: an open, ordered scale.
//!
//! How many levels there are, what they are called and in which order they stand is the
//! ministry's to say, and to change. A phone that does not know a level yet shows its id
//! and takes it for what it may be at worst.

use serde::{Deserialize, Deserializer, Serialize};

use super::Alert;
use crate::language::{LocalText, Texts};
use crate::lenient;

/// One level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Level {
    /// Its name, which never changes.
    pub id: String,
    /// Where it stands: the higher, the more dangerous. Any numbers, with room between
    /// them for levels to come.
    pub rank: i64,
    /// How it is called, by language.
    #[serde(default)]
    pub wording: Texts,
}

/// The levels in force, the lowest first. In JSON a list of levels in any order; what is
/// no level in it is left out, and a list without any is the built-in one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct LevelScale {
    levels: Vec<Level>,
}

/// Where an alert stands among others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LevelRank {
    /// It has no level.
    #[default]
    Without,
    /// The rank of its level.
    At(i64),
    /// Above all known: a level that the phone does not know, and that says nothing of
    /// where it stands.
    Above,
}

/// A level as a host shows it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct LocalLevel {
    /// The ministry's name of it.
    pub id: String,
    /// How it is called, in the language that serves the traveler best; the id itself,
    /// in the language `und`, where the phone has no wording for it.
    pub wording: LocalText,
    /// Its place from the lowest, 1, to the highest known, for a colour or a row of
    /// bars; absent where the phone does not know the level.
    pub step: Option<u32>,
    /// How many levels the phone knows.
    pub steps: u32,
}

impl LevelScale {
    /// The scale of these levels; of two with one id the first counts. Without any it is
    /// the built-in one.
    pub fn new(levels: Vec<Level>) -> Self {
        let mut kept: Vec<Level> = Vec::with_capacity(levels.len());
        for level in levels {
            if !kept.iter().any(|other| other.id == level.id) {
                kept.push(level);
            }
        }
        kept.sort_by(|one, other| (one.rank, &one.id).cmp(&(other.rank, &other.id)));
        if kept.is_empty() {
            Self::default()
        } else {
            Self { levels: kept }
        }
    }

    /// The levels, the lowest first.
    pub fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// Where an alert stands. The scale's own rank counts; for a level that is not on it
    /// the rank that the alert carries, or else it is above all.
    pub fn rank(&self, alert: &Alert) -> LevelRank {
        match &alert.level {
            None => LevelRank::Without,
            Some(id) => self
                .find(id)
                .map(|(_, level)| level.rank)
                .or(alert.rank)
                .map_or(LevelRank::Above, LevelRank::At),
        }
    }

    /// The level of an alert, for a reader of `wanted`.
    pub fn view(&self, alert: &Alert, wanted: &[String]) -> Option<LocalLevel> {
        let id = alert.level.as_ref()?;
        let found = self.find(id);
        let wording = found.and_then(|(_, level)| level.wording.best(wanted));
        let step = |index: usize| u32::try_from(index + 1).unwrap_or(u32::MAX);
        Some(LocalLevel {
            id: id.clone(),
            wording: wording.unwrap_or_else(|| LocalText {
                language: "und".into(),
                text: id.clone(),
            }),
            step: found.map(|(index, _)| step(index)),
            steps: u32::try_from(self.levels.len()).unwrap_or(u32::MAX),
        })
    }

    fn find(&self, id: &str) -> Option<(usize, &Level)> {
        let mut levels = self.levels.iter().enumerate();
        levels.find(|(_, level)| level.id == id)
    }
}

impl Default for LevelScale {
    /// The levels of the Ministry of Foreign Affairs of China as of today, with
    /// translations of ours.
    fn default() -> Self {
        let level = |id: &str, rank, chinese: &str, english: &str| {
            let wording = [("zh-Hans", chinese), ("en", english)];
            Level {
                id: id.into(),
                rank,
                wording: Texts(wording.map(|(tag, text)| (tag.into(), text.into())).into()),
            }
        };
        Self {
            levels: vec![
                level("be_alert", 10, "注意安全", "Be alert"),
                level(
                    "take_precautions",
                    20,
                    "加强安全防范",
                    "Take more precautions",
                ),
                level("travel_with_care", 30, "谨慎前往", "Travel with great care"),
                level(
                    "do_not_travel",
                    40,
                    "暂勿前往",
                    "Do not travel for the time being",
                ),
            ],
        }
    }
}

impl<'de> Deserialize<'de> for LevelScale {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        lenient::list(from).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(level: Option<&str>, rank: Option<i64>) -> Alert {
        Alert {
            level: level.map(Into::into),
            rank,
            ..Alert::default()
        }
    }

    #[test]
    fn alerts_stand_in_the_order_of_the_scale() {
        let scale = LevelScale::default();
        let sorted = [
            at(None, None),
            at(Some("be_alert"), None),
            // A new level between two known ones.
            at(Some("new"), Some(15)),
            at(Some("take_precautions"), None),
            at(Some("travel_with_care"), None),
            // What the scale says of a level it knows counts, not the alert.
            at(Some("do_not_travel"), Some(-1)),
            // A new level above.
            at(Some("leave_at_once"), Some(50)),
            // A new level, who knows where.
            at(Some("new"), None),
        ];
        assert!(
            sorted
                .windows(2)
                .all(|two| scale.rank(&two[0]) < scale.rank(&two[1]))
        );
        // A rank without a level is none.
        assert_eq!(scale.rank(&at(None, Some(99))), LevelRank::Without);
    }

    #[test]
    fn a_level_is_worded_for_its_reader() {
        let scale = LevelScale::default();
        let view = |level: &str, wanted: &str| {
            let view = scale
                .view(&at(Some(level), Some(99)), &[wanted.into()])
                .unwrap();
            (
                view.wording.language,
                view.wording.text,
                view.step,
                view.steps,
            )
        };
        let expected = ("zh-Hans".into(), "暂勿前往".into(), Some(4), 4);
        assert_eq!(view("do_not_travel", "zh-CN"), expected);
        assert_eq!(view("be_alert", "fr").1, "Be alert");
        assert_eq!(view("be_alert", "fr").2, Some(1));
        // Never heard of: its id, in whatever language that is.
        let expected = ("und".into(), "leave_at_once".into(), None, 4);
        assert_eq!(view("leave_at_once", "zh"), expected);
        assert_eq!(scale.view(&at(None, None), &[]), None);
    }

    #[test]
    fn a_scale_has_as_many_levels_as_the_ministry_says() {
        let json = r#"[{"id":"b","rank":2,"wording":{"en":"B"}},{"id":"a","rank":-7},
            {"id":"b","rank":9},{"rank":1},5,{"id":"c","rank":2}]"#;
        let scale: LevelScale = serde_json::from_str(json).unwrap();
        let ids: Vec<&str> = scale
            .levels()
            .iter()
            .map(|level| level.id.as_str())
            .collect();
        assert_eq!(ids, ["a", "b", "c"]);
        for nothing in ["[]", "[1]", "{}", "null", "7"] {
            let scale: LevelScale = serde_json::from_str(nothing).unwrap();
            assert_eq!(scale, LevelScale::default(), "{nothing}");
        }
        let one: LevelScale = serde_json::from_str(r#"[{"id":"x","rank":0}]"#).unwrap();
        assert_eq!(one.view(&at(Some("x"), None), &[]).unwrap().steps, 1);
    }
}
