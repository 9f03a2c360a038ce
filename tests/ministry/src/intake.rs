//! Intake: from the bytes of one envelope to a [`Letter`], or a [`Refusal`].
//!
//! Pure: no file, no clock, no network. What is refused here is refused for
//! good, whoever brings it and however often: the bytes will not change.

use homeline::seal::compact::{self, CompactKind};
use homeline::seal::envelope::{self, OpenError};
use homeline::seal::sha256_hex;
use homeline::sos::compact::{CompactReport, TextPart};
use homeline::sync::protocol::{
    Base64, Content, ENVELOPE_FIXES_MAX, Positions, Problem, RETIRED_KEY, SealedEnvelope,
    UNKNOWN_KEY,
};
use homeline::whereabouts::unpack;
use uuid::Uuid;

use crate::keys::Sealing;
use crate::roster;

/// X25519 public key of the device that sealed an envelope.
pub(crate) type Sender = [u8; 32];

/// What the type of each problem begins with.
const PROBLEM: &str = "urn:homeline:problem:";

/// The last part of a type.
fn of(kind: &'static str) -> &'static str {
    kind.strip_prefix(PROBLEM).unwrap_or(kind)
}

/// An opened envelope of a proved sender.
pub(crate) struct Letter {
    /// The envelope's id.
    pub(crate) id: Uuid,
    /// Who sealed it, proved by HPKE's auth mode.
    pub(crate) sender: Sender,
    /// SHA-256 of the envelope's bytes, in hex.
    pub(crate) sha256: String,
    /// What it holds.
    pub(crate) content: Content,
    /// The very bytes that were sealed: fields that this version does not know
    /// are stored with the others.
    pub(crate) plain: Vec<u8>,
}

/// Why an envelope is refused for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Not an envelope of version 1.
    Format,
    /// Sealed to a key that is not this ministry's.
    UnknownKey,
    /// Sealed to a key that was this ministry's, and is no longer opened.
    RetiredKey,
    /// Changed on the way, not by the sender that it names, or by nobody.
    NotAuthentic,
    /// The id beside the envelope, in it, and in its report are not the same.
    OtherId,
    /// Opened, but the content is of no known type or form.
    UnknownContent,
    /// The id belongs to an envelope of another sender.
    OtherSender,
    /// A group that another phone has made.
    OtherLeader,
}

impl Refusal {
    /// The refusal as the sender is told.
    pub(crate) fn problem(self) -> Problem {
        let (kind, title, status) = match self {
            Self::Format => ("envelope-format", "Not an envelope of version 1.", 422),
            Self::UnknownKey => (of(UNKNOWN_KEY), "Sealed to another key.", 422),
            Self::RetiredKey => (
                of(RETIRED_KEY),
                "Sealed to a key that is no longer opened: seal it anew.",
                422,
            ),
            Self::NotAuthentic => (
                "not-authentic",
                "The envelope does not authenticate as its sender's.",
                422,
            ),
            Self::OtherId => ("id-mismatch", "The ids do not agree.", 422),
            Self::UnknownContent => (
                "unknown-content",
                "The content is of no known type or form.",
                422,
            ),
            Self::OtherSender => (
                "other-sender",
                "This id belongs to an envelope of another sender.",
                409,
            ),
            Self::OtherLeader => (
                "other-leader",
                "The group's id is not made of this sender's keys.",
                422,
            ),
        };
        Problem {
            kind: format!("{PROBLEM}{kind}"),
            title: title.into(),
            status,
        }
    }
}

impl From<OpenError> for Refusal {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Format => Self::Format,
            OpenError::UnknownKey => Self::UnknownKey,
            OpenError::NotAuthentic => Self::NotAuthentic,
        }
    }
}

/// Opens one envelope and reads its content.
pub(crate) fn read(given: &SealedEnvelope, sealing: &Sealing) -> Result<Letter, Refusal> {
    let opened = envelope::open(&given.sealed.0, &sealing.keys)
        .map_err(|error| sealing.explained(error.into(), &given.sealed.0))?;
    if opened.id != given.id {
        return Err(Refusal::OtherId);
    }
    // Base mode proves nobody: anybody could have sealed it.
    let sender = opened.sender.ok_or(Refusal::NotAuthentic)?;
    let content: Content =
        serde_json::from_slice(&opened.content).map_err(|_| Refusal::UnknownContent)?;
    // A report has the id of its envelope: that is what makes it one case.
    if matches!(&content, Content::Sos(report) if report.report != opened.id) {
        return Err(Refusal::OtherId);
    }
    match &content {
        Content::Group(group) if !roster::is_senders(group, &sender) => {
            return Err(Refusal::OtherLeader);
        }
        Content::GroupLeave(given) if roster::leave(&given.leave).is_none() => {
            return Err(Refusal::NotAuthentic);
        }
        // Half of what was recorded is not kept as if it were all.
        Content::Positions(positions) if !is_readable(positions) => {
            return Err(Refusal::UnknownContent);
        }
        _ => {}
    }
    Ok(Letter {
        id: opened.id,
        sender,
        sha256: sha256_hex(&given.sealed.0),
        content,
        plain: opened.content,
    })
}

