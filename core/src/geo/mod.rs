//! Places on the earth: the datums of maps and where each is used, and the country
//! of a place. Missions and their districts come to stand here beside them.

pub mod country;
mod datum;
mod mainland;

pub use datum::{Bd09, Datum, Gcj02, Wgs84, position_in};
