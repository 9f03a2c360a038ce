//! One pass: SOS before all else.
//!
//! ```text
//! while something is due:  enrol if needed → POST the next batches → apply
//!     their results; ordinary data is staged only when no report waits
//! then: service document if it is old → change feed → chunks, see `upload`
//! ```
//!
//! While something is on hold (see [`super::hold`]) only that leaves which may, and
//! nothing is staged or fetched.
//!
//! The network is never touched with a lock held. Each answer is applied a few
//! envelopes at a time, so a pass can be killed anywhere and repeated. An
//! envelope that fails by itself is skipped or parked, and the others go on.
//! Which batches are in flight stands in [`super::flight`].

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use uuid::Uuid;

use super::SyncStop;
use super::backoff::{Asked, busy_wait_ms, delay_ms};
use super::client::{Client, Failure};
use super::engine::Parts;
use super::flight::Flights;
use super::hold::{self, Acted, Allowed, Ended, Line, Pause, PauseCause};
use super::protocol::{
    Base64, DEVICES_PATH, Enrolled, Enrolment, EnvelopeOutcome, EnvelopeResult, Receipt,
};
use super::reseal::{is_for_its_key, is_receipt_for};
use super::sealer::to_json;
use super::upload::Uploading;
use crate::clock::ClockReading;
use crate::error::{HomelineError, Result, StorageProblem};
use crate::homeline::Topic;
use crate::keys::random;
use crate::outbox::{EventRow, Gate, Lane, Role, Settled, Verdict, Waiting};
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
    pub(super) flights: Flights,
    pub(super) cancelled: &'a AtomicBool,
    /// Whether this pass has fetched the service document: once is enough.
    pub(super) service_fetched: bool,
    /// Whether it came, since the last page of the feed was read: a key that is not
    /// in it is nobody's then.
    pub(super) service_came: bool,
    /// What is on hold in this pass.
    pub(super) allowed: Allowed,
    /// What failed by itself in this pass: it does not hold up the others.
    pub(super) skipped: Vec<Uuid>,
    /// What was sealed anew in this pass: once is enough.
    pub(super) resealed: Vec<Uuid>,
    pub(super) uploading: Uploading,
    /// Serial of the newest packs, as the change feed told.
    pub(super) packs_told: Option<u64>,
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
            flights: Flights::default(),
            cancelled,
            service_fetched: false,
            service_came: false,
            skipped: Vec::new(),
            resealed: Vec::new(),
            uploading: Uploading::default(),
            packs_told: None,
            parcels_one_by_one: false,
        })
    }

    pub(super) fn into_tally(self) -> Tally {
        self.tally
    }

    /// Runs the pass, and writes down what it has learnt of the line.
    pub(super) fn run(&mut self) -> Result<Stop> {
        let whole_ms = self.client.deadline_ms;
        self.client.deadline_ms = whole_ms.saturating_sub(self.kept_for_datagrams(whole_ms)?);
        let (stop, mut next_ms) = self.by_https()?;
        self.client.deadline_ms = whole_ms;
        if matches!(stop, SyncStop::Offline | SyncStop::NotTheMinistry)
            && !self.cancelled.load(Ordering::SeqCst)
        {
            // Where HTTPS does not lead to the ministry, one packet may.
            let left = Duration::from_millis(u64::try_from(self.client.left_ms()).unwrap_or(0));
            let longest = self.parts.policy.datagram_wait.min(left);
            self.parts.sos.datagrams_of_pass(longest)?;
        }
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

    /// Milliseconds of a pass that HTTPS leaves to the datagram of a report: who answers
    /// byte by byte would else take all of it. Never more than a quarter.
    fn kept_for_datagrams(&self, whole_ms: i64) -> Result<i64> {
        let parts = self.parts;
        if parts.sealer.datagram_endpoint().is_none() || parts.outbox.reports_waiting(1)?.is_empty()
        {
            return Ok(0);
        }
        let wait = i64::try_from(parts.policy.datagram_wait.as_millis()).unwrap_or(i64::MAX);
        Ok(wait.min(whole_ms.checked_div(4).unwrap_or(0)))
    }

    fn by_https(&mut self) -> Result<Stop> {
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
            return self.end_with(stop);
        }
        // A crisis that was declared just now lets positions go in this pass.
        if self.service_fetched
            && let Err(stop) = self.drain()?
        {
            return Ok(stop);
        }
        if let Err(stop) = self.changes()? {
            return self.end_with(stop);
        }
        if let Err(stop) = self.packs()? {
            return self.end_with(stop);
        }
        // What news have left to send, and what was pressed while they came.
        let wait = match self.drain()? {
            Ok(wait) => wait,
            Err(stop) => return Ok(stop),
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

    /// Ends the pass, once the reports that left beside the last request are
    /// answered.
    fn end_with(&mut self, stop: Stop) -> Result<Stop> {
        self.stop(stop);
        Ok(self.drain()?.err().unwrap_or(stop))
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

    /// Moves what the record has into the outbox; whether anything new is there.
    pub(super) fn stage(&mut self) -> Result<bool> {
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
        let positions = self.stage_positions()?;
        // Nobody waits for it: what fails is tried again by the next pass.
        let _ = archive(&parts.record, &parts.policy);
        Ok(announced || positions || groups.anything || parts.outbox.counts()?.waiting > before)
    }

    pub(super) fn skipped(&self) -> &[Uuid] {
        &self.skipped
    }

    /// Thinned where too many wait, or the disk has no room for more.
    fn stage_positions(&self) -> Result<bool> {
        let parts = self.parts;
        let staged = stage_fixes(&parts.record, &parts.outbox, &parts.sealer, &parts.policy);
        let full = Err(HomelineError::from(StorageProblem::Full));
        if staged == full {
            // Room for the next pass; a disk that lets nothing be written stays so.
            let _ = parts.outbox.thin_whereabouts(0);
        } else if staged == Ok(true) {
            let most = parts.policy.whereabouts_waiting_bytes;
            parts.outbox.thin_whereabouts(most)?;
        }
        staged
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
    pub(super) fn apply(
        &mut self,
        batch: &[Waiting],
        results: &[EnvelopeResult],
    ) -> Result<Result<(), Stop>> {
        let mut settled = Vec::new();
        let mut unproved = Vec::new();
        let mut for_their_key = Vec::new();
        let mut key_status = 0;
        for waiting in batch {
            let result = results.iter().find(|result| result.id == waiting.id);
            let proved = match result.map(|result| &result.outcome) {
                Some(EnvelopeOutcome::Accepted { receipt }) => self.received(waiting, receipt)?,
                Some(EnvelopeOutcome::Duplicate { receipt }) => {
                    let proved = self.received(waiting, receipt)?;
                    self.tally.duplicates += u32::from(proved.is_some());
                    proved
                }
                Some(EnvelopeOutcome::Refused { problem }) if is_for_its_key(problem) => {
                    for_their_key.push(waiting.clone());
                    key_status = problem.status;
                    continue;
                }
                Some(EnvelopeOutcome::Refused { problem }) => {
                    self.park(waiting, problem.status, &problem.kind)?;
                    continue;
                }
                None => None,
            };
            match proved {
                Some(proved) => settled.push(proved),
                None => unproved.push(waiting.clone()),
            }
        }
        self.parts.outbox.settle(&settled, &self.parts.time.now())?;
        let sent = u32::try_from(settled.len()).unwrap_or(u32::MAX);
        self.tally.sent = self.tally.sent.saturating_add(sent);
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
    fn received(&mut self, waiting: &Waiting, signed: &Signed) -> Result<Option<Settled>> {
        let mut verified = self.verify::<Receipt>(signed, Context::Receipt);
        if verified == Err(VerifyError::UnknownKey) && self.fetch_service()?.is_ok() {
            verified = self.verify(signed, Context::Receipt);
        }
        let Ok(receipt) = verified else {
            return Ok(None);
        };
        let earlier = || self.parts.outbox.earlier_sealings(waiting.id);
        if !is_receipt_for(&receipt, waiting.id, &waiting.sealed, earlier)? {
            return Ok(None);
        }
        let now = self.parts.time.now();
        let evidence = receipt_evidence(waiting.role, &receipt, signed)?;
        Ok(Some(Settled {
            id: waiting.id,
            event: self.event(waiting, &now, evidence.as_ref())?,
            verdict: Verdict::Received {
                role: waiting.role,
                received_ms: receipt.received_ms,
            },
        }))
    }

    pub(super) fn verify<T: serde::de::DeserializeOwned>(
        &self,
        signed: &Signed,
        context: Context,
    ) -> Result<T, VerifyError> {
        signed.verify(context, &self.parts.sealer.receipt_keys())
    }

    pub(super) fn park(&self, waiting: &Waiting, status: u16, kind: &str) -> Result<()> {
        let reason: String = kind.chars().take(200).collect();
        let evidence = Evidence::Refused {
            status,
            reason: reason.clone(),
        };
        let now = self.parts.time.now();
        let parked = Settled {
            id: waiting.id,
            event: self.event(waiting, &now, Some(&evidence))?,
            verdict: Verdict::Parked {
                status,
                reason: reason.clone(),
            },
        };
        self.parts.outbox.settle(&[parked], &now)?;
        match waiting.role {
            Role::Attachment => {
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
