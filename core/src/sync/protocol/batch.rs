//! Batches and their answers in binary: the forms of `POST /v1/envelopes` that a
//! phone uses. Base64 in JSON, which the ministry takes too, is a third longer.
//! All numbers are big endian.
//!
//! Request, `application/vnd.homeline.envelopes`:
//!
//! ```text
//! bytes  field
//!     1  format version, 1
//!    42  head: bytes 0 to 10 and 26 to 58 of an envelope (its version, mode,
//!        recipient and sender), which mostly all of a batch share
//! then each envelope:
//!     4  length of what follows; the top bit says that the head is left out
//!     n  the envelope; where the head is left out, its id and then all from
//!        byte 58 on
//! ```
//!
//! Answer, `application/vnd.homeline.results`, one result an envelope in the order
//! of the batch:
//!
//! ```text
//! bytes  field
//!     1  format version, 1
//! then each result:
//!     1  0 accepted, 1 duplicate, 2 refused
//! accepted or duplicate, a signed receipt:
//!     8  id of the key that signed
//!    64  signature
//!     2  length of the body
//!     n  body, in which byte 1 stands for the envelope's id as text, byte 2 for
//!        the SHA-256 of its bytes in hex, and byte 0 goes before a byte 0, 1 or 2
//!        that is meant (JSON has none); written out at most 1,024 bytes
//! refused:
//!     2  length of the problem
//!     n  the problem, JSON (RFC 9457)
//! ```
//!
//! What was signed is rebuilt byte by byte, so a receipt is kept and proved as in
//! the JSON form.

use data_encoding::HEXLOWER;
use uuid::Uuid;

use super::{Base64, EnvelopeOutcome, EnvelopeResult, SealedEnvelope};
use crate::seal::sha256_hex;
use crate::seal::signed::Signed;

/// Media type of a batch in binary.
pub const ENVELOPES_BINARY: &str = "application/vnd.homeline.envelopes";
/// Media type of its answer in binary.
pub const RESULTS_BINARY: &str = "application/vnd.homeline.results";

const VERSION: u8 = 1;
/// Version, mode and recipient of an envelope.
const TO: usize = 10;
/// Its id.
const ID: usize = 16;
/// Its sender.
const FROM: usize = 32;
const NO_HEAD: u32 = 1 << 31;

const ACCEPTED: u8 = 0;
const DUPLICATE: u8 = 1;
const REFUSED: u8 = 2;

/// Bytes of a receipt's body, its words written out: five times what one has. A
/// megabyte of words alone would become 64.
const BODY_BYTES: usize = 1_024;

const ESCAPE: u8 = 0;
const THE_ID: u8 = 1;
const THE_HASH: u8 = 2;

/// An envelope in its parts.
struct Parts<'a> {
    /// To whom and from whom.
    head: (&'a [u8], &'a [u8]),
    id: &'a [u8],
    rest: &'a [u8],
}

/// `None` where the envelope is shorter than its header.
fn parts(sealed: &[u8]) -> Option<Parts<'_>> {
    let (to, rest) = sealed.split_at_checked(TO)?;
    let (id, rest) = rest.split_at_checked(ID)?;
    let (from, rest) = rest.split_at_checked(FROM)?;
    Some(Parts {
        head: (to, from),
        id,
        rest,
    })
}

/// The id that an envelope names; nil where it is too short to name one.
fn id_of(sealed: &[u8]) -> Uuid {
    parts(sealed)
        .and_then(|parts| Uuid::from_slice(parts.id).ok())
        .unwrap_or_default()
}

/// A batch in binary.
pub fn write_batch<'a>(envelopes: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut out = vec![VERSION];
    let mut head = None;
    for sealed in envelopes {
        let parts = parts(sealed);
        if head.is_none() {
            let given = parts.as_ref().map(|parts| parts.head);
            let (to, from) = given.unwrap_or((&[0; TO][..], &[0; FROM][..]));
            out.extend_from_slice(to);
            out.extend_from_slice(from);
            head = Some((to, from));
        }
        let length = |bytes: usize| u32::try_from(bytes).unwrap_or(NO_HEAD - 1);
        match parts {
            Some(parts) if head == Some(parts.head) => {
                let bytes = length(ID.saturating_add(parts.rest.len())) | NO_HEAD;
                out.extend_from_slice(&bytes.to_be_bytes());
                out.extend_from_slice(parts.id);
                out.extend_from_slice(parts.rest);
            }
            _ => {
                out.extend_from_slice(&length(sealed.len()).to_be_bytes());
                out.extend_from_slice(sealed);
            }
        }
    }
    out
}

