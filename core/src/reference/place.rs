//! A place that a host asks about, and where that is.

use crate::error::Result;
use crate::geo::Wgs84;
use crate::geo::country::Located;
use crate::registration::country;
use crate::whereabouts::Position;

/// A place that a host asks about.
#[derive(Clone, PartialEq, uniffi::Enum)]
pub enum Place {
    /// Where the traveler is: the last known position; where there is none, the country
    /// of the trip's stay for today.
    Here,
    /// A position on the map.
    At {
        /// The position.
        position: Position,
        /// Radius in metres around it in which the place is; absent: it is exact.
        accuracy_m: Option<f64>,
    },
    /// A whole country: two letters (ISO 3166-1 alpha-2).
    Country {
        /// The code.
        code: String,
    },
}

redacted_debug!(Place);

/// How it is known where a place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum PlaceBasis {
    /// The host said it.
    Given,
    /// By the last known position.
    LastPosition {
        /// Milliseconds since then; absent where no clock can tell.
        age_ms: Option<i64>,
    },
    /// No position is known; the traveler's trip has a stay there today.
    Stay,
    /// It is not known.
    Nowhere,
}

/// A place, as far as it is known.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct PlaceFound {
    /// How it is known.
    pub basis: PlaceBasis,
    /// The countries that it may be in, two letters each, the most likely first.
    pub countries: Vec<String>,
    /// What the borders say of its position; absent where it has none.
    pub located: Option<Located>,
}

/// What is known of a place before any border is looked at.
#[derive(Default)]
pub(super) struct Known {
    pub(super) point: Option<Wgs84>,
    pub(super) accuracy_m: Option<f64>,
    pub(super) country: Option<String>,
}

impl Known {
    /// Errors: `Invalid` for a position or a code that is none.
    pub(super) fn of_position(position: Position, accuracy_m: Option<f64>) -> Result<Self> {
        Ok(Self {
            point: Some(position.to_wgs84()?),
            accuracy_m: accuracy_m.filter(|radius| radius.is_finite() && *radius >= 0.0),
            country: None,
        })
    }

    /// Errors: `Invalid` for a code that is none.
    pub(super) fn of_country(code: &str) -> Result<Self> {
        Ok(Self {
            country: Some(country("place.code", code)?),
            ..Self::default()
        })
    }
}
