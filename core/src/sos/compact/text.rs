//! Parts of a note, for text messages: each is sealed for itself, and what it holds
//! is read without the others.
//!
//! In bytes, before the sealing:
//!
//! ```text
//! offset  bytes  field
//!      0     16  report id
//!     16      1  which part, from 1, in the upper four bits; of how many below
//!     17      1  bit 0: UTF-16 (big-endian), else UTF-8; bit 1: the note was longer
//!                than all parts hold
//!     18      1  bytes of the text
//!     19      n  the text
//!            ..  zeros up to a length of [`TEXT_PART_BYTES`]
//! ```
//!
//! Sealed, with the sender's key in clear, a part has 101 bytes beside its text. Of
//! one text message that leaves 19, nine Chinese characters; so a part may
//! be a text of two or three messages, which every phone and network puts together
//! (3GPP TS 23.040, section 9.2.3.24.1): 127 bytes and 241. Chinese takes two bytes
//! a character in UTF-16, Latin one in UTF-8; the shorter of the two is taken.

use uuid::Uuid;

use super::TEXT_PARTS_MAX;

const HEADER: usize = 19;
const UTF_16: u8 = 1;
const CUT: u8 = 2;

/// Lengths of a part: sealed and in base64 they are a text of one message of 160
/// characters, and of two and three of 153 each.
pub const TEXT_PART_BYTES: [usize; 3] = [38, 146, 260];

/// A part of a note.
#[derive(Clone, PartialEq, Eq)]
pub struct TextPart {
    /// The report.
    pub report: Uuid,
    /// Which part it is, from 1.
    pub part: u8,
    /// Of how many.
    pub of: u8,
    /// Whether the note was longer than all parts hold.
    pub cut: bool,
    /// What it says.
    pub text: String,
}

redacted_debug!(TextPart);

impl TextPart {
    /// The parts of a note, at most `most` of them (and never more than
    /// [`TEXT_PARTS_MAX`]). Cut between characters, and not before marks that
    /// belong to the one before.
    pub fn split(report: Uuid, note: &str, most: u8) -> Vec<Self> {
        let mut texts = Vec::new();
        let mut rest = note.trim();
        while !rest.is_empty() && texts.len() < usize::from(most.min(TEXT_PARTS_MAX)) {
            let (text, left) = first_piece(rest);
            texts.push(text);
            rest = left;
        }
        let of = u8::try_from(texts.len()).unwrap_or(TEXT_PARTS_MAX);
        (1..=of)
            .zip(texts)
            .map(|(part, text)| Self {
                report,
                part,
                of,
                cut: !rest.is_empty(),
                text: text.to_owned(),
            })
            .collect()
    }

    /// The bytes, of one of the lengths of [`TEXT_PART_BYTES`]; `None` where the text
    /// does not fit: those of [`TextPart::split`] do.
    pub fn encode(&self) -> Option<Vec<u8>> {
        let utf_16: Vec<u8> = self
            .text
            .encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect();
        let (coding, text) = match utf_16.len() < self.text.len() {
            true => (UTF_16, utf_16.as_slice()),
            false => (0, self.text.as_bytes()),
        };
        let length = TEXT_PART_BYTES
            .into_iter()
            .find(|length| HEADER.saturating_add(text.len()) <= *length)?;
        let mut out = Vec::with_capacity(length);
        out.extend_from_slice(self.report.as_bytes());
        let of = self.of.min(TEXT_PARTS_MAX);
        out.push(self.part.min(of) << 4 | of);
        out.push(coding | if self.cut { CUT } else { 0 });
        out.push(u8::try_from(text.len()).ok()?);
        out.extend_from_slice(text);
        out.resize(length, 0);
        Some(out)
    }

    /// Reads a part; `None` where it is none.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        if !TEXT_PART_BYTES.contains(&bytes.len()) {
            return None;
        }
        let (id, rest) = bytes.split_first_chunk::<16>()?;
        let (&[place, how, length], rest) = rest.split_first_chunk::<3>()?;
        let text = rest.get(..usize::from(length))?;
        let text = match how & UTF_16 {
            0 => std::str::from_utf8(text).ok()?.to_owned(),
            _ => {
                let (pairs, odd) = text.as_chunks::<2>();
                let units: Vec<u16> = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
                String::from_utf16(&units).ok().filter(|_| odd.is_empty())?
            }
        };
        let (part, of) = (place >> 4, place & 0x0f);
        ((1..=of).contains(&part) && !text.is_empty()).then_some(Self {
            report: Uuid::from_bytes(*id),
            part,
            of,
            cut: how & CUT != 0,
            text,
        })
    }
}

/// As much as fits into the longest part, and the rest.
fn first_piece(note: &str) -> (&str, &str) {
    let [.., longest] = TEXT_PART_BYTES;
    let room = longest.saturating_sub(HEADER);
    let (mut utf_8, mut utf_16) = (0usize, 0usize);
    let (mut fits, mut good) = (0usize, 0usize);
    let mut before = None;
    for (at, next) in note.char_indices() {
        if at > 0 {
            fits = at;
            if before.is_some_and(|before| !belongs_together(before, next)) {
                good = at;
            }
        }
        utf_8 = utf_8.saturating_add(next.len_utf8());
        utf_16 = utf_16.saturating_add(next.len_utf16().saturating_mul(2));
        if utf_8.min(utf_16) > room {
            // What is all marks is cut among them.
            let cut = if good > 0 { good } else { fits };
            return note.split_at_checked(cut).unwrap_or((note, ""));
        }
        before = Some(next);
    }
    (note, "")
}

