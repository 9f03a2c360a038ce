//! One pass: SOS before all else.
//!
//! ```text
//! while something is due:  enrol if needed → POST the next batch → apply
//!     the results; ordinary data is staged only when no report waits
//! then: service document if it is old → change feed → chunks, see `upload`
//! ```
//!
//! While something is on hold (see [`super::hold`]) only that leaves which may, and
//! nothing is staged or fetched.
//!
//! The network is never touched with a lock held. Each result is applied in one
//! transaction of its own, so a pass can be killed anywhere and repeated. An
//! envelope that fails by itself is skipped or parked, and the others go on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use uuid::Uuid;

use super::SyncStop;
use super::backoff::{Asked, busy_wait_ms, delay_ms};
use super::client::{Client, Failure};
use super::engine::Parts;
use super::hold::{self, Acted, Allowed, Ended, Line, Pause, PauseCause};
use super::protocol::{
    Base64, BatchAnswer, DEVICES_PATH, ENVELOPES_PATH, Enrolled, Enrolment, EnvelopeBatch,
    EnvelopeOutcome, EnvelopeResult, Receipt, SealedEnvelope,
};
use super::reseal::{is_for_its_key, is_receipt_for};
use super::sealer::to_json;
use super::upload::Uploading;
use crate::clock::ClockReading;
use crate::error::Result;
use crate::homeline::Topic;
use crate::keys::random;
use crate::outbox::{Batch, EventRow, Gate, Lane, Role, Waiting};
use crate::record::RecordState;
use crate::registration::news::settle_clock;
use crate::registration::{stage_groups, stage_profile};
use crate::seal::signed::{Context, Signed, VerifyError};
use crate::sos::{AttemptResult, Channel, Evidence, event};
use crate::whereabouts::{archive, stage_fixes};

/// What a pass has done so far.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) sent: u32,
    pub(super) duplicates: u32,
    pub(super) changes: u32,
    pub(super) without_consent: bool,
}

/// How a pass ended: why, and when to call again.
pub(super) type Stop = (SyncStop, Option<i64>);

/// What was in a request that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carried {
    /// The envelopes of the batch.
    Reports,
    /// None of them: it only prepared the way.
    Nothing,
}

/// One pass.
pub(super) struct Pass<'a> {
    pub(super) parts: &'a Parts,
    pub(super) client: Client<'a>,
    pub(super) tally: Tally,
    pub(super) cancelled: &'a AtomicBool,
    /// After a batch failed whole: find the bad one.
    one_by_one: bool,
    /// Whether this pass has fetched the service document: once is enough.
    pub(super) service_fetched: bool,
    /// Whether it came, since the last page of the feed was read: a key that is not
    /// in it is nobody's then.
    pub(super) service_came: bool,
    /// Whether news of the feed have left something to send.
    pub(super) answer_news: bool,
    /// What is on hold in this pass.
    allowed: Allowed,
    /// What failed by itself in this pass: it does not hold up the others.
    pub(super) skipped: Vec<Uuid>,
    /// What was sealed anew in this pass: once is enough.
    pub(super) resealed: Vec<Uuid>,
    pub(super) uploading: Uploading,
    /// After a request with parcels failed whole: find the bad one.
    pub(super) parcels_one_by_one: bool,
}

impl<'a> Pass<'a> {
    pub(super) fn new(
        parts: &'a Parts,
        client: Client<'a>,
        cancelled: &'a AtomicBool,
    ) -> Result<Self> {
        let acted = Acted::of(&parts.listeners);
        Ok(Self {
            allowed: hold::allowed(&parts.outbox, client.started, acted, &parts.policy)?,
            parts,
            client,
            tally: Tally::default(),
            cancelled,
            one_by_one: false,
            service_fetched: false,
            service_came: false,
            answer_news: false,
            skipped: Vec::new(),
            resealed: Vec::new(),
            uploading: Uploading::default(),
            parcels_one_by_one: false,
        })
    }

    pub(super) fn into_tally(self) -> Tally {
        self.tally
    }

    /// Runs the pass, and writes down what it has learnt of the line.
    pub(super) fn run(&mut self) -> Result<Stop> {
        let (stop, mut next_ms) = self.steps()?;
        self.by_datagram(stop)?;
        if let (SyncStop::Done, Some(pause)) = (stop, self.allowed.pause) {
            next_ms = sooner(next_ms, pause.left_ms);
        }
        let now = self.parts.time.now();
        let ended = Ended {
            began: self.client.started,
            now: &now,
            stop,
            next_ms,
            answered: self.client.line.answered(),
        };
        hold::note(&self.parts.outbox, &ended)?;
        Ok((stop, next_ms))
    }

