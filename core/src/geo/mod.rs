//! Places on the earth: the datums of maps and where each is used, areas and who is in
//! them, distances. Countries, missions and their districts come to stand here beside
//! them.

pub mod area;
mod datum;
mod distance;
mod mainland;
pub mod polygon;

pub use area::{Area, Circle, Spot};
pub use datum::{Bd09, Datum, Gcj02, Wgs84, position_in};
pub use distance::distance_m;
pub(crate) use distance::sphere_m;
pub use polygon::Polygon;
