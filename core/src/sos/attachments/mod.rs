//! Attachments: voice and photos that follow a report.
//!
//! ```text
//! Waiting ─▶ Sending(n of m) ─▶ Received(signed receipt)
//!               └▶ Paused(metered link, traveler)      Parked(refused for good)
//! ```
//!
//! When [`Attachments::attach_file`] returns, the file is sealed on disk, written
//! and synced, and its source may go. It works before the first unlock, as a press
//! does: each file has a random key, which is sealed to the ministry in the manifest
//! and to this device, and lies nowhere else. A random key also means that the same
//! photo in two reports is sent twice: nobody can tell that it is the same, nor
//! whether it is one that he has.
//!
//! The report goes first, always; a chunk goes when nothing else waits. `Received`
//! rests on a receipt that the ministry signs when it has opened the whole file;
//! what it says before that, chunk by chunk, is progress and no evidence.

mod link;
mod seal;

pub use link::AttachmentPause;
pub(crate) use link::Uploads;

use std::io::Read;
use std::sync::Arc;

use uuid::Uuid;
use zeroize::Zeroizing;

use super::{DataCost, ReportState, Sos, report::new_id};
use crate::error::{HomelineError, Problem, Result, guard};
use crate::homeline::Topic;
use crate::keys::random;
pub use crate::outbox::SendOver;
use crate::outbox::{AttachmentRow, AttachmentSent, Ended, NewAttachment};
use crate::seal::stream::CHUNK_OVERHEAD;
use crate::sync::protocol::{Attachment, Base64, Content};
use crate::validate;

/// Why an attachment is parked that the ministry no longer knows.
pub(crate) const UNKNOWN_ATTACHMENT: &str = "urn:homeline:problem:unknown-attachment";
/// Why one is parked whose sealed bytes are gone or damaged on this phone.
pub(crate) const BYTES_LOST: &str = "urn:homeline:problem:bytes-lost";

/// What an attachment is.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct AttachmentInfo {
    /// Media type, for example `audio/mp4` or `image/jpeg`.
    pub media_type: String,
    /// A name to show, one line.
    #[uniffi(default = None)]
    pub name: Option<String>,
    /// Over which links it may go; absent: as `prefer` says.
    #[uniffi(default = None)]
    pub send_over: Option<SendOver>,
}

/// An attachment, and how far it is.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct AttachmentStatus {
    /// Its id.
    pub attachment: String,
    /// The report that it belongs to.
    pub report: String,
    /// When it was attached, milliseconds UTC by the phone's clock.
    pub made_ms: i64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Media type; absent where this phone's keys have changed since.
    pub media_type: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Over which links it may go.
    pub send_over: SendOver,
    /// How far it is.
    pub state: AttachmentState,
    /// When `sync` would try next, milliseconds UTC by the phone's clock; absent
    /// where nothing of it can go.
    pub next_attempt_ms: Option<i64>,
}

/// State of an attachment.
#[derive(Clone, PartialEq, Eq, uniffi::Enum)]
pub enum AttachmentState {
    /// On disk. It waits for its report, or has not been announced yet.
    Waiting,
    /// Announced; chunks are on their way.
    Sending {
        /// Chunks that the ministry says it has: no evidence yet.
        handed: u32,
        /// Chunks in all.
        of: u32,
    },
    /// It may not go over the link of now.
    Paused {
        /// Why.
        why: AttachmentPause,
        /// Chunks that the ministry says it has.
        handed: u32,
        /// Chunks in all.
        of: u32,
    },
    /// The ministry has it whole, opened and on disk: proved by its signed receipt.
    Received {
        /// When the ministry stored it, milliseconds UTC by its clock.
        received_ms: i64,
        /// The signed receipt itself, JSON.
        signed: String,
    },
    /// Refused for good: a person must look. `try_again` sends it anew.
    Parked {
        /// HTTP status of the refusal.
        status: u16,
        /// URI of the kind of problem.
        reason: String,
    },
}

