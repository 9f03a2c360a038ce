//! Erase: keys first, then files, and a request to the ministry that waits.
//!
//! ```text
//! seal the request with the device's key
//! erase.request ── written whole and synced: from here on there is no way back
//!   1 keys       record.key, device.key overwritten and deleted
//!   2 record     record.db with its log and whatever else is named so
//!   3 attachments  their sealed bytes
//!   4 outbox     one transaction: only what was pressed and waits stays, and
//!                the request goes in
//!   5 aside      all that was set aside or half written, and what the ministry
//!                publishes for everybody
//! erase.request ── deleted
//! ```
//!
//! Each step can be repeated. A process that ends anywhere leaves either no
//! `erase.request`, and then nothing has happened, or one, and then the next
//! start does all steps before it opens anything. What is pressed meanwhile is
//! kept: it is sealed to the ministry, and its sender's key is no more needed.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use uuid::Uuid;

use crate::error::{Result, StorageProblem};
use crate::outbox::{Outbox, destroy_all};

/// The sealed request, and the mark that an erasure has begun.
const MARK: &str = "erase.request";
const PARTIAL: &str = "erase.partial";
/// What the first byte of the mark says.
const VERSION: u8 = 1;

/// An erasure that has begun.
pub(crate) struct Erasure<'a> {
    directory: &'a Path,
    outbox: &'a Outbox,
    /// The request's id and its sealed bytes; `None` where the mark is not ours
    /// to read: then everything goes, and nobody is told.
    request: Option<(Uuid, Vec<u8>)>,
}

type Step = fn(&Erasure<'_>) -> Result<()>;

/// The steps, in order.
const STEPS: [Step; 6] = [keys, record, attachments, outbox, aside, end];

/// Begins: after this, [`finish`] must come, now or at the next start. On an
/// error nothing has happened.
pub(crate) fn begin(directory: &Path, id: Uuid, sealed: &[u8]) -> Result<()> {
    let partial = directory.join(PARTIAL);
    let written = write_mark(&partial, id, sealed)
        .and_then(|()| Ok(fs::rename(&partial, directory.join(MARK))?));
    match written {
        Ok(()) => sync_directory(directory),
        Err(error) => {
            let _ = fs::remove_file(&partial);
            Err(error)
        }
    }
}

/// Whether an erasure has begun and is not done.
pub(crate) fn has_begun(directory: &Path) -> bool {
    directory.join(MARK).exists()
}

/// Does what an erasure that has begun still has to do; `false` where none has.
pub(crate) fn finish(directory: &Path, outbox: &Outbox) -> Result<bool> {
    let Some(erasure) = Erasure::begun(directory, outbox)? else {
        return Ok(false);
    };
    for step in STEPS {
        step(&erasure)?;
    }
    Ok(true)
}

impl<'a> Erasure<'a> {
    fn begun(directory: &'a Path, outbox: &'a Outbox) -> Result<Option<Self>> {
        let mark = match fs::read(directory.join(MARK)) {
            Ok(mark) => mark,
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        let request = match mark.split_first_chunk::<17>() {
            Some((&[VERSION, ref id @ ..], sealed)) => {
                Some((Uuid::from_bytes(*id), sealed.to_vec()))
            }
            _ => None,
        };
        Ok(Some(Self {
            directory,
            outbox,
            request,
        }))
    }
}

fn write_mark(path: &Path, id: Uuid, sealed: &[u8]) -> Result<()> {
    let mut file = File::create(path)?;
    file.write_all(&[VERSION])?;
    file.write_all(id.as_bytes())?;
    file.write_all(sealed)?;
    file.sync_all()?;
    Ok(())
}

/// Without them nothing that is left can be read, wherever a copy of it lies.
fn keys(erasure: &Erasure<'_>) -> Result<()> {
    for name in ["record.key", "device.key"] {
        destroy(&erasure.directory.join(name))?;
    }
    sync_directory(erasure.directory)
}

fn record(erasure: &Erasure<'_>) -> Result<()> {
    remove(erasure.directory, |name| name.starts_with("record."))
}

/// Also those of a report that waits: the report goes without them.
fn attachments(erasure: &Erasure<'_>) -> Result<()> {
    destroy_all(erasure.directory)?;
    sync_directory(erasure.directory)
}

fn outbox(erasure: &Erasure<'_>) -> Result<()> {
    let request = erasure.request.as_ref();
    erasure
        .outbox
        .erase(request.map(|(id, sealed)| (*id, sealed.as_slice())))
}

fn aside(erasure: &Erasure<'_>) -> Result<()> {
    // A key set aside is still a key.
    for name in names(erasure.directory)? {
        if name.starts_with("device.") {
            destroy(&erasure.directory.join(name))?;
        }
    }
    remove(erasure.directory, |name| {
        name == PARTIAL
            || name.starts_with("packs.")
            || (name.starts_with("outbox.")
                && !matches!(name, "outbox.db" | "outbox.db-wal" | "outbox.db-shm"))
    })
}

fn end(erasure: &Erasure<'_>) -> Result<()> {
    fs::remove_file(erasure.directory.join(MARK))?;
    sync_directory(erasure.directory)
}

/// Overwrites a small file, then deletes it.
fn destroy(path: &Path) -> Result<()> {
    let length = match fs::metadata(path) {
        Ok(meta) => meta.len(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    // In place. Flash may keep the old cells all the same: what they hold is
    // wrapped by the vault. A full disk must not keep the file from going.
    let overwritten = File::options().write(true).open(path).and_then(|mut file| {
        std::io::copy(
            &mut std::io::Read::take(std::io::repeat(0), length),
            &mut file,
        )?;
        file.sync_all()
    });
    drop(overwritten);
    Ok(fs::remove_file(path)?)
}

fn remove(directory: &Path, which: impl Fn(&str) -> bool) -> Result<()> {
    for name in names(directory)? {
        if which(&name) {
            match fs::remove_file(directory.join(name)) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
    }
    sync_directory(directory)
}

fn names(directory: &Path) -> Result<Vec<String>> {
    let mut out = Vec::new();
    for entry in fs::read_dir(directory)? {
        // A name that is not UTF-8 is none of ours.
        out.extend(entry?.file_name().into_string().ok());
    }
    Ok(out)
}

/// A directory that cannot be opened for this (some platforms) leaves the order
/// to the file system.
fn sync_directory(directory: &Path) -> Result<()> {
    if let Ok(directory) = File::open(directory) {
        directory
            .sync_all()
            .map_err(|error| StorageProblem::from(&error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
