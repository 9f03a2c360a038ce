//! The network, the phones, and what happens to Homeline as a whole.

use std::thread;
use std::time::Duration;

use homeline::Result;
use homeline_tests::stage::Network;
use serde::Deserialize;

use crate::expect;
use crate::player::{Player, check_record, snake};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Link {
    to: Network,
}

impl Link {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        player.stage.network(self.to);
        Ok(())
    }
}

/// Another phone is taken in hand, a new one where the name is new.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Phone {
    name: String,
}

impl Phone {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        player.take(self.name);
        Ok(())
    }
}

/// Time goes by: two clocks are no nearer to each other than a request takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wait {
    ms: u64,
}

impl Wait {
    pub(crate) fn play(self, _: &mut Player<'_>) -> Result<()> {
        thread::sleep(Duration::from_millis(self.ms));
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Open {
    record: String,
    /// In an app that knows all channels of the ministry from the beginning.
    #[serde(default)]
    channels: bool,
    /// Those of the phone.
    #[serde(default)]
    languages: Vec<String>,
}

impl Open {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        player.open(&self.record, self.channels, self.languages)
    }
}

pub(crate) use Open as ReopenFromDisk;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reopen {
    record: String,
}

impl Reopen {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        check_record(&player.home().reopen()?.record, &self.record);
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LockRecord {}

impl LockRecord {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        player.vault().set_locked(true);
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnlockRecord {}

impl UnlockRecord {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        player.vault().set_locked(false);
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NetworkChanged {}

impl NetworkChanged {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        player.home().network_changed()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sync {
    stopped: String,
    sent: Option<u32>,
    waiting: Option<u32>,
    parked: Option<u32>,
    without_consent: Option<bool>,
}

impl Sync {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let outcome = player.home().sync(20_000)?;
        assert_eq!(snake(&outcome.stopped), self.stopped, "{outcome:?}");
        expect(outcome.sent, self.sent);
        expect(outcome.waiting, self.waiting);
        expect(outcome.parked, self.parked);
        expect(outcome.without_consent, self.without_consent);
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Export {
    /// Texts in the JSON.
    #[serde(default)]
    contains: Vec<String>,
    /// Texts that are not in it.
    #[serde(default)]
    lacks: Vec<String>,
    /// Texts in the summary.
    #[serde(default)]
    summary: Vec<String>,
}

impl Export {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let export = player.home().export()?;
        for text in self.contains {
            assert!(export.json.contains(&text), "no {text}");
        }
        for text in self.lacks {
            assert!(!export.json.contains(&text), "{text}");
            assert!(!export.summary.contains(&text), "{text}");
        }
        for text in self.summary {
            assert!(export.summary.contains(&text), "no {text}");
        }
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Erase {
    record: String,
}

impl Erase {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        check_record(&player.home().erase()?.record, &self.record);
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EraseRequest {
    state: String,
}

impl EraseRequest {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        assert_eq!(snake(&player.home().state()?.erase_request), self.state);
        Ok(())
    }
}
