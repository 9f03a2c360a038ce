//! Retention: what is older than its class allows is deleted, with its bytes.
//!
//! | class | from when on | kept |
//! | --- | --- | --- |
//! | positions | their moment | 180 days |
//! | trips that are closed | their closing | a year |
//! | SOS reports with their evidence | the last event, once nothing of them waits | 3 years |
//! | consents that were taken back | the withdrawal | 3 years |
//! | that an envelope was delivered | the receipt | 30 days |
//!
//! Each number stands in `Policy` with its reason; a host may keep less. The
//! registration stays until the traveler changes it. Each pass of `sync` and
//! each start deletes a bounded number of rows, by a time that [`believed`] may
//! be trusted: a clock that jumps years ahead wipes nothing at once.
//!
//! Deleted bytes are overwritten (`secure_delete`) and the write-ahead log, which
//! still has the pages of before, is folded into the file and cut to nothing.

mod believed;

use std::sync::{Arc, PoisonError, RwLock};

use rusqlite::Connection;
use uuid::Uuid;

use self::believed::Believed;
use crate::clock::ClockReading;
use crate::config::{Keep, Policy};
use crate::error::{HomelineError, Result};
use crate::outbox::Outbox;
use crate::record::{Record, meta, set_meta};
use crate::registration::fields::Stamper;
use crate::registration::{expire_consents, expire_trips};
use crate::sos::expire_copies;
use crate::whereabouts::{LastKnown, expire_fixes};

const DAY_MS: i64 = 24 * 3_600_000;

/// How long a host wants data kept, in days, where that is less than the library
/// keeps it by itself. What is absent stays as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, uniffi::Record)]
pub struct KeepAtMost {
    /// Positions, from their recording.
    #[uniffi(default = None)]
    pub positions_days: Option<u32>,
    /// SOS reports with their evidence, from their last event.
    #[uniffi(default = None)]
    pub reports_days: Option<u32>,
    /// Trips, from their closing.
    #[uniffi(default = None)]
    pub trips_days: Option<u32>,
    /// Consents, from their withdrawal.
    #[uniffi(default = None)]
    pub consents_days: Option<u32>,
}

impl KeepAtMost {
    /// The shorter of both, class by class.
    fn within(self, keep: Keep) -> Keep {
        let shorter = |days: u32, most: Option<u32>| most.map_or(days, |most| days.min(most));
        Keep {
            positions_days: shorter(keep.positions_days, self.positions_days),
            reports_days: shorter(keep.reports_days, self.reports_days),
            trips_days: shorter(keep.trips_days, self.trips_days),
            consents_days: shorter(keep.consents_days, self.consents_days),
            ..keep
        }
    }
}

/// Deletes what is too old.
pub(crate) struct Retention {
    record: Arc<Record>,
    outbox: Arc<Outbox>,
    last: Arc<LastKnown>,
    stamper: Stamper,
    policy: Policy,
    keep: RwLock<Keep>,
}

impl Retention {
    pub(crate) fn new(
        record: Arc<Record>,
        outbox: Arc<Outbox>,
        last: Arc<LastKnown>,
        stamper: Stamper,
        policy: Policy,
    ) -> Self {
        Self {
            record,
            outbox,
            last,
            stamper,
            keep: RwLock::new(policy.keep),
            policy,
        }
    }

    /// Sets what the host wants; never longer than the library's own.
    pub(crate) fn keep_at_most(&self, most: KeepAtMost) {
        *self.keep.write().unwrap_or_else(PoisonError::into_inner) = most.within(self.policy.keep);
    }

    /// Deletes what is too old, a bounded number of rows; returns how many. The
    /// record must be open.
    pub(crate) fn expire(&self) -> Result<usize> {
        let keep = *self.keep.read().unwrap_or_else(PoisonError::into_inner);
        let limit = self.policy.expire_rows;
        let ministry_ms = self.outbox.ministry_ms();
        let phone = ClockReading {
            wall_ms: self.outbox.best_ms(),
            ..self.stamper.time.now()
        };
        let now_ms = self
            .record
            .write(|tx| believe(tx, ministry_ms, &phone, &self.policy))?;
        let before = |days: u32| now_ms.saturating_sub(i64::from(days).saturating_mul(DAY_MS));

        let positions = before(keep.positions_days);
        let mut deleted = self.record.write(|tx| {
            Ok(expire_fixes(tx, positions, limit)?
                + expire_consents(tx, before(keep.consents_days), limit)?)
        })?;
        if deleted > 0 {
            self.last.forget_before(positions);
        }
        // Their removal travels with the next profile: the ministry forgets too.
        let stamp = self.stamper.stamp();
        deleted += self
            .record
            .write(|tx| expire_trips(tx, before(keep.trips_days), &stamp))?;
        deleted += self.reports(before(keep.reports_days), limit)?;
        deleted += self
            .outbox
            .expire_delivered(before(keep.delivered_days), limit)?;
        // Also for what the traveler removed since. Where another process of the
        // host reads at this moment, the next pass does it.
        self.record.fold()?;
        Ok(deleted)
    }

    /// The readable copies go first: after a crash in between, the outbox still
    /// names the reports.
    fn reports(&self, before_ms: i64, limit: u32) -> Result<usize> {
        let reports: Vec<Uuid> = self.outbox.expired_reports(before_ms, limit)?;
        if reports.is_empty() {
            return Ok(0);
        }
        self.record.write(|tx| expire_copies(tx, &reports))?;
        self.outbox.delete_reports(&reports)?;
        Ok(reports.len())
    }
}

fn believe(
    tx: &Connection,
    ministry_ms: Option<i64>,
    phone: &ClockReading,
    policy: &Policy,
) -> Result<i64> {
    // Empty in a new record.
    let before = meta(tx, "expiry")?;
    let known: Believed = serde_json::from_str(&before).unwrap_or_default();
    let mut believed = known.clone();
    let now_ms = believed.at(ministry_ms, phone, policy);
    if believed != known {
        let json = serde_json::to_string(&believed)
            .map_err(|_| HomelineError::bug("retention::believe"))?;
        set_meta(tx, "expiry", &json)?;
    }
    Ok(now_ms)
}

#[cfg(test)]
mod tests;
