//! GeoJSON (RFC 7946), by the crate `geojson`.
//!
//! GeoJSON has no times. Programs that turn tracks into it put them beside the
//! line: `coordTimes` (togeojson and what followed it), or
//! `coordinateProperties.times` of its later versions; a point has `time` or
//! `timestamp`. All are read; `coordTimes` and `time` are written. Accuracies and
//! sources are written beside them, under names of our own.

use ::geojson::Position as Coordinates;
use ::geojson::{Feature, FeatureCollection, GeoJson, Geometry, GeometryValue, JsonObject};
use serde_json::{Value, json};

use super::super::{Fix, FixSource, Position};
use super::{
    Imported, LeftOut, TrackPiece, scan, sized, source_name, source_named, time_ms, time_text,
    too_much,
};
use crate::config::Policy;
use crate::error::{HomelineError, Problem, Result};

const FIELD: &str = "geojson";

/// Reads a file. The points of lines and single points are taken; areas and clouds
/// of points are left out.
///
/// Errors: `Invalid` for `geojson`: `TooLong` for more bytes, values or depth than
/// `Policy` has; `Malformed` for what is not GeoJSON.
pub(crate) fn read(file: &[u8], policy: &Policy) -> Result<Imported> {
    sized(FIELD, file, policy)?;
    let extent = scan::json(file);
    let values = policy
        .import_points
        .saturating_mul(policy.import_values_per_point);
    if extent.items > values {
        return Err(too_much(FIELD, values, "values"));
    }
    if extent.depth > policy.import_depth {
        return Err(too_much(FIELD, policy.import_depth, "values in each other"));
    }
    let parsed: GeoJson = serde_json::from_slice(file).map_err(|_| malformed())?;
    let mut imported = Imported::default();
    match parsed {
        GeoJson::Geometry(geometry) => take(&mut imported, &geometry.value, &Beside::default()),
        GeoJson::Feature(feature) => take_feature(&mut imported, &feature),
        GeoJson::FeatureCollection(all) => {
            for feature in &all.features {
                take_feature(&mut imported, feature);
            }
        }
    }
    if usize::try_from(imported.summary.taken).unwrap_or(usize::MAX) > policy.import_points {
        return Err(too_much(FIELD, policy.import_points, "points"));
    }
    Ok(imported)
}

/// Writes a file: a feature for each piece, a line, or a point where there is one
/// fix only (a line has two points at least, RFC 7946 section 3.1.4). A time whose
/// year has no four digits is null, with its point in place.
///
/// Errors: `Invalid` where a fix is not on the earth.
pub(crate) fn write(pieces: &[TrackPiece]) -> Result<Vec<u8>> {
    let features = pieces
        .iter()
        .filter(|piece| !piece.fixes.is_empty())
        .map(feature_of)
        .collect::<Result<_>>()?;
    let collection = FeatureCollection {
        bbox: None,
        features,
        foreign_members: None,
    };
    serde_json::to_vec(&collection).map_err(|_| HomelineError::bug("geojson::write"))
}

fn feature_of(piece: &TrackPiece) -> Result<Feature> {
    let coordinates: Vec<Coordinates> = piece
        .fixes
        .iter()
        .map(coordinates_of)
        .collect::<Result<_>>()?;
    let (value, properties) = match (coordinates.as_slice(), piece.fixes.as_slice()) {
        ([place], [fix]) => (
            GeometryValue::Point {
                coordinates: place.clone(),
            },
            json!({
                "time": time_text(fix.time_ms),
                "accuracy_m": fix.accuracy_m,
                "source": source_name(fix.source),
            }),
        ),
        (_, fixes) => {
            let column = |value: fn(&Fix) -> Value| -> Value { fixes.iter().map(value).collect() };
            let properties = json!({
                "coordTimes": column(|fix| time_text(fix.time_ms).into()),
                "accuracy_m": column(|fix| fix.accuracy_m.into()),
                "source": column(|fix| source_name(fix.source).into()),
            });
            (GeometryValue::LineString { coordinates }, properties)
        }
    };
    Ok(Feature {
        bbox: None,
        geometry: Some(Geometry::new(value)),
        id: None,
        properties: match properties {
            Value::Object(properties) => Some(properties),
            _ => None,
        },
        foreign_members: None,
    })
}