    /// Where HTTPS did not lead to the ministry, one packet may.
    fn by_datagram(&self, stop: SyncStop) -> Result<()> {
        let blocked = matches!(stop, SyncStop::Offline | SyncStop::NotTheMinistry);
        if !blocked || self.cancelled.load(Ordering::SeqCst) {
            return Ok(());
        }
        let left = Duration::from_millis(u64::try_from(self.client.left_ms()).unwrap_or(0));
        let longest = self.parts.policy.datagram_wait.min(left);
        self.parts.sos.datagrams_of_pass(longest)
    }

    fn steps(&mut self) -> Result<Stop> {
        let wait = match self.drain()? {
            Ok(wait) => wait,
            Err(stop) => return Ok(stop),
        };
        let wait = match self.lifted()? {
            false => wait,
            true => match self.drain()? {
                Ok(wait) => wait,
                Err(stop) => return Ok(stop),
            },
        };
        if let Some(stop) = self.held(wait) {
            return Ok(stop);
        }
        if let Err(stop) = self.refresh_service()? {
            return Ok(stop);
        }
        // A crisis that was declared just now lets positions go in this pass.
        let wait = match self.service_fetched {
            false => wait,
            true => match self.drain()? {
                Ok(later) => later,
                Err(stop) => return Ok(stop),
            },
        };
        if let Err(stop) = self.changes()? {
            return Ok(stop);
        }
        let wait = match std::mem::take(&mut self.answer_news) {
            false => wait,
            true => match self.drain()? {
                Ok(wait) => wait,
                Err(stop) => return Ok(stop),
            },
        };
        let wait = match self.upload(wait)? {
            Ok(wait) => wait,
            Err(stop) => return Ok(stop),
        };
        let stop = match self.skipped.is_empty() {
            true => SyncStop::Done,
            false => SyncStop::Busy,
        };
        Ok((stop, wait))
    }

    /// Ends a pause that this pass has proved to be over: a report was taken.
    fn lifted(&mut self) -> Result<bool> {
        let refused = |pause: Pause| pause.cause == PauseCause::NotAuthorized;
        let lifted = self.tally.sent > 0 && self.allowed.pause.is_some_and(refused);
        if lifted {
            hold::lift(&self.parts.outbox)?;
            self.allowed.pause = None;
            self.allowed.gate = Gate::OPEN;
        }
        Ok(lifted)
    }

    /// How the pass ends where the service document and the feed are not to be
    /// fetched now. Whoever just sent a report waits for its answer: they are.
    fn held(&self, wait: Option<i64>) -> Option<Stop> {
        let Allowed { pause, feed_ms, .. } = self.allowed;
        match pause {
            Some(pause) => {
                let stop = match pause.cause {
                    PauseCause::Returned if self.tally.sent > 0 => return None,
                    PauseCause::Returned => SyncStop::Done,
                    PauseCause::StandBy => SyncStop::Busy,
                    PauseCause::NotAuthorized => SyncStop::NotAuthorized,
                };
                Some((stop, sooner(wait, pause.left_ms)))
            }
            None if feed_ms > 0 && !self.client.line.answered() => {
                Some((SyncStop::Done, sooner(wait, feed_ms)))
            }
            None => None,
        }
    }

