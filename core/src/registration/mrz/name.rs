//! Whether a name is the one of a zone. A zone writes A-Z only and may be too
//! short: a name that it cuts (Doc 9303-4, section 4.2.3) or spells in its own way
//! (Doc 9303-3, section 6: Ü as UE, UXX or U) is not another name, and one in
//! another script than the Latin one cannot be compared.

use icu_normalizer::DecomposingNormalizerBorrowed;

use super::Mrz;
use crate::error::{Result, guard};

/// What a name is to the name of a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum NameMatch {
    /// The same letters, whatever their case, order of the two parts, or hyphens.
    Same,
    /// The zone has the beginning of it: its field is full.
    Truncated,
    /// The same with letters beyond A-Z spelt as Doc 9303 spells them.
    Transliterated,
    /// In another script: nobody can tell without knowing the language.
    OtherScript,
    /// Another name. Names are never refused for it: a maiden name, a title or an
    /// old passport may be why.
    Different,
}

/// Compares the name of a zone with a name as its bearer writes it.
#[uniffi::export]
pub fn compare_name(mrz: Mrz, name: String) -> Result<NameMatch> {
    guard("compare_name", || Ok(compare(&mrz, &name)))
}

/// A letter beyond A-Z, without its marks, and how a zone may write it.
const SPECIAL: [(char, &[&str]); 14] = [
    ('Æ', &["AE"]),
    ('Œ', &["OE"]),
    ('Ø', &["OE", "O"]),
    ('Ð', &["D", "DH"]),
    ('Đ', &["D", "DJ"]),
    ('Þ', &["TH"]),
    ('ẞ', &["SS"]),
    ('Ł', &["L"]),
    ('Ħ', &["H"]),
    ('Ŧ', &["T"]),
    ('Ŋ', &["N", "NG"]),
    ('ĸ', &["Q", "K"]),
    ('Ə', &["E", "A"]),
    ('Ĳ', &["IJ"]),
];

/// A letter and a mark, and how a zone may write them beside the bare letter.
const MARKED: [(char, char, &[&str]); 7] = [
    ('A', '\u{308}', &["AE"]),
    ('O', '\u{308}', &["OE", "OXX"]),
    ('U', '\u{308}', &["UE", "UXX"]),
    ('O', '\u{30b}', &["OE", "OXX"]),
    ('U', '\u{30b}', &["UE", "UXX"]),
    ('A', '\u{30a}', &["AA"]),
    ('N', '\u{303}', &["NXX"]),
];

/// Names longer than this are compared by their beginning.
const LETTERS: usize = 200;

/// One letter of a typed name: all spellings of it.
#[derive(Clone)]
struct Letter {
    spellings: Vec<String>,
    plain: bool,
}

struct Typed {
    words: Vec<Vec<Letter>>,
    other_script: bool,
}

pub(super) fn compare(mrz: &Mrz, name: &str) -> NameMatch {
    let typed = read(name);
    if typed.words.is_empty() {
        return if typed.other_script {
            NameMatch::OtherScript
        } else {
            NameMatch::Different
        };
    }
    let words: Vec<&str> = mrz
        .surname
        .split(' ')
        .chain(mrz.given_names.split(' '))
        .filter(|word| !word.is_empty())
        .collect();
    let whole = words.concat();
    // The family name may be written first or last.
    let orders: Vec<Vec<Vec<Letter>>> = (0..typed.words.len())
        .map(|first| {
            let mut order = typed.words.clone();
            order.rotate_left(first);
            order
        })
        .collect();
    if orders.iter().any(|order| spells(&order.concat(), &whole)) {
        let plain = typed.words.iter().flatten().all(|letter| letter.plain);
        return if plain {
            NameMatch::Same
        } else {
            NameMatch::Transliterated
        };
    }
    let cut = mrz.name_may_be_cut && orders.iter().any(|order| is_cut_from(order, &words));
    if cut {
        NameMatch::Truncated
    } else {
        NameMatch::Different
    }
}

/// Words of letters. Hyphens part words; apostrophes and dots are dropped.
fn read(name: &str) -> Typed {
    let upper: String = name.chars().flat_map(char::to_uppercase).collect();
    let bare = DecomposingNormalizerBorrowed::new_nfd().normalize(&upper);
    let mut typed = Typed {
        words: Vec::new(),
        other_script: false,
    };
    let mut word: Vec<Letter> = Vec::new();
    let mut last = None;
    for c in bare.chars().take(LETTERS) {
        if is_mark(c) {
            if let (Some(base), Some(letter)) = (last, word.last_mut()) {
                mark(letter, base, c);
            }
            continue;
        }
        last = None;
        if let Some(letter) = latin(c) {
            word.push(letter);
            last = Some(c);
        } else if c.is_alphabetic() {
            typed.other_script = true;
        } else if !matches!(c, '\'' | '’' | 'ʼ' | '`' | '.' | '\u{ad}') {
            typed.words.push(std::mem::take(&mut word));
        }
    }
    typed.words.push(word);
    typed.words.retain(|word| !word.is_empty());
    typed
}

/// Marks that stand on Latin letters.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}')
}

fn latin(c: char) -> Option<Letter> {
    if c.is_ascii_alphabetic() {
        return Some(Letter {
            spellings: vec![c.to_string()],
            plain: true,
        });
    }
    let (_, spellings) = SPECIAL.iter().find(|(special, _)| *special == c)?;
    Some(Letter {
        spellings: spellings.iter().map(|text| (*text).to_owned()).collect(),
        plain: false,
    })
}

fn mark(letter: &mut Letter, base: char, mark: char) {
    letter.plain = false;
    for (on, with, spellings) in MARKED {
        if on == base && with == mark {
            let more = spellings.iter().map(|text| (*text).to_owned());
            letter.spellings.extend(more);
        }
    }
}

/// Whether `letters` can be written as the whole of `text`.
fn spells(letters: &[Letter], text: &str) -> bool {
    let ends = ends(letters, text);
    ends.len() == letters.len() && ends.last().is_some_and(|ends| ends.contains(&text.len()))
}

/// Whether some first letters of `letters` can be written as `text`.
fn begins(letters: &[Letter], text: &str) -> bool {
    ends(letters, text)
        .iter()
        .any(|ends| ends.contains(&text.len()))
}

/// How far into `text` the letters come: after each letter, all places where its
/// spellings can end; shorter than `letters` where one of them fits nowhere.
fn ends(letters: &[Letter], text: &str) -> Vec<Vec<usize>> {
    let mut all: Vec<Vec<usize>> = Vec::new();
    let mut from = vec![0];
    for letter in letters {
        let mut next: Vec<usize> = from
            .iter()
            .flat_map(|at| {
                let rest = text.get(*at..).unwrap_or_default();
                letter
                    .spellings
                    .iter()
                    .filter(|spelling| rest.starts_with(spelling.as_str()))
                    .map(|spelling| at + spelling.len())
                    .collect::<Vec<_>>()
            })
            .collect();
        next.sort_unstable();
        next.dedup();
        if next.is_empty() {
            break;
        }
        all.push(next.clone());
        from = next;
    }
    all
}

/// Whether each word of a zone is the beginning of a typed word, in their order;
/// typed words may be left out.
fn is_cut_from(typed: &[Vec<Letter>], words: &[&str]) -> bool {
    let mut typed = typed.iter();
    words
        .iter()
        .all(|word| typed.any(|letters| begins(letters, word)))
}
