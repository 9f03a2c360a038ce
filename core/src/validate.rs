//! Checks of form, shared by all services: which field, what is wrong with it,
//! and which form is expected. Pure functions. None of them is asked by a press.

use crate::config::Policy;
use crate::error::{HomelineError, Problem, Result};

/// A text of one line that a person typed: not empty, not too long, without
/// control characters. White space around it is cut.
pub(crate) fn line(field: &str, text: &str, policy: &Policy) -> Result<String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(HomelineError::invalid(
            field,
            Problem::Empty,
            "at least one character",
        ));
    }
    if text.chars().count() > policy.text_chars {
        return Err(HomelineError::invalid(
            field,
            Problem::TooLong,
            &format!("at most {} characters", policy.text_chars),
        ));
    }
    if text.chars().any(char::is_control) {
        return Err(HomelineError::invalid(
            field,
            Problem::ControlCharacter,
            "one line of text",
        ));
    }
    Ok(text.to_owned())
}

/// A phone number: E.164 (`+` and 7 to 15 digits, the first not 0), written
/// with or without spaces, hyphens, dots and brackets; or a short code of 3 to 6
/// digits such as 12308, which is kept as it is.
pub(crate) fn phone(field: &str, text: &str) -> Result<String> {
    const EXPECTED: &str = "E.164, for example +8613800138000, or a short code of 3 to 6 digits";
    let bare: String = text
        .chars()
        .filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')' | '\u{a0}'))
        .collect();
    if bare.is_empty() {
        return Err(HomelineError::invalid(field, Problem::Empty, EXPECTED));
    }
    let digits = bare.strip_prefix('+').unwrap_or(&bare);
    let right = digits.bytes().all(|b| b.is_ascii_digit())
        && if digits.len() == bare.len() {
            (3..=6).contains(&digits.len())
        } else {
            (7..=15).contains(&digits.len()) && !digits.starts_with('0')
        };
    if right {
        Ok(bare)
    } else {
        Err(HomelineError::invalid(field, Problem::Malformed, EXPECTED))
    }
}

/// The note of a press, made fit to be sent: never refused. Control characters
/// but line ends and tabs become spaces, and what is too long is cut between
/// characters. Returns the note and whether it was cut.
pub(crate) fn note(text: &str, policy: &Policy) -> (String, bool) {
    let mut rest = text.chars();
    let note = rest
        .by_ref()
        .take(policy.note_chars)
        .map(|c| match c {
            '\n' | '\t' => c,
            c if c.is_control() => ' ',
            c => c,
        })
        .collect();
    (note, rest.next().is_some())
}

/// The first characters of a text, of at most `bytes` in UTF-8.
pub(crate) fn cut(text: &str, bytes: usize) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if out.len() + c.len_utf8() > bytes {
            break;
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phones_are_e164_or_short_codes() {
        let cases = [
            ("+86 138-0013-8000", Some("+8613800138000")),
            ("+1 (212) 555.0100", Some("+12125550100")),
            ("12308", Some("12308")),
            ("110", Some("110")),
            ("13800138000", None),
            ("+012345678", None),
            ("+123456", None),
            ("+1234567890123456", None),
            ("+86138x0013", None),
            ("++8613800138000", None),
            ("", None),
            ("1\x002308", None),
        ];
        for (given, kept) in cases {
            assert_eq!(phone("phone", given).ok().as_deref(), kept, "{given:?}");
        }
    }

    #[test]
    fn a_note_is_cut_between_characters_and_never_refused() {
        let (cut, was_cut) = note(&"🆘".repeat(1_000_000), &Policy::STANDARD);
        assert_eq!(cut.chars().count(), Policy::STANDARD.note_chars);
        assert!(was_cut);
        let (kept, was_cut) = note("a\0b\nc", &Policy::STANDARD);
        assert_eq!((kept.as_str(), was_cut), ("a b\nc", false));
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        for (bytes, kept) in [
            (0, ""),
            (2, ""),
            (3, "李"),
            (5, "李"),
            (6, "李伟"),
            (9, "李伟"),
        ] {
            assert_eq!(cut("李伟", bytes), kept);
        }
    }

    #[test]
    fn lines_refuse_control_characters_and_length() {
        let policy = Policy::STANDARD;
        assert_eq!(line("f", "  李伟 ", &policy).as_deref(), Ok("李伟"));
        for bad in ["", "  ", "a\0b", "a\nb", &"x".repeat(1_000_000)] {
            assert!(matches!(
                line("f", bad, &policy),
                Err(HomelineError::Invalid { .. })
            ));
        }
    }
}
