//! Text as words: what is written without spaces as pairs of characters, the rest as it
//! stands. The same rules for the index and for what is looked for.

use crate::validate::ascii;

/// Text for the index: `丢失护照 SOS求助` becomes `丢失 失护 护照 照 SOS 求助 助`.
pub(super) fn for_index(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 3);
    let mut before = None;
    for c in ascii(text).chars() {
        let this = is_unspaced(c).then_some(c);
        match (before, this) {
            (Some(one), Some(other)) => out.extend([one, other, ' ']),
            (Some(last), None) => out.extend([last, ' ', c]),
            (None, Some(_)) => out.push(' '),
            (None, None) => out.push(c),
        }
        before = this;
    }
    out.extend(before);
    out
}

/// A piece of what is looked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Characters that are written without spaces, at least one.
    Unspaced(Vec<char>),
    /// A word.
    Word(String),
}

/// What is looked for, piece by piece. No piece has a quotation mark, white space or a
/// control character in it.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for c in ascii(text).chars() {
        match (pieces.last_mut(), kind(c)) {
            (Some(Piece::Unspaced(run)), Kind::Unspaced) => run.push(c),
            (Some(Piece::Word(word)), Kind::Word) => word.push(c),
            (_, Kind::Unspaced) => pieces.push(Piece::Unspaced(vec![c])),
            (_, Kind::Word) => pieces.push(Piece::Word(c.to_string())),
            // An empty word ends a run, and is dropped below.
            (_, Kind::Between) => pieces.push(Piece::Word(String::new())),
        }
    }
    // What the tokenizer would find no letter in matches nothing.
    pieces.retain(|piece| match piece {
        Piece::Unspaced(_) => true,
        Piece::Word(word) => word.chars().any(char::is_alphanumeric),
    });
    pieces
}

enum Kind {
    Unspaced,
    Word,
    Between,
}

/// Marks above and below letters are parts of words, punctuation is not.
fn kind(c: char) -> Kind {
    let punctuation = c.is_ascii_punctuation()
        || matches!(c, '\u{80}'..='\u{bf}' | '\u{2000}'..='\u{206f}' | '\u{3000}'..='\u{303f}');
    match c {
        c if is_unspaced(c) => Kind::Unspaced,
        c if c.is_alphanumeric() => Kind::Word,
        c if c.is_whitespace() || c.is_control() || punctuation => Kind::Between,
        _ => Kind::Word,
    }
}

/// Chinese characters and kana. Korean has spaces between its words.
fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{3005}' | '\u{3007}' | '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{30fc}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{323af}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_indexed_as_overlapping_pairs() {
        for (text, words) in [
            ("丢失护照", "丢失 失护 护照 照"),
            ("护照", "护照 照"),
            ("护", "护"),
            ("护照。报警", "护照 照 。 报警 警"),
            ("SOS求助now", "SOS 求助 助 now"),
            ("１１２ passport", "112 passport"),
            ("パスポート", "パス スポ ポー ート ト"),
            ("여권 분실", "여권 분실"),
            ("𠮷野家", "𠮷野 野家 家"),
            ("", ""),
        ] {
            let found: Vec<String> = for_index(text).split_whitespace().map(Into::into).collect();
            assert_eq!(found.join(" "), words, "{text:?}");
        }
    }

    #[test]
    fn what_is_typed_falls_into_words_and_runs() {
        let word = |text: &str| Piece::Word(text.into());
        let run = |text: &str| Piece::Unspaced(text.chars().collect());
        for (text, found) in [
            ("护照", vec![run("护照")]),
            ("护照，丢失", vec![run("护照"), run("丢失")]),
            ("lost护照", vec![word("lost"), run("护照")]),
            (
                "\"lost\" NEAR(a, 2)*",
                vec![word("lost"), word("NEAR"), word("a"), word("2")],
            ),
            (
                "cafe\u{301} naïve",
                vec![word("cafe\u{301}"), word("naïve")],
            ),
            ("a\0b", vec![word("a"), word("b")]),
            ("… — ？！\u{301}", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(pieces(text), found, "{text:?}");
        }
    }
}
