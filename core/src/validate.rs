//! Checks of form, shared by all services: which field, what is wrong with it,
//! and which form is expected. Pure functions. None of them is asked by a press.

use crate::config::Policy;
use crate::error::{HomelineError, Problem, Result};

/// A text of one line that a person typed: not empty, not too long, without
/// control characters. White space around it is cut; all else is kept as typed,
/// in any script, composed or not.
///
/// Characters that turn the direction of what follows (embeddings, overrides,
/// isolates) are refused: with them a name can make an officer's screen show
/// other digits than it holds. Marks that only order their neighbours (U+200E,
/// U+200F, U+061C) and joiners, which Persian and Indian names need, are kept.
pub(crate) fn line(field: &str, text: &str, policy: &Policy) -> Result<String> {
    let text = text.trim();
    if text.chars().all(is_invisible) {
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
    if text.chars().any(|c| c.is_control() || breaks_a_line(c)) {
        return Err(HomelineError::invalid(
            field,
            Problem::ControlCharacter,
            "one line of text",
        ));
    }
    if text.chars().any(turns_direction) {
        return Err(HomelineError::invalid(
            field,
            Problem::ControlCharacter,
            "text without embeddings, overrides or isolates of its direction",
        ));
    }
    Ok(text.to_owned())
}

/// Line and paragraph separators, which are no control characters to Unicode.
fn breaks_a_line(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

/// The explicit directional formatting characters of UAX #9, section 2.
fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What leaves nothing to read on a screen: a name of these alone is empty.
fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2065}'
            | '\u{206a}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
}

/// An optional text: blank counts as absent, as a form of a host sends it.
pub(crate) fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

/// [`line`] of an optional text.
pub(crate) fn optional_line(
    field: &str,
    text: Option<String>,
    policy: &Policy,
) -> Result<Option<String>> {
    filled(text)
        .map(|text| line(field, &text, policy))
        .transpose()
}

/// The text with ASCII in place of full-width forms, and 0-9 in place of the
/// decimal digits of other scripts: an input method types them.
pub(crate) fn ascii(text: &str) -> String {
    /// The zero of each script whose digits people type: Arabic, Persian, N'Ko,
    /// those of India, Thai, Lao, Tibetan, Burmese, Khmer, Mongolian.
    const ZEROS: [u32; 18] = [
        0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xe50,
        0xed0, 0xf20, 0x1040, 0x17e0, 0x1810,
    ];
    let one = |c: char| {
        let code = u32::from(c);
        let plain = match code {
            0x3000 => Some(0x20),
            0xff01..=0xff5e => Some(code - 0xff01 + 0x21),
            _ => ZEROS
                .iter()
                .find(|zero| (**zero..**zero + 10).contains(&code))
                .map(|zero| code - zero + 0x30),
        };
        plain.and_then(char::from_u32).unwrap_or(c)
    };
    text.chars().map(one).collect()
}

/// A language tag (BCP 47; the form of RFC 5646, section 2.1): subtags of 1 to 8
/// letters or digits, the first of 2 to 8 letters; at most 35 characters (section
/// 4.4.1). Platforms that write `zh_Hans` are understood.
pub(crate) fn language(field: &str, tag: &str) -> Result<String> {
    let tag = tag.trim().replace('_', "-");
    let letters = |part: &str| part.len() >= 2 && part.bytes().all(|b| b.is_ascii_alphabetic());
    let subtag = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let right =
        tag.len() <= 35 && tag.split('-').all(subtag) && tag.split('-').next().is_some_and(letters);
    if right {
        return Ok(tag);
    }
    let problem = match tag.is_empty() {
        true => Problem::Empty,
        false => Problem::Malformed,
    };
    let expected = "a tag of BCP 47, for example zh-Hans";
    Err(HomelineError::invalid(field, problem, expected))
}

/// Languages (BCP 47), each once, in order: the form of the tags is checked, not
/// their meaning. `zh_CN`, as Android writes it, is `zh-CN`.
pub(crate) fn languages(field: &str, tags: Vec<String>, policy: &Policy) -> Result<Vec<String>> {
    if tags.len() > policy.languages {
        let expected = format!("at most {} languages", policy.languages);
        return Err(HomelineError::invalid(field, Problem::TooMany, &expected));
    }
    let mut kept: Vec<String> = Vec::with_capacity(tags.len());
    for (index, tag) in tags.into_iter().enumerate() {
        let tag = language(&format!("{field}.{index}"), &tag)?;
        if !kept.iter().any(|other| other.eq_ignore_ascii_case(&tag)) {
            kept.push(tag);
        }
    }
    Ok(kept)
}

/// An e-mail address: something, `@`, and a domain with a dot.
pub(crate) fn email(field: &str, text: &str) -> Result<String> {
    let text = text.trim();
    let bad = |problem| Err(HomelineError::invalid(field, problem, "name@example.org"));
    if text.len() > 254 {
        return bad(Problem::TooLong);
    }
    let odd = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || breaks_a_line(c)
            || turns_direction(c)
            || is_invisible(c)
    };
    match text.rsplit_once('@') {
        Some((name, domain))
            if !name.is_empty()
                && !name.contains('@')
                && domain.split('.').count() > 1
                && domain.split('.').all(|label| !label.is_empty())
                && !text.chars().any(odd) =>
        {
            Ok(text.to_owned())
        }
        _ => bad(Problem::Malformed),
    }
}

