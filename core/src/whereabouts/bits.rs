//! Numbers as bits: what packed blocks are written with.
//!
//! A column of numbers is written as the differences between them, in the
//! adaptive Rice code that lossless sound formats use (Rice and Plaunt 1971): a
//! small number takes few bits, and what is small follows the numbers before it.
//! Reading is bounded by the input: no value is made of less than one bit.

use crate::error::{HomelineError, Problem, Result};

/// A quotient of this many bits is written as the whole number instead.
const ESCAPE: u32 = 12;
/// The mean follows the last `2^MEMORY` numbers.
const MEMORY: u32 = 3;
/// The mean begins no higher than this: half a kilometre in millionths of a degree.
const START_MAX: u64 = 1 << 12;
/// A number counts in the mean for no more than this many times the mean, so
/// that one that is far off, as behind a hole, does not spoil those after it.
const OUTLIER: u64 = 16;
/// The mean stays below this, so that it cannot overflow.
const MEAN_MAX: u64 = 1 << 56;

/// Bits into bytes, the most significant bit first.
#[derive(Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
    last: u8,
    used: u32,
}

impl Writer {
    /// Writes the low `count` bits of `value`.
    pub(crate) fn bits(&mut self, value: u64, count: u32) {
        for place in (0..count).rev() {
            self.last = self.last << 1 | u8::from(value >> place & 1 == 1);
            self.used += 1;
            if self.used == 8 {
                self.bytes.push(self.last);
                (self.last, self.used) = (0, 0);
            }
        }
    }

    /// A number with its length: 7 bits, then its own.
    pub(super) fn number(&mut self, value: u64) {
        let length = u64::BITS - value.leading_zeros();
        self.bits(u64::from(length), 7);
        self.bits(value, length);
    }

    fn rice(&mut self, value: u64, low: u32) {
        let high = value >> low;
        if high < u64::from(ESCAPE) {
            for _ in 0..high {
                self.bits(1, 1);
            }
            self.bits(0, 1);
            self.bits(value, low);
        } else {
            self.bits(u64::MAX, ESCAPE);
            self.number(value);
        }
    }

    /// The bytes; the last one is filled up with zeros.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        if self.used > 0 {
            self.bytes.push(self.last << (8 - self.used));
        }
        self.bytes
    }
}

/// Bits out of bytes. Every failure is `Invalid`: the bytes may be anybody's.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(crate) fn bits(&mut self, count: u32) -> Result<u64> {
        let mut value = 0u64;
        for _ in 0..count {
            let byte = self.bytes.get(self.at / 8).ok_or_else(malformed)?;
            value = value << 1 | u64::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Ok(value)
    }

    pub(super) fn number(&mut self) -> Result<u64> {
        let length = u32::try_from(self.bits(7)?).map_err(|_| malformed())?;
        if length > u64::BITS {
            return Err(malformed());
        }
        self.bits(length)
    }

    fn rice(&mut self, low: u32) -> Result<u64> {
        for high in 0..u64::from(ESCAPE) {
            if self.bits(1)? == 0 {
                // A writer never has more bits than a number.
                let rest = self.bits(low)?;
                return Ok(high.wrapping_shl(low) | rest);
            }
        }
        self.number()
    }

    /// Whether nothing but the filling of the last byte is left.
    pub(super) fn is_at_end(&self) -> bool {
        let left = (self.bytes.len() * 8).saturating_sub(self.at);
        let last = self.bytes.last().copied().unwrap_or(0);
        left < 8 && last.trailing_zeros() >= u32::try_from(left).unwrap_or(8)
    }
}

/// How a column is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// All numbers are the first one.
    Constant,
    /// Differences to the number before.
    Steps,
    /// Differences to a straight line through the two before.
    Line,
}

impl Shape {
    fn number(self) -> u64 {
        match self {
            Self::Constant => 0,
            Self::Steps => 1,
            Self::Line => 2,
        }
    }

    /// What is expected after `before` and, before that, `earlier`.
    fn expected(self, before: i64, earlier: i64) -> i64 {
        match self {
            Self::Constant | Self::Steps => before,
            Self::Line => before.wrapping_add(before.wrapping_sub(earlier)),
        }
    }

    /// What is left of each number but the first.
    fn residues(self, values: &[i64]) -> Vec<i64> {
        let mut earlier = values.first().copied().unwrap_or(0);
        values
            .iter()
            .zip(values.iter().skip(1))
            .map(|(&before, &value)| {
                let residue = value.wrapping_sub(self.expected(before, earlier));
                earlier = before;
                residue
            })
            .collect()
    }
}

/// How many low bits are written as they are: follows the mean of the numbers
/// before.
struct Mean(u64);

impl Mean {
    fn start(first: u64) -> Self {
        Self(first.min(START_MAX) << MEMORY)
    }

    fn low_bits(&self) -> u32 {
        (self.0 >> MEMORY).checked_ilog2().unwrap_or(0)
    }

