//! The packs of a pass: after the feed, before the attachments.
//!
//! Nothing here is told to the ministry but that some phone asks. A pass that ends
//! half way leaves its pieces; a disk that is full leaves the packs before, and the
//! pass goes on.

use super::client::Failure;
use super::pass::{Carried, Pass, Stop};
use super::protocol::{PACK_PIECE_BYTES, PACKS_PATH, PackHeader, PackList, PackOffer};
use crate::config::Policy;
use crate::error::{HomelineError, Result};
use crate::homeline::Topic;
use crate::packs::{Asked, PackName, Step, apply, is_usable, step};
use crate::seal::sha256_hex;
use crate::seal::signed::{Context, VerifyError};
use crate::sos::AttemptResult;
use crate::transport::HttpResponse;

/// How the fetching of packs ended that did not end well.
enum Ended {
    /// The network or the ministry failed.
    Failed(Failure),
    /// This phone cannot keep it, or has no use for it: the next list tells more.
    Skipped,
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        match failure {
            // Replaced by a newer one meanwhile; or a ministry that has no packs.
            Failure::Refused { .. } => Self::Skipped,
            failure => Self::Failed(failure),
        }
    }
}

type Fetched<T> = Result<Result<T, Ended>>;

impl Pass<'_> {
    /// Fetches what is newer than the packs at hand.
    pub(super) fn packs(&mut self) -> Result<Result<(), Stop>> {
        let ended = match self.newer_packs() {
            Ok(ended) => ended,
            // The packs at hand serve on, and a press gets the room.
            Err(HomelineError::Storage { .. }) => {
                self.parts.shelf.parts().clear();
                self.not_again_at_once();
                return Ok(Ok(()));
            }
            Err(error) => return Err(error),
        };
        match ended {
            Ok(()) | Err(Ended::Skipped) => Ok(Ok(())),
            Err(Ended::Failed(failure)) if ends_the_pass(&failure) => {
                self.failed(&[], failure, Carried::Nothing)
            }
            // What serves packs may be another machine than what takes reports and their
            // attachments: these do not wait for it.
            Err(Ended::Failed(_)) => {
                self.not_again_at_once();
                Ok(Ok(()))
            }
        }
    }

    fn not_again_at_once(&self) {
        let now_ms = self.parts.time.now().wall_ms;
        // Where even that cannot be written down, the next pass asks again.
        let _ = self.parts.shelf.note_failure(now_ms);
    }

    fn newer_packs(&mut self) -> Fetched<()> {
        let now_ms = self.parts.time.now().wall_ms;
        let asked = self.parts.shelf.asked()?;
        match due(self.packs_told, &asked, now_ms, &self.parts.policy) {
            Due::Nothing => return Ok(Ok(())),
            Due::Confirm(serial) => {
                self.parts.shelf.confirm(serial, now_ms)?;
                return Ok(Ok(()));
            }
            Due::List => {}
        }
        let list = match self.fetch::<PackList>(PACKS_PATH, None)? {
            Ok(list) => list,
            Err(Failure::Refused { .. }) => {
                self.parts.shelf.confirm(0, now_ms)?;
                return Ok(Ok(()));
            }
            Err(failure) => return Ok(Err(failure.into())),
        };
        let mut whole = true;
        for offer in list.packs.iter().take(self.parts.policy.packs) {
            match self.pack(offer)? {
                Ok(()) => {}
                Err(Ended::Skipped) => whole = false,
                Err(ended) => return Ok(Err(ended)),
            }
        }
        if whole {
            let now_ms = self.parts.time.now().wall_ms;
            self.parts.shelf.confirm(list.serial, now_ms)?;
        } else {
            // Somebody else's list must not pass for the newest one.
            self.not_again_at_once();
        }
        Ok(Ok(()))
    }

    /// Takes one pack, if it is to be taken. One that is refused for good is done with.
    fn pack(&mut self, offer: &PackOffer) -> Fetched<()> {
        let Some(header) = self.believed(offer)? else {
            return Ok(Err(Ended::Skipped));
        };
        let Some(name) = PackName::of(&header.name) else {
            return Ok(Ok(()));
        };
        let held = self.parts.shelf.held(name)?;
        let content = match step(held.as_ref(), &header, &offer.deltas, &self.parts.policy) {
            Step::Have | Step::Refused(_) => return Ok(Ok(())),
            Step::Whole => self.whole(&header)?,
            Step::Delta(delta) => {
                let changed = match self.file(&delta.sha256, delta.bytes)? {
                    Ok(delta) => self.changed(name, &delta, &header),
                    Err(ended @ Ended::Failed(_)) => return Ok(Err(ended)),
                    Err(Ended::Skipped) => None,
                };
                match changed {
                    Some(content) => Ok(content),
                    // A wrong delta costs a little, and no more.
                    None => self.whole(&header)?,
                }
            }
        };
        let content = match content {
            Ok(content) => content,
            Err(ended) => return Ok(Err(ended)),
        };
        if !is_usable(name, &content) {
            return Ok(Ok(()));
        }
        let now_ms = self.parts.time.now().wall_ms;
        let shelf = &self.parts.shelf;
        shelf.install(name, &header, &content, Some(now_ms))?;
        self.tally.changes = self.tally.changes.saturating_add(1);
        self.parts.listeners.notify(Topic::Packs);
        Ok(Ok(()))
    }

    /// The header of an offer, if the ministry has signed it. A key that is not known is
    /// looked for in the newest service document.
    fn believed(&mut self, offer: &PackOffer) -> Result<Option<PackHeader>> {
        let verify = |pass: &Self| {
            let keys = pass.parts.sealer.pack_keys();
            offer.pack.verify::<PackHeader>(Context::Pack, &keys)
        };
        let mut verified = verify(self);
        if matches!(verified, Err(VerifyError::UnknownKey)) && self.fetch_service()?.is_ok() {
            verified = verify(self);
        }
        Ok(verified.ok())
    }

    fn changed(&self, name: PackName, delta: &[u8], header: &PackHeader) -> Option<Vec<u8>> {
        let most = usize::try_from(header.bytes).ok()?;
        let before = self.parts.shelf.served(name).content;
        apply(&before, delta, most).filter(|content| sha256_hex(content) == header.sha256)
    }

    fn whole(&mut self, header: &PackHeader) -> Fetched<Vec<u8>> {
        self.file(&header.sha256, header.bytes)
    }

    /// Fetches the rest of a file, piece by piece.
    fn file(&mut self, sha256: &str, bytes: u64) -> Fetched<Vec<u8>> {
        loop {
            let parts = self.parts.shelf.parts();
            let start = parts.length(sha256);
            if start >= bytes {
                break;
            }
            let left = bytes.saturating_sub(start);
            let most = usize::try_from(left).unwrap_or(usize::MAX);
            let target = format!("{PACKS_PATH}/{sha256}?from={start}");
            let piece = self.fetch_as(&target, None, |answer| piece(answer, most))?;
            match piece {
                Ok(piece) => parts.append(sha256, start, &piece)?,
                Err(failure) => return Ok(Err(failure.into())),
            }
        }
        let wrong = Ended::Failed(Failure::not_the_ministry(200));
        Ok(match bytes {
            0 if sha256_hex(b"") == sha256 => Ok(Vec::new()),
            0 => Err(wrong),
            _ => self.parts.shelf.parts().take(sha256)?.ok_or(wrong),
        })
    }
}

