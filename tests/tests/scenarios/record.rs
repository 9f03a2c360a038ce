//! Who: the traveler, those registered with them, whom to call, what may leave.

use homeline::Result;
use homeline::contacts::{Contact, Relation, Tell};
use homeline::registration::{
    Agreement, AgreementWay, BloodGroup, Capacity, ConsentGiven, Dependent, Guardian,
    MedicalCard as Card, Purpose,
};
use serde::Deserialize;
use serde_json::Value;

use crate::expect;
use crate::person::PersonJson;
use crate::player::{Player, snake};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Register {
    traveler: PersonJson,
}

impl Register {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        player.home().registration().save(self.traveler.into())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Traveler {
    saved: Option<bool>,
    name: Option<String>,
    phone: Option<String>,
    kind: Option<String>,
    document: Option<String>,
    document_kind: Option<String>,
    issuing_state: Option<String>,
    expiry_date: Option<String>,
}

impl Traveler {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let saved = player.home().registration().traveler()?;
        assert_eq!(saved.is_some(), self.saved.unwrap_or(true));
        let Some(traveler) = saved else {
            return Ok(());
        };
        let document = traveler.documents.into_iter().next().unwrap_or_default();
        // As it is in JSON: the types show nothing of a person.
        let kind = serde_json::to_value(&traveler.kind).unwrap();
        expect(traveler.name, self.name);
        expect(traveler.phone, self.phone.map(Some));
        expect(kind["kind"].clone(), self.kind.map(Value::from));
        expect(document.number, self.document);
        expect(
            document.kind.map(|kind| snake(&kind)),
            self.document_kind.map(Some),
        );
        expect(document.issuing_state, self.issuing_state.map(Some));
        expect(document.expiry_date, self.expiry_date.map(Some));
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddDependent {
    r#as: Option<String>,
    person: PersonJson,
    capacity: Capacity,
    agreed: AgreementJson,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AgreementJson {
    way: AgreementWay,
    date: String,
}

impl AddDependent {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let id = player.home().dependents().save(Dependent {
            person: self.person.into(),
            capacity: self.capacity,
            agreed: Agreement {
                way: self.agreed.way,
                date: self.agreed.date,
            },
            id: None,
        })?;
        player.keep(self.r#as, id);
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Dependents {
    names: Option<Vec<String>>,
}

impl Dependents {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let saved = player.home().dependents().list()?;
        let names = saved.into_iter().map(|saved| saved.person.name).collect();
        expect(names, self.names);
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddContact {
    r#as: Option<String>,
    name: String,
    phone: String,
    relation: Relation,
    #[serde(default)]
    languages: Vec<String>,
    #[serde(default)]
    may_be_told: Vec<Tell>,
    second_phone: Option<String>,
    email: Option<String>,
    note: Option<String>,
}

impl AddContact {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let id = player.home().contacts().add(Contact {
            name: self.name,
            phone: self.phone,
            relation: self.relation,
            languages: self.languages,
            may_be_told: self.may_be_told,
            second_phone: self.second_phone,
            email: self.email,
            note: self.note,
        })?;
        player.keep(self.r#as, id);
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MoveContact {
    of: String,
    position: u32,
}

impl MoveContact {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let id = player.named(&self.of);
        player.home().contacts().move_to(id, self.position)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Contacts {
    count: Option<usize>,
    names: Option<Vec<String>>,
}

impl Contacts {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let saved = player.home().contacts().list()?;
        expect(saved.len(), self.count);
        let names = saved.into_iter().map(|saved| saved.contact.name).collect();
        expect(names, self.names);
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Consent {
    purpose: Purpose,
    text_version: String,
    language: Option<String>,
    guardian: Option<GuardianJson>,
    subject: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GuardianJson {
    name: String,
    relation: String,
}

impl Consent {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        player.home().consents().give_as(ConsentGiven {
            purpose: self.purpose,
            text_version: self.text_version,
            language: self.language.unwrap_or_default(),
            guardian: self.guardian.map(|guardian| Guardian {
                name: guardian.name,
                relation: guardian.relation,
            }),
            subject: self.subject.map(|name| player.named(&name)),
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Withdraw {
    purpose: Purpose,
}

impl Withdraw {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        player.home().consents().withdraw(self.purpose)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConsentState {
    purpose: Purpose,
    in_force: bool,
}

impl ConsentState {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let in_force = player.home().consents().in_force(self.purpose)?;
        assert_eq!(in_force, self.in_force);
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SaveMedicalCard {
    card: CardJson,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CardJson {
    blood_group: Option<BloodGroup>,
    #[serde(default)]
    allergies: Vec<String>,
    #[serde(default)]
    medication: Vec<String>,
    #[serde(default)]
    conditions: Vec<String>,
    notes: Option<String>,
    #[serde(default)]
    languages: Vec<String>,
}

impl SaveMedicalCard {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        player.home().registration().save_medical_card(Card {
            blood_group: self.card.blood_group,
            allergies: self.card.allergies,
            medication: self.card.medication,
            conditions: self.card.conditions,
            notes: self.card.notes,
            languages: self.card.languages,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MedicalCard {
    saved: Option<bool>,
    blood_group: Option<BloodGroup>,
    allergies: Option<Vec<String>>,
}

impl MedicalCard {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let saved = player.home().registration().medical_card()?;
        assert_eq!(saved.is_some(), self.saved.unwrap_or(true));
        let card = saved.unwrap_or_default();
        expect(card.blood_group, self.blood_group.map(Some));
        expect(card.allergies, self.allergies);
        Ok(())
    }
}
