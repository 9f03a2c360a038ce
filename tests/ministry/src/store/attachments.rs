//! Attachments: announced by a manifest, completed chunk by chunk, opened when
//! whole.
//!
//! ```text
//! DIR/attachments/chunks/SHA256   sealed, until the file is opened
//! DIR/attachments/files/ROW       opened: what the desk hands out
//! ```
//!
//! A chunk that no incomplete manifest names is not stored, so nobody fills the disk
//! but within the quota of a sender. The receipt leaves only when every chunk has
//! opened at its place, the file has the length and the hash of the manifest, and it
//! is synced. What is not completed within [`PATIENCE_MS`] of its last chunk loses its
//! chunks and stays announced: a phone that comes back later sends them again.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

use homeline::seal::hex;
use homeline::seal::signed::{Context, Signed};
use homeline::seal::stream::{ChunkCipher, Place, Root};
use homeline::sync::protocol::{
    Attachment, AttachmentAnswer, AttachmentReceipt, Base64, MissingChunks, Problem,
};
use ring::digest;
use rusqlite::types::Type;
use rusqlite::{OptionalExtension as _, Row, Transaction, params};
use uuid::Uuid;

use super::view::AttachmentView;
use super::{Result, Store, StoreError, now_ms, unsigned};
use crate::intake::{Letter, Refusal, Sender};
use crate::keys::private_file;
use crate::manifest::{SENDER_BYTES, SENDER_COUNT};

/// An incomplete attachment keeps its chunks for so long after the last one: a
/// traveler's way back to a network.
const PATIENCE_MS: i64 = 30 * 24 * 3_600_000;
/// Runs of missing chunks in one answer.
const RUNS: usize = 256;

/// What became of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chunk {
    Stored,
    /// No incomplete manifest names it.
    Unexpected,
}

/// A file for the desk.
pub(crate) struct Download {
    pub(crate) file: File,
    pub(crate) bytes: u64,
    pub(crate) name: Option<String>,
}

/// A row of `attachments`.
struct Stored {
    row: i64,
    envelope: Uuid,
    sender: Sender,
    announced_ms: i64,
    manifest: Attachment,
    complete_ms: Option<i64>,
    refused: Option<String>,
}

/// Where an attachment stands.
enum Standing {
    /// This is the answer.
    Known(AttachmentAnswer),
    /// All its chunks are there.
    ToOpen(Box<Stored>),
}

const COLUMNS: &str = "row, envelope, sender, announced_ms, content, complete_ms, refused";

impl Store {
    /// Stores a chunk under its hash, which the caller has checked.
    pub(crate) fn put_chunk(&self, sha256: &[u8], chunk: &[u8]) -> Result<Chunk> {
        if self.read(|tx| expecting(tx, sha256))?.is_empty() {
            return Ok(Chunk::Unexpected);
        }
        // Before the row says so, and without the lock of the database.
        write_synced(&self.chunk_path(sha256), |file| file.write_all(chunk))?;
        self.write(|tx| {
            for row in expecting(tx, sha256)? {
                tx.execute(
                    "UPDATE attachment_chunks SET stored = 1 WHERE attachment = ?1 AND sha256 = ?2",
                    params![row, sha256],
                )?;
                tx.execute(
                    "UPDATE attachments SET touched_ms = ?2 WHERE row = ?1",
                    params![row, now_ms()],
                )?;
            }
            Ok(Chunk::Stored)
        })
    }

    /// Where an attachment stands; opens it when all its chunks are there.
    pub(crate) fn attachment(&self, id: &Uuid) -> Result<AttachmentAnswer> {
        if let Standing::Known(answer) = self.standing(id)? {
            return Ok(answer);
        }
        // One at a time: two requests must not write one file. A phone whose link broke
        // asks again while the first request still opens: by now its chunks may be
        // gone, and its file must stay.
        let _opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        let stored = match self.standing(id)? {
            Standing::Known(answer) => return Ok(answer),
            Standing::ToOpen(stored) => stored,
        };
        match self.open_attachment(&stored)? {
            Opened::Whole => self.complete(&stored),
            Opened::Wrong => self.refuse(&stored),
            Opened::Missing => self.attachment_again(&stored),
        }
    }

