//! Places on the earth: the datums of maps and where each is used, the country of a
//! place, areas and who is in them, distances.

pub mod area;
pub mod country;
mod datum;
mod distance;
mod mainland;
pub mod polygon;

pub use area::{Area, Circle, Spot};
pub use datum::{Bd09, Datum, Gcj02, Wgs84, position_in};
pub use distance::distance_m;
pub(crate) use distance::sphere_m;
pub use polygon::Polygon;
