//! Whereabouts: the positions that the traveler's phone records.
//!
//! They are written to the record with the phone's clocks beside the source's
//! own time, and stay on the phone unless the traveler consents to
//! [`crate::registration::Purpose::Whereabouts`]. The last ones are also kept in
//! memory, so that a press never waits for the record. A position is never
//! handed out without its age, or its moment.
//!
//! | file | what it decides |
//! | --- | --- |
//! | `fix`, `recorded`, `compact` | what a fix is, and how it is rounded |
//! | `judge` | what is odd about a fix: a jump, the future, a mock |
//! | `last` | which one is current |
//! | `thin`, `keep` | which ones the record keeps, by the host's mode |
//! | `gap` | holes, and why |
//! | `row`, `store`, `migrate` | rows of the record |
//! | `bits`, `pack`, `archive` | packed blocks, for old rows and for the wire |
//! | `stage` | the way to the outbox |
//! | `exchange`, `import` | tracks in and out, as files of other programs |

mod archive;
pub(crate) mod bits;
pub(crate) mod compact;
pub(crate) mod exchange;
mod fix;
mod gap;
mod import;
mod judge;
mod keep;
mod last;
mod migrate;
mod pack;
mod recorded;
mod row;
mod stage;
mod store;
#[cfg(test)]
mod testing;
mod thin;
mod track;

pub(crate) use archive::archive;
pub use exchange::{ImportSummary, TrackFormat};
pub use fix::{Fix, FixOrigin, FixSource, Position};
pub(crate) use gap::between as gaps_between;
pub use gap::{Gap, GapCause};
pub use last::KnownFix;
use last::age_ms;
pub(crate) use last::{LastKnown, given};
pub(crate) use migrate::migrate;
pub use pack::{BLOCK_FIXES_MAX, pack, unpack};
pub use recorded::{FixFlag, RecordedFix};
pub(crate) use stage::{skip_recorded, stage_fixes};
pub(crate) use store::{count_fixes, expire_fixes, fixes_from, load_recent};
pub use thin::WhereaboutsMode;
pub use track::TrackItem;

use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::{ClockReading, Time};
use crate::config::Policy;
use crate::error::{HomelineError, Problem, Result, guard};
use crate::homeline::{Listeners, Topic};
use crate::outbox::Outbox;
use crate::record::Record;
use crate::sos::StandingKeeper;
use compact::Compact;
use exchange::Imported;
use judge::Judge;
use keep::Keeping;

/// The traveler's positions. Reached through `Homeline::whereabouts`.
#[derive(uniffi::Object)]
pub struct Whereabouts {
    pub(crate) record: Arc<Record>,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) last: Arc<LastKnown>,
    pub(crate) standing: Arc<StandingKeeper>,
    pub(crate) listeners: Arc<Listeners>,
    pub(crate) time: Time,
    pub(crate) policy: Policy,
    /// What one recording leaves for the next; no press ever takes this lock.
    pub(crate) recording: Recording,
}

/// The state of the recording, behind its lock.
#[derive(Default)]
pub(crate) struct Recording(Mutex<Option<Keeping>>);

#[uniffi::export]
impl Whereabouts {
    /// Records a fix. While the record is locked, the fix still serves a press.
    ///
    /// Errors: `Invalid` names the field; `Locked`, `KeyLost`, `Storage`.
    pub fn record(&self, fix: Fix) -> Result<()> {
        self.record_all(vec![fix])
    }

    /// Records fixes in one transaction: all of them, or none. The mode decides
    /// which of them the record keeps; a doubtful one is flagged. Of a long
    /// history, a few thousand at a time take least memory.
    ///
    /// Errors: as `record`.
    pub fn record_all(&self, fixes: Vec<Fix>) -> Result<()> {
        guard("Whereabouts::record", || self.take(fixes))
    }

    /// The last known position with its age; absent where there is none, or where
    /// every one of the last is doubtful.
    pub fn last(&self) -> Result<Option<KnownFix>> {
        guard("Whereabouts::last", || {
            Ok(self.last.current(&self.time.now()))
        })
    }

