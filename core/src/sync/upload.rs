//! The last part of a pass: chunks of attachments, when nothing else waits.
//!
//! ```text
//! before each chunk:  whatever else is due, reports above all ─▶ drain
//! the next file:      ask what is missing ─▶ chunk, chunk, … ─▶ ask: a signed receipt
//! ```
//!
//! Nothing is remembered of what was sent but a number to show: the ministry is asked
//! once for each file and pass. A chunk that a broken link has swallowed is sent again
//! at once as long as others come through, so a link that breaks every 20 seconds
//! costs one chunk each time.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::Ordering;

use uuid::Uuid;

use super::backoff::{asked_ms, delay_ms};
use super::client::{Body, Failure};
use super::pass::{Pass, Stop};
use super::protocol::{
    ATTACHMENTS_PATH, AttachmentAnswer, AttachmentReceipt, CHUNKS_PATH, ChunkStored, MissingChunks,
    OCTETS, UNEXPECTED_CHUNK,
};
use super::sealer::to_json;
use super::{SyncStop, pass};
use crate::error::Result;
use crate::homeline::Topic;
use crate::keys::random;
use crate::outbox::{Ended, Lane, Upload, UploadRow};
use crate::seal::signed::{Context, Signed, VerifyError};
use crate::seal::{hex, sha256_hex};
use crate::sos::{AttemptResult, BYTES_LOST, UNKNOWN_ATTACHMENT};

/// What the pass knows of its uploads.
#[derive(Default)]
pub(super) struct Uploading {
    plans: BTreeMap<Uuid, Plan>,
    /// A chunk came through since the last failure.
    moves: bool,
    /// Monotonic times of the last look for new data and for changes, milliseconds.
    looked_ms: Option<i64>,
    read_ms: Option<i64>,
    /// When the other lanes want to be called again.
    others: Option<i64>,
}

/// What is still to be sent of one file.
#[derive(Default)]
struct Plan {
    missing: VecDeque<u32>,
    /// Chunks that the ministry said were missing when it was asked last.
    asked: usize,
    /// All that it has not mentioned as missing.
    handed: u32,
}