    fn standing(&self, id: &Uuid) -> Result<Standing> {
        let found = self.read(|tx| {
            let Some(stored) = by_envelope(tx, id)? else {
                return Ok(None);
            };
            let missing = missing(tx, stored.row)?;
            Ok(Some((stored, missing)))
        })?;
        let Some((stored, missing)) = found else {
            return Ok(Standing::Known(AttachmentAnswer::Unknown));
        };
        if let Some(complete_ms) = stored.complete_ms {
            let receipt = self.attachment_receipt(&stored, complete_ms)?;
            return Ok(Standing::Known(AttachmentAnswer::Complete { receipt }));
        }
        if let Some(problem) = &stored.refused {
            let problem = serde_json::from_str(problem)?;
            return Ok(Standing::Known(AttachmentAnswer::Refused { problem }));
        }
        if !missing.is_empty() {
            return Ok(Standing::Known(AttachmentAnswer::Incomplete { missing }));
        }
        Ok(Standing::ToOpen(Box::new(stored)))
    }

    fn complete(&self, stored: &Stored) -> Result<AttachmentAnswer> {
        let received_ms = now_ms();
        let receipt = self.attachment_receipt(stored, received_ms)?;
        let content = serde_json::to_string(&Attachment {
            // The chunks go: the key is of no more use.
            key: Base64(Vec::new()),
            ..stored.manifest.clone()
        })?;
        self.write(|tx| {
            tx.execute(
                "UPDATE attachments SET complete_ms = ?2, content = ?3 WHERE row = ?1",
                params![stored.row, received_ms, content],
            )?;
            Ok(())
        })?;
        self.drop_chunks(stored)?;
        Ok(AttachmentAnswer::Complete { receipt })
    }

    fn attachment_receipt(&self, stored: &Stored, received_ms: i64) -> Result<Signed> {
        let mut root = Root::default();
        root.add(&stored.manifest.chunks.0);
        let receipt = AttachmentReceipt {
            attachment: stored.envelope,
            root: hex(&root.finish()),
            received_ms,
        };
        Ok(self.keys.receipt().sign(Context::Attachment, &receipt)?)
    }

    fn refuse(&self, stored: &Stored) -> Result<AttachmentAnswer> {
        let problem = Problem {
            kind: "urn:homeline:problem:attachment-not-authentic".into(),
            title: "The chunks do not open to what the manifest says.".into(),
            status: 422,
        };
        let json = serde_json::to_string(&problem)?;
        self.write(|tx| {
            tx.execute(
                "UPDATE attachments SET refused = ?2 WHERE row = ?1",
                params![stored.row, json],
            )?;
            Ok(())
        })?;
        self.drop_chunks(stored)?;
        Ok(AttachmentAnswer::Refused { problem })
    }

    /// A chunk that the database has and the disk has not is asked for again.
    fn attachment_again(&self, stored: &Stored) -> Result<AttachmentAnswer> {
        let missing = self.write(|tx| {
            for (position, hash) in (0_i64..).zip(stored.manifest.chunks.0.chunks(32)) {
                if !self.chunk_path(hash).exists() {
                    tx.execute(
                        "UPDATE attachment_chunks SET stored = 0
                         WHERE attachment = ?1 AND position = ?2",
                        params![stored.row, position],
                    )?;
                }
            }
            missing(tx, stored.row)
        })?;
        Ok(AttachmentAnswer::Incomplete { missing })
    }

    /// Opens the chunks, one after the other, into the file.
    fn open_attachment(&self, stored: &Stored) -> Result<Opened> {
        let manifest = &stored.manifest;
        let Ok(key) = <&[u8; 32]>::try_from(manifest.key.0.as_slice()) else {
            return Ok(Opened::Wrong);
        };
        let cipher = ChunkCipher::new(key, stored.envelope);
        let hashes: Vec<&[u8]> = manifest.chunks.0.chunks(32).collect();
        let mut outcome = Opened::Whole;
        let (mut bytes, mut whole) = (0_u64, digest::Context::new(&digest::SHA256));
        let path = self.file_path(stored.row);
        write_synced(&path, |file| {
            for (position, hash) in (0_u32..).zip(&hashes) {
                let Ok(mut chunk) = fs::read(self.chunk_path(hash)) else {
                    outcome = Opened::Missing;
                    return Ok(());
                };
                // Rotten on this disk: it is asked for again.
                if digest::digest(&digest::SHA256, &chunk).as_ref() != *hash {
                    let _ = fs::remove_file(self.chunk_path(hash));
                    outcome = Opened::Missing;
                    return Ok(());
                }
                let is_last = usize::try_from(position).is_ok_and(|at| at + 1 == hashes.len());
                let place = if is_last { Place::Last } else { Place::Inner };
                if cipher.open(position, place, &mut chunk).is_err() {
                    outcome = Opened::Wrong;
                    return Ok(());
                }
                bytes += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
                whole.update(&chunk);
                file.write_all(&chunk)?;
            }
            Ok(())
        })?;
        let right = bytes == manifest.bytes && whole.finish().as_ref() == manifest.sha256.0;
        if outcome == Opened::Whole && !right {
            outcome = Opened::Wrong;
        }
        if outcome != Opened::Whole {
            let _ = fs::remove_file(path);
        }
        Ok(outcome)
    }

