//! Travel advice of the United Kingdom, in the content format of GOV.UK (the schema
//! `travel_advice` of alphagov/publishing-api).
//!
//! A page is an alert about a country, named by its `content_id`; a newer edition is sent
//! later under the same name, so it takes the place of the older one. A withdrawn page is a
//! cancel, sent when it was withdrawn, of the page's alert.
//!
//! Its `alert_status` is what the alert's level comes from. The worst of them counts; one
//! that is not known here is the level's id as it is, which a phone takes for higher than
//! all it knows. A warning about parts of a country says nothing of the rest of it, so it is
//! one level lower for the whole.

use std::collections::BTreeMap;

use homeline::alerts::{
    Alert, AlertCategory, AlertKind, AlertReference, AlertStatus, LevelRank, LevelScale,
};
use homeline::geo::Area;
use homeline::language::Texts;
use serde::Deserialize;

use super::plain::{cut, plain};
use super::{Reason, Refusal, refuse, time_ms};

const SENDER: &str = "www.gov.uk/foreign-travel-advice";
/// Bytes of a page: the real ones have 50,000 to 100,000.
const BYTES: usize = 4 * 1024 * 1024;
/// Bytes of text that an alert takes over.
const TEXT_BYTES: usize = 60_000;

/// What GOV.UK calls the countries, by ISO 3166-1.
const SLUGS: &str = include_str!("slugs.txt");

#[derive(Deserialize)]
struct Page {
    schema_name: String,
    content_id: String,
    locale: String,
    title: String,
    public_updated_at: String,
    #[serde(default)]
    withdrawn_notice: Withdrawn,
    details: Details,
}

#[derive(Default, Deserialize)]
struct Withdrawn {
    explanation: Option<String>,
    withdrawn_at: Option<String>,
}

#[derive(Deserialize)]
struct Details {
    country: Country,
    #[serde(default)]
    alert_status: Vec<String>,
    change_description: Option<String>,
    #[serde(default)]
    parts: Vec<Part>,
}

#[derive(Deserialize)]
struct Country {
    slug: String,
}

#[derive(Deserialize)]
struct Part {
    title: String,
    body: String,
}

/// Reads a page of travel advice.
///
/// Errors: [`Refusal`] with the field that is wrong. A country that is not on the list is no
/// error: it is kept as a region with its name.
pub fn read_travel_advice(json: &[u8]) -> Result<Alert, Refusal> {
    if json.len() > BYTES {
        let what = "bytes";
        return refuse("document", Reason::TooLarge { what, limit: BYTES });
    }
    let page: Page = match serde_json::from_slice(json) {
        Ok(page) => page,
        Err(error) => return refuse("document", Reason::Malformed(error.to_string())),
    };
    if page.schema_name != "travel_advice" {
        return refuse("schema_name", Reason::OtherKind);
    }
    for (field, text) in [("content_id", &page.content_id), ("locale", &page.locale)] {
        if text.is_empty() {
            return refuse(field, Reason::Empty);
        }
    }
    match &page.withdrawn_notice.withdrawn_at {
        Some(at) => cancel(&page, time_ms("withdrawn_at", at)?),
        None => advice(&page),
    }
}

fn advice(page: &Page) -> Result<Alert, Refusal> {
    let parts = page.details.parts.iter();
    let description: Vec<String> = parts
        .map(|part| format!("{}\n{}", part.title, plain(&part.body, TEXT_BYTES)))
        .collect();
    let changed = page.details.change_description.as_deref();
    Ok(Alert {
        kind: AlertKind::Alert,
        sent_ms: time_ms("public_updated_at", &page.public_updated_at)?,
        level: Some(level(&page.details.alert_status)),
        description: texts(page, cut(description.join("\n\n"), TEXT_BYTES)),
        instruction: changed.map(|html| text(page, html)).unwrap_or_default(),
        ..about(page)
    })
}

fn cancel(page: &Page, sent_ms: i64) -> Result<Alert, Refusal> {
    let explanation = page.withdrawn_notice.explanation.as_deref();
    Ok(Alert {
        identifier: format!("{}:withdrawn", page.content_id),
        kind: AlertKind::Cancel,
        sent_ms,
        references: vec![AlertReference {
            sender: SENDER.into(),
            identifier: page.content_id.clone(),
            sent_ms: None,
        }],
        description: text(page, explanation.unwrap_or_default()),
        ..about(page)
    })
}

/// What an advice and its end have in common.
fn about(page: &Page) -> Alert {
    Alert {
        identifier: page.content_id.clone(),
        sender: SENDER.into(),
        status: AlertStatus::Actual,
        categories: vec![AlertCategory::Safety],
        areas: vec![area(&page.details.country.slug)],
        headline: text(page, &page.title),
        ..Alert::default()
    }
}

fn text(page: &Page, html: &str) -> Texts {
    texts(page, plain(html, TEXT_BYTES))
}

fn texts(page: &Page, text: String) -> Texts {
    let one = (!text.is_empty()).then(|| (page.locale.clone(), text));
    Texts(BTreeMap::from_iter(one))
}

fn area(slug: &str) -> Area {
    let known = SLUGS.lines().filter_map(|line| line.split_once(' '));
    let code = known.into_iter().find(|(name, _)| *name == slug);
    match code {
        Some((_, code)) => Area {
            countries: vec![code.into()],
            ..Area::default()
        },
        None => Area {
            regions: vec![format!("gov.uk:{slug}")],
            ..Area::default()
        },
    }
}

/// The level of an `alert_status`, by the built-in scale.
fn level(statuses: &[String]) -> String {
    let id = |status: &String| match status.as_str() {
        "avoid_all_travel_to_whole_country" => "do_not_travel".to_owned(),
        "avoid_all_but_essential_travel_to_whole_country" | "avoid_all_travel_to_parts" => {
            "travel_with_care".to_owned()
        }
        "avoid_all_but_essential_travel_to_parts" => "take_precautions".to_owned(),
        _ => status.clone(),
    };
    let scale = LevelScale::default();
    let rank = |level: &String| -> LevelRank {
        scale.rank(&Alert {
            level: Some(level.clone()),
            ..Alert::default()
        })
    };
    let highest = statuses.iter().map(id).max_by_key(rank);
    highest.unwrap_or_else(|| "be_alert".into())
}