/// Reads a batch; `None` where it is not one. What it allocates is at most the
/// heads on top of the body, and at most `limit` envelopes are read: one more is
/// there where there are more.
pub fn read_batch(body: &[u8], limit: usize) -> Option<Vec<SealedEnvelope>> {
    let (&[VERSION], rest) = body.split_first_chunk::<1>()? else {
        return None;
    };
    if rest.is_empty() {
        return Some(Vec::new());
    }
    let (to, rest) = rest.split_at_checked(TO)?;
    let (from, mut rest) = rest.split_at_checked(FROM)?;
    let mut envelopes = Vec::new();
    while !rest.is_empty() && envelopes.len() <= limit {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let length = u32::from_be_bytes(*length);
        let bytes = usize::try_from(length & !NO_HEAD).ok()?;
        let (given, after) = after.split_at_checked(bytes)?;
        rest = after;
        let sealed = if length & NO_HEAD == 0 {
            given.to_vec()
        } else {
            let (id, cipher) = given.split_at_checked(ID)?;
            [to, id, from, cipher].concat()
        };
        envelopes.push(SealedEnvelope {
            id: id_of(&sealed),
            sealed: Base64(sealed),
        });
    }
    Some(envelopes)
}

/// An answer in binary to `envelopes`, in their order; `None` where a result does
/// not fit the form, which JSON then has to carry.
pub fn write_results(envelopes: &[SealedEnvelope], results: &[EnvelopeResult]) -> Option<Vec<u8>> {
    let mut out = vec![VERSION];
    for (envelope, result) in envelopes.iter().zip(results) {
        let (kind, receipt) = match &result.outcome {
            EnvelopeOutcome::Accepted { receipt } => (ACCEPTED, receipt),
            EnvelopeOutcome::Duplicate { receipt } => (DUPLICATE, receipt),
            EnvelopeOutcome::Refused { problem } => {
                out.push(REFUSED);
                with_length(&mut out, &serde_json::to_vec(problem).ok()?)?;
                continue;
            }
        };
        let key: [u8; 8] = HEXLOWER
            .decode(receipt.key.as_bytes())
            .ok()?
            .try_into()
            .ok()?;
        let signature: [u8; 64] = receipt.signature.0.as_slice().try_into().ok()?;
        if receipt.body.0.len() > BODY_BYTES {
            return None;
        }
        out.push(kind);
        out.extend_from_slice(&key);
        out.extend_from_slice(&signature);
        let words = Words::of(envelope.id, &envelope.sealed.0);
        with_length(&mut out, &words.shorten(&receipt.body.0))?;
    }
    (envelopes.len() == results.len()).then_some(out)
}

/// Reads the answer to a batch of these envelopes; `None` where it is not one.
/// Results that are missing at the end are left out.
pub(crate) fn read_results<'a>(
    body: &[u8],
    envelopes: impl IntoIterator<Item = (Uuid, &'a [u8])>,
) -> Option<Vec<EnvelopeResult>> {
    let (&[VERSION], mut rest) = body.split_first_chunk::<1>()? else {
        return None;
    };
    let mut results = Vec::new();
    for (id, sealed) in envelopes {
        if rest.is_empty() {
            break;
        }
        let (&[kind], after) = rest.split_first_chunk::<1>()?;
        let outcome = if kind == REFUSED {
            let problem;
            (problem, rest) = length_before(after)?;
            EnvelopeOutcome::Refused {
                problem: serde_json::from_slice(problem).ok()?,
            }
        } else {
            let (key, after) = after.split_first_chunk::<8>()?;
            let (signature, after) = after.split_first_chunk::<64>()?;
            let short;
            (short, rest) = length_before(after)?;
            let receipt = Signed {
                key: HEXLOWER.encode(key),
                body: Base64(Words::of(id, sealed).lengthen(short)?),
                signature: Base64(signature.to_vec()),
            };
            match kind {
                ACCEPTED => EnvelopeOutcome::Accepted { receipt },
                DUPLICATE => EnvelopeOutcome::Duplicate { receipt },
                _ => return None,
            }
        };
        results.push(EnvelopeResult { id, outcome });
    }
    rest.is_empty().then_some(results)
}

fn with_length(out: &mut Vec<u8>, bytes: &[u8]) -> Option<()> {
    let length = u16::try_from(bytes.len()).ok()?;
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
    Some(())
}

