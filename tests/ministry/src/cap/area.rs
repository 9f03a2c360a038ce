//! An `area` of CAP: polygons and circles; its codes where it has neither.
//!
//! The standard asks for codes to be given beside an equivalent polygon or circle. They are
//! often wider: a house fire with a circle of 25 km says `AU-NSW`. So where there is a shape
//! it is the area, and the codes say nothing more.

use homeline::geo::{Area, Circle, Polygon, Wgs84};

use super::xml::Element;
use super::{Reason, Refusal, refuse, unexpected};

const PAIR: &str = "pairs of latitude,longitude in degrees";

pub(super) fn read(element: &Element) -> Result<Area, Refusal> {
    element.required("areaDesc")?;
    let texts = |name: &'static str| element.all(name).map(|child| child.text.trim());
    let mut area = Area {
        polygons: texts("polygon").map(polygon).collect::<Result<_, _>>()?,
        circles: texts("circle").map(circle).collect::<Result<_, _>>()?,
        ..Area::default()
    };
    let is_drawn = !area.polygons.is_empty() || !area.circles.is_empty();
    for geocode in element.all("geocode") {
        let (kind, value) = geocode_of(geocode)?;
        match code(&kind, &value) {
            _ if is_drawn || value.is_empty() => {}
            Code::Country => area.countries.push(value),
            Code::Region => area.regions.push(value),
            Code::Other => area.regions.push(format!("{kind}:{value}")),
        }
    }
    Ok(area)
}

fn polygon(text: &str) -> Result<Polygon, Refusal> {
    if text.is_empty() {
        return refuse("polygon", Reason::Empty);
    }
    let ring: Vec<[f64; 2]> = text
        .split_whitespace()
        .map(|pair| place("polygon", pair))
        .collect::<Result<_, _>>()?;
    match ring.len() < 3 {
        true => unexpected("polygon", text, "at least three points"),
        false => Ok(Polygon::new(ring)),
    }
}

/// A circle: its middle, and its radius in kilometres.
fn circle(text: &str) -> Result<Circle, Refusal> {
    const CIRCLE: &str = "latitude,longitude radius in kilometres";
    let Some((middle, radius)) = text.split_once(char::is_whitespace) else {
        return unexpected("circle", text, CIRCLE);
    };
    let [lat, lon] = place("circle", middle)?;
    match radius.trim().parse::<f64>() {
        Ok(km) if km >= 0.0 && km.is_finite() => Ok(Circle {
            lat,
            lon,
            radius_m: km * 1_000.0,
        }),
        _ => unexpected("circle", text, CIRCLE),
    }
}

fn place(element: &'static str, pair: &str) -> Result<[f64; 2], Refusal> {
    let numbers = pair.split_once(',').map(|(one, other)| {
        let number = |text: &str| text.parse::<f64>().ok();
        (number(one), number(other))
    });
    match numbers {
        Some((Some(latitude), Some(longitude))) if Wgs84::new(latitude, longitude).is_ok() => {
            Ok([latitude, longitude])
        }
        _ => unexpected(element, pair, PAIR),
    }
}

enum Code {
    /// ISO 3166-1.
    Country,
    /// ISO 3166-2.
    Region,
    /// Of another list, which names it.
    Other,
}

fn code(kind: &str, value: &str) -> Code {
    let kind = kind.to_ascii_lowercase();
    let is_iso = kind.contains("iso") && (kind.contains("3166") || kind.contains("country"));
    let letters = |text: &str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase());
    match value.split_once('-') {
        None if is_iso && letters(value) => Code::Country,
        Some((country, _)) if is_iso && letters(country) => Code::Region,
        _ => Code::Other,
    }
}

/// The name of its list, and the code.
fn geocode_of(geocode: &Element) -> Result<(String, String), Refusal> {
    // Version 1.0 wrote "list=code" into the element itself.
    if geocode.children.is_empty() {
        let text = geocode.text.trim();
        let (kind, value) = text.split_once('=').unwrap_or(("", text));
        return Ok((kind.into(), value.into()));
    }
    let value = geocode.once("value")?.unwrap_or_default();
    Ok((geocode.required("valueName")?.into(), value.into()))
}