redacted_debug!(AttachmentInfo, AttachmentStatus, AttachmentState);

/// Attachments of reports. Reached through `Homeline::attachments`.
#[derive(uniffi::Object)]
pub struct Attachments {
    pub(crate) sos: Arc<Sos>,
    pub(crate) uploads: Arc<Uploads>,
}

#[uniffi::export]
impl Attachments {
    /// Attaches a file to a report. When this returns, its bytes are sealed on disk,
    /// written and synced: the file may be deleted. It takes about as long as
    /// copying it, so call it from a background thread. Returns the id; the same file
    /// attached twice to one report is one attachment.
    ///
    /// Errors: `NotFound` (report), `Invalid` (media type, name, a file that is
    /// empty, too large or cannot be read, too many of one report, a report that was
    /// taken back), `Storage`. On any of them nothing stays behind.
    pub fn attach_file(
        &self,
        report: String,
        path: String,
        info: AttachmentInfo,
    ) -> Result<String> {
        guard("Attachments::attach_file", || {
            let mut file = std::fs::File::open(path).map_err(|_| seal::unreadable())?;
            self.attach(&report, &mut file, &info)
        })
    }

    /// As `attach_file`, for what is small and in memory: a voice note.
    ///
    /// Errors: as `attach_file`.
    pub fn attach_bytes(
        &self,
        report: String,
        bytes: Vec<u8>,
        info: AttachmentInfo,
    ) -> Result<String> {
        let bytes = Zeroizing::new(bytes);
        guard("Attachments::attach_bytes", || {
            self.attach(&report, &mut bytes.as_slice(), &info)
        })
    }

    /// The attachments of a report, in the order in which they were attached.
    ///
    /// Errors: `NotFound`, `Storage`.
    pub fn list(&self, report: String) -> Result<Vec<AttachmentStatus>> {
        guard("Attachments::list", || {
            let report = self.sos.known(&report)?;
            let rows = self.sos.outbox.attachment_rows(Some(report))?;
            Ok(rows.into_iter().map(|row| self.status(row)).collect())
        })
    }

    /// Sets over which links an attachment may go. `false`: nothing of it is left
    /// to send.
    ///
    /// Errors: `NotFound`, `Storage`.
    pub fn set_send_over(&self, attachment: String, over: SendOver) -> Result<bool> {
        guard("Attachments::set_send_over", || {
            let row = self.row(&attachment)?;
            let set = self.sos.outbox.set_send_over(row.id, over)?;
            self.sos.listeners.notify(Topic::Sos);
            Ok(set)
        })
    }

    /// What the traveler prefers for attachments that are made from now on and say
    /// nothing themselves. Those of at most 256 KB, a minute of speech, are exempt:
    /// they cost less than a page of the web.
    ///
    /// Errors: `Storage`.
    pub fn prefer(&self, over: SendOver) -> Result<()> {
        guard("Attachments::prefer", || {
            let number = over.number().to_string();
            self.sos.outbox.set(PREFERRED, number.as_bytes())
        })
    }

    /// What the link of now costs, as the platform says: tell it at each change. It
    /// is forgotten with this object. Until it is told, what may go over unmetered
    /// links only does not go.
    pub fn link_is(&self, cost: DataCost) -> Result<()> {
        guard("Attachments::link_is", || {
            self.uploads.set_link(cost);
            self.sos.listeners.notify(Topic::Sos);
            Ok(())
        })
    }

    /// Removes an attachment that the ministry does not have whole, with its bytes.
    /// `false`: it has. What was announced stays announced there, and incomplete.
    ///
    /// Errors: `NotFound`, `Storage`.
    pub fn remove(&self, attachment: String) -> Result<bool> {
        guard("Attachments::remove", || {
            let row = self.row(&attachment)?;
            let removed = self.sos.outbox.remove_attachment(row.id)?;
            self.sos.listeners.notify(Topic::Sos);
            Ok(removed)
        })
    }

