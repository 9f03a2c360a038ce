//! The file of boundaries: its parts, and what makes it one. `generate/countries.js`
//! has the format.
//!
//! Nothing is built from it. A lookup reads a run of the grid and one or a few cells,
//! in place; every read is checked, so a file that lies gives a wrong answer and
//! nothing worse.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use super::cell::Cell;
use crate::config::Policy;
use crate::error::{HomelineError, Problem, Result};

const MAGIC: &[u8; 4] = b"HLCB";
const VERSION: u8 = 1;
const HEADER: usize = 28;
/// Kinds of lines, each with an error of its own.
pub(super) const CLASSES: usize = 4;
const ROWS: usize = 180;
/// Cells of a row.
pub(super) const COLUMNS: i32 = 360;
/// What is added to the number of a cell with lines.
const MIXED: u16 = 0x8000;

/// The borders of the countries of the world: those in the library, or a ministry's.
///
/// Used in place, shared by all who ask; a lookup takes no lock.
pub struct Boundaries {
    bytes: Cow<'static, [u8]>,
    parts: Parts,
}

/// Where each part of the file is.
#[derive(Default)]
struct Parts {
    as_of_ms: i64,
    errors_m: [u16; CLASSES],
    countries: Range<usize>,
    sets: Range<usize>,
    rows: Range<usize>,
    runs: Range<usize>,
    starts: Range<usize>,
    body: usize,
}

/// What a square degree holds.
#[derive(Clone, Copy)]
pub(super) enum Square {
    /// The same countries everywhere: the number of a set.
    Plain(u16),
    /// Lines: the number of a cell.
    Mixed(u16),
}

#[cfg(feature = "boundaries")]
static DATA: &[u8] = include_bytes!("../data/countries.bin");
#[cfg(not(feature = "boundaries"))]
static DATA: &[u8] = &[];

static BUILTIN: LazyLock<Boundaries> = LazyLock::new(|| Boundaries {
    bytes: Cow::Borrowed(DATA),
    // A test checks the file as that of a stranger.
    parts: Parts::read(DATA).unwrap_or_default(),
});

impl Boundaries {
    /// The boundaries in the library: OpenStreetMap's, as [`ATTRIBUTION`] says.
    /// Without the feature `boundaries` there are none, and every answer is that
    /// nothing is known.
    ///
    /// [`ATTRIBUTION`]: super::ATTRIBUTION
    pub fn builtin() -> &'static Self {
        &BUILTIN
    }

    /// As `parse`, without a look at what the parts hold: a lookup must not need it.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn unchecked(bytes: Vec<u8>) -> Option<Self> {
        let parts = Parts::read(&bytes)?;
        let bytes = Cow::Owned(bytes);
        Some(Self { bytes, parts })
    }

    /// None at all.
    #[cfg(test)]
    pub(super) fn none() -> Self {
        Self {
            bytes: Cow::Borrowed(&[]),
            parts: Parts::default(),
        }
    }

    /// A file of boundaries, from a signed pack of the ministry: what it holds takes
    /// the place of what is built in, a ministry's view of the world with it.
    ///
    /// The work is proportional to the size. Errors: `Invalid` for `boundaries`,
    /// where it is too long or not such a file.
    pub fn parse(bytes: impl Into<Cow<'static, [u8]>>) -> Result<Self> {
        let bytes = bytes.into();
        let invalid = |problem| {
            let expected = "a file of generate/countries.js, version 1";
            HomelineError::invalid("boundaries", problem, expected)
        };
        if bytes.len() > Policy::STANDARD.boundaries_bytes {
            return Err(invalid(Problem::TooLong));
        }
        let parts = Parts::read(&bytes).ok_or_else(|| invalid(Problem::Malformed))?;
        let boundaries = Self { bytes, parts };
        match boundaries.is_sound() {
            Some(()) => Ok(boundaries),
            None => Err(invalid(Problem::Malformed)),
        }
    }

    /// As of when the boundaries are, milliseconds UTC; `None` where there are none.
    pub fn as_of_ms(&self) -> Option<i64> {
        (!self.is_empty()).then_some(self.parts.as_of_ms)
    }

    /// How long the file is, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.parts.body == 0
    }

    fn part<const N: usize>(&self, range: &Range<usize>) -> &[[u8; N]] {
        let bytes = self.bytes.get(range.clone()).unwrap_or_default();
        bytes.as_chunks().0
    }

    /// Metres that lines of this class may be from where they are.
    pub(super) fn error_m(&self, class: usize) -> f64 {
        self.parts.errors_m.get(class).copied().unwrap_or(0).into()
    }

    /// The letters of a country and the one that it lies in, 0 for none.
    pub(super) fn country(&self, number: u8) -> Option<(&str, u8)> {
        let at = usize::from(number).checked_sub(1)?;
        let entry = self.part::<4>(&self.parts.countries).get(at)?;
        let [.., within, _] = entry;
        let letters = entry.first_chunk::<2>()?;
        Some((std::str::from_utf8(letters).ok()?, *within))
    }

    /// The countries of a set, zeros among them.
    pub(super) fn set(&self, number: u16) -> [u8; 4] {
        let sets = self.part::<4>(&self.parts.sets);
        sets.get(usize::from(number)).copied().unwrap_or_default()
    }

    /// What is in a square degree, from the south and the west.
    pub(super) fn square(&self, row: i32, column: u16) -> Option<Square> {
        let runs = self.runs(usize::try_from(row).ok()?)?;
        let after = runs.partition_point(|run| word(run, 0) <= column);
        let run = runs.get(after.checked_sub(1)?)?;
        Some(match word(run, 2) {
            set if set < MIXED => Square::Plain(set),
            first => {
                let on = column.wrapping_sub(word(run, 0));
                Square::Mixed((first - MIXED).wrapping_add(on))
            }
        })
    }

    fn runs(&self, row: usize) -> Option<&[[u8; 4]]> {
        let rows = self.part::<2>(&self.parts.rows);
        let bound = |at: usize| rows.get(at).map(|row| usize::from(word(row, 0)));
        self.part::<4>(&self.parts.runs)
            .get(bound(row)?..bound(row + 1)?)
    }

    /// The lines of a square degree.
    pub(super) fn cell(&self, number: u16) -> Option<Cell<'_>> {
        let starts = self.part::<4>(&self.parts.starts);
        let start = |at: usize| starts.get(at).and_then(long);
        let at = usize::from(number);
        let body = self.bytes.get(self.parts.body..)?;
        Cell::read(body.get(start(at)?..start(at + 1)?)?)
    }

    /// Whether every number in the file points into it, and every cell with lines is
    /// in one square: so a lookup never does more work than the file is long.
    fn is_sound(&self) -> Option<()> {
        let countries = self.part::<4>(&self.parts.countries);
        let sets = self.part::<4>(&self.parts.sets);
        let is_country = |number: &u8| usize::from(*number) <= countries.len();
        let letters = |[a, b, within, _]: &[u8; 4]| {
            a.is_ascii_uppercase() && b.is_ascii_uppercase() && is_country(within)
        };
        let whole = countries.iter().all(letters)
            && sets.iter().flatten().all(is_country)
            && sets.first() == Some(&[0; 4]);
        if !whole {
            return None;
        }
        self.has_sound_runs(sets.len())?;
        let cells = self.part::<4>(&self.parts.starts).len().checked_sub(1)?;
        for number in 0..cells {
            self.cell(u16::try_from(number).ok()?)?
                .is_sound(sets.len())
                .then_some(())?;
        }
        Some(())
    }

    fn has_sound_runs(&self, sets: usize) -> Option<()> {
        let cells = self.part::<4>(&self.parts.starts).len().checked_sub(1)?;
        let mut next = 0;
        for row in 0..ROWS {
            let runs = self.runs(row)?;
            let starts = runs.iter().map(|run| i32::from(word(run, 0)));
            let ends = starts.clone().skip(1).chain([COLUMNS]);
            let mut expected = 0;
            for ((start, end), run) in starts.zip(ends).zip(runs) {
                let in_order = start == expected && start < end;
                let value = word(run, 2);
                let known = match value < MIXED {
                    true => usize::from(value) < sets,
                    false => usize::from(value - MIXED) == next,
                };
                if value >= MIXED {
                    next += usize::try_from(end - start).ok()?;
                }
                (in_order && known).then_some(())?;
                expected = end;
            }
            (expected == COLUMNS).then_some(())?;
        }
        (next == cells).then_some(())
    }
}

