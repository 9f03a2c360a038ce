//! The ministry's keys change while envelopes wait. What is sealed to a key that it
//! no longer names, or that it refuses, is sealed anew from what this phone can
//! read: the same content under the same id, so it stays one case.
//!
//! ```text
//! before a batch leaves:   key not in the service document → sealed anew, if it can be
//! refused for its key:     fetch the service document → sealed anew → sent again
//!                          nothing readable now, or no newer key → tried again later
//!                          nothing readable, ever → parked: a person must look
//! ```
//!
//! A refusal for the key parks nothing by itself: anybody can claim it, and only
//! a service document signed by an anchor brings another key. An envelope is sealed
//! anew at most once in a pass.

use uuid::Uuid;

use super::client::Failure;
use super::pass::{Carried, Pass, Stop};
use super::protocol::{Content, Problem, RETIRED_KEY, Receipt, UNKNOWN_KEY};
use crate::clock::ClockReading;
use crate::error::Result;
use crate::outbox::{EventRow, Role, StandingKind, Waiting};
use crate::record::RecordState;
use crate::seal::sha256_hex;
use crate::sos::{AttemptResult, Channel, Evidence, manifest_of};

/// Why an envelope is parked that this phone cannot seal anew: what is in it was
/// kept for a device key that is gone.
pub const CANNOT_RESEAL: &str = "urn:homeline:problem:cannot-reseal";

/// What there is to seal.
enum Readable {
    /// This.
    Content(Box<Content>),
    /// Nothing that can be read before the record is open.
    NotNow,
    /// Nothing.
    Never,
}

/// Whether a problem of one envelope is that it must be sealed to another key.
pub(crate) fn is_for_its_key(problem: &Problem) -> bool {
    problem.kind == UNKNOWN_KEY || problem.kind == RETIRED_KEY
}

/// Whether a receipt is for this envelope: of its id, and of bytes that this phone
/// sealed under it, now or before. Pure.
pub(crate) fn is_receipt_for(
    receipt: &Receipt,
    id: Uuid,
    sealed: &[u8],
    earlier: impl FnOnce() -> Result<Vec<String>>,
) -> Result<bool> {
    if receipt.envelope != id {
        return Ok(false);
    }
    Ok(receipt.sha256 == sha256_hex(sealed) || earlier()?.contains(&receipt.sha256))
}

impl Pass<'_> {
    /// Seals anew what is sealed to a key that the ministry names no more. What
    /// cannot be read leaves as it is: the ministry may open it still.
    pub(super) fn sealed_to_keys_of_now(
        &mut self,
        mut batch: Vec<Waiting>,
    ) -> Result<Vec<Waiting>> {
        for waiting in &mut batch {
            let known = self
                .parts
                .sealer
                .is_to_a_key_of_the_ministry(&waiting.sealed);
            if known || self.resealed.contains(&waiting.id) {
                continue;
            }
            if let Readable::Content(content) = self.readable(waiting)? {
                waiting.sealed = self.seal_anew(waiting, &content, None)?;
            }
        }
        Ok(batch)
    }

    /// The ministry refuses these for their key.
    pub(super) fn refused_for_key(
        &mut self,
        refused: &[Waiting],
        status: u16,
    ) -> Result<Result<(), Stop>> {
        if refused.is_empty() {
            return Ok(Ok(()));
        }
        // Where it does not come, the keys that are known decide.
        let _ = self.fetch_service()?;
        let result = AttemptResult::KeyRetired { status };
        let now = self.parts.time.now();
        let mut later = Vec::new();
        for waiting in refused {
            let useless = self.resealed.contains(&waiting.id)
                || self.parts.sealer.is_to_the_key_of_now(&waiting.sealed);
            let readable = match useless {
                true => Readable::NotNow,
                false => self.readable(waiting)?,
            };
            match readable {
                Readable::Content(content) => {
                    let event = self.refusal(waiting, result, &now)?;
                    self.seal_anew(waiting, &content, event.as_ref())?;
                }
                Readable::NotNow => later.push(waiting.clone()),
                Readable::Never => self.park(waiting, status, CANNOT_RESEAL)?,
            }
        }
        self.put_off(&later, result)
    }

    /// Leaves these to the next pass, which goes on with the others: a bad item does
    /// not block. Many at a time are not the items' fault.
    fn put_off(&mut self, later: &[Waiting], result: AttemptResult) -> Result<Result<(), Stop>> {
        if later.is_empty() {
            return Ok(Ok(()));
        }
        let before = self.skipped.len();
        self.skipped.extend(later.iter().map(|waiting| waiting.id));
        let failure = Failure::attempt(result);
        let stop = self.failed(later, failure, Carried::Reports)?;
        match before >= self.parts.policy.skipped_envelopes {
            true => Ok(stop),
            false => Ok(Ok(())),
        }
    }

    fn refusal(
        &self,
        waiting: &Waiting,
        result: AttemptResult,
        now: &ClockReading,
    ) -> Result<Option<EventRow>> {
        if waiting.role != Role::Report {
            return Ok(None);
        }
        let evidence = Evidence::Attempt {
            channel: Channel::Https,
            result,
            carried: true,
        };
        self.event(waiting, now, Some(&evidence))
    }

    fn seal_anew(
        &mut self,
        waiting: &Waiting,
        content: &Content,
        event: Option<&EventRow>,
    ) -> Result<Vec<u8>> {
        let sealed = self.parts.sealer.to_ministry(content, waiting.id)?;
        self.parts.outbox.reseal(waiting.id, &sealed, event)?;
        self.resealed.push(waiting.id);
        Ok(sealed)
    }

    fn readable(&self, waiting: &Waiting) -> Result<Readable> {
        let parts = self.parts;
        let content = match (waiting.role, waiting.report) {
            (Role::Report, Some(report)) => parts.sos.copy(report).map(Content::Sos),
            (Role::Standing, _) => parts.standing.letter(StandingKind::Who),
            (Role::Medical, _) => parts.standing.letter(StandingKind::Medical),
            (Role::Attachment, _) => manifest_of(&parts.sos, waiting.id)?,
            _ => match parts.outbox.readable(waiting.id)? {
                Some(copy) => parts.sealer.open_own(&copy),
                // Whatever the record says: nothing was kept.
                None => return Ok(Readable::Never),
            },
        };
        Ok(match content {
            Some(content) => Readable::Content(Box::new(content)),
            None => match parts.record.state() {
                RecordState::Open | RecordState::KeyLost => Readable::Never,
                _ => Readable::NotNow,
            },
        })
    }
}
