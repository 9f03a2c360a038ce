//! Trips in the record: each is an entity `trip/<uuid>` of the registration's
//! fields. Where the phone was last seen lies in a table of its own: it is a
//! whereabout, and does not travel with the profile.

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use super::current::stay_at;
use super::review::{CloseReason, Seen};
use super::trip::{Stay, Trip};
use crate::error::{HomelineError, Result};
use crate::registration::date::Today;
use crate::registration::fields::{self, Field, Stamp};

/// The kind of the trips' entities.
const TRIP: &str = "trip";

/// How a trip ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TripClosed {
    /// When it was closed, milliseconds UTC.
    pub at_ms: i64,
    /// Why.
    pub reason: CloseReason,
}

/// A trip with its id.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct SavedTrip {
    /// Names it in `change`, `close` and `remove`.
    pub id: String,
    /// The trip.
    pub trip: Trip,
    /// Set where it is over.
    pub closed: Option<TripClosed>,
}

redacted_debug!(SavedTrip, Kept);

/// The JSON form of an entity.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    #[serde(flatten)]
    pub(super) trip: Trip,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) closed: Option<TripClosed>,
}

impl From<(String, Kept)> for SavedTrip {
    fn from((id, kept): (String, Kept)) -> Self {
        Self {
            id,
            trip: kept.trip,
            closed: kept.closed,
        }
    }
}

/// All trips, the one that departs last first.
pub(crate) fn load(tx: &Connection) -> Result<Vec<SavedTrip>> {
    Ok(sorted(fields::load_all(tx, TRIP)?))
}

/// The stays of the open trips that are not over at `now_ms`, in order of arrival.
pub(crate) fn stays_ahead(tx: &Connection, now_ms: i64) -> Result<Vec<Stay>> {
    let today = Today::at(now_ms);
    let open = load(tx)?.into_iter().filter(|saved| saved.closed.is_none());
    let mut stays: Vec<Stay> = open.flat_map(|saved| saved.trip.stays).collect();
    stays.retain(|stay| stay.days().is_some_and(|(_, to)| to >= today.first));
    // Dates of the form YYYY-MM-DD sort as their days do.
    stays.sort_by(|one, other| one.from.cmp(&other.from));
    Ok(stays)
}

/// The stay that the open trips have for `now_ms`.
pub(crate) fn stay_of_today(tx: &Connection, now_ms: i64) -> Result<Option<Stay>> {
    let stays = stays_ahead(tx, now_ms)?;
    Ok(stay_at(&stays, now_ms).stay.cloned())
}

/// The trips in the fields of a registration, the one that departs last first.
pub fn trips_of(fields: &[Field]) -> Vec<SavedTrip> {
    sorted(fields::entities(fields, TRIP))
}

fn sorted(trips: Vec<(String, Kept)>) -> Vec<SavedTrip> {
    let mut trips: Vec<SavedTrip> = trips.into_iter().map(SavedTrip::from).collect();
    // Dates of the form YYYY-MM-DD sort as their days do.
    trips.sort_by(|one, other| (&other.trip.departs, &other.id).cmp(&(&one.trip.departs, &one.id)));
    trips
}

/// `limit`: bytes that the whole registration may have.
pub(super) fn save(
    tx: &Connection,
    id: &str,
    kept: &Kept,
    stamp: &Stamp,
    limit: usize,
) -> Result<()> {
    fields::save_within(tx, &entity(id), kept, stamp, limit)?;
    Ok(())
}

/// Removes the trips that were closed before `before_ms`; how many.
pub(crate) fn expire(tx: &Connection, before_ms: i64, stamp: &Stamp) -> Result<usize> {
    let old = |saved: &SavedTrip| {
        let closed = saved.closed.as_ref();
        closed.is_some_and(|closed| closed.at_ms < before_ms)
    };
    let gone: Vec<SavedTrip> = load(tx)?.into_iter().filter(old).collect();
    for saved in &gone {
        remove(tx, &saved.id, stamp)?;
    }
    Ok(gone.len())
}

pub(super) fn find(tx: &Connection, id: &str) -> Result<Kept> {
    fields::load(tx, &entity(id))?.ok_or_else(|| HomelineError::not_found("trip"))
}

pub(super) fn remove(tx: &Connection, id: &str, stamp: &Stamp) -> Result<()> {
    if fields::remove(tx, &entity(id), stamp)? {
        Ok(())
    } else {
        Err(HomelineError::not_found("trip"))
    }
}

fn entity(id: &str) -> String {
    format!("{TRIP}/{id}")
}

/// Where the host last saw the phone.
pub(crate) fn seen(tx: &Connection) -> Result<Option<Seen>> {
    let mut statement = tx.prepare_cached("SELECT country, since_ms, last_ms FROM seen_country")?;
    let seen = statement
        .query_row([], |row| {
            Ok(Seen {
                country: row.get(0)?,
                since_ms: row.get(1)?,
                last_ms: row.get(2)?,
            })
        })
        .optional()?;
    Ok(seen)
}

pub(super) fn set_seen(tx: &Connection, seen: &Seen) -> Result<()> {
    tx.execute(
        "INSERT OR REPLACE INTO seen_country (one, country, since_ms, last_ms)
         VALUES (1, ?1, ?2, ?3)",
        params![seen.country, seen.since_ms, seen.last_ms],
    )?;
    Ok(())
}
