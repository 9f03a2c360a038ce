//! A track of elsewhere into the record: of another program, or of another phone.
//!
//! It is history. The host's mode does not thin it, what is known now says nothing
//! against it, and it takes its place by its time: what is older than the last
//! known position does not become it. It was recorded for nobody else, so it never
//! leaves under a consent to send whereabouts, whenever that was or will be given:
//! see [`stage::keep_back`]. (A press of SOS carries the last positions, and so one
//! that was brought in where it is among them.)
//!
//! Holes stay holes: between its pieces, before it and behind it. A hole of the
//! record that it fills in part is the traveler's own from then on, and is not sent,
//! since its ends would tell when the track was.

use rusqlite::Connection;

use super::gap::{self, Covered, Gap, GapCause};
use super::keep::{self, Keeping};
use super::{RecordedFix, stage, store};
use crate::clock::ClockReading;
use crate::config::Policy;
use crate::error::Result;

/// Keeps the pieces, brought in at `now`; returns the state for the next recording.
pub(super) fn import(
    tx: &Connection,
    before: Option<&Keeping>,
    pieces: &[Vec<RecordedFix>],
    now: &ClockReading,
    policy: &Policy,
) -> Result<Keeping> {
    let mut state = Keeping::or_load(before, tx)?;
    let session = store::session(tx, now)?;
    let covered = keep::covered(tx)?;
    let gap_ms = keep::mode(tx)?.limits(policy).gap_ms;
    let moments = || pieces.iter().flatten().map(|recorded| recorded.at_ms);
    if let (Some(first_ms), Some(last_ms)) = (moments().min(), moments().max()) {
        gap::keep_back(tx, first_ms, last_ms)?;
    }
    for recorded in pieces.iter().flatten() {
        if let Some(at_ms) = store::insert(tx, recorded, session)?
            && covered == Covered::ByConsent
        {
            stage::keep_back(tx, at_ms)?;
        }
        if !recorded.is_doubtful() {
            gap::split(tx, recorded.at_ms, gap_ms)?;
            state.hear_history(recorded, now);
        }
    }
    let holes = Holes { tx, gap_ms, policy };
    let mut ended_ms = None;
    for piece in pieces {
        let believed: Vec<i64> = piece
            .iter()
            .filter(|recorded| !recorded.is_doubtful())
            .map(|recorded| recorded.at_ms)
            .collect();
        holes.of_piece(&believed, ended_ms)?;
        // A lone point is no piece that came to its end: some files are lists of them.
        ended_ms = believed.last().copied().filter(|_| believed.len() > 1);
    }
    Ok(state)
}

/// Tells of the holes that a track has and leaves.
struct Holes<'a> {
    tx: &'a Connection,
    gap_ms: i64,
    policy: &'a Policy,
}

impl Holes<'_> {
    /// The holes around a piece and in it; the piece before it ended at `ended_ms`.
    fn of_piece(&self, moments: &[i64], ended_ms: Option<i64>) -> Result<()> {
        let (Some(&first_ms), Some(&last_ms)) = (moments.first(), moments.last()) else {
            return Ok(());
        };
        if let Some(before_ms) = store::moment_before(self.tx, first_ms)? {
            let ended = ended_ms == Some(before_ms) && moments.len() > 1;
            if ended || self.is_long(before_ms, first_ms) {
                self.tell(before_ms, first_ms)?;
            }
        }
        for (&from_ms, &to_ms) in moments.iter().zip(moments.iter().skip(1)) {
            if self.is_long(from_ms, to_ms) {
                self.tell(from_ms, to_ms)?;
            }
        }
        match store::moment_after(self.tx, last_ms)? {
            Some(after_ms) if self.is_long(last_ms, after_ms) => self.tell(last_ms, after_ms),
            _ => Ok(()),
        }
    }

    fn is_long(&self, from_ms: i64, to_ms: i64) -> bool {
        to_ms.saturating_sub(from_ms) > self.gap_ms
    }

    /// Keeps a hole, unless the record knows of something in that time.
    fn tell(&self, from_ms: i64, to_ms: i64) -> Result<()> {
        let inside = from_ms.saturating_add(1);
        let known = !store::list(self.tx, inside, to_ms, 1, self.policy)?.is_empty()
            || !gap::between(self.tx, from_ms, to_ms, 1)?.is_empty();
        if known || to_ms <= from_ms {
            return Ok(());
        }
        let gap = Gap {
            from_ms,
            to_ms: Some(to_ms),
            cause: GapCause::Unknown,
        };
        gap::put(self.tx, &gap, Covered::ByNone)
    }
}

#[cfg(test)]
mod tests;
