//! From a text to the lines of a zone, and where each field stands in them.

use super::{MrzFault, MrzFormat, fault};
use crate::error::Problem;
use crate::validate::ascii;

/// Line and columns of a field: from, to (not included), counted from 0.
pub(super) type At = (usize, usize, usize);

/// Where the fields of a format stand. A check digit is the character behind its
/// field, save the composite one.
pub(super) struct Layout {
    pub(super) state: At,
    pub(super) number: At,
    pub(super) nationality: At,
    pub(super) birth: At,
    pub(super) sex: At,
    pub(super) expiry: At,
    pub(super) optional: At,
    pub(super) optional_2: Option<At>,
    pub(super) name: At,
    pub(super) composite: At,
    /// What the composite digit is made of.
    pub(super) composite_of: &'static [At],
    /// First characters of the document code.
    pub(super) codes: &'static str,
}

const TD1: Layout = Layout {
    state: (0, 2, 5),
    number: (0, 5, 14),
    optional: (0, 15, 30),
    birth: (1, 0, 6),
    sex: (1, 7, 8),
    expiry: (1, 8, 14),
    nationality: (1, 15, 18),
    optional_2: Some((1, 18, 29)),
    composite: (1, 29, 30),
    composite_of: &[(0, 5, 30), (1, 0, 7), (1, 8, 15), (1, 18, 29)],
    name: (2, 0, 30),
    codes: "AIC",
};

const TD2: Layout = Layout {
    state: (0, 2, 5),
    name: (0, 5, 36),
    number: (1, 0, 9),
    nationality: (1, 10, 13),
    birth: (1, 13, 19),
    sex: (1, 20, 21),
    expiry: (1, 21, 27),
    optional: (1, 28, 35),
    optional_2: None,
    composite: (1, 35, 36),
    composite_of: &[(1, 0, 10), (1, 13, 20), (1, 21, 35)],
    codes: "AIC",
};

const TD3: Layout = Layout {
    state: (0, 2, 5),
    name: (0, 5, 44),
    number: (1, 0, 9),
    nationality: (1, 10, 13),
    birth: (1, 13, 19),
    sex: (1, 20, 21),
    expiry: (1, 21, 27),
    optional: (1, 28, 42),
    optional_2: None,
    composite: (1, 43, 44),
    composite_of: &[(1, 0, 10), (1, 13, 20), (1, 21, 43)],
    codes: "P",
};

/// The lines of a zone, each of the right length, of A-Z, 0-9 and `<` only.
#[derive(Clone)]
pub(super) struct Zone {
    pub(super) format: MrzFormat,
    lines: Vec<String>,
}

impl Zone {
    /// Longest text that is looked at: the largest zone with a space between any
    /// two characters, and no more work than that for whatever else comes.
    const LONGEST: usize = 400;

    pub(super) fn of(text: &str) -> Result<Self, MrzFault> {
        let no_zone = |problem| MrzFault {
            field: "mrz".into(),
            problem,
            expected: "two lines of 44 or 36 characters, or three of 30: A-Z, 0-9 and <".into(),
        };
        if text.chars().nth(Self::LONGEST).is_some() {
            return Err(no_zone(Problem::TooLong));
        }
        let lines: Vec<String> = ascii(text)
            .to_ascii_uppercase()
            .lines()
            .map(|line| line.chars().filter(|c| !c.is_whitespace()).collect())
            .filter(|line: &String| !line.is_empty())
            .collect();
        if lines.is_empty() {
            return Err(no_zone(Problem::Empty));
        }
        let right = |line: &String| {
            line.bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'<')
        };
        if let Some(line) = lines.iter().position(|line| !right(line)) {
            let line = format!("line_{}", line + 1);
            return Err(fault(&line, Problem::Malformed, "A-Z, 0-9 and <"));
        }
        Self::cut(&lines).ok_or_else(|| {
            let odd = odd_line(&lines);
            odd.unwrap_or_else(|| no_zone(Problem::Malformed))
        })
    }

    /// As many lines as a format has, or else all of it as one text.
    fn cut(lines: &[String]) -> Option<Self> {
        for format in [MrzFormat::Td1, MrzFormat::Td2, MrzFormat::Td3] {
            let (count, length) = size(format);
            if lines.len() == count && lines.iter().all(|line| line.len() == length) {
                let lines = lines.to_vec();
                return Some(Self { format, lines });
            }
        }
        if lines.len() == 2 || lines.len() == 3 {
            // Lines of other lengths: characters are missing or too many, and
            // joining would shift every field behind them.
            return None;
        }
        let whole: Vec<char> = lines.concat().chars().collect();
        for format in [MrzFormat::Td1, MrzFormat::Td2, MrzFormat::Td3] {
            let (count, length) = size(format);
            if whole.len() == count * length {
                let lines = whole.chunks(length).map(|line| line.iter().collect());
                return Some(Self {
                    format,
                    lines: lines.collect(),
                });
            }
        }
        None
    }

    pub(super) fn layout(&self) -> &'static Layout {
        match self.format {
            MrzFormat::Td1 => &TD1,
            MrzFormat::Td2 => &TD2,
            MrzFormat::Td3 => &TD3,
        }
    }

    pub(super) fn part(&self, (line, from, to): At) -> &str {
        self.lines
            .get(line)
            .and_then(|line| line.get(from..to))
            .unwrap_or_default()
    }

    /// The check digit behind a field.
    pub(super) fn digit(&self, (line, _, to): At) -> &str {
        self.part((line, to, to + 1))
    }

    /// The zone with other characters from a column on.
    pub(super) fn with(&self, (line, from, to): At, text: &str) -> Self {
        let mut changed = self.clone();
        if let Some(line) = changed.lines.get_mut(line)
            && line
                .get(from..to)
                .is_some_and(|old| old.len() == text.len())
        {
            line.replace_range(from..to, text);
        }
        changed
    }

    pub(super) fn text(&self) -> String {
        self.lines.join("\n")
    }
}

/// The line that is shorter or longer than the others allow.
fn odd_line(lines: &[String]) -> Option<MrzFault> {
    let lengths: &[usize] = match lines.len() {
        2 => &[44, 36],
        3 => &[30],
        _ => return None,
    };
    let nearest = lengths.iter().min_by_key(|length| {
        let off = lines.iter().map(|line| line.len().abs_diff(**length));
        off.sum::<usize>()
    })?;
    let odd = lines.iter().position(|line| line.len() != *nearest)?;
    let long = lines.get(odd).is_some_and(|line| line.len() > *nearest);
    Some(fault(
        &format!("line_{}", odd + 1),
        if long {
            Problem::TooLong
        } else {
            Problem::Malformed
        },
        &format!("{nearest} characters"),
    ))
}

/// Lines, and characters in each.
fn size(format: MrzFormat) -> (usize, usize) {
    match format {
        MrzFormat::Td1 => (3, 30),
        MrzFormat::Td2 => (2, 36),
        MrzFormat::Td3 => (2, 44),
    }
}

/// Check digit of Doc 9303-3, section 4.9: weights 7, 3, 1, modulo 10.
pub(super) fn check_digit(text: &str) -> String {
    let sum: u32 = text
        .bytes()
        .zip([7_u32, 3, 1].into_iter().cycle())
        .map(|(byte, weight)| {
            let value = match byte {
                b'0'..=b'9' => u32::from(byte - b'0'),
                b'A'..=b'Z' => u32::from(byte - b'A') + 10,
                _ => 0,
            };
            value * weight
        })
        .sum();
    (sum % 10).to_string()
}