    fn follow(&mut self, value: u64) {
        let mean = self.0 >> MEMORY;
        let most = (mean + 1).saturating_mul(OUTLIER).min(MEAN_MAX);
        self.0 = self.0 - mean + value.min(most);
    }
}

/// Writes a column, in the shape that takes least. Nothing for an empty one.
pub(super) fn write_column(out: &mut Writer, values: &[i64]) {
    let Some(&first) = values.first() else {
        return;
    };
    let shape = if values.iter().all(|value| *value == first) {
        Shape::Constant
    } else {
        [Shape::Steps, Shape::Line]
            .into_iter()
            .min_by_key(|shape| {
                let mut trial = Writer::default();
                write_residues(&mut trial, &shape.residues(values));
                trial.finish().len()
            })
            .unwrap_or(Shape::Steps)
    };
    out.bits(shape.number(), 2);
    out.number(zigzag(first));
    if shape != Shape::Constant {
        write_residues(out, &shape.residues(values));
    }
}

fn write_residues(out: &mut Writer, residues: &[i64]) {
    // Whole seconds, or degrees with five places: only the multiple is written.
    let unit = residues
        .iter()
        .fold(0, |unit, residue| gcd(unit, residue.unsigned_abs()));
    let unit = i64::try_from(unit).unwrap_or(1).max(1);
    out.number(unit.unsigned_abs());
    let mut mean: Option<Mean> = None;
    for residue in residues {
        let value = zigzag(residue.checked_div(unit).unwrap_or(0));
        match &mut mean {
            None => {
                out.number(value);
                mean = Some(Mean::start(value));
            }
            Some(mean) => {
                out.rice(value, mean.low_bits());
                mean.follow(value);
            }
        }
    }
}

/// Reads a column of `count` numbers.
pub(super) fn read_column(input: &mut Reader<'_>, count: usize) -> Result<Vec<i64>> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let shape = match input.bits(2)? {
        0 => Shape::Constant,
        1 => Shape::Steps,
        2 => Shape::Line,
        _ => return Err(malformed()),
    };
    let first = unzigzag(input.number()?);
    let mut values = Vec::with_capacity(count);
    values.push(first);
    if shape == Shape::Constant {
        values.resize(count, first);
        return Ok(values);
    }
    let unit = unzigzag(input.number()?.wrapping_shl(1));
    let (mut earlier, mut before) = (first, first);
    let mut mean: Option<Mean> = None;
    while values.len() < count {
        let part = match &mut mean {
            None => {
                let part = input.number()?;
                mean = Some(Mean::start(part));
                part
            }
            Some(mean) => {
                let part = input.rice(mean.low_bits())?;
                mean.follow(part);
                part
            }
        };
        let residue = unzigzag(part).wrapping_mul(unit);
        let value = shape.expected(before, earlier).wrapping_add(residue);
        values.push(value);
        (earlier, before) = (before, value);
    }
    Ok(values)
}

/// 0, -1, 1, -2, … as 0, 1, 2, 3, …
pub(super) fn zigzag(value: i64) -> u64 {
    (value.wrapping_shl(1) ^ (value >> 63)).cast_unsigned()
}

/// The number that [`zigzag`] made `value` of.
pub(super) fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ (value & 1).cast_signed().wrapping_neg()
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while let Some(rest) = a.checked_rem(b) {
        (a, b) = (b, rest);
    }
    a
}

pub(super) fn malformed() -> HomelineError {
    HomelineError::invalid(
        "positions.blocks",
        Problem::Malformed,
        "a packed block of positions, version 1",
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(values: &[i64]) -> Vec<u8> {
        let mut out = Writer::default();
        write_column(&mut out, values);
        out.finish()
    }

    proptest! {
        #[test]
        fn every_column_comes_back(values in proptest::collection::vec(
            prop_oneof![any::<i64>(), -1_000..1_000i64, Just(i64::MIN), Just(i64::MAX)], 0..400,
        )) {
            let bytes = written(&values);
            let mut input = Reader::new(&bytes);
            prop_assert_eq!(read_column(&mut input, values.len()).unwrap(), values);
            prop_assert!(input.is_at_end());
        }

        #[test]
        fn numbers_turn_and_turn_back(value in any::<i64>()) {
            prop_assert_eq!(unzigzag(zigzag(value)), value);
        }
    }

    #[test]
    fn a_steady_column_takes_next_to_nothing() {
        // A fix each 10 s for 256 fixes: the step once, then a bit each.
        let times: Vec<i64> = (0..256).map(|n| 1_750_000_000_000 + n * 10_000).collect();
        assert!(written(&times).len() < 48, "{}", written(&times).len());
        assert!(written(&[42; 256]).len() <= 3);
    }

    #[test]
    fn a_number_that_is_far_off_does_not_spoil_those_after_it() {
        let mut values: Vec<i64> = (0..256).map(|n| n % 7).collect();
        let calm = written(&values).len();
        values[100] = i64::MAX;
        assert!(
            written(&values).len() < calm + 120,
            "{}",
            written(&values).len()
        );
    }
}