    /// The file of a complete attachment.
    pub(crate) fn download(&self, id: &Uuid) -> Result<Option<Download>> {
        let stored = self.read(|tx| by_envelope(tx, id))?;
        let Some(stored) = stored.filter(|stored| stored.complete_ms.is_some()) else {
            return Ok(None);
        };
        let file = File::open(self.file_path(stored.row)).map_err(StoreError::File)?;
        Ok(Some(Download {
            bytes: stored.manifest.bytes,
            file,
            name: stored.manifest.name,
        }))
    }

    /// Removes the chunks that nobody waits for, and those of attachments that were
    /// left lying. Called at each start.
    pub(crate) fn collect_chunks(&self) -> Result<()> {
        self.write(|tx| {
            tx.execute(
                "UPDATE attachment_chunks SET stored = 0 WHERE attachment IN
                   (SELECT row FROM attachments
                    WHERE complete_ms IS NULL AND refused IS NULL AND touched_ms < ?1)",
                [now_ms().saturating_sub(PATIENCE_MS)],
            )?;
            Ok(())
        })?;
        for entry in fs::read_dir(self.files.join(CHUNKS)).map_err(StoreError::File)? {
            let path = entry.map_err(StoreError::File)?.path();
            let hash = path.file_name().and_then(|name| name.to_str());
            let hash = hash.and_then(unhex).unwrap_or_default();
            if self.read(|tx| waiting(tx, &hash))? == 0 {
                let _ = fs::remove_file(path);
            }
        }
        Ok(())
    }

    fn drop_chunks(&self, stored: &Stored) -> Result<()> {
        for hash in stored.manifest.chunks.0.chunks(32) {
            if self.read(|tx| waiting(tx, hash))? == 0 {
                let _ = fs::remove_file(self.chunk_path(hash));
            }
        }
        Ok(())
    }

    fn chunk_path(&self, sha256: &[u8]) -> PathBuf {
        self.files.join(CHUNKS).join(hex(sha256))
    }

    fn file_path(&self, row: i64) -> PathBuf {
        self.files.join(FILES).join(row.to_string())
    }
}

const CHUNKS: &str = "chunks";
const FILES: &str = "files";

/// How the opening of an attachment ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opened {
    Whole,
    /// What came is not what was announced.
    Wrong,
    /// A chunk is not on this disk any more.
    Missing,
}

/// Makes the directories.
pub(super) fn prepare(data: &Path) -> io::Result<PathBuf> {
    let files = data.join("attachments");
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    for name in [CHUNKS, FILES] {
        builder.create(files.join(name))?;
    }
    Ok(files)
}

/// Why a new manifest of this sender is not taken, if so.
pub(super) fn refusal(
    tx: &Transaction<'_>,
    sender: &Sender,
    manifest: &Attachment,
) -> Result<Option<Refusal>> {
    let (count, bytes) = tx.query_row(
        "SELECT count(*), coalesce(sum(bytes) FILTER (WHERE complete_ms IS NULL), 0)
         FROM attachments WHERE sender = ?1",
        [sender],
        |row| Ok((unsigned(row, 0)?, unsigned(row, 1)?)),
    )?;
    let within = count < SENDER_COUNT && bytes.saturating_add(manifest.bytes) <= SENDER_BYTES;
    Ok((!within).then_some(Refusal::Quota))
}

/// Keeps a manifest.
pub(super) fn announce(
    tx: &Transaction<'_>,
    letter: &Letter,
    manifest: &Attachment,
    received_ms: i64,
) -> Result<()> {
    tx.execute(
        "INSERT INTO attachments (envelope, report, sender, announced_ms, touched_ms, bytes,
                                  content)
         VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6)",
        params![
            letter.id.as_bytes(),
            manifest.report.as_bytes(),
            letter.sender,
            received_ms,
            i64::try_from(manifest.bytes).unwrap_or(i64::MAX),
            serde_json::to_string(manifest)?
        ],
    )?;
    let row = tx.last_insert_rowid();
    let mut insert = tx.prepare_cached(
        "INSERT INTO attachment_chunks (attachment, position, sha256) VALUES (?1, ?2, ?3)",
    )?;
    for (position, hash) in (0_i64..).zip(manifest.chunks.0.chunks(32)) {
        insert.execute(params![row, position, hash])?;
    }
    Ok(())
}

