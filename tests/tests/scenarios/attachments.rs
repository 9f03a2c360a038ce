//! Files that follow a report.

use homeline::Result;
use homeline::sos::{AttachmentInfo, AttachmentState, DataCost, SendOver as Over};
use serde::Deserialize;

use crate::expect;
use crate::player::{Player, case_of};

const OVER: [Over; 3] = [Over::AnyLink, Over::UnmeteredLink, Over::NoLink];

const COSTS: [DataCost; 2] = [DataCost::Free, DataCost::Metered];

/// The file of so many bytes: each player makes its own, and compares.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 7u32;
    (0..length)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        })
        .collect()
}

/// A file is attached and deleted at once.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Attach {
    r#as: Option<String>,
    to: String,
    bytes: usize,
    media_type: String,
    name: Option<String>,
    over: Option<String>,
    /// From memory, without a file.
    #[serde(default)]
    in_memory: bool,
    same_as: Option<String>,
}

impl Attach {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let report = player.named(&self.to);
        let attachments = player.home().attachments();
        let bytes = noise(self.bytes);
        let info = AttachmentInfo {
            media_type: self.media_type,
            name: self.name,
            send_over: self.over.map(|over| case_of(&OVER, &over)),
        };
        let id = if self.in_memory {
            attachments.attach_bytes(report, bytes, info)?
        } else {
            let file = player.file();
            std::fs::write(&file, bytes).unwrap();
            let id = attachments.attach_file(report, file.to_string_lossy().into_owned(), info);
            std::fs::remove_file(file).unwrap();
            id?
        };
        if let Some(same) = self.same_as {
            assert_eq!(id, player.named(&same));
        }
        player.keep(self.r#as, id);
        Ok(())
    }
}

/// The attachments of a report, in the order in which they were attached.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Attachments {
    of: String,
    states: Vec<String>,
    names: Option<Vec<String>>,
}

impl Attachments {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let list = player.home().attachments().list(player.named(&self.of))?;
        let states: Vec<&str> = list.iter().map(|it| state_name(&it.state)).collect();
        assert_eq!(states, self.states);
        let names = list.into_iter().filter_map(|it| it.name).collect();
        expect(names, self.names);
        Ok(())
    }
}

/// The state shows nothing of itself: it may carry what the ministry said.
fn state_name(state: &AttachmentState) -> &'static str {
    match state {
        AttachmentState::Waiting => "waiting",
        AttachmentState::Sending { .. } => "sending",
        AttachmentState::Paused { .. } => "paused",
        AttachmentState::Received { .. } => "received",
        AttachmentState::Parked { .. } => "parked",
    }
}

/// What the platform says of the link of now.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinkCost {
    cost: String,
}

impl LinkCost {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let cost = case_of(&COSTS, &self.cost);
        player.home().attachments().link_is(cost)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendOver {
    of: String,
    over: String,
}

impl SendOver {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let id = player.named(&self.of);
        let over = case_of(&OVER, &self.over);
        assert!(player.home().attachments().set_send_over(id, over)?);
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RemoveAttachment {
    of: String,
    removed: bool,
}

impl RemoveAttachment {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let id = player.named(&self.of);
        let removed = player.home().attachments().remove(id)?;
        assert_eq!(removed, self.removed);
        Ok(())
    }
}
