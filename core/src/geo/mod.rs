//! Places on the earth: the datums of maps and where each is used. Countries,
//! missions and their districts come to stand here beside them.

mod datum;
mod mainland;

pub use datum::{Bd09, Datum, Gcj02, Wgs84, position_in};