    /// Sends until nothing is due. `Ok(Ok(wait))`: when to call again.
    pub(super) fn drain(&mut self) -> Result<Result<Option<i64>, Stop>> {
        loop {
            if self.cancelled.load(Ordering::SeqCst) {
                return Ok(Err((SyncStop::Cancelled, Some(0))));
            }
            let policy = &self.parts.policy;
            let now_ms = self.parts.time.now().wall_ms;
            let limit = if self.one_by_one {
                1
            } else {
                policy.batch_envelopes.min(self.batch_limit())
            };
            let batch = self.parts.outbox.next_batch(
                now_ms,
                limit,
                policy.batch_bytes,
                &self.skipped,
                self.allowed.gate,
            )?;
            // Ordinary data is staged behind the reports, never before them.
            let sos_first = matches!(&batch, Batch::Send(batch)
                if batch.first().is_some_and(|first| first.lane == Lane::Sos));
            if !sos_first {
                // Others' reports go before what is ordinary here.
                match self.carry()? {
                    Ok(true) => continue,
                    Ok(false) => {}
                    Err(stop) => return Ok(Err(stop)),
                }
                if self.stage()? {
                    continue;
                }
            }
            match batch {
                Batch::Empty => return self.or_parcels(None).map(Ok),
                Batch::Wait { until_ms } => {
                    let least = policy.backoff_first_ms;
                    let wait = until_ms.saturating_sub(now_ms);
                    let wait = if wait > 0 { wait } else { least };
                    return self.or_parcels(Some(wait)).map(Ok);
                }
                Batch::Send(batch) => {
                    let batch = self.sealed_to_keys_of_now(batch)?;
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
        let announced = parts.outbox.stage_attachments()?;
        if parts.record.state() != RecordState::Open {
            return Ok(announced);
        }
        parts.sos.settle()?;
        settle_clock(&parts.record, &parts.outbox)?;
        self.take_news()?;
        parts.standing.renew_if_stale();
        // What is on hold stays in the record, where ten edits are one.
        if self.allowed.gate.lane < Lane::Registration {
            return Ok(false);
        }
        let before = parts.outbox.counts()?.waiting;
        self.tally.without_consent = stage_profile(&parts.record, &parts.outbox, &parts.sealer)?;
        let groups = stage_groups(&parts.record, &parts.outbox, &parts.sealer)?;
        self.tally.without_consent |= groups.without_consent;
        let positions = stage_fixes(&parts.record, &parts.outbox, &parts.sealer, &parts.policy)?;
        // Nobody waits for it: what fails is tried again by the next pass.
        let _ = archive(&parts.record, &parts.policy);
        Ok(announced || positions || groups.anything || parts.outbox.counts()?.waiting > before)
    }

    pub(super) fn skipped(&self) -> &[Uuid] {
        &self.skipped
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
            return self.failed(batch, failure, Carried::Nothing);
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
                return self.failed(batch, failure, Carried::Reports);
            }
            answer = self
                .client
                .call("POST", ENVELOPES_PATH, body, Some(&device));
        }
        match answer {
            Ok(answer) => self.apply(batch, &answer.results),
            Err(failure) if failure.may_be_one_envelopes() => self.isolate(batch, failure),
            Err(failure) => self.failed(batch, failure, Carried::Reports),
        }
    }

    /// A failure that a single envelope may have caused: it must not hold up the
    /// others. They are sent one by one; the one that fails is skipped in this
    /// pass, and when several do it is not the envelopes' fault.
    fn isolate(&mut self, batch: &[Waiting], failure: Failure) -> Result<Result<(), Stop>> {
        if batch.len() > 1 {
            self.one_by_one = true;
            return Ok(Ok(()));
        }
        if matches!(failure, Failure::Refused { .. }) {
            return self.failed(batch, failure, Carried::Reports);
        }
        if self.skipped.len() >= self.parts.policy.skipped_envelopes {
            return self.failed(batch, failure, Carried::Reports);
        }
        self.skipped.extend(batch.iter().map(|waiting| waiting.id));
        self.failed(batch, failure, Carried::Reports)
            .map(|_| Ok(()))
    }

    pub(super) fn ensure_enrolled(&self) -> Result<Result<(), Failure>> {
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
            Ok(_) => Ok(Err(Failure::attempt(AttemptResult::NotTheMinistry {
                status: 200,
            }))),
            // What is refused is this device. Nobody has seen the envelopes: they
            // must not be parked.
            Err(Failure::Refused { status, .. }) => {
                Ok(Err(Failure::attempt(AttemptResult::NotAuthorized {
                    status,
                })))
            }
            Err(failure) => Ok(Err(failure)),
        }
    }

