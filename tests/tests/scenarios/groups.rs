//! Groups: texts that go from one phone to another.

use homeline::Result;
use homeline::registration::groups::{GroupDetails, GroupKind};
use serde::Deserialize;

use crate::expect;
use crate::person::PersonJson;
use crate::player::{Player, snake};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateGroup {
    r#as: Option<String>,
    details: DetailsJson,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DetailsJson {
    name: String,
    kind: GroupKind,
    agency: Option<String>,
    first_day: Option<String>,
    last_day: Option<String>,
}

impl CreateGroup {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let id = player.home().groups().create(GroupDetails {
            name: self.details.name,
            kind: self.details.kind,
            agency: self.details.agency,
            first_day: self.details.first_day,
            last_day: self.details.last_day,
        })?;
        player.keep(self.r#as, id);
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Invite {
    to: String,
    r#as: Option<String>,
}

impl Invite {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let group = player.named(&self.to);
        let text = player.home().groups().invitation(group)?;
        player.keep(self.r#as, text);
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Invitation {
    text: String,
    name: Option<String>,
    state: Option<String>,
    shares: Option<Vec<String>>,
}

impl Invitation {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let text = player.named(&self.text);
        let view = player.home().groups().read_invitation(text)?;
        expect(view.details.name, self.name);
        expect(snake(&view.state), self.state);
        expect(view.shares.iter().map(snake).collect(), self.shares);
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Join {
    text: String,
    text_version: String,
    r#as: Option<String>,
}

impl Join {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let text = player.named(&self.text);
        let entry = player.home().groups().join(text, self.text_version)?;
        player.keep(self.r#as, entry);
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Leave {
    group: String,
    r#as: Option<String>,
}

impl Leave {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let group = player.named(&self.group);
        let text = player.home().groups().leave(group)?;
        player.keep(self.r#as, text);
        Ok(())
    }
}

/// Somebody changes one letter in the middle of a text.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Alter {
    text: String,
    r#as: Option<String>,
}

impl Alter {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let mut text = player.named(&self.text).into_bytes();
        let middle = text.len() / 2;
        text[middle] = if text[middle] == b'A' { b'B' } else { b'A' };
        player.keep(self.r#as, String::from_utf8(text).unwrap());
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddText {
    text: String,
    outcome: Option<String>,
}

impl AddText {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let text = player.named(&self.text);
        expect(snake(&player.home().groups().add(text)?), self.outcome);
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddByHand {
    to: String,
    person: PersonJson,
    outcome: String,
}

impl AddByHand {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let group = player.named(&self.to);
        let groups = player.home().groups();
        let outcome = groups.add_by_hand(group, self.person.into())?;
        assert_eq!(snake(&outcome), self.outcome);
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Members {
    of: String,
    names: Vec<String>,
}

impl Members {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let group = player.named(&self.of);
        let members = player.home().groups().members(group)?;
        let names: Vec<String> = members.into_iter().map(|it| it.name).collect();
        assert_eq!(names, self.names);
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Groups {
    states: Vec<String>,
}

impl Groups {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let groups = player.home().groups().list()?;
        let states: Vec<String> = groups.iter().map(|it| snake(&it.state)).collect();
        assert_eq!(states, self.states);
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CloseGroup {
    of: String,
}

impl CloseGroup {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let group = player.named(&self.of);
        player.home().groups().close(group)
    }
}
