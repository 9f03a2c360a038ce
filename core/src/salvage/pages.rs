//! The pages of a database file, one by one, the newest of each: from the
//! write-ahead log where it is committed there, else from the file. Nothing is
//! written, and SQLite is not asked: it gives up on a file whose first page is
//! damaged.
//!
//! Source: "Database File Format", sqlite.org/fileformat2.html, sections 1.3
//! (header) and 4 (write-ahead log).

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use super::bytes::{u16_at, u32_at};
use crate::error::Result;
use crate::sqlite::with_suffix;

/// Turns a page as it lies in the file into its content; `None`: unreadable.
pub(crate) type Decode<'a> = &'a dyn Fn(u32, &[u8]) -> Option<Vec<u8>>;

/// What SQLite and SQLCipher take unless told otherwise.
const PAGE_BYTES: u32 = 4096;
const MAGIC: &[u8] = b"SQLite format 3\0";
/// Offsets in the header of the database.
const AT_PAGE_BYTES: usize = 16;
const AT_PAGE_COUNT: usize = 28;
const AT_FREE_LIST: usize = 32;
const AT_USER_VERSION: usize = 60;

/// The pages of one file.
pub(crate) struct Pages<'a> {
    file: File,
    bytes: u32,
    count: u32,
    /// Where in the log the newest committed version of a page lies.
    log: HashMap<u32, u64>,
    log_file: Option<File>,
    decode: Decode<'a>,
}

impl<'a> Pages<'a> {
    pub(crate) fn open(path: &Path, decode: Decode<'a>) -> Result<Self> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut header = [0; 32];
        let whole = file.read_exact(&mut header).is_ok() && header.starts_with(MAGIC);
        let bytes = whole
            .then(|| page_bytes(u16_at(&header, AT_PAGE_BYTES)?))
            .flatten()
            .unwrap_or(PAGE_BYTES);
        let in_file = u32::try_from(length.div_ceil(u64::from(bytes))).unwrap_or(u32::MAX);
        let mut pages = Self {
            file,
            bytes,
            count: in_file,
            log: HashMap::new(),
            log_file: File::open(with_suffix(path, "-wal")).ok(),
            decode,
        };
        if let Some(committed) = pages.read_log() {
            pages.count = committed.max(in_file);
        } else if let Some(said) = pages.first().and_then(|page| u32_at(&page, AT_PAGE_COUNT)) {
            // A file that was cut short misses pages that its header counts.
            pages.count = said.max(in_file);
        }
        Ok(pages)
    }

    /// How many pages there are, the damaged and the missing ones included.
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// Content of a page, numbered from 1; `None` where it cannot be read.
    pub(crate) fn read(&self, number: u32) -> Option<Vec<u8>> {
        let (file, at) = match (self.log.get(&number), &self.log_file) {
            (Some(at), Some(log)) => (log, *at),
            _ => {
                let before = u64::from(number.checked_sub(1)?);
                (&self.file, before.checked_mul(u64::from(self.bytes))?)
            }
        };
        let mut raw = vec![0; usize::try_from(self.bytes).ok()?];
        let mut file = file;
        file.seek(SeekFrom::Start(at)).ok()?;
        file.read_exact(&mut raw).ok()?;
        (self.decode)(number, &raw)
    }

    /// The schema version that our migrations left; `None` where the first page
    /// cannot be read.
    pub(crate) fn user_version(&self) -> Option<u32> {
        u32_at(&self.first()?, AT_USER_VERSION)
    }

    /// First page of the list of free pages; 0: there is none.
    pub(super) fn free_list(&self) -> Option<u32> {
        u32_at(&self.first()?, AT_FREE_LIST)
    }

    fn first(&self) -> Option<Vec<u8>> {
        self.read(1).filter(|page| page.starts_with(MAGIC))
    }

    /// Reads the log up to its last commit; returns the size of the database by
    /// then, in pages.
    fn read_log(&mut self) -> Option<u32> {
        let log = self.log_file.as_mut()?;
        let mut reader = std::io::BufReader::new(log);
        let mut header = [0; 32];
        reader.read_exact(&mut header).ok()?;
        let order = match u32_at(&header, 0)? {
            0x377f_0682 => u32::from_le_bytes,
            0x377f_0683 => u32::from_be_bytes,
            _ => return None,
        };
        if u32_at(&header, 8)? != self.bytes {
            return None;
        }
        let mut sum = checksum((0, 0), header.get(..24)?, order);
        if sum != (u32_at(&header, 24)?, u32_at(&header, 28)?) {
            return None;
        }
        let mut frame = vec![0; usize::try_from(self.bytes).ok()?.checked_add(24)?];
        let mut at = 32u64;
        let (mut open, mut committed) = (HashMap::new(), None);
        while reader.read_exact(&mut frame).is_ok() && frame.get(8..16) == header.get(16..24) {
            sum = checksum(sum, frame.get(..8)?, order);
            sum = checksum(sum, frame.get(24..)?, order);
            if sum != (u32_at(&frame, 16)?, u32_at(&frame, 20)?) {
                break;
            }
            open.insert(u32_at(&frame, 0)?, at.checked_add(24)?);
            let size = u32_at(&frame, 4)?;
            if size > 0 {
                self.log.extend(open.drain());
                committed = Some(size);
            }
            at = at.checked_add(u64::try_from(frame.len()).ok()?)?;
        }
        committed
    }
}

/// The page size that a header gives; 1 stands for 65,536.
fn page_bytes(given: u16) -> Option<u32> {
    match given {
        1 => Some(65_536),
        size if size >= 512 && size.is_power_of_two() => Some(size.into()),
        _ => None,
    }
}

/// The checksum of the log: over pairs of words, in the order of its magic.
fn checksum(from: (u32, u32), bytes: &[u8], order: fn([u8; 4]) -> u32) -> (u32, u32) {
    let (words, _) = bytes.as_chunks::<4>();
    let (pairs, _) = words.as_chunks::<2>();
    pairs.iter().fold(from, |(a, b), [first, second]| {
        let a = a.wrapping_add(order(*first)).wrapping_add(b);
        (a, b.wrapping_add(order(*second)).wrapping_add(a))
    })
}