    /// Lets a parked attachment wait again. `false`: it is not parked, or this phone
    /// cannot seal it anew, since its keys have changed or its bytes are gone.
    ///
    /// Errors: `NotFound`, `Storage`.
    pub fn try_again(&self, attachment: String) -> Result<bool> {
        guard("Attachments::try_again", || {
            let row = self.row(&attachment)?;
            let revived = self.revive(&row)?;
            self.sos.listeners.notify(Topic::Sos);
            Ok(revived)
        })
    }
}

/// Where the preference lies in the outbox.
const PREFERRED: &str = "attachments_send_over";

impl Attachments {
    fn attach(&self, report: &str, source: &mut dyn Read, info: &AttachmentInfo) -> Result<String> {
        let report = self.sos.known(report)?;
        if matches!(
            self.sos.status_of(report)?.state,
            ReportState::Cancelled { .. }
        ) {
            let form = "a report that was not taken back";
            return Err(HomelineError::invalid("report", Problem::Mismatch, form));
        }
        let media_type = media_type(&info.media_type)?;
        let name = validate::filled(info.name.clone())
            .map(|name| validate::line("attachment.name", &name, &self.sos.policy))
            .transpose()?;
        let at = self.sos.time.now();
        let id = new_id(at.wall_ms)?;
        let key = Zeroizing::new(random::<32>()?);
        let mut file = self.sos.outbox.begin_ciphertext(id)?;
        let sealed = seal::seal(source, id, &key, &mut file, &self.sos.policy)?;
        let manifest = Attachment {
            report,
            at,
            media_type,
            name,
            bytes: sealed.bytes,
            sha256: Base64(sealed.sha256),
            key: Base64(key.to_vec()),
            chunk_bytes: u32::try_from(self.sos.policy.attachment_chunk_bytes).unwrap_or(u32::MAX),
            chunks: Base64(Vec::new()),
        };
        if let Some(same) = self.same(report, &manifest)? {
            return Ok(same.to_string());
        }
        file.finish()?;
        let about = self.sos.sealer.to_self(&manifest, id)?;
        let (made_ms, send_over) = (manifest.at.wall_ms, self.send_over(info, sealed.bytes)?);
        let manifest = Content::Attachment(Attachment {
            chunks: Base64(sealed.hashes),
            ..manifest
        });
        self.sos.outbox.add_attachment(&NewAttachment {
            id,
            report,
            made_ms,
            bytes: sealed.bytes,
            chunks: sealed.chunks,
            chunk_bytes: self.sealed_chunk_bytes(),
            root: sealed.root,
            manifest: self.sos.sealer.to_ministry(&manifest, id)?,
            about,
            send_over,
        })?;
        file.keep();
        self.sos.listeners.notify(Topic::Sos);
        Ok(id.to_string())
    }

    fn sealed_chunk_bytes(&self) -> u64 {
        let bytes = self.sos.policy.attachment_chunk_bytes;
        u64::try_from(bytes.saturating_add(CHUNK_OVERHEAD)).unwrap_or(u64::MAX)
    }

    /// The attachment of the report that is the same file. One that was made with
    /// other keys of this phone cannot be compared: then it is there twice.
    fn same(&self, report: Uuid, new: &Attachment) -> Result<Option<Uuid>> {
        let rows = self.sos.outbox.attachment_rows(Some(report))?;
        Ok(rows
            .into_iter()
            .filter(|row| {
                row.bytes == new.bytes && !matches!(row.ended, Some(Ended::Refused { .. }))
            })
            .find(|row| {
                self.about(row)
                    .is_some_and(|one| one.sha256 == new.sha256 && one.media_type == new.media_type)
            })
            .map(|row| row.id))
    }

    fn about(&self, row: &AttachmentRow) -> Option<Attachment> {
        self.sos.sealer.open_own(&row.about)
    }