/// What is to be done about packs in a pass.
#[derive(Debug, PartialEq, Eq)]
enum Due {
    Nothing,
    /// All are here, of this serial: that is written down.
    Confirm(u64),
    /// The list is to be fetched.
    List,
}

/// What is to be done, where the change feed told `told`, if anything. Pure.
fn due(told: Option<u64>, asked: &Asked, now_ms: i64, policy: &Policy) -> Due {
    let is_within =
        |at: Option<i64>, ms: i64| at.is_some_and(|at| now_ms.saturating_sub(at).abs() < ms);
    match told {
        _ if is_within(asked.failed_ms, policy.packs_retry_ms) => Due::Nothing,
        // A ministry without packs.
        Some(0) if asked.serial.is_none() => Due::Nothing,
        Some(told) if asked.serial == Some(told) => {
            match is_within(asked.checked_ms, policy.packs_retry_ms) {
                true => Due::Nothing,
                false => Due::Confirm(told),
            }
        }
        // An older one, whose pages say nothing of packs.
        None if is_within(asked.checked_ms, policy.packs_age_ms) => Due::Nothing,
        _ => Due::List,
    }
}

/// Whether nothing else would come through either.
fn ends_the_pass(failure: &Failure) -> bool {
    match failure {
        Failure::Deadline | Failure::Cancelled => true,
        Failure::Attempt { result, .. } => matches!(
            result,
            AttemptResult::NoConnection | AttemptResult::NoAnswer | AttemptResult::NotTrusted
        ),
        Failure::UnknownDevice | Failure::Refused { .. } => false,
    }
}

/// The bytes of a piece: some, and no more than the file still has.
fn piece(answer: &HttpResponse, most: usize) -> Result<Vec<u8>, Failure> {
    match answer.body.len() {
        1.. if answer.body.len() <= most.min(PACK_PIECE_BYTES) => Ok(answer.body.clone()),
        _ => Err(Failure::not_the_ministry(answer.status)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packs_are_asked_for_when_there_are_newer_ones_and_seldom_otherwise() {
        let policy = Policy::STANDARD;
        let now = 1_000_000_000_000;
        let minute = 60_000;
        let asked = |serial, checked: Option<i64>, failed: Option<i64>| Asked {
            serial,
            checked_ms: checked.map(|ago| now - ago * minute),
            failed_ms: failed.map(|ago| now - ago * minute),
        };
        for (told, asked, expected) in [
            (Some(0), asked(None, None, None), Due::Nothing),
            (Some(3), asked(None, None, None), Due::List),
            (Some(3), asked(Some(2), Some(1), None), Due::List),
            (Some(3), asked(Some(3), Some(1), None), Due::Nothing),
            (Some(3), asked(Some(3), Some(60), None), Due::Confirm(3)),
            // A ministry whose files are an older copy.
            (Some(2), asked(Some(3), Some(1), None), Due::List),
            (Some(3), asked(Some(2), Some(1), Some(2)), Due::Nothing),
            (Some(3), asked(Some(2), Some(1), Some(60)), Due::List),
            // The clock went back by years.
            (Some(3), asked(Some(2), None, Some(-9_999_999)), Due::List),
            (None, asked(None, None, None), Due::List),
            (None, asked(Some(0), Some(60), None), Due::Nothing),
            (None, asked(Some(0), Some(24 * 60), None), Due::List),
        ] {
            assert_eq!(
                due(told, &asked, now, &policy),
                expected,
                "{told:?} {asked:?}"
            );
        }
    }
}
