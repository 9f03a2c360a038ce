//! What was typed, as an FTS5 query (sqlite.org/fts5.html, section 3).
//!
//! Each piece stands in quotation marks, so nothing of it is an operator, and no piece
//! has a quotation mark in it (see [`super::words`]).

use super::words::{Piece, pieces};
use crate::config::Policy;

/// A search, in two forms: what has everything is looked for first, and only where there
/// is none what has anything.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Query {
    /// Every piece, as it stands.
    pub(super) all: String,
    /// Any word, and any pair of characters: `我的护照丢了` finds what is about `护照`.
    pub(super) any: String,
}

impl Query {
    /// `None` where there is nothing to look for. What is longer than the limit is cut.
    pub(super) fn new(text: &str, policy: &Policy) -> Option<Self> {
        let short: String = text.chars().take(policy.guide_query_chars).collect();
        let pieces = pieces(&short);
        let last = pieces.len().checked_sub(1)?;
        let (mut all, mut any) = (Vec::new(), Vec::new());
        for (at, piece) in pieces.iter().enumerate() {
            match piece {
                Piece::Word(word) if at == last => both(&mut all, &mut any, beginning(word)),
                Piece::Word(word) => both(&mut all, &mut any, quoted(word)),
                Piece::Unspaced(run) => match run.as_slice() {
                    [one] => both(&mut all, &mut any, beginning(&one.to_string())),
                    run => {
                        let pairs: Vec<String> =
                            run.windows(2).map(|pair| pair.iter().collect()).collect();
                        all.push(quoted(&pairs.join(" ")));
                        any.extend(pairs.iter().map(|pair| quoted(pair)));
                    }
                },
            }
        }
        any.truncate(policy.guide_query_terms);
        all.truncate(policy.guide_query_terms);
        Some(Self {
            all: all.join(" AND "),
            any: any.join(" OR "),
        })
    }
}

fn both(all: &mut Vec<String>, any: &mut Vec<String>, term: String) {
    all.push(term.clone());
    any.push(term);
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// Whatever begins so: the last word may not be typed to its end.
fn beginning(text: &str) -> String {
    format!("\"{text}\" *")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_become_phrases_and_the_last_word_a_beginning() {
        for (text, all, any) in [
            ("护照", "\"护照\"", "\"护照\""),
            ("护", "\"护\" *", "\"护\" *"),
            ("丢护照", "\"丢护 护照\"", "\"丢护\" OR \"护照\""),
            (
                "lost pass",
                "\"lost\" AND \"pass\" *",
                "\"lost\" OR \"pass\" *",
            ),
            ("pass 护照", "\"pass\" AND \"护照\"", "\"pass\" OR \"护照\""),
            (
                "a\" OR b*",
                "\"a\" AND \"OR\" AND \"b\" *",
                "\"a\" OR \"OR\" OR \"b\" *",
            ),
        ] {
            let query = Query::new(text, &Policy::STANDARD).unwrap();
            assert_eq!(
                (query.all.as_str(), query.any.as_str()),
                (all, any),
                "{text}"
            );
        }
        assert_eq!(Query::new("  \"*\" ", &Policy::STANDARD), None);
    }

    #[test]
    fn a_long_query_is_cut() {
        let policy = Policy::STANDARD;
        for long in ["护照丢失".repeat(250_000), "a b ".repeat(250_000)] {
            let query = Query::new(&long, &policy).unwrap();
            assert!(query.any.matches(" OR ").count() < policy.guide_query_terms);
            assert!(query.all.chars().count() <= policy.guide_query_chars * 8);
        }
    }
}