/// The attachments of a case, for the desk. Those of another sender are shown, and
/// said to be: after a first unlock a phone has other keys than at the press.
pub(super) fn views(
    tx: &Transaction<'_>,
    report: &Uuid,
    sender: &Sender,
) -> Result<Vec<AttachmentView>> {
    let mut select = tx.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM attachments WHERE report = ?1 ORDER BY row"
    ))?;
    let rows = select
        .query_map([report.as_bytes()], read_row)?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    rows.into_iter()
        .map(|stored| {
            let (have, of) = tx.query_row(
                "SELECT coalesce(sum(stored), 0), count(*) FROM attachment_chunks
                 WHERE attachment = ?1",
                [stored.row],
                |row| Ok((unsigned(row, 0)?, unsigned(row, 1)?)),
            )?;
            Ok(AttachmentView {
                id: stored.envelope,
                media_type: stored.manifest.media_type,
                name: stored.manifest.name,
                bytes: stored.manifest.bytes,
                announced_ms: stored.announced_ms,
                complete_ms: stored.complete_ms,
                chunks_here: have,
                chunks: of,
                refused: stored.refused.is_some(),
                of_other_sender: stored.sender != *sender,
            })
        })
        .collect()
}

/// Rows of the incomplete attachments that name a chunk.
fn expecting(tx: &Transaction<'_>, sha256: &[u8]) -> Result<Vec<i64>> {
    let mut select = tx.prepare_cached(
        "SELECT DISTINCT a.row FROM attachment_chunks c JOIN attachments a ON a.row = c.attachment
         WHERE c.sha256 = ?1 AND a.complete_ms IS NULL AND a.refused IS NULL",
    )?;
    let rows = select.query_map([sha256], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// How many incomplete attachments have stored a chunk.
fn waiting(tx: &Transaction<'_>, sha256: &[u8]) -> Result<i64> {
    Ok(tx.query_row(
        "SELECT count(*) FROM attachment_chunks c JOIN attachments a ON a.row = c.attachment
         WHERE c.sha256 = ?1 AND c.stored = 1 AND a.complete_ms IS NULL AND a.refused IS NULL",
        [sha256],
        |row| row.get(0),
    )?)
}

/// The first runs of chunks that are missing.
fn missing(tx: &Transaction<'_>, row: i64) -> Result<Vec<MissingChunks>> {
    let mut select = tx.prepare_cached(
        "SELECT position FROM attachment_chunks WHERE attachment = ?1 AND stored = 0
         ORDER BY position",
    )?;
    let mut positions = select.query([row])?;
    let mut runs: Vec<MissingChunks> = Vec::new();
    while let Some(row) = positions.next()? {
        let position: u32 = row.get(0)?;
        let full = runs.len() == RUNS;
        match runs.last_mut() {
            Some(run) if run.first + run.count == position => run.count += 1,
            _ if full => break,
            _ => runs.push(MissingChunks {
                first: position,
                count: 1,
            }),
        }
    }
    Ok(runs)
}

fn by_envelope(tx: &Transaction<'_>, id: &Uuid) -> Result<Option<Stored>> {
    let sql = format!("SELECT {COLUMNS} FROM attachments WHERE envelope = ?1");
    Ok(tx.query_row(&sql, [id.as_bytes()], read_row).optional()?)
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<Stored> {
    let content: String = row.get(4)?;
    Ok(Stored {
        row: row.get(0)?,
        envelope: Uuid::from_bytes(row.get(1)?),
        sender: row.get(2)?,
        announced_ms: row.get(3)?,
        manifest: serde_json::from_str(&content).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(4, Type::Text, Box::new(error))
        })?,
        complete_ms: row.get(5)?,
        refused: row.get(6)?,
    })
}

/// The bytes of lower-case hex of a SHA-256.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let right = digits.len() == 64
        && digits
            .iter()
            .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    right.then(|| {
        digits
            .chunks(2)
            .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect()
    })
}

/// Writes a file whole and synced, or not at all.
fn write_synced(
    path: &Path,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> std::result::Result<(), StoreError> {
    // Two requests may bring the same chunk at the same time.
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let partial = path.with_extension(format!("{number}.partial"));
    let _ = fs::remove_file(&partial);
    let mut file = private_file(&partial).map_err(StoreError::File)?;
    let done = write(&mut file)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&partial, path));
    if let Err(error) = done {
        let _ = fs::remove_file(&partial);
        return Err(StoreError::File(error));
    }
    if let Some(Ok(directory)) = path.parent().map(File::open) {
        directory.sync_all().map_err(StoreError::File)?;
    }
    Ok(())
}
