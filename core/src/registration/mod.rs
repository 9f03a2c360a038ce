mod mrz;
mod traveler;
pub use traveler::{TravelDocument, Traveler, TravelerKind};
