//! The sealed bytes of attachments: one file each, `attachments/ID`, beside
//! `outbox.db`.
//!
//! One file and not one a chunk: 50 MB are 800 chunks, and one sync, one rename and
//! one deletion are enough. A chunk lies at its position times its length. Without
//! the key, which is in no file but sealed, the bytes are noise.
//!
//! A file is written under a name that ends in `.partial`, synced, renamed, and only
//! then named by a row. Whoever writes one holds its lock until the row is there, so
//! that [`Outbox::sweep_attachments`] tells what a kill has left from what is being
//! made, in whichever process.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use rusqlite::OptionalExtension as _;
use uuid::Uuid;

use super::Outbox;
use crate::error::Result;
use crate::sqlite::{PARTIAL, sync_directory};

/// Name of the directory.
pub(crate) const DIRECTORY: &str = "attachments";

/// A file that is being written. Unless it is kept, nothing of it stays.
pub(crate) struct PartialFile {
    file: File,
    partial: PathBuf,
    whole: PathBuf,
    kept: bool,
}

impl PartialFile {
    fn begin(directory: &Path, id: Uuid) -> Result<Self> {
        if !directory.exists() {
            fs::create_dir_all(directory)?;
            sync_directory(directory);
        }
        let whole = directory.join(id.to_string());
        let partial = directory.join(format!("{id}{PARTIAL}"));
        let file = File::options()
            .write(true)
            .create_new(true)
            .open(&partial)?;
        // Where locks are not to be had, a start of another process in this very
        // moment takes it for a leftover: then the call fails, and says so.
        let _ = file.lock();
        Ok(Self {
            file,
            partial,
            whole,
            kept: false,
        })
    }

    /// Appends.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.file.write_all(bytes)?)
    }

    /// Syncs the file and gives it its name.
    pub(crate) fn finish(&mut self) -> Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.partial, &self.whole)?;
        sync_directory(&self.whole);
        Ok(())
    }

    /// A row names it now.
    pub(crate) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        if !self.kept {
            let _ = fs::remove_file(&self.partial);
            let _ = fs::remove_file(&self.whole);
        }
    }
}

impl Outbox {
    /// Begins the file of a new attachment.
    pub(crate) fn begin_ciphertext(&self, id: Uuid) -> Result<PartialFile> {
        PartialFile::begin(&self.attachments(), id)
    }

    /// A sealed chunk; shorter than `chunk_bytes` at the end of the file, `None`
    /// where there is nothing.
    pub(crate) fn chunk(
        &self,
        id: Uuid,
        position: u32,
        chunk_bytes: u64,
    ) -> Result<Option<Vec<u8>>> {
        let mut file = match File::open(self.attachments().join(id.to_string())) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        file.seek(SeekFrom::Start(
            u64::from(position).saturating_mul(chunk_bytes),
        ))?;
        let mut chunk = Vec::with_capacity(usize::try_from(chunk_bytes).unwrap_or(0));
        file.take(chunk_bytes).read_to_end(&mut chunk)?;
        Ok(Some(chunk).filter(|chunk| !chunk.is_empty()))
    }

    /// Removes the files that no row needs: what a kill has left, and what was
    /// delivered or given up.
    pub(crate) fn sweep_attachments(&self) -> Result<()> {
        let directory = self.attachments();
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        for entry in entries {
            let path = entry?.path();
            let Ok(file) = File::open(&path) else {
                continue;
            };
            // The lock first, then the row: whoever makes it does the reverse.
            if matches!(file.try_lock(), Err(fs::TryLockError::WouldBlock)) {
                continue;
            }
            let id = path.file_name().and_then(|name| name.to_str());
            let id = id.and_then(|name| Uuid::parse_str(name).ok());
            let needed = id.map_or(Ok(false), |id| self.needs_ciphertext(id))?;
            if !needed {
                let _ = fs::remove_file(&path);
            }
        }
        sync_directory(&directory.join("."));
        Ok(())
    }

    fn needs_ciphertext(&self, id: Uuid) -> Result<bool> {
        self.read(|tx| {
            let row: Option<i64> = tx
                .query_row(
                    "SELECT 1 FROM attachment WHERE id = ?1 AND state <> 1",
                    [id],
                    |row| row.get(0),
                )
                .optional()?;
            Ok(row.is_some())
        })
    }
}

/// Deletes them all. Their key is in the outbox, sealed: it is gone before.
pub(crate) fn destroy_all(directory: &Path) -> Result<()> {
    match fs::remove_dir_all(directory.join(DIRECTORY)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
