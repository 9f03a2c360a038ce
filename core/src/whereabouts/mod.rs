//! Whereabouts: the positions that the traveler's phone records.
//!
//! They are written to the record with the phone's clocks beside the source's
//! own time, and stay on the phone unless the traveler consents to
//! [`crate::registration::Purpose::Whereabouts`]. The last one is also kept in
//! memory, so that a press never waits for the record. A position is never
//! handed out without its age.

#[cfg_attr(
    not(any(test, feature = "fuzzing")),
    allow(dead_code, reason = "the calls of the service come with it")
)]
pub(crate) mod exchange;
mod fix;
mod last;
mod store;

pub use exchange::ImportSummary;
pub use fix::{Fix, FixSource, Position};
pub use last::KnownFix;
pub(crate) use last::{LastKnown, age_ms};
pub(crate) use store::{count_fixes, expire_fixes, fixes_after, load_recent, stage_fixes};

use std::sync::Arc;

use crate::clock::Time;
use crate::error::{Result, guard};
use crate::homeline::{Listeners, Topic};
use crate::record::Record;
use crate::sos::StandingKeeper;

/// The traveler's positions. Reached through `Homeline::whereabouts`.
#[derive(uniffi::Object)]
pub struct Whereabouts {
    pub(crate) record: Arc<Record>,
    pub(crate) last: Arc<LastKnown>,
    pub(crate) standing: Arc<StandingKeeper>,
    pub(crate) listeners: Arc<Listeners>,
    pub(crate) time: Time,
}

#[uniffi::export]
impl Whereabouts {
    /// Records a fix. While the record is locked, the fix still serves a press.
    ///
    /// Errors: `Invalid` names the field; `Locked`, `KeyLost`, `Storage`.
    pub fn record(&self, fix: Fix) -> Result<()> {
        self.record_all(vec![fix])
    }

    /// Records fixes in one transaction: all of them, or none.
    ///
    /// Errors: as `record`.
    pub fn record_all(&self, fixes: Vec<Fix>) -> Result<()> {
        guard("Whereabouts::record", || {
            let fixes: Vec<Fix> = fixes
                .into_iter()
                .map(Fix::validated)
                .collect::<Result<_>>()?;
            let now = self.time.now();
            for fix in &fixes {
                self.last.push(fix.clone(), &now);
            }
            self.record.write(|tx| {
                fixes
                    .iter()
                    .try_for_each(|fix| store::insert(tx, fix, &now))
            })?;
            self.standing.renew_if_moved();
            self.listeners.notify(Topic::Whereabouts);
            Ok(())
        })
    }

    /// The last known position with its age, if there is any.
    pub fn last(&self) -> Result<Option<KnownFix>> {
        guard("Whereabouts::last", || {
            Ok(self.last.recent(&self.time.now()).into_iter().next())
        })
    }

    /// Fixes with a source time from `from_ms` up to and not including `to_ms`
    /// (milliseconds UTC), in order of time, at most `limit`.
    pub fn list(&self, from_ms: i64, to_ms: i64, limit: u32) -> Result<Vec<Fix>> {
        guard("Whereabouts::list", || {
            self.record
                .read(|tx| store::list(tx, from_ms, to_ms, limit))
        })
    }

    /// Removes the fixes with a source time before `before_ms`; returns how many.
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
}