/// What a compact message holds.
pub(crate) enum CompactContent {
    Report(CompactReport),
    Text(TextPart),
}

impl CompactContent {
    /// The report that it is or speaks of.
    pub(crate) fn report(&self) -> Uuid {
        match self {
            Self::Report(report) => report.report,
            Self::Text(part) => part.report,
        }
    }
}

/// An opened compact message of a proved sender.
pub(crate) struct CompactLetter {
    /// Who sealed it, proved by HPKE's auth mode.
    pub(crate) sender: Sender,
    /// What it holds.
    pub(crate) content: CompactContent,
    /// The very bytes that were sealed.
    pub(crate) plain: Vec<u8>,
}

/// Opens a compact message and reads it.
pub(crate) fn read_compact(message: &[u8], sealing: &Sealing) -> Result<CompactLetter, Refusal> {
    let opened = compact::open(message, &sealing.keys)?;
    let content = match opened.kind {
        CompactKind::Report => CompactReport::decode(&opened.content).map(CompactContent::Report),
        CompactKind::Text => TextPart::decode(&opened.content).map(CompactContent::Text),
    };
    Ok(CompactLetter {
        sender: opened.sender,
        content: content.ok_or(Refusal::UnknownContent)?,
        plain: opened.content,
    })
}

/// Opens an envelope that came in a parcel. Only what belongs to an SOS comes so.
pub(crate) fn read_carried(sealed: Vec<u8>, sealing: &Sealing) -> Result<Letter, Refusal> {
    let id = envelope::id_of(&sealed).ok_or(Refusal::Format)?;
    let sealed = Base64(sealed);
    let letter = read(&SealedEnvelope { id, sealed }, sealing)?;
    match letter.content {
        Content::Sos(_)
        | Content::SosUpdate(_)
        | Content::SosCancel(_)
        | Content::Standing(_)
        | Content::Medical(_) => Ok(letter),
        Content::Profile(_)
        | Content::Positions(_)
        | Content::Group(_)
        | Content::GroupLeave(_)
        | Content::Erase(_) => Err(Refusal::UnknownContent),
    }
}

/// Whether every packed block can be read, and they are not a flood.
fn is_readable(positions: &Positions) -> bool {
    let mut left = ENVELOPE_FIXES_MAX.checked_sub(positions.fixes.len());
    for block in &positions.blocks {
        let fixes = unpack(&block.0).ok().map(|fixes| fixes.len());
        left = left
            .zip(fixes)
            .and_then(|(left, fixes)| left.checked_sub(fixes));
        if left.is_none() {
            return false;
        }
    }
    left.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use homeline::seal::envelope::RecipientKey;
    use homeline::whereabouts::{Fix, FixSource, Position, RecordedFix, pack};

    fn sealing(byte: u8) -> Sealing {
        Sealing::of(RecipientKey::from_bytes(&[byte; 32]).unwrap())
    }

    #[test]
    fn what_proves_no_sender_is_refused() {
        let ministry = sealing(1);
        let id = Uuid::from_u128(7);
        let sealed = envelope::seal_to_device(b"{}", id, ministry.keys[0].public()).unwrap();
        let given = SealedEnvelope {
            id,
            sealed: Base64(sealed),
        };
        let refusal = read(&given, &ministry).err();
        assert_eq!(refusal, Some(Refusal::NotAuthentic));
    }

    #[test]
    fn a_block_that_cannot_be_read_and_a_flood_of_positions_are_refused() {
        let fix = |n: i64| RecordedFix {
            fix: Fix::new(
                Position::Wgs84 {
                    latitude: 41.0,
                    longitude: 29.0,
                },
                1_750_000_000_000 + n,
                FixSource::Gnss,
            ),
            at_ms: 1_750_000_000_000 + n,
            flags: Vec::new(),
        };
        let fixes: Vec<RecordedFix> = (0..1_024).map(fix).collect();
        let block = pack(&fixes).unwrap();
        assert!(block.len() < 250, "a flood would be cheap");
        let with = |blocks: Vec<Vec<u8>>| {
            is_readable(&Positions {
                fixes: Vec::new(),
                blocks: blocks.into_iter().map(Base64).collect(),
                gaps: Vec::new(),
            })
        };
        assert!(with(vec![block.clone(); 4]));
        assert!(!with(vec![block.clone(); 5]));
        assert!(!with(vec![block.clone(), block[..40].to_vec()]));
        assert!(!with(vec![Vec::new()]));
    }

    #[test]
    fn hostile_bytes_are_refused_and_never_panic() {
        let ministry = sealing(1);
        let id = Uuid::nil();
        for length in [0, 1, 2, 57, 58, 89, 90, 105, 106, 5_000] {
            for fill in [0, 1, 2, 0xff] {
                let given = SealedEnvelope {
                    id,
                    sealed: Base64(vec![fill; length]),
                };
                assert!(read(&given, &ministry).is_err());
            }
        }
    }
}
