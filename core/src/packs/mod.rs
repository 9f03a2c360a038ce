//! Packs: collections of items that a ministry signs, and the first one, which the
//! library carries.

pub mod first;
