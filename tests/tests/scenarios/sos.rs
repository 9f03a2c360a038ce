//! A press, and what this phone knows of it.

use homeline::Result;
use homeline::sos::{ReportState, SosKind, SosRequest};
use serde::Deserialize;

use crate::expect;
use crate::player::Player;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Press {
    r#as: Option<String>,
    kind: SosKind,
    note: String,
    countdown_s: Option<u32>,
    same_as: Option<String>,
}

impl Press {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let mut request = SosRequest::new(self.kind);
        request.note = self.note;
        request.countdown_s = self.countdown_s.unwrap_or(0);
        let report = player.home().sos().press(request)?;
        if let Some(same) = self.same_as {
            assert_eq!(report, player.named(&same));
        }
        player.keep(self.r#as, report);
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cancel {
    of: String,
}

impl Cancel {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let report = player.named(&self.of);
        player.home().sos().cancel(report)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Status {
    of: String,
    state: Option<String>,
    attempts: Option<u32>,
    officer: Option<String>,
    known_at_ministry: Option<bool>,
}

impl Status {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let report = player.named(&self.of);
        let status = player.home().sos().status(report)?;
        expect(state_name(&status.state), self.state.as_deref());
        expect(status.attempts, self.attempts);
        if let Some(expected) = self.officer {
            assert!(matches!(&status.state,
                ReportState::Acknowledged { officer, .. } if *officer == expected));
        }
        if let Some(known) = self.known_at_ministry {
            assert!(matches!(&status.state,
                ReportState::Cancelled { known_at_ministry_ms }
                    if known_at_ministry_ms.is_some() == known));
        }
        Ok(())
    }
}

/// The state shows nothing of itself: it carries a person's name.
fn state_name(state: &ReportState) -> &'static str {
    match state {
        ReportState::Countdown { .. } => "countdown",
        ReportState::Stored => "stored",
        ReportState::Handed { .. } => "handed",
        ReportState::Received { .. } => "received",
        ReportState::Acknowledged { .. } => "acknowledged",
        ReportState::Closed { .. } => "closed",
        ReportState::Cancelled { .. } => "cancelled",
        ReportState::Parked { .. } => "parked",
    }
}
