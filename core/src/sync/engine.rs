//! The engine: one pass at a time, SOS before all else.
//!
//! ```text
//! while something is due:  enrol if needed → POST the next batch → apply
//!     the results; ordinary data is staged only when no report waits
//! then: service document if it is old → change feed → checkpoint
//! ```
//!
//! The network is never touched with a lock held. Each result is applied in one
//! transaction of its own, so a pass can be killed anywhere and repeated.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use super::backoff::{asked_ms, delay_ms};
use super::client::{Client, Failure};
use super::protocol::{
    Base64, BatchAnswer, CHANGES_PATH, CaseNews, ChangePage, DEVICES_PATH, ENVELOPES_PATH,
    Enrolled, Enrolment, EnvelopeBatch, EnvelopeOutcome, EnvelopeResult, Receipt, SERVICE_PATH,
    SealedEnvelope,
};
use super::sealer::{Sealer, to_json};
use super::{SyncOutcome, SyncStop};
use crate::clock::{ClockReading, Time};
use crate::config::{Config, Policy};
use crate::error::Result;
use crate::homeline::{Listeners, Topic};
use crate::keys::random;
use crate::outbox::{Batch, EventRow, Lane, Outbox, Role, Waiting};
use crate::record::{Record, RecordState};
use crate::registration::stage_profile;
use crate::seal::sha256_hex;
use crate::seal::signed::{Context, Signed, VerifyError};
use crate::sos::{AttemptResult, Channel, Evidence, Sos, StandingKeeper, case_news, event};
use crate::transport::{HttpsTransport, Transport};
use crate::whereabouts::stage_fixes;

/// What the engine works with.
pub(crate) struct Parts {
    pub(crate) config: Config,
    pub(crate) policy: Policy,
    pub(crate) time: Time,
    pub(crate) record: Arc<Record>,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) sealer: Arc<Sealer>,
    pub(crate) sos: Arc<Sos>,
    pub(crate) standing: Arc<StandingKeeper>,
    pub(crate) listeners: Arc<Listeners>,
    /// The host's transport; the built-in one where there is none.
    pub(crate) transport: Option<Arc<dyn Transport>>,
}

/// Runs passes, one at a time.
pub(crate) struct Engine {
    parts: Parts,
    running: AtomicBool,
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
            running: AtomicBool::new(false),
            cancelled: AtomicBool::new(false),
            paused: AtomicBool::new(false),
            active: Mutex::new(None),
        }
    }

    /// One pass of at most `deadline_ms` milliseconds.
    pub(crate) fn sync(&self, deadline_ms: u64) -> Result<SyncOutcome> {
        if self.running.swap(true, Ordering::SeqCst) {
            return self.outcome(&Tally::default(), SyncStop::AlreadyRunning, None);
        }
        // Also when a panic unwinds: the next pass must be able to run.
        let _finish = Finish(self);
        self.cancelled.store(false, Ordering::SeqCst);
        self.paused.store(false, Ordering::SeqCst);
        let transport = self.transport()?;
        *self.active() = Some(Arc::clone(&transport));
        let started = self.parts.time.now();
        let client = Client {
            transport: transport.as_ref(),
            origin: self.parts.config.origin(),
            policy: &self.parts.policy,
            time: &self.parts.time,
            started: &started,
            deadline_ms: i64::try_from(deadline_ms).unwrap_or(i64::MAX),
        };
        let mut pass = Pass {
            engine: self,
            parts: &self.parts,
            client,
            tally: Tally::default(),
            one_by_one: false,
        };
        let stop = pass.run();
        let tally = pass.tally;
        let (stopped, next_ms) = stop?;
        self.parts.outbox.checkpoint()?;
        let outcome = self.outcome(&tally, stopped, next_ms)?;
        self.parts.listeners.notify(Topic::Sync);
        Ok(outcome)
    }

    /// Ends a running pass as soon as the transport can.
    pub(crate) fn cancel(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
        // Cloned first: the host is never called with a lock held.
        let active = self.active().clone();
        if let Some(transport) = active {
            let _ = transport.cancel();
        }
    }

    /// As `cancel`; and the pass, which must still write down how it ended,
    /// leaves no file open.
    pub(crate) fn pause(&self) {
        self.paused.store(true, Ordering::SeqCst);
        self.cancel();
    }

    fn active(&self) -> std::sync::MutexGuard<'_, Option<Arc<dyn Transport>>> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn transport(&self) -> Result<Arc<dyn Transport>> {
        match &self.parts.transport {
            Some(transport) => Ok(Arc::clone(transport)),
            None => Ok(Arc::new(HttpsTransport::new(
                &self.parts.config,
                &self.parts.policy,
            )?)),
        }
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
        if self.0.paused.swap(false, Ordering::SeqCst) {
            self.0.parts.outbox.close();
        }
        self.0.running.store(false, Ordering::SeqCst);
    }
}