impl Parts {
    /// The parts as the header says; `None` where they do not fit the file.
    fn read(bytes: &[u8]) -> Option<Self> {
        let header = bytes.get(..HEADER)?;
        let number = |at: usize| header.get(at..)?.first_chunk::<2>().map(|two| word(two, 0));
        let known = header.starts_with(MAGIC) && header.get(4) == Some(&VERSION);
        let cells = usize::from(number(8)?);
        let mut at = HEADER;
        let mut next = |bytes: usize| {
            let start = at;
            at += bytes;
            start..at
        };
        let countries = next(4 * usize::from(*header.get(5)?));
        let sets = next(4 * usize::from(number(6)?));
        let rows = next(2 * (ROWS + 1));
        let [.., last] = bytes.get(rows.clone())?.as_chunks::<2>().0 else {
            return None;
        };
        let runs = next(4 * usize::from(word(last, 0)));
        let starts = next(4 * (cells + 1));
        let errors_m = [number(20)?, number(22)?, number(24)?, number(26)?];
        let parts = Self {
            as_of_ms: i64::from_le_bytes(*header.get(12..)?.first_chunk()?),
            errors_m,
            countries,
            sets,
            rows,
            runs,
            starts,
            body: at,
        };
        (known && cells < usize::from(MIXED) && parts.fills(bytes)).then_some(parts)
    }

    /// Whether the body is as long as its last start says.
    fn fills(&self, bytes: &[u8]) -> bool {
        let starts = bytes.get(self.starts.clone()).unwrap_or_default();
        let starts = starts.as_chunks::<4>().0;
        let end = starts.last().and_then(long);
        starts.first() == Some(&[0; 4])
            && end.and_then(|end| end.checked_add(self.body)) == Some(bytes.len())
    }
}

/// Two bytes of a few as a number.
pub(super) fn word<const N: usize>(bytes: &[u8; N], at: usize) -> u16 {
    let two = bytes.get(at..).and_then(|rest| rest.first_chunk());
    u16::from_le_bytes(two.copied().unwrap_or_default())
}

fn long(bytes: &[u8; 4]) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(*bytes)).ok()
}

impl std::fmt::Debug for Boundaries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Boundaries")
            .field("as_of_ms", &self.as_of_ms())
            .finish_non_exhaustive()
    }
}
