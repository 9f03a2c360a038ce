//! Holds: what waits though a network is there, for how long, and why.
//!
//! | cause | waits | ends |
//! | --- | --- | --- |
//! | [`PauseCause::Returned`] | all but an SOS, and but what the traveler does now | after a share of the time without a network |
//! | [`PauseCause::StandBy`] | all but an SOS, which has a due time of its own | when the ministry said, within bounds |
//! | [`PauseCause::NotAuthorized`] | everything, no attempt used up; an SOS a minute at most | by back-off; sooner, when the ministry takes a report |
//!
//! A hold lies in the outbox: it survives a restart, works before the first unlock,
//! and always has an end. It is counted by the monotonic clock; where that cannot
//! tell (a restart, and a wall clock that went back), it is over.
//!
//! [`Line`] is what is known of the way to the ministry: since when it has been cut.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::SyncStop;
use super::backoff::return_wait_ms;
use super::sealer::to_json;
use crate::clock::{ClockReading, elapsed_ms};
use crate::config::Policy;
use crate::error::Result;
use crate::homeline::Listeners;
use crate::keys::random;
use crate::outbox::{Gate, Lane, Outbox};

const HOLD: &str = "hold";
const LINE: &str = "line";

/// Why something waits though a network is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
pub enum PauseCause {
    /// The network has just come back: a crowd must not come at once.
    Returned,
    /// The ministry has more than it can take, and asks to stand by.
    StandBy,
    /// The ministry does not accept this device now.
    NotAuthorized,
}

/// What waits though a network is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct Pause {
    /// Why.
    pub cause: PauseCause,
    /// For how much longer at most, milliseconds.
    pub left_ms: i64,
}

/// A hold, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hold {
    pub(super) cause: PauseCause,
    since: ClockReading,
    wait_ms: i64,
}

impl Hold {
    fn of(outbox: &Outbox) -> Result<Option<Self>> {
        kept(outbox, HOLD)
    }

    /// Milliseconds until it ends for a lane; 0 where it has.
    fn left_ms(&self, lane: Lane, now: &ClockReading, policy: &Policy) -> i64 {
        let Some(passed) = elapsed_ms(&self.since, now) else {
            return 0;
        };
        let wait = self.wait_ms.min(lane.longest_wait_ms(policy));
        wait.saturating_sub(passed).max(0)
    }

    /// What may leave at `now`, and milliseconds until more may. Pure.
    fn gate(&self, now: &ClockReading, acted: Acted, policy: &Policy) -> (Gate, i64) {
        let returned = self.cause == PauseCause::Returned;
        if returned && acted == Acted::Yes {
            return (Gate::OPEN, 0);
        }
        let left = |lane| self.left_ms(lane, now, policy);
        let (lane, left_ms) = match (left(Lane::Messages), left(Lane::Attachments)) {
            (_, 0) => return (Gate::OPEN, 0),
            (0, left) => (Lane::Messages, left),
            (left, _) => (Lane::Sos, left),
        };
        let newer_ms = if returned {
            self.since.wall_ms
        } else {
            i64::MAX
        };
        (Gate { lane, newer_ms }, left_ms)
    }
}

/// Whether the traveler did something since the network came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Acted {
    Yes,
    No,
}

impl Acted {
    pub(super) fn of(listeners: &Listeners) -> Self {
        if listeners.acted() {
            Self::Yes
        } else {
            Self::No
        }
    }
}

/// What a pass may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Allowed {
    /// Which envelopes may leave.
    pub(super) gate: Gate,
    /// Why others may not, and for how long.
    pub(super) pause: Option<Pause>,
    /// Milliseconds until the service document and the feed may be fetched, where
    /// nothing else shows that the ministry can be reached; 0: now.
    pub(super) feed_ms: i64,
}

/// What a pass that begins at `now` may do.
pub(super) fn allowed(
    outbox: &Outbox,
    now: &ClockReading,
    acted: Acted,
    policy: &Policy,
) -> Result<Allowed> {
    let line = Line::of(outbox)?;
    let (gate, pause) = match Hold::of(outbox)? {
        None => (Gate::OPEN, None),
        Some(hold) => {
            let (gate, left_ms) = hold.gate(now, acted, policy);
            let cause = hold.cause;
            (gate, (left_ms > 0).then_some(Pause { cause, left_ms }))
        }
    };
    let feed_ms = match acted {
        Acted::Yes => 0,
        Acted::No => line.feed_ms(now),
    };
    Ok(Allowed {
        gate,
        pause,
        feed_ms,
    })
}

/// What is on hold now, for whoever wants to show it.
pub(crate) fn pause(outbox: &Outbox, now: &ClockReading, policy: &Policy) -> Result<Option<Pause>> {
    Ok(allowed(outbox, now, Acted::No, policy)?.pause)
}

/// Holds everything but reports for `wait_ms` from `now`. One that runs and ends
/// later stays.
pub(super) fn hold(
    outbox: &Outbox,
    cause: PauseCause,
    now: &ClockReading,
    wait_ms: i64,
    policy: &Policy,
) -> Result<()> {
    let running = Hold::of(outbox)?;
    if running.is_some_and(|hold| hold.left_ms(Lane::Attachments, now, policy) > wait_ms) {
        return Ok(());
    }
    let since = now.clone();
    let hold = Hold {
        cause,
        since,
        wait_ms,
    };
    outbox.set(HOLD, &to_json(&hold)?)
}

