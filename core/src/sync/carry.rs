//! What this phone carries for others, passed on to the ministry.
//!
//! One request at a time, so that a report that is pressed meanwhile goes with the
//! next one. What fails here never stops or parks the phone's own data, unless the
//! network itself is gone.

use super::SyncStop;
use super::client::Failure;
use super::pass::{Carried, Pass, Stop};
use super::protocol::{Base64, PARCELS_PATH, ParcelBatch, ParcelOutcome, ParcelsTaken};
use super::sealer::to_json;
use crate::error::Result;
use crate::outbox::{CarriedParcel, ParcelFate};
use crate::seal::sha256_hex;
use crate::seal::signed::{Context, Signed, VerifyError};
use crate::sos::AttemptResult;

impl Pass<'_> {
    /// Passes on what is due, unless a report of this phone waits; whether there was
    /// anything.
    pub(super) fn carry(&mut self) -> Result<Result<bool, Stop>> {
        let parts = self.parts;
        let now_ms = parts.time.now().wall_ms;
        let most = match self.parcels_one_by_one {
            true => 1,
            false => parts.policy.carry.request_parcels,
        };
        let batch = parts.outbox.due_parcels(now_ms, most)?;
        if batch.is_empty() || parts.outbox.sos_waits(now_ms, &self.skipped)? {
            return Ok(Ok(false));
        }
        let outcome = match self.ensure_enrolled()? {
            Ok(()) => self.send_parcels(&batch)?,
            Err(failure) => Err(failure),
        };
        match outcome {
            Ok(()) => Ok(Ok(true)),
            Err(failure) => self.not_passed_on(&batch, failure),
        }
    }

    fn send_parcels(&mut self, batch: &[CarriedParcel]) -> Result<Result<(), Failure>> {
        let bytes: Vec<Vec<u8>> = batch
            .iter()
            .map(|carried| {
                let mut parcel = carried.parcel.clone();
                // What is left of them is none of the ministry's business.
                (parcel.hops, parcel.days) = (0, 0);
                parcel.to_bytes()
            })
            .collect();
        let body = to_json(&ParcelBatch {
            parcels: bytes.iter().cloned().map(Base64).collect(),
        })?;
        let device = self.parts.sealer.device();
        let answer = self
            .client
            .call::<Signed>("POST", PARCELS_PATH, body, Some(&device));
        let signed = match answer {
            Ok(signed) => signed,
            Err(failure) => return Ok(Err(failure)),
        };
        let mut verified = self.verify::<ParcelsTaken>(&signed, Context::Parcels);
        if matches!(verified, Err(VerifyError::UnknownKey)) && self.fetch_service()?.is_ok() {
            verified = self.verify(&signed, Context::Parcels);
        }
        let Ok(taken) = verified else {
            return Ok(Err(Failure::Attempt {
                result: AttemptResult::BadReceipt,
                after_ms: None,
            }));
        };
        let hashes: Vec<String> = bytes.iter().map(|bytes| sha256_hex(bytes)).collect();
        let mut fates = Vec::new();
        let mut unanswered = Vec::new();
        for (carried, hash) in batch.iter().zip(&hashes) {
            let result = taken.parcels.iter().find(|result| result.sha256 == *hash);
            match result.map(|result| result.outcome) {
                Some(ParcelOutcome::Taken) => fates.push((carried.seq, ParcelFate::Taken)),
                Some(ParcelOutcome::Refused) => fates.push((carried.seq, ParcelFate::Refused)),
                None => unanswered.push(carried.clone()),
            }
        }
        self.parts.outbox.end_parcels(&fates)?;
        if !unanswered.is_empty() {
            self.later(&unanswered, None)?;
        }
        Ok(Ok(()))
    }

    /// The others go on: only what the network or the deadline has ended, ends.
    fn not_passed_on(
        &mut self,
        batch: &[CarriedParcel],
        failure: Failure,
    ) -> Result<Result<bool, Stop>> {
        if batch.len() > 1 && failure.may_be_one_envelopes() {
            self.parcels_one_by_one = true;
            return Ok(Ok(true));
        }
        match failure {
            Failure::UnknownDevice => {
                self.parts.outbox.set("enrolled", b"")?;
                self.later(batch, None)?;
                Ok(Ok(true))
            }
            Failure::Refused { .. } => {
                self.later(batch, None)?;
                Ok(Ok(true))
            }
            Failure::Attempt {
                result: AttemptResult::Busy { .. },
                after_ms,
            } => {
                self.later(batch, after_ms)?;
                Ok(Ok(true))
            }
            Failure::Attempt { result, .. } => {
                // Where something was sent, a parcel may be the cause: the next pass
                // begins with what is this phone's.
                if !matches!(result, AttemptResult::NoConnection) {
                    self.later(batch, None)?;
                }
                self.failed(&[], failure, Carried::Nothing)
                    .map(|stop| stop.map(|()| false))
            }
            Failure::Deadline => Ok(Err((SyncStop::Deadline, Some(0)))),
            Failure::Cancelled => Ok(Err((SyncStop::Cancelled, Some(0)))),
        }
    }

    fn later(&self, batch: &[CarriedParcel], after_ms: Option<i64>) -> Result<()> {
        let policy = &self.parts.policy;
        let wait = after_ms
            .unwrap_or(0)
            .clamp(policy.carry.retry_ms, policy.retry_after_other_ms);
        let due_ms = self.parts.time.now().wall_ms.saturating_add(wait);
        self.parts.outbox.retry_parcels(batch, due_ms)
    }

    /// The earlier of a wait and the time until parcels are due.
    pub(super) fn or_parcels(&self, wait: Option<i64>) -> Result<Option<i64>> {
        let now_ms = self.parts.time.now().wall_ms;
        let due = self.parts.outbox.parcels_due_ms()?;
        let parcels = due.map(|due| {
            due.saturating_sub(now_ms)
                .max(self.parts.policy.backoff_first_ms)
        });
        Ok(match (wait, parcels) {
            (Some(wait), Some(parcels)) => Some(wait.min(parcels)),
            (wait, parcels) => wait.or(parcels),
        })
    }
}
