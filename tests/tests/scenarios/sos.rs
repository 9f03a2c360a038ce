//! A press, and what this phone knows of it.

use homeline::Result;
use homeline::sos::{Channel, Evidence, ReportState, SosKind, SosRequest};
use serde::Deserialize;

use crate::expect;
use crate::player::{Player, snake};

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
    /// How it was handed over.
    channel: Option<Channel>,
    /// Why it is parked.
    reason: Option<String>,
    /// The receipts that prove it, in order: `full`, or by which channel its short
    /// form went.
    receipts: Option<Vec<String>>,
}

impl Status {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let report = player.named(&self.of);
        let status = player.home().sos().status(report)?;
        expect(state_name(&status.state), self.state.as_deref());
        expect(status.attempts, self.attempts);
        let events = status.events.iter();
        let receipts = events.filter_map(|event| receipt(&event.evidence));
        expect(receipts.collect(), self.receipts);
        if let Some(expected) = self.channel {
            assert_eq!(status.state, ReportState::Handed { channel: expected });
        }
        if let Some(expected) = self.reason {
            assert!(matches!(&status.state,
                ReportState::Parked { reason, .. } if *reason == expected));
        }
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

fn receipt(evidence: &Evidence) -> Option<String> {
    match evidence {
        Evidence::Receipt { .. } => Some("full".into()),
        Evidence::CompactReceipt { channel, .. } => Some(snake(channel)),
        _ => None,
    }
}

/// This phone's own reports, the newest first.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reports {
    states: Vec<String>,
}

impl Reports {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let reports = player.home().sos().reports()?;
        let states: Vec<&str> = reports.iter().map(|it| state_name(&it.state)).collect();
        assert_eq!(states, self.states);
        Ok(())
    }
}

/// What the ministry has refused, in the order in which it was made.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Parked {
    kinds: Vec<String>,
    /// Of all of them.
    status: Option<u16>,
    reason: Option<String>,
}

impl Parked {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let parked = player.home().parked()?;
        let kinds: Vec<String> = parked.iter().map(|item| snake(&item.kind)).collect();
        assert_eq!(kinds, self.kinds);
        for item in parked {
            assert!(item.since_ms.is_some());
            expect(item.status, self.status.map(Some));
            expect(item.reason, self.reason.clone().map(Some));
        }
        Ok(())
    }
}

/// The parked item of that kind waits again.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TryAgain {
    kind: String,
}

impl TryAgain {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let parked = player.home().parked()?;
        let item = parked.into_iter().find(|it| snake(&it.kind) == self.kind);
        player.home().try_again(item.unwrap().id)
    }
}
