//! What the duty officer has.

use homeline::Result;
use homeline::registration::BloodGroup;
use homeline::sos::SosKind;
use ministry::CaseView;
use serde::Deserialize;
use serde_json::Value;

use crate::attachments::noise;
use crate::expect;
use crate::player::Player;
use crate::whereabouts::micro;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Desk {
    of: String,
    cases: usize,
    state: Option<String>,
    kind: Option<SosKind>,
    traveler: Option<String>,
    traveler_kind: Option<String>,
    dependents: Option<Vec<String>>,
    contacts: Option<usize>,
    contact_names: Option<Vec<String>>,
    stay: Option<String>,
    blood_group: Option<BloodGroup>,
    allergies: Option<Vec<String>>,
    latitude: Option<f64>,
    longitude: Option<f64>,
    note: Option<String>,
    /// How the first of its short form came.
    compact: Option<String>,
    /// The note as the text messages brought it, its parts in order.
    texts: Option<Vec<String>>,
    times_received: Option<u64>,
    attachments: Option<usize>,
}

impl Desk {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let mut found = cases(player, &self.of);
        assert_eq!(found.len(), self.cases);
        if let Some(case) = found.pop() {
            self.check(case);
        }
        Ok(())
    }

    fn check(self, case: CaseView) {
        let state = serde_json::to_value(case.state).unwrap();
        expect(state, self.state.map(Value::from));
        expect(case.kind, self.kind.map(Some));
        let kind = case
            .traveler
            .as_ref()
            .map(|it| serde_json::to_value(&it.kind).unwrap()["kind"].clone());
        expect(kind, self.traveler_kind.map(|kind| Some(kind.into())));
        expect(case.traveler.map(|it| it.name), self.traveler.map(Some));
        let dependents = case.dependents.into_iter().map(|it| it.person.name);
        expect(dependents.collect(), self.dependents);
        expect(case.contacts.len(), self.contacts);
        let contacts = case.contacts.into_iter().map(|it| it.name);
        expect(contacts.collect(), self.contact_names);
        let stay = case.stay.and_then(|it| it.stay);
        expect(stay.map(|it| it.place), self.stay.map(Some));
        let card = case.medical.map(|it| it.card).unwrap_or_default();
        expect(card.blood_group, self.blood_group.map(Some));
        expect(card.allergies, self.allergies);
        let position = case.position.map(|it| micro((it.latitude, it.longitude)));
        let expected = self.latitude.zip(self.longitude);
        expect(position, expected.map(|place| Some(micro(place))));
        expect(case.note, self.note);
        expect(case.times_received, self.times_received);
        expect(case.attachments.len(), self.attachments);
        let texts = case.compact.iter().flat_map(|it| &it.texts);
        let texts = texts.filter_map(|it| it.text.clone()).collect();
        expect(texts, self.texts);
        expect(case.compact.map(|it| it.channel), self.compact.map(Some));
    }
}

fn cases(player: &Player<'_>, name: &str) -> Vec<CaseView> {
    let report = player.named(name);
    let mut cases = player.stage.ministry.cases().unwrap();
    cases.retain(|case| case.report.to_string() == report);
    cases
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeskGroup {
    of: String,
    uploaded: Option<bool>,
    name: Option<String>,
    members: Option<Vec<String>>,
    left: Option<u32>,
    unverified: Option<u32>,
}

impl DeskGroup {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let id = player.named(&self.of);
        let groups = player.stage.ministry.groups().unwrap();
        let found = groups.into_iter().find(|group| group.id.to_string() == id);
        assert_eq!(found.is_some(), self.uploaded.unwrap_or(true));
        if let Some(group) = found {
            expect(group.name, self.name);
            let members = group.members.into_iter().map(|it| it.name);
            expect(members.collect(), self.members);
            expect(group.left, self.left);
            expect(group.unverified, self.unverified);
        }
        Ok(())
    }
}

/// The file of an attachment: that of the traveler, to the last byte, or not whole.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeskAttachment {
    of: String,
    /// Of the traveler's file; absent: the desk has none that is whole.
    bytes: Option<usize>,
}

impl DeskAttachment {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let id = player.named(&self.of);
        let file = player.stage.ministry.attachment(&id).unwrap();
        // Not by `assert_eq`: nobody wants to read the bytes.
        assert!(file == self.bytes.map(noise), "the file at the desk");
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Acknowledge {
    of: String,
    officer: String,
    mission: String,
}

impl Acknowledge {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let case = cases(player, &self.of).remove(0);
        let desk = &player.stage.ministry;
        let taken = desk.acknowledge(&case.id, &self.officer, &self.mission);
        assert!(taken.unwrap().is_some());
        Ok(())
    }
}
