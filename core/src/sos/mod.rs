mod request;
pub use request::{OnRepeat, SosKind, SosRequest};