/// The network has changed: reports are due at once, the rest after its share of
/// the time without one.
pub(crate) fn network_changed(
    outbox: &Outbox,
    listeners: &Listeners,
    now: &ClockReading,
    policy: &Policy,
) -> Result<()> {
    // Due, and on hold where something else is: a report is tried on every network.
    outbox.all_due()?;
    let running = Hold::of(outbox)?;
    let mut line = Line::of(outbox)?;
    line.retry = None;
    let random = u32::from_le_bytes(random::<4>()?);
    let wait_ms = return_wait_ms(line.cut_ms(now, policy), random, policy);
    let drawn = running.is_some_and(|hold| hold.is_this_return(now, policy));
    if wait_ms > 0 && !drawn {
        listeners.forget_acts();
        hold(outbox, PauseCause::Returned, now, wait_ms, policy)?;
    }
    line.keep(outbox)
}

impl Hold {
    /// Whether it was drawn for the return that happens now: a network that comes
    /// and goes must not put the same things off again and again.
    fn is_this_return(&self, now: &ClockReading, policy: &Policy) -> bool {
        let until = self.wait_ms.saturating_add(policy.return_spread_ms);
        self.cause == PauseCause::Returned
            && elapsed_ms(&self.since, now).is_some_and(|passed| passed < until)
    }
}

/// What is known of the way to the ministry.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Line {
    /// When the ministry answered last.
    contact: Option<ClockReading>,
    /// When it could not be reached for the first time after that.
    cut: Option<ClockReading>,
    /// Passes in a row that ended with the ministry not reached, busy, or refusing.
    pub(super) failures: u32,
    /// When the last of them ended, and its wait in milliseconds.
    retry: Option<(ClockReading, i64)>,
}

impl Line {
    pub(super) fn of(outbox: &Outbox) -> Result<Self> {
        Ok(kept(outbox, LINE)?.unwrap_or_default())
    }

    fn keep(&self, outbox: &Outbox) -> Result<()> {
        outbox.set(LINE, &to_json(self)?)
    }

    /// For how long the phone has been without the ministry, milliseconds: since it
    /// first failed to reach it; where nothing was tried, since their last contact.
    /// Where no clock can tell, for long.
    fn cut_ms(&self, now: &ClockReading, policy: &Policy) -> i64 {
        let since = self.cut.as_ref().or(self.contact.as_ref());
        since.map_or(0, |since| {
            elapsed_ms(since, now).unwrap_or(policy.return_spread_ms)
        })
    }

    /// Milliseconds until it is tried again for nothing but the feed.
    fn feed_ms(&self, now: &ClockReading) -> i64 {
        let left = self.retry.as_ref().and_then(|(at, wait_ms)| {
            let passed = elapsed_ms(at, now)?;
            Some(wait_ms.saturating_sub(passed))
        });
        left.unwrap_or_default().max(0)
    }

    /// After a pass. Pure.
    fn after(&self, ended: &Ended<'_>) -> Self {
        let Ended {
            began,
            now,
            stop,
            next_ms,
            answered,
        } = *ended;
        let mut line = self.clone();
        if answered {
            line.contact = Some(now.clone());
            line.cut = None;
        }
        match stop {
            SyncStop::Offline
            | SyncStop::NotTheMinistry
            | SyncStop::Busy
            | SyncStop::NotAuthorized => {
                line.failures = line.failures.saturating_add(1);
                line.retry = next_ms.map(|wait_ms| (now.clone(), wait_ms));
            }
            SyncStop::Done if answered => {
                line.failures = 0;
                line.retry = None;
            }
            SyncStop::Done
            | SyncStop::Deadline
            | SyncStop::Cancelled
            | SyncStop::AlreadyRunning => {}
        }
        if matches!(stop, SyncStop::Offline | SyncStop::NotTheMinistry) && line.cut.is_none() {
            line.cut = Some(began.clone());
        }
        line
    }
}

/// How a pass ended.
#[derive(Clone, Copy)]
pub(super) struct Ended<'a> {
    pub(super) began: &'a ClockReading,
    pub(super) now: &'a ClockReading,
    pub(super) stop: SyncStop,
    /// When to call again, milliseconds.
    pub(super) next_ms: Option<i64>,
    /// Whether the ministry answered anything.
    pub(super) answered: bool,
}

/// Writes down what a pass has learnt of the line.
pub(super) fn note(outbox: &Outbox, ended: &Ended<'_>) -> Result<()> {
    let before = Line::of(outbox)?;
    let line = before.after(ended);
    if line != before {
        line.keep(outbox)?;
    }
    Ok(())
}

/// The ministry has taken something of a device that it did not accept: the rest
/// goes as well.
pub(super) fn lift(outbox: &Outbox) -> Result<()> {
    outbox.set(HOLD, b"")
}

/// A value of the outbox; one of another form is as good as none.
fn kept<T: DeserializeOwned>(outbox: &Outbox, key: &str) -> Result<Option<T>> {
    let bytes = outbox.get(key)?;
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

#[cfg(test)]
mod tests;