fn length_before(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

/// What both sides know of an envelope, and need not send.
struct Words {
    id: String,
    hash: String,
}

impl Words {
    fn of(id: Uuid, sealed: &[u8]) -> Self {
        Self {
            id: id.to_string(),
            hash: sha256_hex(sealed),
        }
    }

    fn shorten(&self, body: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(body.len());
        let mut rest = body;
        while let Some((&first, after)) = rest.split_first() {
            if let Some(after) = rest.strip_prefix(self.id.as_bytes()) {
                out.push(THE_ID);
                rest = after;
            } else if let Some(after) = rest.strip_prefix(self.hash.as_bytes()) {
                out.push(THE_HASH);
                rest = after;
            } else {
                if first <= THE_HASH {
                    out.push(ESCAPE);
                }
                out.push(first);
                rest = after;
            }
        }
        out
    }

    fn lengthen(&self, short: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(short.len().saturating_add(100));
        let mut bytes = short.iter();
        while let Some(&byte) = bytes.next() {
            match byte {
                THE_ID => out.extend_from_slice(self.id.as_bytes()),
                THE_HASH => out.extend_from_slice(self.hash.as_bytes()),
                ESCAPE => out.push(*bytes.next().filter(|next| **next <= THE_HASH)?),
                byte => out.push(byte),
            }
            if out.len() > BODY_BYTES {
                return None;
            }
        }
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Problem;
    use super::*;

    /// An envelope's bytes as the format lays them out, with numbers for parts.
    fn envelope(id: u8, sender: u8, cipher: usize) -> Vec<u8> {
        let mut bytes = vec![1, 2];
        bytes.extend([7; 8]);
        bytes.extend([id; 16]);
        bytes.extend([sender; 32]);
        bytes.extend(vec![id; cipher]);
        bytes
    }

    #[test]
    fn a_batch_is_read_as_it_was_written_whoever_sealed_it() {
        let all = [
            envelope(1, 9, 100),
            envelope(2, 9, 0),
            // Carried for another phone, and one that is none.
            envelope(3, 8, 50),
            vec![5; 20],
            Vec::new(),
            envelope(4, 9, 70_000),
        ];
        let body = write_batch(all.iter().map(Vec::as_slice));
        let whole: usize = all.iter().map(Vec::len).sum();
        assert_eq!(body.len(), 1 + 42 + 4 * 6 + whole - 3 * 42);
        let read = read_batch(&body, 100).unwrap();
        let bytes: Vec<_> = read.iter().map(|it| it.sealed.0.clone()).collect();
        assert_eq!(bytes, all);
        let ids: Vec<_> = read.iter().map(|it| it.id).collect();
        let id = |n| Uuid::from_bytes([n; 16]);
        let none = Uuid::nil();
        assert_eq!(ids, [id(1), id(2), id(3), none, none, id(4)]);
        assert_eq!(read_batch(&body, 3).unwrap().len(), 4);
        assert_eq!(read_batch(&write_batch([]), 3), Some(Vec::new()));
        for end in 1..body.len().min(500) {
            let _ = read_batch(body.get(..end).unwrap(), 100);
        }
        assert_eq!(read_batch(b"", 100), None);
        assert_eq!(read_batch(b"{}", 100), None);
    }

    fn sealed(id: u8) -> SealedEnvelope {
        SealedEnvelope {
            id: Uuid::from_bytes([id; 16]),
            sealed: Base64(envelope(id, 9, 10)),
        }
    }

    fn results(all: &[SealedEnvelope]) -> Vec<EnvelopeResult> {
        let receipt = |of: &SealedEnvelope, extra: &str| Signed {
            key: "0011223344556677".into(),
            body: Base64(
                format!(
                    r#"{{"envelope":"{}","sha256":"{}"{extra}}}"#,
                    of.id,
                    sha256_hex(&of.sealed.0)
                )
                .into_bytes(),
            ),
            signature: Base64(vec![3; 64]),
        };
        all.iter()
            .enumerate()
            .map(|(n, of)| EnvelopeResult {
                id: of.id,
                outcome: match n {
                    0 => EnvelopeOutcome::Accepted {
                        receipt: receipt(of, "\0\u{1}\u{2}\u{3}"),
                    },
                    1 => EnvelopeOutcome::Refused {
                        problem: Problem {
                            kind: "urn:x".into(),
                            title: "No.".into(),
                            status: 422,
                        },
                    },
                    _ => EnvelopeOutcome::Duplicate {
                        receipt: receipt(of, ""),
                    },
                },
            })
            .collect()
    }

    #[test]
    fn words_without_end_are_no_receipt() {
        let all = [sealed(1)];
        let pairs = || all.iter().map(|it| (it.id, it.sealed.0.as_slice()));
        for (words, is_one) in [(10_u16, true), (20, false), (u16::MAX, false)] {
            let mut body = vec![VERSION, ACCEPTED];
            body.extend([7; 72]);
            body.extend(words.to_be_bytes());
            body.extend(vec![THE_HASH; usize::from(words)]);
            assert_eq!(read_results(&body, pairs()).is_some(), is_one, "{words}");
        }
    }

    #[test]
    fn receipts_come_back_byte_by_byte_and_small() {
        let all = [sealed(1), sealed(2), sealed(3)];
        let given = results(&all);
        let body = write_results(&all, &given).unwrap();
        let pairs = || all.iter().map(|it| (it.id, it.sealed.0.as_slice()));
        assert_eq!(read_results(&body, pairs()), Some(given.clone()));
        // The hash and the id are not in it.
        let one = write_results(&all[2..], &given[2..]).unwrap();
        assert_eq!(
            one.len(),
            1 + 1 + 8 + 64 + 2 + r#"{"envelope":"1","sha256":"2"}"#.len()
        );
        // Cut between two results: the first ones count.
        assert_eq!(
            read_results(&write_results(&all[..1], &given[..1]).unwrap(), pairs())
                .unwrap()
                .len(),
            1
        );
        for end in 0..body.len() {
            let read = read_results(body.get(..end).unwrap(), pairs());
            assert!(read.is_none_or(|it| it.len() < 3), "{end}");
        }
        assert_eq!(read_results(&[body, vec![0]].concat(), pairs()), None);
    }
}
