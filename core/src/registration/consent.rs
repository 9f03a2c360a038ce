//! Consent: a ledger of what the traveler allowed to leave the phone, and when.
//!
//! A row is written each time that a consent is given: for what, by whom and for
//! whom, and which text was shown in which language. Taking it back closes the
//! row, takes effect at once, and is as easy as giving. Nothing leaves under a
//! purpose without its consent, save an SOS, whose ground is the press itself:
//! [`super::gate`] decides.
//!
//! A guardian consents for a child under 14 (Personal Information Protection Law
//! of the PRC, art. 31). GDPR art. 8 sets 16 for online services, and lets its
//! members go down to 13: a host that serves those asks its own guardians on
//! top of that; the ledger takes a guardian at any age.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{gate, ledger};
use crate::config::Policy;
use crate::error::{HomelineError, Result, guard};
use crate::homeline::{Listeners, Topic};
use crate::outbox::Outbox;
use crate::record::Record;
use crate::sos::StandingKeeper;
use crate::validate;

/// What a consent is for. An SOS needs none: its ground is the press itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Purpose {
    /// The registration and the emergency contacts go to the ministry.
    Register,
    /// Positions go to the ministry outside an SOS.
    Whereabouts,
    /// Positions go to the ministry only while it has declared a crisis, only
    /// those inside its circle, and only those since its beginning.
    WhereaboutsInCrisis,
    /// The ministry may tell the family.
    Family,
    /// The ministry may tell the employer or the school.
    EmployerOrSchool,
    /// The ministry may answer the media.
    Media,
    /// The medical card goes to the ministry outside a medical SOS.
    Medical,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 7] = [
        Self::Register,
        Self::Whereabouts,
        Self::WhereaboutsInCrisis,
        Self::Family,
        Self::EmployerOrSchool,
        Self::Media,
        Self::Medical,
    ];
}

/// Who consents for a child.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct Guardian {
    /// Name.
    pub name: String,
    /// What the guardian is to the child, for example `mother`.
    pub relation: String,
}

/// A consent as it is given.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ConsentGiven {
    /// What for.
    pub purpose: Purpose,
    /// Version of the text that was shown.
    pub text_version: String,
    /// Language that it was shown in: a BCP 47 tag such as `zh-Hans`; empty
    /// where it is not known.
    #[uniffi(default = "")]
    pub language: String,
    /// Who gives it for a child under 14; absent: the traveler.
    #[uniffi(default = None)]
    pub guardian: Option<Guardian>,
    /// Id of the dependent that it is for; absent: the traveler.
    #[uniffi(default = None)]
    pub subject: Option<String>,
}

/// One row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, uniffi::Record)]
pub struct Consent {
    /// What for.
    pub purpose: Purpose,
    /// Id of the dependent that it is for; absent: the traveler.
    pub subject: Option<String>,
    /// Version of the text that was shown.
    pub text_version: String,
    /// Language that it was shown in (BCP 47); empty where it is not known.
    pub language: String,
    /// Who gave it for a child; absent: the traveler.
    pub guardian: Option<Guardian>,
    /// When it was given, milliseconds UTC by the best time known.
    pub given_ms: i64,
    /// When it was taken back; absent while it is in force.
    pub withdrawn_ms: Option<i64>,
}

redacted_debug!(Guardian);

/// The traveler's consents. Reached through `Homeline::consents`.
#[derive(uniffi::Object)]
pub struct Consents {
    pub(crate) record: Arc<Record>,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) standing: Arc<StandingKeeper>,
    pub(crate) listeners: Arc<Listeners>,
    pub(crate) policy: Policy,
}

#[uniffi::export]
impl Consents {
    /// The traveler gives consent for a purpose. `text_version` names the text
    /// that was shown. Positions recorded before are not covered.
    ///
    /// Errors: `Invalid` names the field, above all `consent.guardian` where the
    /// traveler is under 14; `Locked`, `KeyLost`, `Storage`.
    pub fn give(&self, purpose: Purpose, text_version: String) -> Result<()> {
        self.give_as(ConsentGiven {
            purpose,
            text_version,
            language: String::new(),
            guardian: None,
            subject: None,
        })
    }

    /// Gives consent with the language of the text, by a guardian, or for a
    /// dependent.
    ///
    /// Errors: as `give`; `NotFound` where there is no such dependent.
    pub fn give_as(&self, given: ConsentGiven) -> Result<()> {
        guard("Consents::give", || {
            let given = given.validated(&self.policy)?;
            let now_ms = self.outbox.best_ms();
            self.record.write(|tx| ledger::give(tx, &given, now_ms))?;
            self.standing.renew_if_stale();
            self.listeners.notify(Topic::Record);
            Ok(())
        })
    }

    /// The traveler takes a consent back: what waits under it is deleted, and
    /// nothing more leaves under it. Once more changes nothing.
    ///
    /// Errors: `Locked`, `KeyLost`, `Storage`.
    pub fn withdraw(&self, purpose: Purpose) -> Result<()> {
        self.withdraw_for(purpose, None)
    }

    /// Takes back the consent for a dependent: `subject` is the dependent's id.
    ///
    /// Errors: as `withdraw`.
    pub fn withdraw_for(&self, purpose: Purpose, subject: Option<String>) -> Result<()> {
        guard("Consents::withdraw", || {
            let now_ms = self.outbox.best_ms();
            let subject = subject.unwrap_or_default();
            self.record
                .write(|tx| gate::withdraw(tx, purpose, &subject, now_ms))?;
            gate::delete_waiting(&self.outbox, purpose, &subject)?;
            gate::enforce(&self.record, &self.outbox)?;
            self.standing.renew_if_stale();
            self.listeners.notify(Topic::Record);
            Ok(())
        })
    }

    /// Whether the traveler's consent for a purpose is in force. One that was
    /// given by a child is not.
    ///
    /// Errors: `Locked`, `KeyLost`, `Storage`.
    pub fn in_force(&self, purpose: Purpose) -> Result<bool> {
        guard("Consents::in_force", || {
            self.record.read(|tx| ledger::in_force(tx, purpose))
        })
    }

    /// Every consent that was given, withdrawn ones included, the oldest first.
    ///
    /// Errors: as `in_force`.
    pub fn list(&self) -> Result<Vec<Consent>> {
        guard("Consents::list", || self.record.read(ledger::list))
    }
}

impl ConsentGiven {
    fn validated(self, policy: &Policy) -> Result<Self> {
        Ok(Self {
            text_version: validate::line("text_version", &self.text_version, policy)?,
            language: match self.language.trim() {
                "" => String::new(),
                tag => validate::language("consent.language", tag)?,
            },
            guardian: self
                .guardian
                .map(|guardian| {
                    Ok::<_, HomelineError>(Guardian {
                        name: validate::line("consent.guardian.name", &guardian.name, policy)?,
                        relation: validate::line(
                            "consent.guardian.relation",
                            &guardian.relation,
                            policy,
                        )?,
                    })
                })
                .transpose()?,
            subject: self.subject.filter(|subject| !subject.is_empty()),
            purpose: self.purpose,
        })
    }
}
