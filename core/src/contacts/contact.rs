//! An emergency contact: the type, and the checks of its form.

use serde::{Deserialize, Serialize};

use crate::config::Policy;
use crate::error::Result;
use crate::validate;

/// Somebody to call for the traveler.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Contact {
    /// Name.
    pub name: String,
    /// Phone: E.164, or a short code.
    pub phone: String,
    /// Who this is to the traveler.
    pub relation: Relation,
}

/// Who a contact is to the traveler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Relation {
    /// Mother or father.
    Parent,
    /// Wife, husband or partner.
    Partner,
    /// Daughter or son.
    Child,
    /// Sister or brother.
    Sibling,
    /// Another relative.
    Relative,
    /// Friend.
    Friend,
    /// Employer or colleague.
    Employer,
    /// School, teacher or tutor.
    School,
    /// Anybody else.
    Other,
}

redacted_debug!(Contact);

impl Contact {
    pub(crate) fn validated(self, policy: &Policy) -> Result<Self> {
        Ok(Self {
            name: validate::line("contact.name", &self.name, policy)?,
            phone: validate::phone("contact.phone", &self.phone)?,
            relation: self.relation,
        })
    }
}