    fn send_over(&self, info: &AttachmentInfo, bytes: u64) -> Result<SendOver> {
        if let Some(over) = info.send_over {
            return Ok(over);
        }
        if bytes <= self.sos.policy.small_attachment_bytes {
            return Ok(SendOver::AnyLink);
        }
        let preferred = self.sos.outbox.get_number(PREFERRED)?;
        Ok(preferred.map_or(SendOver::AnyLink, SendOver::from_number))
    }

    fn row(&self, attachment: &str) -> Result<AttachmentRow> {
        let id = Uuid::parse_str(attachment).ok();
        let row = id.map_or(Ok(None), |id| self.sos.outbox.attachment_row(id))?;
        row.ok_or_else(|| HomelineError::not_found("attachment"))
    }

    fn status(&self, row: AttachmentRow) -> AttachmentStatus {
        let state = state_of(&row, self.uploads.handed(row.id), self.uploads.link());
        status(&self.sos, row, state)
    }

    fn revive(&self, row: &AttachmentRow) -> Result<bool> {
        let Some(Ended::Refused { reason, .. }) = &row.ended else {
            return Ok(false);
        };
        if row.sent == AttachmentSent::Announced && reason != UNKNOWN_ATTACHMENT {
            // The ministry has the manifest: only the chunks are asked for again.
            let first = self.sos.outbox.chunk(row.id, 0, row.chunk_bytes)?;
            if first.is_some() {
                self.sos.outbox.revive_attachment(row.id, None)?;
            }
            return Ok(first.is_some());
        }
        let Some(content) = manifest(&self.sos, row)? else {
            return Ok(false);
        };
        let manifest = self.sos.sealer.to_ministry(&content, row.id)?;
        self.sos.outbox.revive_attachment(row.id, Some(&manifest))?;
        Ok(true)
    }
}

/// The manifest of a row, put together again from the file; `None` where its bytes
/// are gone, or this phone's keys have changed since.
fn manifest(sos: &Sos, row: &AttachmentRow) -> Result<Option<Content>> {
    let Some(about) = sos.sealer.open_own::<Attachment>(&row.about) else {
        return Ok(None);
    };
    let hashes = seal::hashes(&sos.outbox, row.id, row.chunks, row.chunk_bytes)?;
    Ok(hashes.map(|hashes| {
        Content::Attachment(Attachment {
            chunks: Base64(hashes),
            ..about
        })
    }))
}

/// The manifest of an attachment, to be sealed anew to another key.
pub(crate) fn manifest_of(sos: &Sos, attachment: Uuid) -> Result<Option<Content>> {
    match sos.outbox.attachment_row(attachment)? {
        Some(row) => manifest(sos, &row),
        None => Ok(None),
    }
}

/// The attachments of a report, as an export tells of them: by what is on disk, not
/// by the link of now.
pub(crate) fn told(sos: &Sos, report: Uuid) -> Result<Vec<AttachmentStatus>> {
    let rows = sos.outbox.attachment_rows(Some(report))?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let state = state_of(&row, None, Some(DataCost::Free));
            status(sos, row, state)
        })
        .collect())
}

fn status(sos: &Sos, row: AttachmentRow, state: AttachmentState) -> AttachmentStatus {
    let about: Option<Attachment> = sos.sealer.open_own(&row.about);
    let next = match state {
        AttachmentState::Waiting | AttachmentState::Sending { .. } => Some(row.due_ms),
        _ => None,
    };
    AttachmentStatus {
        attachment: row.id.to_string(),
        report: row.report.to_string(),
        made_ms: row.made_ms,
        bytes: row.bytes,
        media_type: about.as_ref().map(|about| about.media_type.clone()),
        name: about.and_then(|about| about.name),
        send_over: row.send_over,
        state,
        next_attempt_ms: next,
    }
}