    /// Fixes of a moment from `from_ms` up to and not including `to_ms`
    /// (milliseconds UTC), in order, at most `limit`. The moment is the source's
    /// time; where that cannot be (1970, the future), that of the recording.
    ///
    /// Errors: `Locked`, `KeyLost`, `Storage`.
    pub fn list(&self, from_ms: i64, to_ms: i64, limit: u32) -> Result<Vec<RecordedFix>> {
        guard("Whereabouts::list", || {
            self.record
                .read(|tx| store::list(tx, from_ms, to_ms, limit, &self.policy))
        })
    }

    /// Like `list`, with the holes of the record in their place: where a hole
    /// lies between two positions, nothing is known of the way between them.
    ///
    /// Errors: `Locked`, `KeyLost`, `Storage`.
    pub fn track(&self, from_ms: i64, to_ms: i64, limit: u32) -> Result<Vec<TrackItem>> {
        guard("Whereabouts::track", || {
            self.record.read(|tx| {
                let fixes = store::list(tx, from_ms, to_ms, limit, &self.policy)?;
                let gaps = gap::between(tx, from_ms, to_ms, limit)?;
                Ok(track::merge(fixes, gaps, limit))
            })
        })
    }

    /// Removes the fixes of a moment before `before_ms`, and the holes; returns
    /// how many fixes.
    ///
    /// Errors: `Locked`, `KeyLost`, `Storage`.
    pub fn remove_before(&self, before_ms: i64) -> Result<u32> {
        guard("Whereabouts::remove_before", || {
            let removed = self
                .record
                .write(|tx| store::remove_before(tx, before_ms))?;
            self.last.forget_before(before_ms);
            self.listeners.notify(Topic::Whereabouts);
            Ok(removed)
        })
    }

    /// Sets how densely positions are kept from now on. It outlives the process.
    /// A press of SOS does not change it: the host does, when it records more.
    ///
    /// Errors: `Locked`, `KeyLost`, `Storage`.
    pub fn set_mode(&self, mode: WhereaboutsMode) -> Result<()> {
        guard("Whereabouts::set_mode", || {
            self.record.write(|tx| keep::set_mode(tx, mode))?;
            self.listeners.notify(Topic::Whereabouts);
            Ok(())
        })
    }

    /// The mode that is set; `Everything` in a new record.
    ///
    /// Errors: `Locked`, `KeyLost`, `Storage`.
    pub fn mode(&self) -> Result<WhereaboutsMode> {
        guard("Whereabouts::mode", || self.record.read(keep::mode))
    }

    /// Tells that from now on there are no positions, and why. The hole begins at
    /// the last position and ends with the next one.
    ///
    /// Errors: `Locked`, `KeyLost`, `Storage`.
    pub fn note_gap(&self, cause: GapCause) -> Result<()> {
        guard("Whereabouts::note_gap", || {
            let now_ms = self.time.now().wall_ms.saturating_add(self.offset_ms());
            let state = self.recording();
            self.record.write(|tx| {
                let heard_ms = Keeping::or_load(state.as_ref(), tx)?.heard_ms();
                gap::note(tx, cause, heard_ms, now_ms, keep::covered(tx)?)
            })?;
            drop(state);
            self.listeners.notify(Topic::Whereabouts);
            Ok(())
        })
    }

    /// Takes the track of a file into the record: what another program or another
    /// phone recorded. All of it is kept, whatever the mode; what is older than the
    /// last known position does not become it; a jump is flagged; the same file
    /// again adds nothing. It stays on this phone: no consent to send whereabouts
    /// covers it. What is older than positions are kept is deleted as they are.
    ///
    /// Errors: `Invalid` for `gpx` or `geojson`: `TooLong`, `OutOfRange`, `Malformed`,
    /// with nothing taken; `Locked`, `KeyLost`, `Storage`.
    pub fn import_track(&self, format: TrackFormat, file: Vec<u8>) -> Result<ImportSummary> {
        guard("Whereabouts::import_track", || {
            let imported = format.read(&file, &self.policy)?;
            self.bring_in(imported)
        })
    }