impl Pass<'_> {
    /// Sends chunks until nothing is left that may go. `Ok(Ok(wait))`: when to call
    /// again, for these and, where they were asked meanwhile, for the other lanes.
    pub(super) fn upload(&mut self, others: Option<i64>) -> Result<Result<Option<i64>, Stop>> {
        self.uploading.others = others;
        let outcome = self.upload_all();
        // On disk is what counts from here on.
        for (id, plan) in &self.uploading.plans {
            self.parts.outbox.note_handed(*id, plan.handed)?;
        }
        self.parts.uploads.forget();
        outcome
    }

    fn upload_all(&mut self) -> Result<Result<Option<i64>, Stop>> {
        loop {
            if self.cancelled.load(Ordering::SeqCst) {
                return Ok(Err((SyncStop::Cancelled, Some(0))));
            }
            let now_ms = self.parts.time.now().wall_ms;
            let over = self.parts.uploads.over();
            let row = match self.parts.outbox.next_upload(now_ms, over)? {
                Upload::Next(row) => row,
                Upload::Wait { until_ms } => {
                    let wait = until_ms.saturating_sub(now_ms);
                    return Ok(Ok(sooner(self.uploading.others, Some(wait))));
                }
                Upload::Nothing => return Ok(Ok(self.uploading.others)),
            };
            if let Err(stop) = self.others_first(now_ms)? {
                return Ok(Err(stop));
            }
            if let Err(stop) = self.upload_one(&row)? {
                return Ok(Err(stop));
            }
        }
    }

    /// Lets everything else go that may.
    fn others_first(&mut self, now_ms: i64) -> Result<Result<(), Stop>> {
        let at = self.parts.time.now().monotonic_ms;
        let is_over = |last: Option<i64>, every: i64| {
            last.is_none_or(|last| at.saturating_sub(last) >= every)
        };
        let first = self.uploading.looked_ms.is_none();
        let look = is_over(self.uploading.looked_ms, self.parts.policy.upload_look_ms);
        let read = is_over(self.uploading.read_ms, self.parts.policy.upload_feed_ms);
        if look {
            self.uploading.looked_ms = Some(at);
        }
        if read {
            self.uploading.read_ms = Some(at);
        }
        // The pass has just read it.
        if read
            && !first
            && let Err(stop) = self.changes()?
        {
            return Ok(Err(stop));
        }
        let before = self
            .parts
            .outbox
            .goes_before_a_chunk(now_ms, self.skipped())?;
        if !before && (first || !look) {
            return Ok(Ok(()));
        }
        if before {
            self.parts.outbox.reports_due()?;
        }
        match self.drain()? {
            Ok(wait) => {
                self.uploading.others = wait;
                Ok(Ok(()))
            }
            Err(stop) => Ok(Err(stop)),
        }
    }

    /// One request for one attachment.
    fn upload_one(&mut self, row: &UploadRow) -> Result<Result<(), Stop>> {
        if let Err(failure) = self.ensure_enrolled()? {
            return self.upload_failed(row, failure);
        }
        let next = self
            .uploading
            .plans
            .get(&row.id)
            .and_then(|plan| plan.missing.front().copied());
        match next {
            Some(position) => self.send_chunk(row, position),
            None => self.ask(row),
        }
    }

    fn send_chunk(&mut self, row: &UploadRow, position: u32) -> Result<Result<(), Stop>> {
        let chunk = self.parts.outbox.chunk(row.id, position, row.chunk_bytes)?;
        let Some(chunk) = chunk else {
            // Removed by the traveler meanwhile: then there is no row to end.
            self.end(row, 0, BYTES_LOST)?;
            return Ok(Ok(()));
        };
        let sha256 = sha256_hex(&chunk);
        let target = format!("{CHUNKS_PATH}/{sha256}");
        let body = Body {
            media_type: OCTETS,
            bytes: chunk,
        };
        let device = self.parts.sealer.device();
        let answer = self
            .client
            .call_with::<ChunkStored>("PUT", &target, body, Some(&device));
        match answer {
            Ok(stored) if stored.sha256 == sha256 => {
                self.handed(row, position)?;
                Ok(Ok(()))
            }
            Ok(_) => self.upload_failed(row, bad_receipt()),
            Err(failure) => self.upload_failed(row, failure),
        }
    }

    fn handed(&mut self, row: &UploadRow, position: u32) -> Result<()> {
        self.uploading.moves = true;
        let Some(plan) = self.uploading.plans.get_mut(&row.id) else {
            return Ok(());
        };
        plan.missing.retain(|missing| *missing != position);
        plan.handed = plan.handed.saturating_add(1);
        let handed = plan.handed;
        self.parts.uploads.set_handed(row.id, handed);
        let note = self.parts.policy.upload_note_chunks.max(1);
        if row.attempts > 0 || handed.checked_rem(note) == Some(0) {
            self.parts.outbox.note_handed(row.id, handed)?;
            self.parts.listeners.notify(Topic::Sos);
        }
        Ok(())
    }

    /// Asks where the attachment stands.
    fn ask(&mut self, row: &UploadRow) -> Result<Result<(), Stop>> {
        let target = format!("{ATTACHMENTS_PATH}/{}", row.id);
        let device = self.parts.sealer.device();
        let answer =
            self.client
                .call::<AttachmentAnswer>("GET", &target, Vec::new(), Some(&device));
        match answer {
            Ok(AttachmentAnswer::Incomplete { missing }) => self.plan(row, &missing),
            Ok(AttachmentAnswer::Complete { receipt }) => self.complete(row, &receipt),
            Ok(AttachmentAnswer::Refused { problem }) => {
                self.end(row, problem.status, &problem.kind)?;
                Ok(Ok(()))
            }
            Ok(AttachmentAnswer::Unknown) => {
                self.end(row, 404, UNKNOWN_ATTACHMENT)?;
                Ok(Ok(()))
            }
            Err(failure) => self.upload_failed(row, failure),
        }
    }

    /// Takes what is missing. A ministry that was given all of it and still misses as
    /// much does not keep what it takes: that is no progress, and tried again later.
    fn plan(&mut self, row: &UploadRow, missing: &[MissingChunks]) -> Result<Result<(), Stop>> {
        let before = self.uploading.plans.remove(&row.id);
        let Some(missing) = positions(missing, row.chunks) else {
            return self.upload_failed(row, bad_receipt());
        };
        if before.is_some_and(|before| before.asked > 0 && missing.len() >= before.asked) {
            return self.upload_failed(row, bad_receipt());
        }
        let left = u32::try_from(missing.len()).unwrap_or(u32::MAX);
        let plan = Plan {
            asked: missing.len(),
            handed: row.chunks.saturating_sub(left),
            missing,
        };
        self.parts.uploads.set_handed(row.id, plan.handed);
        self.uploading.plans.insert(row.id, plan);
        Ok(Ok(()))
    }

    /// Believes a receipt only if a receipt key signed it for this very file.
    fn complete(&mut self, row: &UploadRow, signed: &Signed) -> Result<Result<(), Stop>> {
        let mut verified = self.verify::<AttachmentReceipt>(signed, Context::Attachment);
        if verified == Err(VerifyError::UnknownKey) && self.fetch_service()?.is_ok() {
            verified = self.verify(signed, Context::Attachment);
        }
        let root = hex(&row.root);
        let receipt = match verified {
            Ok(receipt) if receipt.attachment == row.id && receipt.root == root => receipt,
            _ => return self.upload_failed(row, bad_receipt()),
        };
        self.uploading.plans.remove(&row.id);
        let ended = Ended::Received {
            received_ms: receipt.received_ms,
            signed: String::from_utf8(to_json(signed)?).unwrap_or_default(),
        };
        self.parts.outbox.end_attachment(row.id, &ended)?;
        self.parts.listeners.notify(Topic::Sos);
        Ok(Ok(()))
    }

    fn end(&mut self, row: &UploadRow, status: u16, reason: &str) -> Result<()> {
        self.uploading.plans.remove(&row.id);
        let reason = reason.chars().take(200).collect();
        let ended = Ended::Refused { status, reason };
        self.parts.outbox.end_attachment(row.id, &ended)?;
        self.parts.listeners.notify(Topic::Sos);
        Ok(())
    }

    /// A request for an attachment failed.
    fn upload_failed(&mut self, row: &UploadRow, failure: Failure) -> Result<Result<(), Stop>> {
        let moved = std::mem::take(&mut self.uploading.moves);
        let (result, after_ms) = match failure {
            Failure::Deadline => return Ok(Err((SyncStop::Deadline, Some(0)))),
            Failure::Cancelled => return Ok(Err((SyncStop::Cancelled, Some(0)))),
            Failure::Refused { kind, .. } if kind == UNEXPECTED_CHUNK && moved => {
                // It is complete, or something is damaged here: the answer says it.
                self.uploading.plans.remove(&row.id);
                return Ok(Ok(()));
            }
            Failure::Refused { status, kind } => {
                self.end(row, status, &kind)?;
                return Ok(Ok(()));
            }
            Failure::UnknownDevice => {
                // The ministry has lost it: the next request enrols.
                self.parts.outbox.set("enrolled", b"")?;
                if moved || row.attempts == 0 {
                    self.parts.outbox.retry_upload(row.id, 1, 0)?;
                    return Ok(Ok(()));
                }
                (AttemptResult::NotAuthorized { status: 401 }, None)
            }
            Failure::Attempt {
                result: AttemptResult::NoAnswer,
                ..
            } if moved => return Ok(Ok(())),
            Failure::Attempt { result, after_ms } => (result, after_ms),
        };
        let policy = &self.parts.policy;
        let attempts = row.attempts.saturating_add(1);
        let drawn = u32::from_le_bytes(random::<4>()?);
        let jittered = delay_ms(Lane::Attachments, attempts, drawn, policy);
        let delay = after_ms.map_or(jittered, |ms| {
            asked_ms(Lane::Attachments, ms, policy).saturating_add(jittered)
        });
        let due_ms = self.parts.time.now().wall_ms.saturating_add(delay);
        let attempts = match result {
            // Nothing is wrong with the attachment: no attempt is used up.
            AttemptResult::NotAuthorized { .. } => row.attempts,
            _ => attempts,
        };
        self.parts.outbox.retry_upload(row.id, attempts, due_ms)?;
        let wait = sooner(self.uploading.others, Some(delay));
        Ok(Err((pass::stop_of(result), wait)))
    }
}