#[derive(Default)]
struct Tally {
    sent: u32,
    duplicates: u32,
    changes: u32,
    without_consent: bool,
}

/// How a pass ended: why, and when to call again.
type Stop = (SyncStop, Option<i64>);

struct Pass<'a> {
    engine: &'a Engine,
    parts: &'a Parts,
    client: Client<'a>,
    tally: Tally,
    /// After a batch was refused whole: find the bad one.
    one_by_one: bool,
}

impl Pass<'_> {
    fn run(&mut self) -> Result<Stop> {
        let wait = match self.drain()? {
            Ok(wait) => wait,
            Err(stop) => return Ok(stop),
        };
        if let Err(stop) = self.refresh_service()? {
            return Ok(stop);
        }
        if let Err(stop) = self.changes()? {
            return Ok(stop);
        }
        Ok((SyncStop::Done, wait))
    }

    /// Sends until nothing is due. `Ok(Ok(wait))`: when to call again.
    fn drain(&mut self) -> Result<Result<Option<i64>, Stop>> {
        loop {
            if self.engine.cancelled.load(Ordering::SeqCst) {
                return Ok(Err((SyncStop::Cancelled, Some(0))));
            }
            let policy = &self.parts.policy;
            let now_ms = self.parts.time.now().wall_ms;
            let limit = if self.one_by_one {
                1
            } else {
                policy.batch_envelopes.min(self.batch_limit())
            };
            let batch = self
                .parts
                .outbox
                .next_batch(now_ms, limit, policy.batch_bytes)?;
            // Ordinary data is staged behind the reports, never before them.
            let sos_first = matches!(&batch, Batch::Send(batch)
                if batch.first().is_some_and(|first| first.lane == Lane::Sos));
            if !sos_first && self.stage()? {
                continue;
            }
            match batch {
                Batch::Empty => return Ok(Ok(None)),
                Batch::Wait { until_ms } => return Ok(Ok(Some(until_ms - now_ms))),
                Batch::Send(batch) => {
                    if let Err(stop) = self.send(&batch)? {
                        return Ok(Err(stop));
                    }
                }
            }
        }
    }

    /// Moves what the record has into the outbox; whether anything new is there.
    fn stage(&mut self) -> Result<bool> {
        let parts = self.parts;
        if parts.record.state() != RecordState::Open {
            return Ok(false);
        }
        parts.sos.settle()?;
        parts.standing.renew_if_stale();
        let before = parts.outbox.counts()?.waiting;
        self.tally.without_consent = stage_profile(&parts.record, &parts.outbox, &parts.sealer)?;
        let positions = stage_fixes(
            &parts.record,
            &parts.outbox,
            &parts.sealer,
            parts.policy.fixes_per_envelope,
        )?;
        Ok(positions || parts.outbox.counts()?.waiting > before)
    }

    fn batch_limit(&self) -> u32 {
        self.parts
            .sealer
            .service()
            .map_or(u32::MAX, |service| service.limits.batch_envelopes.max(1))
    }

    /// Sends one batch and applies what comes back.
    fn send(&mut self, batch: &[Waiting]) -> Result<Result<(), Stop>> {
        if let Err(failure) = self.ensure_enrolled()? {
            return self.failed(batch, failure);
        }
        let body = to_json(&EnvelopeBatch {
            envelopes: batch
                .iter()
                .map(|waiting| SealedEnvelope {
                    id: waiting.id,
                    sealed: Base64(waiting.sealed.clone()),
                })
                .collect(),
        })?;
        let device = self.parts.sealer.device();
        let mut answer =
            self.client
                .call::<BatchAnswer>("POST", ENVELOPES_PATH, body.clone(), Some(&device));
        if answer == Err(Failure::UnknownDevice) {
            // The ministry lost it, or never had it: enrol and repeat, once.
            self.parts.outbox.set("enrolled", b"")?;
            if let Err(failure) = self.ensure_enrolled()? {
                return self.failed(batch, failure);
            }
            answer = self
                .client
                .call("POST", ENVELOPES_PATH, body, Some(&device));
        }
        match answer {
            Ok(answer) => self.apply(batch, &answer.results),
            Err(Failure::Refused { .. }) if batch.len() > 1 => {
                self.one_by_one = true;
                Ok(Ok(()))
            }
            Err(failure) => self.failed(batch, failure),
        }
    }

    fn ensure_enrolled(&self) -> Result<Result<(), Failure>> {
        let device = self.parts.sealer.device();
        let enrolled = self.parts.outbox.get("enrolled")?;
        if enrolled.as_deref() == Some(device.id().as_bytes()) {
            return Ok(Ok(()));
        }
        let body = to_json(&Enrolment {
            signing_key: Base64(device.public().signing.to_vec()),
            agreement_key: Base64(device.public().agreement.to_vec()),
        })?;
        let answer = self
            .client
            .call::<Enrolled>("POST", DEVICES_PATH, body, Some(&device));
        match answer {
            Ok(enrolled) if enrolled.device == device.id() => {
                self.parts.outbox.set("enrolled", device.id().as_bytes())?;
                Ok(Ok(()))
            }
            Ok(_) => Ok(Err(Failure::Attempt {
                result: AttemptResult::NotTheMinistry { status: 200 },
                after_ms: None,
            })),
            // What is refused is this device. Nobody has seen the envelopes: they
            // must not be parked.
            Err(Failure::Refused { status, .. }) => Ok(Err(Failure::Attempt {
                result: AttemptResult::NotAuthorized { status },
                after_ms: None,
            })),
            Err(failure) => Ok(Err(failure)),
        }
    }

    /// Applies the results; what has none, or no receipt that verifies, waits on.
    fn apply(&mut self, batch: &[Waiting], results: &[EnvelopeResult]) -> Result<Result<(), Stop>> {
        let mut unproved = Vec::new();
        for waiting in batch {
            let result = results.iter().find(|result| result.id == waiting.id);
            match result.map(|result| &result.outcome) {
                Some(EnvelopeOutcome::Accepted { receipt }) => {
                    if self.received(waiting, receipt)? {
                        self.tally.sent += 1;
                    } else {
                        unproved.push(waiting.clone());
                    }
                }
                Some(EnvelopeOutcome::Duplicate { receipt }) => {
                    if self.received(waiting, receipt)? {
                        self.tally.sent += 1;
                        self.tally.duplicates += 1;
                    } else {
                        unproved.push(waiting.clone());
                    }
                }
                Some(EnvelopeOutcome::Refused { problem }) => {
                    self.park(waiting, problem.status, &problem.kind)?;
                }
                None => unproved.push(waiting.clone()),
            }
        }
        self.parts.listeners.notify(Topic::Sos);
        if unproved.is_empty() {
            return Ok(Ok(()));
        }
        self.failed(
            &unproved,
            Failure::Attempt {
                result: AttemptResult::BadReceipt,
                after_ms: None,
            },
        )
    }

    /// Believes a receipt only if a receipt key signed it for this very envelope.
    fn received(&mut self, waiting: &Waiting, signed: &Signed) -> Result<bool> {
        let mut verified = self.verify::<Receipt>(signed, Context::Receipt);
        if verified == Err(VerifyError::UnknownKey) && self.fetch_service()?.is_ok() {
            verified = self.verify(signed, Context::Receipt);
        }
        let Ok(receipt) = verified else {
            return Ok(false);
        };
        if receipt.envelope != waiting.id || receipt.sha256 != sha256_hex(&waiting.sealed) {
            return Ok(false);
        }
        let now = self.parts.time.now();
        let evidence = receipt_evidence(waiting.role, &receipt, signed)?;
        let event = self.event(waiting, &now, evidence.as_ref())?;
        self.parts.outbox.received(waiting.id, event.as_ref())?;
        let offset = receipt.received_ms.saturating_sub(now.wall_ms);
        self.parts
            .outbox
            .set("offset_ms", offset.to_string().as_bytes())?;
        Ok(true)
    }

    fn verify<T: serde::de::DeserializeOwned>(
        &self,
        signed: &Signed,
        context: Context,
    ) -> Result<T, VerifyError> {
        signed.verify(context, &self.parts.sealer.receipt_keys())
    }

    fn park(&self, waiting: &Waiting, status: u16, kind: &str) -> Result<()> {
        let evidence = Evidence::Refused {
            status,
            reason: kind.chars().take(200).collect(),
        };
        let now = self.parts.time.now();
        let event = self.event(waiting, &now, Some(&evidence))?;
        self.parts.outbox.park(waiting.id, event.as_ref())
    }

    fn event(
        &self,
        waiting: &Waiting,
        at: &ClockReading,
        evidence: Option<&Evidence>,
    ) -> Result<Option<EventRow>> {
        match (waiting.report, evidence) {
            (Some(report), Some(evidence)) => event(report, at, evidence).map(Some),
            _ => Ok(None),
        }
    }

    /// A request for `batch` failed: note the attempt, and decide what is next.
    fn failed(&self, batch: &[Waiting], failure: Failure) -> Result<Result<(), Stop>> {
        let (result, after_ms) = match failure {
            Failure::Deadline => return Ok(Err((SyncStop::Deadline, Some(0)))),
            Failure::Cancelled => return Ok(Err((SyncStop::Cancelled, Some(0)))),
            Failure::Refused { status, kind } => {
                for waiting in batch {
                    self.park(waiting, status, &kind)?;
                }
                self.parts.listeners.notify(Topic::Sos);
                return Ok(Ok(()));
            }
            Failure::UnknownDevice => (AttemptResult::NotAuthorized { status: 401 }, None),
            Failure::Attempt { result, after_ms } => (result, after_ms),
        };
        let now = self.parts.time.now();
        let delay = self.delay(batch, after_ms)?;
        let events = attempt_events(batch, result, &now)?;
        let ids: Vec<Uuid> = batch.iter().map(|waiting| waiting.id).collect();
        let due_ms = now.wall_ms.saturating_add(delay);
        if matches!(result, AttemptResult::NotAuthorized { .. }) {
            // Nothing is wrong with the envelopes: no attempt is used up.
            self.parts.outbox.retry(&[], due_ms, &events)?;
        } else {
            self.parts.outbox.retry(&ids, due_ms, &events)?;
        }
        self.parts.listeners.notify(Topic::Sos);
        let stop = match result {
            AttemptResult::NoConnection | AttemptResult::NoAnswer => SyncStop::Offline,
            AttemptResult::NotTrusted
            | AttemptResult::NotTheMinistry { .. }
            | AttemptResult::BadReceipt => SyncStop::NotTheMinistry,
            AttemptResult::Busy { .. } => SyncStop::Busy,
            AttemptResult::NotAuthorized { .. } => SyncStop::NotAuthorized,
        };
        Ok(Err((stop, Some(delay))))
    }

    fn delay(&self, batch: &[Waiting], asked: Option<i64>) -> Result<i64> {
        let policy = &self.parts.policy;
        let lane = batch.first().map_or(Lane::Whereabouts, |first| first.lane);
        let attempts = batch
            .iter()
            .map(|waiting| waiting.attempts)
            .max()
            .unwrap_or(0);
        let random = u32::from_le_bytes(random::<4>()?);
        let jittered = delay_ms(lane, attempts.saturating_add(1), random, policy);
        Ok(asked.map_or(jittered, |ms| {
            asked_ms(lane, ms, policy).saturating_add(jittered)
        }))
    }

    /// Fetches the service document; `Ok(Err(_))` when it did not come or is
    /// not believed.
    fn fetch_service(&self) -> Result<Result<(), Failure>> {
        let signed = match self
            .client
            .call::<Signed>("GET", SERVICE_PATH, Vec::new(), None)
        {
            Ok(signed) => signed,
            Err(failure) => return Ok(Err(failure)),
        };
        if self
            .parts
            .sealer
            .accept_service(&signed, &self.parts.outbox)?
        {
            let now_ms = self.parts.time.now().wall_ms;
            self.parts
                .outbox
                .set("service_ms", now_ms.to_string().as_bytes())?;
            return Ok(Ok(()));
        }
        Ok(Err(Failure::Attempt {
            result: AttemptResult::NotTheMinistry { status: 200 },
            after_ms: None,
        }))
    }

    fn refresh_service(&self) -> Result<Result<(), Stop>> {
        let now_ms = self.parts.time.now().wall_ms;
        let fetched = self.parts.outbox.get_number("service_ms")?;
        let fresh = fetched
            .is_some_and(|at| now_ms.saturating_sub(at).abs() < self.parts.policy.service_age_ms);
        if fresh && self.parts.sealer.service().is_some() {
            return Ok(Ok(()));
        }
        match self.fetch_service()? {
            Ok(()) => Ok(Ok(())),
            Err(failure) => self.failed(&[], failure),
        }
    }

    /// Reads the change feed, page by page; each page with its cursor is one
    /// transaction.
    fn changes(&mut self) -> Result<Result<(), Stop>> {
        if let Err(failure) = self.ensure_enrolled()? {
            return self.failed(&[], failure);
        }
        for _ in 0..self.parts.policy.change_pages {
            let after = self.parts.outbox.get_number("cursor")?.unwrap_or(0);
            let target = format!("{CHANGES_PATH}?after={after}");
            let device = self.parts.sealer.device();
            let page =
                match self
                    .client
                    .call::<ChangePage>("GET", &target, Vec::new(), Some(&device))
                {
                    Ok(page) => page,
                    Err(failure) => return self.failed(&[], failure),
                };
            let Some(cursor) = page.changes.iter().map(|change| change.seq).max() else {
                return Ok(Ok(()));
            };
            let mut events = Vec::new();
            for change in &page.changes {
                if change.kind == "case" {
                    events.extend(self.news(&change.sealed.0)?);
                }
            }
            self.parts.outbox.apply_changes(&events, cursor)?;
            self.tally.changes += u32::try_from(events.len()).unwrap_or(u32::MAX);
            if !events.is_empty() {
                self.parts.listeners.notify(Topic::Sos);
            }
            if !page.more {
                return Ok(Ok(()));
            }
        }
        Ok(Ok(()))
    }

    /// News of a case, if it is for this device and signed by the ministry.
    fn news(&self, sealed: &[u8]) -> Result<Option<EventRow>> {
        let Some(signed) = self.parts.sealer.open_own::<Signed>(sealed) else {
            return Ok(None);
        };
        let mut verified = self.verify::<CaseNews>(&signed, Context::Case);
        if matches!(verified, Err(VerifyError::UnknownKey)) && self.fetch_service()?.is_ok() {
            verified = self.verify(&signed, Context::Case);
        }
        match verified {
            Ok(news) => case_news(news, &self.parts.time.now(), &self.parts.sealer).map(Some),
            Err(_) => Ok(None),
        }
    }
}

/// What a receipt proves for the report that its envelope belongs to.
fn receipt_evidence(role: Role, receipt: &Receipt, signed: &Signed) -> Result<Option<Evidence>> {
    let received_ms = receipt.received_ms;
    Ok(match role {
        Role::Report => Some(Evidence::Receipt {
            case_id: receipt.case.clone(),
            received_ms,
            signed: String::from_utf8(to_json(signed)?).unwrap_or_default(),
        }),
        Role::Update => Some(Evidence::UpdateReceipt { received_ms }),
        Role::Cancel => Some(Evidence::CancelReceipt { received_ms }),
        Role::Standing | Role::Profile | Role::Positions => None,
    })
}

/// The attempt, once for each report that has its own envelope in the batch.
fn attempt_events(
    batch: &[Waiting],
    result: AttemptResult,
    now: &ClockReading,
) -> Result<Vec<EventRow>> {
    let evidence = Evidence::Attempt {
        channel: Channel::Https,
        result,
    };
    batch
        .iter()
        .filter(|waiting| waiting.role == Role::Report)
        .filter_map(|waiting| waiting.report)
        .map(|report| event(report, now, &evidence))
        .collect()
}