    /// Applies the results; what has none, or no receipt that verifies, waits on.
    fn apply(&mut self, batch: &[Waiting], results: &[EnvelopeResult]) -> Result<Result<(), Stop>> {
        let mut unproved = Vec::new();
        let mut for_their_key = Vec::new();
        let mut key_status = 0;
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
                Some(EnvelopeOutcome::Refused { problem }) if is_for_its_key(problem) => {
                    for_their_key.push(waiting.clone());
                    key_status = problem.status;
                }
                Some(EnvelopeOutcome::Refused { problem }) => {
                    self.park(waiting, problem.status, &problem.kind)?;
                }
                None => unproved.push(waiting.clone()),
            }
        }
        let went_on = self.refused_for_key(&for_their_key, key_status)?;
        self.parts.listeners.notify(Topic::Sos);
        if unproved.is_empty() {
            return Ok(went_on);
        }
        let failure = Failure::attempt(AttemptResult::BadReceipt);
        if unproved.len() == batch.len() {
            // Not one receipt that verifies: this is not the ministry.
            return self.failed(&unproved, failure, Carried::Reports);
        }
        self.skipped
            .extend(unproved.iter().map(|waiting| waiting.id));
        self.failed(&unproved, failure, Carried::Reports)
            .map(|_| Ok(()))
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
        let earlier = || self.parts.outbox.earlier_sealings(waiting.id);
        if !is_receipt_for(&receipt, waiting.id, &waiting.sealed, earlier)? {
            return Ok(false);
        }
        let now = self.parts.time.now();
        let evidence = receipt_evidence(waiting.role, &receipt, signed)?;
        let event = self.event(waiting, &now, evidence.as_ref())?;
        self.parts.outbox.received(waiting.id, event.as_ref())?;
        if waiting.role == Role::Profile {
            let received = receipt.received_ms.to_string();
            self.parts
                .outbox
                .set("profile_received_ms", received.as_bytes())?;
        }
        self.parts
            .outbox
            .set_ministry_time(receipt.received_ms, &now)?;
        self.parts
            .outbox
            .set("receipt_ms", now.wall_ms.to_string().as_bytes())?;
        Ok(true)
    }

    pub(super) fn verify<T: serde::de::DeserializeOwned>(
        &self,
        signed: &Signed,
        context: Context,
    ) -> Result<T, VerifyError> {
        signed.verify(context, &self.parts.sealer.receipt_keys())
    }

    pub(super) fn park(&self, waiting: &Waiting, status: u16, kind: &str) -> Result<()> {
        let evidence = Evidence::Refused {
            status,
            reason: kind.chars().take(200).collect(),
        };
        let now = self.parts.time.now();
        let event = self.event(waiting, &now, Some(&evidence))?;
        self.parts.outbox.park(waiting.id, event.as_ref())?;
        match (waiting.role, evidence) {
            (Role::Attachment, Evidence::Refused { status, reason }) => {
                let ended = crate::outbox::Ended::Refused { status, reason };
                self.parts.outbox.end_attachment(waiting.id, &ended)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn event(
        &self,
        waiting: &Waiting,
        at: &ClockReading,
        evidence: Option<&Evidence>,
    ) -> Result<Option<EventRow>> {
        match (waiting.report, evidence) {
            (Some(report), Some(evidence)) if waiting.role.is_of_a_report() => {
                event(report, at, evidence).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// A request for `batch` failed: note the attempt, and decide what is next.
    pub(super) fn failed(
        &self,
        batch: &[Waiting],
        failure: Failure,
        carried: Carried,
    ) -> Result<Result<(), Stop>> {
        let (result, asked) = match failure {
            Failure::Deadline => return Ok(Err((SyncStop::Deadline, Some(0)))),
            Failure::Cancelled => return Ok(Err((SyncStop::Cancelled, Some(0)))),
            Failure::Refused { status, kind } => {
                for waiting in batch {
                    self.park(waiting, status, &kind)?;
                }
                self.parts.listeners.notify(Topic::Sos);
                return Ok(Ok(()));
            }
            Failure::UnknownDevice => (
                AttemptResult::NotAuthorized { status: 401 },
                Asked::default(),
            ),
            Failure::Attempt { result, asked } => (result, asked),
        };
        let now = self.parts.time.now();
        let delay = self.delay(batch, result, asked)?;
        let events = attempt_events(batch, result, carried, &now)?;
        let ids: Vec<Uuid> = batch.iter().map(|waiting| waiting.id).collect();
        let due_ms = now.wall_ms.saturating_add(delay);
        if matches!(result, AttemptResult::NotAuthorized { .. }) {
            self.parts.outbox.pause_reports(due_ms, &events)?;
        } else {
            self.parts.outbox.retry(&ids, due_ms, &events)?;
        }
        self.hold_others(batch, result, asked, delay, &now)?;
        self.parts.listeners.notify(Topic::Sos);
        Ok(Err((stop_of(result), Some(delay))))
    }

    /// Milliseconds until the next attempt with `batch`; with the feed, where it is
    /// empty.
    fn delay(&self, batch: &[Waiting], result: AttemptResult, asked: Asked) -> Result<i64> {
        let lane = batch.first().map_or(Lane::Whereabouts, |first| first.lane);
        let counted = batch.iter().map(|waiting| waiting.attempts).max();
        let attempts = match (result, counted) {
            (AttemptResult::NotAuthorized { .. }, _) | (_, None) => {
                Line::of(&self.parts.outbox)?.failures
            }
            (_, Some(attempts)) => attempts,
        };
        self.draw(lane, attempts.saturating_add(1), result, asked)
    }

    fn draw(&self, lane: Lane, attempts: u32, result: AttemptResult, asked: Asked) -> Result<i64> {
        let policy = &self.parts.policy;
        let random = u32::from_le_bytes(random::<4>()?);
        Ok(match result {
            AttemptResult::Busy { .. } => busy_wait_ms(lane, attempts, asked, random, policy),
            _ => delay_ms(lane, attempts, random, policy),
        })
    }

    /// A ministry that is busy, or does not accept this device, says so of
    /// everything: the other lanes and the feed wait as well.
    fn hold_others(
        &self,
        batch: &[Waiting],
        result: AttemptResult,
        asked: Asked,
        delay: i64,
        now: &ClockReading,
    ) -> Result<()> {
        let cause = match result {
            AttemptResult::NotAuthorized { .. } => PauseCause::NotAuthorized,
            // 500 may be one envelope's: see `isolate`.
            AttemptResult::Busy { status } if status != 500 => PauseCause::StandBy,
            _ => return Ok(()),
        };
        let (outbox, policy) = (&self.parts.outbox, &self.parts.policy);
        let of_reports = batch.first().is_some_and(|first| first.lane == Lane::Sos);
        let wait_ms = match of_reports {
            false => delay,
            true => {
                let attempts = Line::of(outbox)?.failures.saturating_add(1);
                self.draw(Lane::Registration, attempts, result, asked)?
            }
        };
        hold::hold(outbox, cause, now, wait_ms, policy)
    }
}

fn sooner(wait: Option<i64>, other: i64) -> Option<i64> {
    Some(wait.map_or(other, |wait| wait.min(other)))
}

/// What a failed attempt means for the pass.
pub(super) fn stop_of(result: AttemptResult) -> SyncStop {
    match result {
        AttemptResult::NoConnection | AttemptResult::NoAnswer => SyncStop::Offline,
        AttemptResult::NotTrusted
        | AttemptResult::NotTheMinistry { .. }
        | AttemptResult::BadReceipt => SyncStop::NotTheMinistry,
        AttemptResult::Busy { .. } | AttemptResult::KeyRetired { .. } => SyncStop::Busy,
        AttemptResult::NotAuthorized { .. } => SyncStop::NotAuthorized,
    }
}

/// What a receipt proves for the report that its envelope belongs to.
pub(crate) fn receipt_evidence(
    role: Role,
    receipt: &Receipt,
    signed: &Signed,
) -> Result<Option<Evidence>> {
    let received_ms = receipt.received_ms;
    Ok(match role {
        Role::Report => Some(Evidence::Receipt {
            case_id: receipt.case.clone(),
            received_ms,
            signed: String::from_utf8(to_json(signed)?).unwrap_or_default(),
        }),
        Role::Update => Some(Evidence::UpdateReceipt { received_ms }),
        Role::Cancel => Some(Evidence::CancelReceipt { received_ms }),
        Role::Standing
        | Role::Profile
        | Role::Positions
        | Role::Group
        | Role::GroupLeave
        | Role::Medical
        | Role::Attachment
        | Role::Erase => None,
    })
}

/// The attempt, once for each report that has its own envelope in the batch.
fn attempt_events(
    batch: &[Waiting],
    result: AttemptResult,
    carried: Carried,
    now: &ClockReading,
) -> Result<Vec<EventRow>> {
    let evidence = Evidence::Attempt {
        channel: Channel::Https,
        result,
        carried: carried == Carried::Reports,
    };
    batch
        .iter()
        .filter(|waiting| waiting.role == Role::Report)
        .filter_map(|waiting| waiting.report)
        .map(|report| event(report, now, &evidence))
        .collect()
}
