//! The standing envelope: who calls, prepared while the record is open.
//!
//! It is sealed to the ministry like everything in the outbox, renewed when the
//! profile changes or the traveler has moved, and sent only beside an SOS. So a
//! press before the first unlock still says who is calling.

use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use super::report::{aged, new_id};
use crate::clock::Time;
use crate::config::Policy;
use crate::contacts::load_contacts;
use crate::error::Result;
use crate::outbox::{Outbox, StandingRow};
use crate::record::{Record, meta_number};
use crate::registration::load_traveler;
use crate::sync::Sealer;
use crate::sync::protocol::{Content, Standing};
use crate::whereabouts::{Fix, LastKnown};

/// What the current standing envelope holds.
#[derive(Clone)]
struct Current {
    id: Uuid,
    version: i64,
    made_ms: i64,
    /// Not known after a restart: then only its age counts.
    fix: Option<Fix>,
}

/// Keeps the standing envelope current.
pub(crate) struct StandingKeeper {
    record: Arc<Record>,
    outbox: Arc<Outbox>,
    sealer: Arc<Sealer>,
    last: Arc<LastKnown>,
    time: Time,
    policy: Policy,
    current: Mutex<Option<Current>>,
    /// Held from reading the record until the envelope is stored, so that an
    /// erasure is not overtaken. No press asks for it.
    making: Mutex<()>,
}

impl StandingKeeper {
    pub(crate) fn new(
        record: Arc<Record>,
        outbox: Arc<Outbox>,
        sealer: Arc<Sealer>,
        last: Arc<LastKnown>,
        time: Time,
        policy: Policy,
    ) -> Self {
        let current = outbox.standing().ok().flatten().map(|row| Current {
            id: row.id,
            version: row.version,
            made_ms: row.made_ms,
            fix: None,
        });
        Self {
            record,
            outbox,
            sealer,
            last,
            time,
            policy,
            current: Mutex::new(current),
            making: Mutex::new(()),
        }
    }

    /// Envelope id of the current one, for a report to name.
    pub(crate) fn id(&self) -> Option<Uuid> {
        self.current().map(|current| current.id)
    }

    /// Renews it when the profile has changed. A failure is not the caller's:
    /// the next change, pass or start repeats it.
    pub(crate) fn renew_if_stale(&self) {
        let version = self.record.read(|tx| meta_number(tx, "profile_version"));
        if let Ok(version) = version {
            let stale = self
                .current()
                .map_or(version > 0, |current| current.version != version);
            if stale {
                let _ = self.renew();
            }
        }
    }

    /// Renews it when the traveler has moved far, or long ago.
    pub(crate) fn renew_if_moved(&self) {
        let now = self.time.now();
        let newest = self.last.recent(&now).into_iter().next();
        let due = match (&self.current(), &newest) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(current), Some(newest)) => {
                let old = now.wall_ms.saturating_sub(current.made_ms).abs()
                    >= self.policy.standing_age_ms;
                let far = current.fix.as_ref().is_none_or(|fix| {
                    fix.distance_m(&newest.fix) > self.policy.standing_distance_m
                });
                old || far
            }
        };
        if due {
            let _ = self.renew();
        }
    }

    /// Forgets the current one. The record is closed: what was being made is
    /// stored by now, and nothing is made any more.
    pub(crate) fn forget(&self) {
        let _made = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn renew(&self) -> Result<()> {
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.time.now();
        let newest = self.last.recent(&now).into_iter().next();
        let (version, traveler, contacts) = self.record.read(|tx| {
            Ok((
                meta_number(tx, "profile_version")?,
                load_traveler(tx)?,
                load_contacts(tx)?,
            ))
        })?;
        let standing = Standing {
            as_of: now.clone(),
            traveler,
            contacts: contacts.into_iter().map(|saved| saved.contact).collect(),
            position: newest.clone().map(aged),
        };
        let id = new_id(now.wall_ms)?;
        let row = StandingRow {
            id,
            sealed: self.sealer.to_ministry(&Content::Standing(standing), id)?,
            version,
            made_ms: now.wall_ms,
        };
        self.outbox.set_standing(&row)?;
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(Current {
            id,
            version,
            made_ms: row.made_ms,
            fix: newest.map(|known| known.fix),
        });
        Ok(())
    }

    fn current(&self) -> Option<Current> {
        self.current
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
