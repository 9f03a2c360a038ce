//! What a host passes to a press.

use serde::{Deserialize, Serialize};

use crate::whereabouts::Fix;

/// The kind of emergency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum SosKind {
    /// Ill or injured.
    Medical,
    /// Robbed, attacked or threatened.
    Crime,
    /// Traffic or other accident.
    Accident,
    /// Earthquake, flood, storm, fire.
    Disaster,
    /// Unrest, war, terror.
    Conflict,
    /// Detained or arrested.
    Detained,
    /// Lost, stranded or missing somebody.
    Lost,
    /// Anything else.
    Other,
}

/// What a second press within a second is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum OnRepeat {
    /// The same press: its report is returned.
    SameReport,
    /// A report of its own.
    NewReport,
}

/// A press of the button. Only the kind is needed: whatever else is wrong with
/// the request is mended or left out, never refused.
#[derive(Clone, PartialEq, uniffi::Record)]
pub struct SosRequest {
    /// The kind of emergency.
    pub kind: SosKind,
    /// What the traveler wrote; cut where it is longer than 4,000 characters.
    #[uniffi(default = "")]
    pub note: String,
    /// Where, if the host has a fix of this moment. Left out, or out of range:
    /// the last known position is taken, with its age.
    #[uniffi(default = None)]
    pub fix: Option<Fix>,
    /// People concerned, the traveler included.
    #[uniffi(default = None)]
    pub people: Option<u32>,
    /// Charge of the battery in percent.
    #[uniffi(default = None)]
    pub battery_percent: Option<u8>,
    /// Seconds in which `cancel` leaves nothing behind; 0 sends at once. The
    /// report is on disk during them: a phone that dies in the countdown has
    /// pressed. At most 60.
    #[uniffi(default = 0)]
    pub countdown_s: u32,
    /// What a second press of the same kind within a second is.
    #[uniffi(default = None)]
    pub on_repeat: Option<OnRepeat>,
}

redacted_debug!(SosRequest);

impl SosRequest {
    /// A press of `kind` with nothing else said.
    pub fn new(kind: SosKind) -> Self {
        Self {
            kind,
            note: String::new(),
            fix: None,
            people: None,
            battery_percent: None,
            countdown_s: 0,
            on_repeat: None,
        }
    }
}
