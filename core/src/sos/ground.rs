//! The ground on which something leaves the phone in an emergency.

use serde::{Deserialize, Serialize};

/// Why data may leave the phone (compare GDPR, article 6 (1) a and d, and PIPL,
/// article 13 (1) and (4)).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ground", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Ground {
    /// The vital interest of the traveler: the press itself says so.
    #[default]
    VitalInterest,
    /// The traveler's consent.
    Consent {
        /// Version of the text that was shown.
        text_version: String,
    },
}
