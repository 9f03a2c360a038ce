//! Files that are being fetched: `packs.HASH.part`, as long as what has come of each.
//!
//! Nobody reads one but to go on with it, and to take it when its hash proves that it is
//! whole; so a piece needs no sync. On a full disk they go at once, since a press of SOS
//! needs the room.

use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use crate::error::{HomelineError, Result, StorageProblem};
use crate::seal::sha256_hex;
use crate::sqlite::make_directory;

/// The files that are being fetched, in the phone's directory.
pub(crate) struct PartFiles {
    directory: PathBuf,
}

impl PartFiles {
    pub(super) fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
        }
    }

    /// Bytes of a file that have come, from its beginning.
    pub(crate) fn length(&self, sha256: &str) -> u64 {
        fs::metadata(self.path(sha256)).map_or(0, |file| file.len())
    }

    /// Keeps the next piece of a file, which begins at byte `start`.
    pub(crate) fn append(&self, sha256: &str, start: u64, bytes: &[u8]) -> Result<()> {
        make_directory(&self.directory)?;
        let kept = self
            .write(sha256, start, bytes)
            .map_err(HomelineError::from);
        if kept == Err(StorageProblem::Full.into()) {
            self.clear();
        }
        kept
    }

    /// A file that has come, if it has its hash. It is gone from here then, and one that
    /// has not is thrown away.
    pub(crate) fn take(&self, sha256: &str) -> Result<Option<Vec<u8>>> {
        let path = self.path(sha256);
        let file = fs::read(&path)?;
        fs::remove_file(&path)?;
        Ok((sha256_hex(&file) == sha256).then_some(file))
    }

    /// Throws away all of them.
    pub(crate) fn clear(&self) {
        let Ok(entries) = fs::read_dir(&self.directory) else {
            return;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with("packs.") && name.ends_with(".part") {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// What a write that failed half way has left is written over by the next one.
    fn write(&self, sha256: &str, start: u64, bytes: &[u8]) -> std::io::Result<()> {
        let mut options = File::options();
        options.write(true).create(true).truncate(false);
        let mut file = options.open(self.path(sha256))?;
        file.set_len(start)?;
        file.seek(SeekFrom::Start(start))?;
        file.write_all(bytes)
    }

    fn path(&self, sha256: &str) -> PathBuf {
        self.directory.join(format!("packs.{sha256}.part"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_comes_in_pieces_and_is_taken_whole_or_not_at_all() {
        let directory = tempfile::tempdir().unwrap();
        let parts = PartFiles::new(&directory.path().join("made"));
        let whole = b"0123456789";
        let hash = sha256_hex(whole);
        assert_eq!(parts.length(&hash), 0);
        parts.append(&hash, 0, b"0123").unwrap();
        parts.append(&hash, 4, b"4567zzz").unwrap();
        // After a write that was cut off.
        parts.append(&hash, 8, b"89").unwrap();
        assert_eq!(parts.length(&hash), 10);
        assert_eq!(parts.take(&hash).unwrap().unwrap(), whole);
        assert_eq!(parts.length(&hash), 0);
        parts.append(&hash, 0, b"0123456780").unwrap();
        assert_eq!(parts.take(&hash).unwrap(), None);
        assert_eq!(parts.length(&hash), 0);
        parts.append(&hash, 0, b"1").unwrap();
        parts.clear();
        assert_eq!(parts.length(&hash), 0);
    }
}
