//! Several phones of one traveler.

use homeline::Result;
use serde::Deserialize;

use crate::player::{Player, snake};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinkCode {
    r#as: Option<String>,
}

impl LinkCode {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let code = player.home().phones().link_code()?;
        player.keep(self.r#as, code);
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinkPhone {
    code: String,
}

impl LinkPhone {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let code = player.named(&self.code);
        player.home().phones().link(code)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinkState {
    state: String,
}

impl LinkState {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        assert_eq!(snake(&player.home().phones().state()?), self.state);
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Phones {
    kinds: Vec<String>,
}

impl Phones {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let phones = player.home().phones().list()?;
        let kinds: Vec<String> = phones.iter().map(|it| snake(&it.whose)).collect();
        assert_eq!(kinds, self.kinds);
        Ok(())
    }
}

/// What this phone tells of the other's changes, the newest first.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Merged {
    outcomes: Vec<String>,
}

impl Merged {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let merged = player.home().phones().merged()?;
        let outcomes: Vec<String> = merged.iter().map(|it| snake(&it.outcome)).collect();
        assert_eq!(outcomes, self.outcomes);
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DismissMerged {}

impl DismissMerged {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        player.home().phones().dismiss(i64::MAX)
    }
}
