//! What the change feed brings: each is signed by the ministry, then sealed to the
//! device that it is for.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Base64;
use crate::registration::fields::{Field, Stamp};

/// Body of the news of a case.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CaseNews {
    /// The report that the case is about.
    pub report: Uuid,
    /// The ministry's case number.
    pub case: String,
    /// What the case has come to.
    pub state: CaseState,
    /// The mission that took it.
    pub mission: String,
    /// Who took it, as the mission wants to be shown.
    pub officer: String,
    /// When, milliseconds UTC by the ministry's clock.
    pub at_ms: i64,
}

/// State of a case at the ministry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum CaseState {
    /// A duty officer has read the report and taken the case.
    Acknowledged,
    /// The case is closed.
    Closed,
}

/// Body of the news of a registration, for one of its phones: what other phones
/// of the traveler have changed. A long one comes in several changes.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProfileNews {
    /// X25519 key of the device that it is for.
    pub to: Base64,
    /// The registration that it is about.
    pub registration: Uuid,
    /// Whether the device belongs to it.
    pub membership: Membership,
    /// The answer to the last link code that the device sent, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<LinkAnswer>,
    /// All phones of the registration.
    #[serde(default)]
    pub phones: Vec<PhoneNews>,
    /// Changes that met within the last month, of two phones that had not heard
    /// of each other's.
    #[serde(default)]
    pub overruled: Vec<Overruled>,
    /// Fields that the device may not have, with their stamps.
    #[serde(default)]
    pub fields: Vec<Field>,
}

/// Whether a device belongs to a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Membership {
    /// It does.
    Member,
    /// It does not, or no longer: what it sends under this id is kept as its own.
    Stranger,
}

/// The answer to a link code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LinkAnswer {
    /// Random number of the code, in hex.
    pub nonce: String,
    /// Why it was refused; absent where the phones are linked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<LinkRefusal>,
}

/// Why a link code was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum LinkRefusal {
    /// Not made by the phone that it names.
    NotGenuine,
    /// Too old, or from a phone with a wrong clock.
    Expired,
    /// Another phone has used it.
    Used,
    /// The phone that made it does not belong to the registration.
    NotLinked,
}

/// One phone of a registration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PhoneNews {
    /// Id of the device.
    pub device: String,
    /// When it joined, milliseconds UTC by the ministry's clock.
    pub linked_ms: i64,
    /// When its last profile came, milliseconds UTC by the ministry's clock.
    pub seen_ms: i64,
}

/// Two changes of one field that met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Overruled {
    /// The entity.
    pub entity: String,
    /// The key; empty where one of them removed the entity.
    pub key: String,
    /// The change that stands.
    pub newer: Stamp,
    /// The change that does not.
    pub older: Stamp,
}

/// Body of a change of kind `card`: the traveler's registration card, or its end.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CardNews {
    /// The card as text, see `registration::card`; absent where the registration
    /// was removed, and so its card ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
    /// When, milliseconds UTC by the ministry's clock.
    pub at_ms: i64,
}

redacted_debug!(CaseNews, ProfileNews, CardNews);