    /// The positions of a moment from `from_ms` up to and not including `to_ms`
    /// (milliseconds UTC) as a file, in WGS-84. Each hole begins a new segment (GPX)
    /// or feature (GeoJSON), so that no line is drawn through it; doubtful positions
    /// are left out.
    ///
    /// Errors: `Invalid` for `to_ms` (`TooLong`) where these are more positions than
    /// one file is read with; `Locked`, `KeyLost`, `Storage`.
    pub fn export_track(&self, format: TrackFormat, from_ms: i64, to_ms: i64) -> Result<Vec<u8>> {
        guard("Whereabouts::export_track", || {
            let most = u32::try_from(self.policy.import_points).unwrap_or(u32::MAX);
            let items = self.record.read(|tx| {
                let fixes = store::list(tx, from_ms, to_ms, most.saturating_add(1), &self.policy)?;
                if fixes.len() > self.policy.import_points {
                    let expected = format!("a time of at most {most} positions");
                    return Err(HomelineError::invalid("to_ms", Problem::TooLong, &expected));
                }
                let gaps = gap::between(tx, from_ms, to_ms, u32::MAX)?;
                Ok(track::merge(fixes, gaps, u32::MAX))
            })?;
            let widest_ms = self.policy.significant_change.gap_ms;
            format.write(&track::pieces(items, widest_ms))
        })
    }
}

impl Whereabouts {
    fn bring_in(&self, mut imported: Imported) -> Result<ImportSummary> {
        let mut state = self.recording();
        let now = self.time.now();
        let known = self.last.entries();
        let mut judge = Judge::of_history(&known, &now, self.offset_ms(), &self.policy);
        imported.limit_to(judge.latest_ms());
        let mut judged = |fix| rounded(judge.judge(fix));
        let pieces: Vec<Vec<RecordedFix>> = imported
            .pieces
            .into_iter()
            .map(|piece| piece.fixes.into_iter().map(&mut judged).collect())
            .collect();
        let kept = self
            .record
            .write(|tx| import::import(tx, state.as_ref(), &pieces, &now, &self.policy))?;
        *state = Some(kept);
        for piece in &pieces {
            self.last.push(piece, &now);
        }
        drop(state);
        self.standing.renew_if_moved();
        self.listeners.notify(Topic::Whereabouts);
        Ok(imported.summary)
    }

    fn take(&self, fixes: Vec<Fix>) -> Result<()> {
        let fixes: Vec<Fix> = fixes
            .into_iter()
            .map(Fix::validated)
            .collect::<Result<_>>()?;
        let mut state = self.recording();
        let now = self.time.now();
        let judged = judge(fixes, &self.last, &now, self.offset_ms(), &self.policy);
        // First the memory: a press needs no record.
        self.last.push(&judged, &now);
        let kept = self
            .record
            .write(|tx| keep::keep(tx, state.as_ref(), &judged, &now, &self.policy))?;
        *state = Some(kept);
        drop(state);
        self.standing.renew_if_moved();
        self.listeners.notify(Topic::Whereabouts);
        Ok(())
    }

    /// The ministry's clock less the phone's, 0 where not known.
    fn offset_ms(&self) -> i64 {
        let offset = self.outbox.get_number("offset_ms").ok().flatten();
        offset.unwrap_or_default()
    }

    fn recording(&self) -> std::sync::MutexGuard<'_, Option<Keeping>> {
        self.recording
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Flags the fixes by what is known, and rounds them as the record does.
fn judge(
    fixes: Vec<Fix>,
    last: &LastKnown,
    now: &ClockReading,
    offset_ms: i64,
    policy: &Policy,
) -> Vec<RecordedFix> {
    let known = last.entries();
    let mut judge = Judge::new(&known, now, offset_ms, policy);
    fixes
        .into_iter()
        .map(|fix| rounded(judge.judge(fix)))
        .collect()
}

/// The fix as the record gives it back.
fn rounded(judged: RecordedFix) -> RecordedFix {
    Compact::of(&judged).recorded().unwrap_or(judged)
}