/// Whether a cut here would tear what a reader sees as one character: the common
/// cases of Unicode's rules (UAX 29), without their tables.
fn belongs_together(before: char, next: char) -> bool {
    const JOINER: char = '\u{200d}';
    before == JOINER
        || matches!(
            next,
            JOINER
                | '\u{300}'..='\u{36f}'
                | '\u{591}'..='\u{5c7}'
                | '\u{64b}'..='\u{65f}'
                | '\u{900}'..='\u{903}'
                | '\u{93a}'..='\u{94f}'
                | '\u{e31}'
                | '\u{e34}'..='\u{e3a}'
                | '\u{e47}'..='\u{e4e}'
                | '\u{f71}'..='\u{f84}'
                | '\u{f8d}'..='\u{fbc}'
                | '\u{1ab0}'..='\u{1aff}'
                | '\u{1dc0}'..='\u{1dff}'
                | '\u{20d0}'..='\u{20ff}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{fe20}'..='\u{fe2f}'
                | '\u{1f3fb}'..='\u{1f3ff}'
                | '\u{e0020}'..='\u{e007f}'
                | '\u{e0100}'..='\u{e01ef}'
        )
        || (is_flag(before) && is_flag(next))
}

fn is_flag(letter: char) -> bool {
    matches!(letter, '\u{1f1e6}'..='\u{1f1ff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::seal::compact::{COMPACT_OVERHEAD, to_text};
    use crate::testing::NAMES;

    fn split(note: &str) -> Vec<TextPart> {
        TextPart::split(Uuid::from_u128(7), note, 4)
    }

    fn whole(parts: &[TextPart]) -> String {
        parts.iter().map(|part| part.text.as_str()).collect()
    }

    #[test]
    fn a_part_is_one_two_or_three_messages() {
        for (bytes, chars) in TEXT_PART_BYTES.into_iter().zip([160, 2 * 153, 3 * 153]) {
            let text = to_text(&vec![0; bytes + COMPACT_OVERHEAD]);
            assert!(text.len() <= chars, "{bytes}: {}", text.len());
            assert!(to_text(&vec![0; bytes + COMPACT_OVERHEAD + 3]).len() > chars);
        }
    }

    #[test]
    fn chinese_takes_two_bytes_a_character_and_latin_one() {
        for (note, length) in [
            ("救救我们啊", 38),
            ("我在山上摔断了腿无法走动", 146),
            ("Broken leg, ridge", 38),
            ("", 0),
        ] {
            let parts = split(note);
            let encoded = parts.first().and_then(TextPart::encode);
            assert_eq!(encoded.map_or(0, |bytes| bytes.len()), length, "{note}");
        }
        let note = "腿".repeat(120);
        assert_eq!(split(&note).len(), 1);
        assert_eq!(split(&"腿".repeat(121)).len(), 2);
    }

    #[test]
    fn what_does_not_fit_is_said_to_be_cut() {
        let note = "求".repeat(1_000);
        let parts = split(&note);
        assert_eq!(parts.len(), 4);
        assert!(parts.iter().all(|part| part.cut && part.of == 4));
        assert!(note.starts_with(&whole(&parts)));
        assert!(split(&"求".repeat(480)).iter().all(|part| !part.cut));
    }

    #[test]
    fn no_letter_is_torn_from_its_marks() {
        for name in NAMES
            .into_iter()
            .chain(["👨\u{200d}👩\u{200d}👧", "🇨🇳", "é\u{323}"])
        {
            for before in 225..=245 {
                let note = format!("{}{name}{}", "x".repeat(before), "y".repeat(30));
                let parts = split(&note);
                assert_eq!(whole(&parts), note);
                let [_, second] = parts.as_slice() else {
                    continue;
                };
                let first = second.text.chars().next().unwrap();
                assert!(!belongs_together('x', first), "{name} at {before}");
            }
        }
    }

    #[test]
    fn what_is_no_part_is_not_read() {
        let bytes = split("help").first().and_then(TextPart::encode).unwrap();
        assert!(TextPart::decode(&bytes).is_some());
        let with = |at: usize, value: u8| {
            let mut changed = bytes.clone();
            changed[at] = value;
            TextPart::decode(&changed)
        };
        assert!(with(16, 0x01).is_none(), "part 0 of 1");
        assert!(with(16, 0x21).is_none(), "part 2 of 1");
        assert!(with(18, 0).is_none(), "no text");
        assert!(with(18, 20).is_none(), "longer than it is");
        assert!(with(19, 0xff).is_none(), "not UTF-8");
        assert!(TextPart::decode(&bytes[..18]).is_none());
        let mut odd = bytes.clone();
        (odd[17], odd[18]) = (UTF_16, 3);
        assert!(TextPart::decode(&odd).is_none());
    }

    proptest! {
        #[test]
        fn any_note_comes_back(note in "\\PC{0,400}", most in 0..20u8) {
            let parts = TextPart::split(Uuid::from_u128(7), &note, most);
            prop_assert!(parts.len() <= usize::from(most.min(TEXT_PARTS_MAX)));
            for part in &parts {
                let bytes = part.encode().unwrap();
                prop_assert!(TEXT_PART_BYTES.contains(&bytes.len()));
                prop_assert!(TextPart::decode(&bytes).as_ref() == Some(part));
            }
            let text = whole(&parts);
            if parts.first().is_none_or(|part| part.cut) {
                prop_assert!(note.trim().starts_with(&text));
            } else {
                prop_assert_eq!(text, note.trim());
            }
        }

        #[test]
        fn any_bytes_have_an_answer(bytes in proptest::collection::vec(any::<u8>(), 38)) {
            if let Some(part) = TextPart::decode(&bytes) {
                let again = TextPart::decode(&part.encode().unwrap());
                prop_assert!(again == Some(part));
            }
        }
    }
}