fn coordinates_of(fix: &Fix) -> Result<Coordinates> {
    let place = fix.position.to_wgs84()?;
    // RFC 7946 section 3.1.1: metres above the ellipsoid, as we have them.
    Ok(match fix.altitude_m {
        Some(metres) => [place.longitude(), place.latitude(), metres].into(),
        None => [place.longitude(), place.latitude()].into(),
    })
}

fn take_feature(imported: &mut Imported, feature: &Feature) {
    if let Some(geometry) = &feature.geometry {
        let none = JsonObject::new();
        let beside = Beside::of(feature.properties.as_ref().unwrap_or(&none));
        take(imported, &geometry.value, &beside);
    }
}

fn take(imported: &mut Imported, geometry: &GeometryValue, beside: &Beside<'_>) {
    match geometry {
        GeometryValue::Point { coordinates } => {
            imported.take(std::iter::once(fix_of(coordinates, beside)));
        }
        GeometryValue::LineString { coordinates } => take_line(imported, coordinates, beside),
        GeometryValue::MultiLineString { coordinates } => {
            for (index, line) in coordinates.iter().enumerate() {
                take_line(imported, line, &beside.at(index));
            }
        }
        GeometryValue::MultiPoint { coordinates } => {
            imported.leave_out(&LeftOut::NotATrack, coordinates.len());
        }
        GeometryValue::Polygon { coordinates } => {
            imported.leave_out(&LeftOut::NotATrack, coordinates.iter().map(Vec::len).sum());
        }
        GeometryValue::MultiPolygon { coordinates } => {
            let corners = coordinates.iter().flatten().map(Vec::len).sum();
            imported.leave_out(&LeftOut::NotATrack, corners);
        }
        GeometryValue::GeometryCollection { geometries } => {
            for geometry in geometries {
                take(imported, &geometry.value, beside);
            }
        }
    }
}

fn take_line(imported: &mut Imported, line: &[Coordinates], beside: &Beside<'_>) {
    imported.take(
        line.iter()
            .enumerate()
            .map(|(index, coordinates)| fix_of(coordinates, &beside.at(index))),
    );
}

/// What the properties say about a point; about a line, the same as arrays.
#[derive(Clone, Copy, Default)]
struct Beside<'a> {
    time: Option<&'a Value>,
    accuracy_m: Option<&'a Value>,
    source: Option<&'a Value>,
}

impl<'a> Beside<'a> {
    fn of(properties: &'a JsonObject) -> Self {
        let later = properties.get("coordinateProperties");
        Self {
            time: ["coordTimes", "time", "timestamp"]
                .iter()
                .find_map(|name| properties.get(*name))
                .or_else(|| later?.get("times")),
            accuracy_m: properties.get("accuracy_m"),
            source: properties.get("source"),
        }
    }

    /// What is said about one point, or one line, of several.
    fn at(&self, index: usize) -> Self {
        Self {
            time: self.time.and_then(|all| all.get(index)),
            accuracy_m: self.accuracy_m.and_then(|all| all.get(index)),
            source: self.source.and_then(|all| all.get(index)),
        }
    }
}

fn fix_of(coordinates: &Coordinates, beside: &Beside<'_>) -> Result<Fix, LeftOut> {
    let [longitude, latitude, ..] = *coordinates.as_slice() else {
        return Err(LeftOut::NotAPlace);
    };
    let time = beside.time.and_then(Value::as_str).and_then(time_ms);
    let source = beside.source.and_then(Value::as_str).and_then(source_named);
    let position = Position::Wgs84 {
        latitude,
        longitude,
    };
    Ok(Fix {
        accuracy_m: beside.accuracy_m.and_then(Value::as_f64),
        altitude_m: coordinates.as_slice().get(2).copied(),
        ..Fix::new(
            position,
            time.ok_or(LeftOut::WithoutTime)?,
            source.unwrap_or(FixSource::Fused),
        )
    })
}

fn malformed() -> HomelineError {
    HomelineError::invalid(FIELD, Problem::Malformed, "GeoJSON (RFC 7946)")
}

#[cfg(test)]
mod tests;
