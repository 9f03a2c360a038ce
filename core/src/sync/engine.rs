//! The engine: one pass at a time, with what it works on and what it came to.
//!
//! It is single-flight, can be cancelled from any thread, and waited for. What a
//! pass does stands in [`super::pass`].

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::client::{Client, Heard};
use super::pass::{Pass, Tally};
use super::sealer::Sealer;
use super::{SyncOutcome, SyncStop};
use crate::clock::Time;
use crate::config::{Config, Policy};
use crate::error::{Result, StorageProblem};
use crate::health::{WakeCause, note_wake};
use crate::homeline::{Listeners, Topic};
use crate::outbox::Outbox;
use crate::packs::Shelf;
use crate::record::Record;
use crate::relay::Relay;
use crate::retention::Retention;
use crate::sos::{Sos, StandingKeeper, Uploads};
use crate::transport::{Carrier, Transport};

/// What the engine works with.
pub(crate) struct Parts {
    pub(crate) config: Config,
    pub(crate) policy: Policy,
    pub(crate) time: Time,
    pub(crate) record: Arc<Record>,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) sealer: Arc<Sealer>,
    pub(crate) sos: Arc<Sos>,
    pub(crate) relay: Arc<Relay>,
    pub(crate) standing: Arc<StandingKeeper>,
    pub(crate) retention: Arc<Retention>,
    pub(crate) uploads: Arc<Uploads>,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) listeners: Arc<Listeners>,
    /// The host's transport; the built-in one where there is none.
    pub(crate) transport: Option<Arc<dyn Transport>>,
}

/// Runs passes, one at a time.
pub(crate) struct Engine {
    parts: Parts,
    running: Mutex<bool>,
    idle: Condvar,
    cancelled: AtomicBool,
    /// The files shall be closed when the running pass ends.
    paused: AtomicBool,
    /// The transport of the running pass.
    active: Mutex<Option<Arc<dyn Transport>>>,
}

impl Engine {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            parts,
            running: Mutex::new(false),
            idle: Condvar::new(),
            cancelled: AtomicBool::new(false),
            paused: AtomicBool::new(false),
            active: Mutex::new(None),
        }
    }

    /// One pass of at most `deadline_ms` milliseconds.
    pub(crate) fn sync(&self, deadline_ms: u64) -> Result<SyncOutcome> {
        if std::mem::replace(&mut *self.running(), true) {
            return self.outcome(&Tally::default(), SyncStop::AlreadyRunning, None);
        }
        // Also when a panic unwinds: the next pass must be able to run.
        let _finish = Finish(self);
        let host = self.parts.transport.as_ref();
        let carrier = Carrier::new(host, &self.parts.config, &self.parts.policy)?;
        *self.active() = Some(carrier.transport());
        let started = self.parts.time.now();
        let client = Client {
            carrier: &carrier,
            origin: self.parts.config.origin(),
            policy: &self.parts.policy,
            time: &self.parts.time,
            started: &started,
            deadline_ms: i64::try_from(deadline_ms).unwrap_or(i64::MAX),
            line: Heard::default(),
        };
        let mut pass = Pass::new(&self.parts, client, &self.cancelled)?;
        let stop = pass.run();
        let tally = pass.into_tally();
        let (stopped, next_ms) = stop?;
        let now = self.parts.time.now();
        note_wake(&self.parts.outbox, &now, WakeCause::Sync, next_ms)?;
        // Locked, or no space for it: the next pass does it.
        let _ = self.parts.retention.expire();
        self.parts.outbox.expire_parcels(&now)?;
        self.parts.outbox.checkpoint()?;
        let outcome = self.outcome(&tally, stopped, next_ms)?;
        self.parts.listeners.notify(Topic::Sync);
        Ok(outcome)
    }

    /// Ends a running pass as soon as the transport can.
    pub(crate) fn cancel(&self) {
        // Also a round that the host began by itself.
        self.parts.sos.cancel_datagrams();
        if !self.mark(&self.cancelled) {
            return;
        }
        // Cloned first: the host is never called with a lock held.
        let active = self.active().clone();
        if let Some(transport) = active {
            let _ = transport.cancel();
        }
    }

    /// Cancels, and waits until the pass has ended or `longest` is over. A pass
    /// that takes longer closes the outbox itself when it has written down how
    /// it ended.
    pub(crate) fn pause(&self, longest: Duration) {
        self.mark(&self.paused);
        self.cancel();
        let _stopped = self
            .idle
            .wait_timeout_while(self.running(), longest, |running| *running);
    }

    /// Runs `work` while no pass runs: ends a running one and waits for it, at
    /// most `longest`. A pass that somebody asks for meanwhile is refused.
    ///
    /// Errors: `Busy` where the pass does not end; `work` was not run then.
    pub(crate) fn alone<R>(
        &self,
        longest: Duration,
        work: impl FnOnce() -> Result<R>,
    ) -> Result<R> {
        self.cancel();
        let (mut running, _) = self
            .idle
            .wait_timeout_while(self.running(), longest, |running| *running)
            .unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut *running, true) {
            return Err(StorageProblem::Busy.into());
        }
        drop(running);
        let _finish = Finish(self);
        work()
    }

    /// Sets a flag of the running pass; `false` where none runs. The pass clears
    /// it at its end, so that it never meets the next one.
    fn mark(&self, flag: &AtomicBool) -> bool {
        let running = self.running();
        if *running {
            flag.store(true, Ordering::SeqCst);
        }
        *running
    }

    fn running(&self) -> MutexGuard<'_, bool> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn active(&self) -> MutexGuard<'_, Option<Arc<dyn Transport>>> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn outcome(
        &self,
        tally: &Tally,
        stopped: SyncStop,
        next_ms: Option<i64>,
    ) -> Result<SyncOutcome> {
        let counts = self.parts.outbox.counts()?;
        Ok(SyncOutcome {
            sent: tally.sent,
            duplicates: tally.duplicates,
            waiting: counts.waiting,
            parked: counts.parked,
            attachments: self.parts.outbox.attachments_waiting()?,
            without_consent: tally.without_consent,
            changes: tally.changes,
            stopped,
            next_ms,
        })
    }
}

struct Finish<'a>(&'a Engine);

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        *self.0.active() = None;
        let mut running = self.0.running();
        if self.0.paused.swap(false, Ordering::SeqCst) {
            self.0.parts.outbox.close();
            self.0.parts.shelf.close();
        }
        self.0.cancelled.store(false, Ordering::SeqCst);
        *running = false;
        drop(running);
        self.0.idle.notify_all();
    }
}