/// A phone number: E.164 (`+` and 7 to 15 digits, the first not 0); or a short code
/// of 3 to 6 digits such as 12308, which is kept as it is.
///
/// Written with or without spaces, hyphens, dots and brackets, in digits of any
/// script, in full width, and with the invisible marks that contact lists put
/// around numbers. `0086...` is `+86...`: no national number begins with 00. The
/// `(0)` of `+44 (0)20...` is left out, as it is when dialled from abroad. A
/// national number without its country is refused: nobody abroad can dial it.
pub(crate) fn phone(field: &str, text: &str) -> Result<String> {
    const EXPECTED: &str = "E.164, for example +8613800138000, or a short code of 3 to 6 digits";
    let malformed = |expected| Err(HomelineError::invalid(field, Problem::Malformed, expected));
    let visible: String = text
        .chars()
        .filter(|c| !is_invisible(*c) && !turns_direction(*c))
        .collect();
    let international = ascii(&visible).replace("(0)", "");
    let bare: String = international
        .chars()
        .filter(|c| {
            !matches!(
                c,
                '-' | '.' | '(' | ')' | '/' | '\u{2010}'..='\u{2015}' | '\u{2212}'
            )
        })
        .collect();
    if bare.is_empty() {
        return Err(HomelineError::invalid(field, Problem::Empty, EXPECTED));
    }
    if !bare
        .trim_start_matches('+')
        .bytes()
        .all(|b| b.is_ascii_digit())
    {
        return malformed(EXPECTED);
    }
    let country = bare
        .strip_prefix('+')
        .or_else(|| bare.strip_prefix("00").filter(|rest| rest.len() >= 7));
    match country {
        Some(digits) if digits.starts_with("860") => {
            malformed("+86 and the number without the 0 before the area code")
        }
        Some(digits) if (7..=15).contains(&digits.len()) && !digits.starts_with(['0', '+']) => {
            Ok(format!("+{digits}"))
        }
        None if (3..=6).contains(&bare.len()) => Ok(bare),
        None if bare.len() > 6 => malformed("the number with + and its country, +8613800138000"),
        _ => malformed(EXPECTED),
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
    use crate::testing::NAMES;

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
            ("＋８６　１３８－００１３－８０００", Some("+8613800138000")),
            ("+٩٦٦ ٥٠ ١٢٣ ٤٥٦٧", Some("+966501234567")),
            ("۱۱۰", Some("110")),
            ("\u{202a}+86 138 0013 8000\u{202c}", Some("+8613800138000")),
            ("\u{200e}+861012308", Some("+861012308")),
            ("0086 10 6596 1114", Some("+861065961114")),
            ("+86 010 6596 1114", None),
            ("+44 (0)20 7946 0000", Some("+442079460000")),
            ("+39 06 6982", Some("+39066982")),
            ("010-65961114", None),
            ("0033", Some("0033")),
            ("00330", Some("00330")),
            ("000000000", None),
            ("+", None),
            ("00", None),
            ("12", None),
            ("119 ", Some("119")),
            ("1234567", None),
            ("+1²3456789", None),
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
        for bad in [
            "",
            "  ",
            "a\0b",
            "a\nb",
            "a\u{2028}b",
            "\u{200b}\u{feff}",
            "\u{3164}",
            "12345\u{202e}",
            "\u{2066}a\u{2069}",
            &"x".repeat(1_000_000),
        ] {
            assert!(matches!(
                line("f", bad, &policy),
                Err(HomelineError::Invalid { .. })
            ));
        }
    }

    #[test]
    fn names_of_every_script_are_kept_byte_for_byte() {
        for name in NAMES {
            assert_eq!(line("f", name, &Policy::STANDARD).as_deref(), Ok(name));
        }
    }

    #[test]
    fn languages_and_addresses_have_a_form() {
        let policy = Policy::STANDARD;
        let tags = |tags: &[&str]| {
            let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
            languages("f", tags, &policy)
        };
        let kept = tags(&["zh_CN", " zh-Hans-CN ", "ug", "ZH-cn", "x-klingon1"]);
        assert_eq!(fault(kept), Some(("f.4".into(), Problem::Malformed)));
        let kept = tags(&["zh_CN", " zh-Hans-CN ", "ug", "ZH-cn"]);
        assert_eq!(kept.unwrap(), ["zh-CN", "zh-Hans-CN", "ug"]);
        for bad in ["中文", "z", "zh--CN", "zh-", "zh CN", "abcdefghi"] {
            assert_eq!(
                fault(tags(&[bad])),
                Some(("f.0".into(), Problem::Malformed)),
                "{bad}"
            );
        }
        assert_eq!(fault(tags(&[" "])), Some(("f.0".into(), Problem::Empty)));
        assert_eq!(
            fault(tags(&["zh"; 21])),
            Some(("f".into(), Problem::TooMany))
        );
        for good in ["a@b.cn", " li.wei+tr@example.org ", "用户@例子.中国"] {
            assert_eq!(email("f", good).as_deref(), Ok(good.trim()));
        }
        for bad in [
            "a",
            "a@b",
            "@b.cn",
            "a@.cn",
            "a@b..cn",
            "a b@c.cn",
            "a@b@c.cn",
            "a\u{202e}@b.cn",
        ] {
            assert_eq!(
                fault(email("f", bad)),
                Some(("f".into(), Problem::Malformed)),
                "{bad}"
            );
        }
    }

    fn fault<T>(outcome: Result<T>) -> Option<(String, Problem)> {
        match outcome {
            Err(HomelineError::Invalid { field, problem, .. }) => Some((field, problem)),
            _ => None,
        }
    }
}
