mod fix;
pub use fix::{Fix, FixSource, Position};
