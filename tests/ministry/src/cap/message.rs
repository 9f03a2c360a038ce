//! The message of CAP: checked by the rules of the standard (1.2, section 3.2), mapped to
//! the alert of the core.
//!
//! Its `info` blocks become one alert. Those in several languages are texts of one danger;
//! those in one language are joined, and of what they say differently the alert keeps the
//! stronger: the highest urgency, severity and certainty, the earliest beginning, the latest
//! end, all areas. An `event` stands in for a missing `headline`. A block without `language`
//! is English, as the standard says.

use homeline::alerts::{
    Alert, AlertCategory, AlertCertainty, AlertKind, AlertReference, AlertSeverity, AlertStatus,
    AlertUrgency,
};
use homeline::language::Texts;

use super::xml::{Element, NAMESPACES, read};
use super::{Reason, Refusal, area, refuse, time_ms, unexpected};

/// Where a block does not say its language (section 3.2.2).
const LANGUAGE: &str = "en-US";

/// The values of a block that alerts are ordered by.
struct Values {
    urgency: AlertUrgency,
    severity: AlertSeverity,
    certainty: AlertCertainty,
}

/// Reads a message of CAP 1.0, 1.1 or 1.2.
///
/// Errors: [`Refusal`] with the element that is wrong; a message is never taken in part.
pub fn read_cap(xml: &[u8]) -> Result<Alert, Refusal> {
    let (root, namespace) = read(xml)?;
    if root.name != "alert" {
        return refuse("document", Reason::OtherKind);
    }
    let mut alert = header(&root)?;
    let mut values = Vec::new();
    for info in root.all("info") {
        values.push(values_of(info)?);
        add(&mut alert, info, namespace)?;
    }
    let strongest = |one: Values, other: Values| Values {
        urgency: one.urgency.max(other.urgency),
        severity: one.severity.max(other.severity),
        certainty: one.certainty.max(other.certainty),
    };
    if let Some(values) = values.into_iter().reduce(strongest) {
        alert.urgency = values.urgency;
        alert.severity = values.severity;
        alert.certainty = values.certainty;
    }
    alert.categories.sort_unstable();
    alert.categories.dedup();
    Ok(alert)
}

fn header(root: &Element) -> Result<Alert, Refusal> {
    let status = root.required("status")?;
    let kind = root.required("msgType")?;
    match root.required("scope")? {
        "Public" => {}
        "Restricted" | "Private" => return refuse("scope", Reason::NotPublic),
        other => return unexpected("scope", other, "Public, Restricted or Private"),
    }
    let alert = Alert {
        identifier: name(root, "identifier")?,
        sender: name(root, "sender")?,
        sent_ms: time_ms("sent", root.required("sent")?)?,
        status: match AlertStatus::of(status) {
            AlertStatus::Unknown => return unexpected("status", status, "a status of CAP"),
            known => known,
        },
        kind: match AlertKind::of(kind) {
            AlertKind::Unknown => return unexpected("msgType", kind, "a type of CAP"),
            known => known,
        },
        references: references(root)?,
        ..Alert::default()
    };
    let is_about_others = matches!(alert.kind, AlertKind::Update | AlertKind::Cancel);
    match is_about_others && alert.references.is_empty() {
        true => refuse("references", Reason::Missing),
        false => Ok(alert),
    }
}

/// A name has no spaces and commas, which part names in `references`.
fn name(root: &Element, element: &'static str) -> Result<String, Refusal> {
    let name = root.required(element)?;
    match name.contains(|c: char| c.is_whitespace() || c == ',') {
        true => unexpected(element, name, "a name without spaces and commas"),
        false => Ok(name.into()),
    }
}

fn references(root: &Element) -> Result<Vec<AlertReference>, Refusal> {
    let Some(list) = root.once("references")? else {
        return Ok(Vec::new());
    };
    if list.is_empty() {
        return refuse("references", Reason::Empty);
    }
    let one = |text: &str| {
        let parts: Vec<&str> = text.split(',').collect();
        let [sender, identifier, sent] = parts.as_slice() else {
            return unexpected("references", text, "sender,identifier,sent");
        };
        Ok(AlertReference {
            sender: (*sender).into(),
            identifier: (*identifier).into(),
            sent_ms: Some(time_ms("references", sent)?),
        })
    };
    list.split_whitespace().map(one).collect()
}

fn add(alert: &mut Alert, info: &Element, namespace: &str) -> Result<(), Refusal> {
    let language = info.optional("language")?.unwrap_or(LANGUAGE);
    let event = info.required("event")?;
    let headline = info.optional("headline")?.unwrap_or(event);
    join(&mut alert.headline, language, headline);
    if let Some(text) = info.optional("description")? {
        join(&mut alert.description, language, &lines(text));
    }
    if let Some(text) = info.optional("instruction")? {
        join(&mut alert.instruction, language, &lines(text));
    }
    add_categories(alert, info, namespace)?;
    add_times(alert, info)?;
    for element in info.all("area") {
        alert.areas.push(area::read(element)?);
    }
    Ok(())
}

fn add_categories(alert: &mut Alert, info: &Element, namespace: &str) -> Result<(), Refusal> {
    for category in info.all("category").map(|element| element.text.trim()) {
        let known = AlertCategory::of(category);
        if known == AlertCategory::Other && !category.eq_ignore_ascii_case("other") {
            return unexpected("category", category, "a category of CAP");
        }
        alert.categories.push(known);
    }
    // Version 1.0 did not ask for one.
    if alert.categories.is_empty() && Some(&namespace) != NAMESPACES.first() {
        return refuse("category", Reason::Missing);
    }
    Ok(())
}

/// The three values of a block.
fn values_of(info: &Element) -> Result<Values, Refusal> {
    let value = |element: &'static str| info.required(element);
    let values = Values {
        urgency: AlertUrgency::of(value("urgency")?),
        severity: AlertSeverity::of(value("severity")?),
        certainty: AlertCertainty::of(value("certainty")?),
    };
    for (element, is_unknown) in [
        ("urgency", values.urgency == AlertUrgency::Unknown),
        ("severity", values.severity == AlertSeverity::Unknown),
        ("certainty", values.certainty == AlertCertainty::Unknown),
    ] {
        let word = value(element)?;
        if is_unknown && !word.eq_ignore_ascii_case("unknown") {
            return unexpected(element, word, "a value of CAP");
        }
    }
    Ok(values)
}

fn add_times(alert: &mut Alert, info: &Element) -> Result<(), Refusal> {
    let time = |element: &'static str| {
        let text = info.optional(element)?;
        text.map(|text| time_ms(element, text)).transpose()
    };
    let earliest = |one: Option<i64>, other: Option<i64>| one.into_iter().chain(other).min();
    alert.effective_ms = earliest(alert.effective_ms, time("effective")?);
    alert.onset_ms = earliest(alert.onset_ms, time("onset")?);
    alert.expires_ms = alert.expires_ms.max(time("expires")?);
    Ok(())
}

/// Adds a text to those of its language, once.
fn join(texts: &mut Texts, language: &str, text: &str) {
    let known = texts.0.entry(language.into()).or_default();
    if known.is_empty() {
        *known = text.into();
    } else if !known.split("\n\n").any(|part| part == text) {
        known.push_str("\n\n");
        known.push_str(text);
    }
}

/// Some senders write a line's end as HTML in what is plain text.
fn lines(text: &str) -> String {
    ["<br />", "<br/>", "<br>"]
        .iter()
        .fold(text.to_owned(), |text, mark| text.replace(mark, "\n"))
}