/// The positions of the missing chunks; `None` where they are none of this file.
fn positions(missing: &[MissingChunks], chunks: u32) -> Option<VecDeque<u32>> {
    let mut positions = VecDeque::new();
    for run in missing {
        let end = run.first.checked_add(run.count)?;
        let in_order = positions.back().is_none_or(|last| *last < run.first);
        if run.count == 0 || end > chunks || !in_order {
            return None;
        }
        positions.extend(run.first..end);
    }
    Some(positions).filter(|positions| !positions.is_empty())
}

/// The sooner of two waits, where there is one.
fn sooner(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    one.into_iter().chain(other).min()
}

fn bad_receipt() -> Failure {
    Failure::Attempt {
        result: AttemptResult::BadReceipt,
        after_ms: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_must_be_of_the_file_and_in_order() {
        let runs = |runs: &[(u32, u32)]| {
            let runs: Vec<_> = runs
                .iter()
                .map(|(first, count)| MissingChunks {
                    first: *first,
                    count: *count,
                })
                .collect();
            positions(&runs, 10).map(Vec::from)
        };
        assert_eq!(runs(&[(0, 2), (8, 2)]), Some(vec![0, 1, 8, 9]));
        assert_eq!(runs(&[(0, 10)]).map(|all| all.len()), Some(10));
        for bad in [
            [(0, 11), (0, 0)],
            [(9, 1), (0, 1)],
            [(0, 2), (1, 1)],
            [(1, 1), (3, 0)],
            [(u32::MAX, 1), (0, 1)],
        ] {
            assert_eq!(runs(&bad), None, "{bad:?}");
        }
        assert_eq!(runs(&[]), None);
    }

    #[test]
    fn the_sooner_of_two_waits() {
        assert_eq!(sooner(None, None), None);
        assert_eq!(sooner(Some(5), None), Some(5));
        assert_eq!(sooner(Some(5), Some(3)), Some(3));
    }
}
