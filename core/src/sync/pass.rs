//! One pass: SOS before all else.
//!
//! ```text
//! while something is due:  enrol if needed → POST the next batches → apply
//!     their results; ordinary data is staged only when no report waits
//! then: service document if it is old → change feed
//! ```
//!
//! The network is never touched with a lock held. Each answer is applied in one
//! transaction of its own, so a pass can be killed anywhere and repeated. An
//! envelope that fails by itself is skipped or parked, and the others go on.
//! Which batches are in flight stands in [`super::flight`].

use std::sync::atomic::AtomicBool;

use uuid::Uuid;

use super::SyncStop;
use super::backoff::{asked_ms, delay_ms};
use super::client::{Client, Failure};
use super::engine::Parts;
use super::flight::Flights;
use super::protocol::{
    Base64, DEVICES_PATH, Enrolled, Enrolment, EnvelopeOutcome, EnvelopeResult, Receipt,
};
use super::sealer::to_json;
use crate::clock::ClockReading;
use crate::error::{HomelineError, Result, StorageProblem};
use crate::homeline::Topic;
use crate::keys::random;
use crate::outbox::{EventRow, Lane, Role, Settled, Verdict, Waiting};
use crate::record::RecordState;
use crate::registration::news::settle_clock;
use crate::registration::{stage_groups, stage_profile};
use crate::seal::sha256_hex;
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
    /// What failed by itself in this pass: it does not hold up the others.
    pub(super) skipped: Vec<Uuid>,
}

impl<'a> Pass<'a> {
    pub(super) fn new(parts: &'a Parts, client: Client<'a>, cancelled: &'a AtomicBool) -> Self {
        Self {
            parts,
            client,
            tally: Tally::default(),
            flights: Flights::default(),
            cancelled,
            service_fetched: false,
            skipped: Vec::new(),
        }
    }

    pub(super) fn into_tally(self) -> Tally {
        self.tally
    }

    pub(super) fn run(&mut self) -> Result<Stop> {
        if let Err(stop) = self.drain()? {
            return Ok(stop);
        }
        if let Err(stop) = self.refresh_service()? {
            return self.end(stop);
        }
        // A crisis that was declared just now lets positions go in this pass.
        if self.service_fetched
            && let Err(stop) = self.drain()?
        {
            return Ok(stop);
        }
        if let Err(stop) = self.changes()? {
            return self.end(stop);
        }
        // What news have left to send, and what was pressed while they came.
        Ok(match self.drain()? {
            Err(stop) => stop,
            Ok(wait) if self.skipped.is_empty() => (SyncStop::Done, wait),
            Ok(wait) => (SyncStop::Busy, wait),
        })
    }

    /// Ends the pass, once the reports that left beside the last request are
    /// answered.
    fn end(&mut self, stop: Stop) -> Result<Stop> {
        self.stop(stop);
        Ok(self.drain()?.err().unwrap_or(stop))
    }

    /// Moves what the record has into the outbox; whether anything new is there.
    pub(super) fn stage(&mut self) -> Result<bool> {
        let parts = self.parts;
        if parts.record.state() != RecordState::Open {
            return Ok(false);
        }
        parts.sos.settle()?;
        settle_clock(&parts.record, &parts.outbox)?;
        self.take_news()?;
        parts.standing.renew_if_stale();
        let before = parts.outbox.counts()?.waiting;
        self.tally.without_consent = stage_profile(&parts.record, &parts.outbox, &parts.sealer)?;
        let groups = stage_groups(&parts.record, &parts.outbox, &parts.sealer)?;
        self.tally.without_consent |= groups.without_consent;
        let positions = self.stage_positions()?;
        // Nobody waits for it: what fails is tried again by the next pass.
        let _ = archive(&parts.record, &parts.policy);
        Ok(positions || groups.anything || parts.outbox.counts()?.waiting > before)
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
    pub(super) fn apply(
        &mut self,
        batch: &[Waiting],
        results: &[EnvelopeResult],
    ) -> Result<Result<(), Stop>> {
        let mut settled = Vec::new();
        let mut unproved = Vec::new();
        for waiting in batch {
            let result = results.iter().find(|result| result.id == waiting.id);
            let proved = match result.map(|result| &result.outcome) {
                Some(EnvelopeOutcome::Accepted { receipt }) => self.received(waiting, receipt)?,
                Some(EnvelopeOutcome::Duplicate { receipt }) => {
                    let proved = self.received(waiting, receipt)?;
                    self.tally.duplicates += u32::from(proved.is_some());
                    proved
                }
                Some(EnvelopeOutcome::Refused { problem }) => {
                    Some(self.refused(waiting, problem.status, &problem.kind)?)
                }
                None => None,
            };
            match proved {
                Some(proved) => settled.push(proved),
                None => unproved.push(waiting.clone()),
            }
        }
        self.parts.outbox.settle(&settled, &self.parts.time.now())?;
        let sent = |one: &&Settled| matches!(one.verdict, Verdict::Received { .. });
        let sent = settled.iter().filter(sent).count();
        self.tally.sent += u32::try_from(sent).unwrap_or(u32::MAX);
        self.parts.listeners.notify(Topic::Sos);
        if unproved.is_empty() {
            return Ok(Ok(()));
        }
        let failure = Failure::Attempt {
            result: AttemptResult::BadReceipt,
            after_ms: None,
        };
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
        if receipt.envelope != waiting.id || receipt.sha256 != sha256_hex(&waiting.sealed) {
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

    fn refused(&self, waiting: &Waiting, status: u16, kind: &str) -> Result<Settled> {
        let reason: String = kind.chars().take(200).collect();
        let evidence = Evidence::Refused {
            status,
            reason: reason.clone(),
        };
        let now = self.parts.time.now();
        Ok(Settled {
            id: waiting.id,
            event: self.event(waiting, &now, Some(&evidence))?,
            verdict: Verdict::Parked { status, reason },
        })
    }

    fn event(
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
        let (result, after_ms) = match failure {
            Failure::Deadline => return Ok(Err((SyncStop::Deadline, Some(0)))),
            Failure::Cancelled => return Ok(Err((SyncStop::Cancelled, Some(0)))),
            Failure::Refused { status, kind } => {
                let refused = batch
                    .iter()
                    .map(|waiting| self.refused(waiting, status, &kind))
                    .collect::<Result<Vec<_>>>()?;
                self.parts.outbox.settle(&refused, &self.parts.time.now())?;
                self.parts.listeners.notify(Topic::Sos);
                return Ok(Ok(()));
            }
            Failure::UnknownDevice => (AttemptResult::NotAuthorized { status: 401 }, None),
            Failure::Attempt { result, after_ms } => (result, after_ms),
        };
        let now = self.parts.time.now();
        let delay = self.delay(batch, after_ms)?;
        let events = attempt_events(batch, result, carried, &now)?;
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
        Role::Standing
        | Role::Profile
        | Role::Positions
        | Role::Group
        | Role::GroupLeave
        | Role::Medical
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
