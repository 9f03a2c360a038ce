//! An alert: the shape of the Common Alerting Protocol 1.2 in JSON.
//!
//! It is CAP with the parts that a phone uses, its `info` blocks merged into texts by
//! language, its times in milliseconds UTC, and the ministry's level beside it. XML is
//! read at the ministry, not here.
//!
//! Who is it: sender and identifier together. Without the two and the time of sending
//! there is no alert, since nothing could update or cancel it. Everything else may be
//! missing, odd or new: fields that the phone does not know are passed over, and values
//! that it does not know count as unknown.

use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;

use super::values::{
    AlertCategory, AlertCertainty, AlertKind, AlertSeverity, AlertStatus, AlertUrgency,
};
use crate::config::Policy;
use crate::error::{HomelineError, Problem, Result};
use crate::geo::{Area, Spot};
use crate::language::Texts;
use crate::lenient::{self, Lenient};
use crate::validate::cut;

/// One message of the ministry about a danger.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Alert {
    /// Its name, which the sender gives once.
    pub identifier: String,
    /// Who sent it; only the same sender updates or cancels it.
    pub sender: String,
    /// When it was sent, milliseconds UTC.
    pub sent_ms: i64,
    /// Whether it is meant.
    #[serde(default)]
    pub status: AlertStatus,
    /// What it does.
    #[serde(default, rename = "type")]
    pub kind: AlertKind,
    /// The messages that an update or a cancel is about.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "lenient::list"
    )]
    pub references: Vec<AlertReference>,
    /// What kinds of danger.
    #[serde(
        default,
        rename = "category",
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "lenient::list"
    )]
    pub categories: Vec<AlertCategory>,
    /// How soon to act.
    #[serde(default)]
    pub urgency: AlertUrgency,
    /// How great the threat is.
    #[serde(default)]
    pub severity: AlertSeverity,
    /// How sure it is.
    #[serde(default)]
    pub certainty: AlertCertainty,
    /// From when it is in force, milliseconds UTC; absent: since it was sent.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::or_default"
    )]
    pub effective_ms: Option<i64>,
    /// When the danger itself begins, milliseconds UTC.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::or_default"
    )]
    pub onset_ms: Option<i64>,
    /// Until when it is in force, milliseconds UTC; absent: until it is updated or
    /// cancelled.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::or_default"
    )]
    pub expires_ms: Option<i64>,
    /// Where: all of them together.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "lenient::list"
    )]
    pub areas: Vec<Area>,
    /// A line about it, by language.
    #[serde(default, skip_serializing_if = "is_empty", deserialize_with = "texts")]
    pub headline: Texts,
    /// What happens, by language.
    #[serde(default, skip_serializing_if = "is_empty", deserialize_with = "texts")]
    pub description: Texts,
    /// What to do, by language.
    #[serde(default, skip_serializing_if = "is_empty", deserialize_with = "texts")]
    pub instruction: Texts,
    /// The ministry's level, an id of its [`super::LevelScale`].
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::or_default"
    )]
    pub level: Option<String>,
    /// Where the level stands on the scale, for a phone that does not know it.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::or_default"
    )]
    pub rank: Option<i64>,
}

/// The name of another message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlertReference {
    /// Its sender.
    pub sender: String,
    /// Its identifier.
    pub identifier: String,
    /// When it was sent, milliseconds UTC; where it is given, it must be that one.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::or_default"
    )]
    #[uniffi(default = None)]
    pub sent_ms: Option<i64>,
}

/// What a list of alerts held.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReadAlerts {
    /// The alerts, in their order.
    pub alerts: Vec<Alert>,
    /// Elements that are no alert, and those beyond the limit.
    pub refused: usize,
}

impl Alert {
    /// Whether the spot is in one of its areas.
    pub fn covers(&self, spot: &Spot) -> bool {
        self.areas.iter().any(|area| area.covers(spot))
    }

    /// Reads one alert from JSON; texts that are too long are cut.
    ///
    /// Errors: `Invalid` for `alert` that is larger than 1 MB, is no JSON, or lacks
    /// `identifier`, `sender` or `sent_ms`.
    pub fn read(json: &[u8]) -> Result<Self> {
        let policy = &Policy::STANDARD;
        if json.len() > policy.alert_bytes {
            let expected = format!("at most {} bytes", policy.alert_bytes);
            return Err(HomelineError::invalid("alert", Problem::TooLong, &expected));
        }
        let alert: Option<Self> = serde_json::from_slice(json).ok();
        alert.and_then(|alert| alert.named(policy)).ok_or_else(|| {
            HomelineError::invalid(
                "alert",
                Problem::Malformed,
                "JSON with identifier, sender and sent_ms",
            )
        })
    }

    /// The alert with its texts cut; `None` where it has no name.
    fn named(mut self, policy: &Policy) -> Option<Self> {
        for texts in [
            &mut self.headline,
            &mut self.description,
            &mut self.instruction,
        ] {
            texts.0.retain(|_, text| !text.trim().is_empty());
            for text in texts.0.values_mut() {
                if text.len() > policy.alert_text_bytes {
                    *text = cut(text, policy.alert_text_bytes);
                }
            }
        }
        (!self.identifier.is_empty() && !self.sender.is_empty()).then_some(self)
    }
}