/// How far an attachment is. Pure.
fn state_of(row: &AttachmentRow, handed: Option<u32>, link: Option<DataCost>) -> AttachmentState {
    let handed = handed.unwrap_or(0).max(row.handed).min(row.chunks);
    let of = row.chunks;
    match (&row.ended, row.sent, link::pause(row.send_over, link)) {
        (
            Some(Ended::Received {
                received_ms,
                signed,
            }),
            _,
            _,
        ) => AttachmentState::Received {
            received_ms: *received_ms,
            signed: signed.clone(),
        },
        (Some(Ended::Refused { status, reason }), _, _) => AttachmentState::Parked {
            status: *status,
            reason: reason.clone(),
        },
        (None, _, Some(why)) => AttachmentState::Paused { why, handed, of },
        (None, AttachmentSent::Nothing, None) => AttachmentState::Waiting,
        (None, AttachmentSent::Announced, None) => AttachmentState::Sending { handed, of },
    }
}

/// A media type without parameters (RFC 9110, section 8.3.1), in lower case.
fn media_type(text: &str) -> Result<String> {
    let token = |part: &str| {
        let is_of_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        (1..=127).contains(&part.len()) && part.chars().all(is_of_token)
    };
    match text.trim().split_once('/') {
        Some((kind, subtype)) if token(kind) && token(subtype) => {
            Ok(format!("{kind}/{subtype}").to_ascii_lowercase())
        }
        _ => Err(HomelineError::invalid(
            "attachment.media_type",
            Problem::Malformed,
            "type/subtype, for example image/jpeg",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(send_over: SendOver, sent: AttachmentSent) -> AttachmentRow {
        AttachmentRow {
            id: Uuid::nil(),
            report: Uuid::nil(),
            made_ms: 0,
            bytes: 10,
            chunks: 8,
            chunk_bytes: 2,
            handed: 3,
            send_over,
            due_ms: 0,
            about: Vec::new(),
            sent,
            ended: None,
        }
    }

    #[test]
    fn the_state_of_an_attachment() {
        use AttachmentSent::{Announced, Nothing};
        let paused = |why, handed| AttachmentState::Paused { why, handed, of: 8 };
        let sending = |handed| AttachmentState::Sending { handed, of: 8 };
        // over, sent, handed in this run, link, state
        let table = [
            (
                SendOver::AnyLink,
                Nothing,
                None,
                None,
                AttachmentState::Waiting,
            ),
            (
                SendOver::AnyLink,
                Announced,
                None,
                Some(DataCost::Metered),
                sending(3),
            ),
            (
                SendOver::AnyLink,
                Announced,
                Some(5),
                Some(DataCost::Metered),
                sending(5),
            ),
            (
                SendOver::AnyLink,
                Announced,
                Some(99),
                Some(DataCost::Metered),
                sending(8),
            ),
            (
                SendOver::UnmeteredLink,
                Announced,
                None,
                Some(DataCost::Free),
                sending(3),
            ),
            (
                SendOver::UnmeteredLink,
                Nothing,
                None,
                Some(DataCost::Free),
                AttachmentState::Waiting,
            ),
            (
                SendOver::UnmeteredLink,
                Announced,
                None,
                Some(DataCost::Metered),
                paused(AttachmentPause::Metered, 3),
            ),
            (
                SendOver::UnmeteredLink,
                Announced,
                None,
                None,
                paused(AttachmentPause::Metered, 3),
            ),
            (
                SendOver::NoLink,
                Announced,
                None,
                Some(DataCost::Free),
                paused(AttachmentPause::ByTraveler, 3),
            ),
        ];
        for (over, sent, handed, link, expected) in table {
            let state = state_of(&row(over, sent), handed, link);
            assert!(state == expected, "{over:?} {sent:?} {handed:?} {link:?}");
        }
    }

    #[test]
    fn media_types_are_read_as_the_standard_has_them() {
        assert_eq!(media_type(" Image/JPEG ").unwrap(), "image/jpeg");
        assert_eq!(media_type("image/svg+xml").unwrap(), "image/svg+xml");
        for bad in [
            "",
            "image",
            "/",
            "a/",
            "/b",
            "a/b/c",
            "a/b; x=y",
            "a/b\r\nX: y",
            "图/片",
        ] {
            assert!(media_type(bad).is_err(), "{bad}");
        }
    }
}