/// Reads a JSON list of alerts. What is no alert is counted and harms none of the others;
/// so are alerts beyond the first 20,000.
///
/// Errors: `Invalid` for `alerts` that are no JSON. Their size is the caller's to bound.
pub fn read_alerts(json: &[u8]) -> Result<ReadAlerts> {
    let policy = &Policy::STANDARD;
    let mut read = ReadAlerts::default();
    let mut from = serde_json::Deserializer::from_slice(json);
    let take = |element: Lenient<Alert>| {
        let alert = element.known().and_then(|alert| alert.named(policy));
        match alert.filter(|_| read.alerts.len() < policy.alerts) {
            Some(alert) => read.alerts.push(alert),
            None => read.refused += 1,
        }
    };
    lenient::each(&mut from, take)
        .and_then(|()| from.end())
        .map_err(|_| HomelineError::invalid("alerts", Problem::Malformed, "a JSON list"))?;
    Ok(read)
}

fn is_empty(texts: &Texts) -> bool {
    texts.0.is_empty()
}

/// The texts of a map that are texts.
fn texts<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<Texts, D::Error> {
    let map: BTreeMap<String, Lenient<String>> = lenient::or_default(from)?;
    let known = map
        .into_iter()
        .filter_map(|(language, text)| Some((language, text.known()?)));
    Ok(Texts(known.collect()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_alert_reads_and_writes_the_same() {
        let json = json!({
            "identifier": "a1", "sender": "mfa", "sent_ms": 1000, "status": "actual",
            "type": "update", "category": ["met", "safety"], "urgency": "immediate",
            "references": [{"sender": "mfa", "identifier": "a0", "sent_ms": 900}],
            "severity": "severe", "certainty": "observed", "effective_ms": 1000,
            "onset_ms": 1100, "expires_ms": 2000, "level": "do_not_travel", "rank": 40,
            "areas": [{"countries": ["TR"]}, {"polygons": [[[1.0, 1.0], [1.0, 2.0], [2.0, 2.0]]]}],
            "headline": {"zh-Hans": "洪水"}, "description": {"zh-Hans": "…"},
            "instruction": {"en": "Go up", "zh-Hans": "往高处走"},
        });
        let alert = Alert::read(json.to_string().as_bytes()).unwrap();
        assert_eq!(alert.kind, AlertKind::Update);
        assert_eq!(serde_json::to_value(&alert).unwrap(), json);
    }

    #[test]
    fn what_is_odd_is_unknown_and_the_alert_is_kept() {
        let odd = br#"{"identifier":"a","sender":"s","sent_ms":-5,"status":7,"type":"whisper",
            "category":["met","x",{}],"urgency":null,"severity":"huge","certainty":[],
            "effective_ms":"noon","onset_ms":1.5,"expires_ms":{},"references":[1,{"sender":"s"}],
            "areas":[3,{"countries":["TR"]}],"headline":{"en":"Flood","fr":7,"de":"  "},
            "description":"plain","level":12,"rank":"high","incidents":"x","audience":{}}"#;
        let alert = Alert::read(odd).unwrap();
        let texts = Texts([("en".to_owned(), "Flood".to_owned())].into());
        let areas = vec![Area {
            countries: vec!["TR".into()],
            ..Area::default()
        }];
        let expected = Alert {
            identifier: "a".into(),
            sender: "s".into(),
            sent_ms: -5,
            categories: vec![
                AlertCategory::Met,
                AlertCategory::Other,
                AlertCategory::Other,
            ],
            headline: texts,
            areas,
            ..Alert::default()
        };
        assert_eq!(alert, expected);
    }

    #[test]
    fn what_has_no_name_is_refused() {
        for bad in [
            "",
            "{}",
            "[]",
            r#"{"identifier":"a","sender":"s"}"#,
            r#"{"identifier":"a","sent_ms":1}"#,
            r#"{"identifier":"","sender":"s","sent_ms":1}"#,
            r#"{"identifier":"a","sender":"","sent_ms":1}"#,
            r#"{"identifier":"a","sender":"s","sent_ms":1}x"#,
            r#"{"identifier":"a","sender":"s","sent_ms":99999999999999999999}"#,
        ] {
            assert!(Alert::read(bad.as_bytes()).is_err(), "{bad}");
        }
        let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(Policy::STANDARD.alert_bytes));
        assert!(matches!(
            Alert::read(large.as_bytes()),
            Err(HomelineError::Invalid {
                problem: Problem::TooLong,
                ..
            })
        ));
    }

    #[test]
    fn one_bad_alert_of_a_list_harms_no_other() {
        let good = |name: &str| json!({"identifier": name, "sender": "s", "sent_ms": 1});
        let list = json!([good("a"), 5, {"identifier": "x"}, good("b"), [good("c")], good("")]);
        let read = read_alerts(list.to_string().as_bytes()).unwrap();
        let names: Vec<&str> = read.alerts.iter().map(|a| a.identifier.as_str()).collect();
        assert_eq!((names.as_slice(), read.refused), (&["a", "b"][..], 4));
        assert_eq!(read_alerts(b"{}").unwrap(), ReadAlerts::default());
        assert!(read_alerts(b"[1,").is_err());
        let many = vec![good("a"); Policy::STANDARD.alerts + 3];
        let read = read_alerts(serde_json::to_string(&many).unwrap().as_bytes()).unwrap();
        assert_eq!(
            (read.alerts.len(), read.refused),
            (Policy::STANDARD.alerts, 3)
        );
    }

    #[test]
    fn a_text_without_end_is_cut() {
        let long = "洪".repeat(Policy::STANDARD.alert_text_bytes);
        let json =
            json!({"identifier": "a", "sender": "s", "sent_ms": 1, "headline": {"zh": long}});
        let alert = Alert::read(json.to_string().as_bytes()).unwrap();
        let length = alert.headline.0["zh"].len();
        assert!(
            length <= Policy::STANDARD.alert_text_bytes && length > 60_000,
            "{length}"
        );
    }
}
