//! Guides: what to do when robbed, ill, detained, in an earthquake, without a passport.
//!
//! A [`Guide`] is a small document in several languages, an item of a pack. All of them
//! are indexed on the phone, so that a search needs no network:
//!
//! * [`create`] makes the tables, [`replace_all`] puts the guides of the packs in their
//!   place, within the caller's transaction;
//! * [`search`] finds words of any language in them, [`list`] goes through a situation,
//!   [`get`] reads one.
//!
//! Chinese and Japanese have no spaces. Their text is indexed as overlapping pairs of
//! characters, `丢失护照` as `丢失 失护 护照 照`, and a word of two or more characters is
//! looked for as the phrase of its pairs: exact, without a dictionary, and unlike SQLite's
//! trigrams it finds words of two characters, which most are. One character is looked for
//! as the beginning of a pair. Simplified and traditional characters are not converted into
//! each other: a guide is found in the characters that it is written in.
//!
//! Whatever is typed is searched for as words, never as a query language.

mod guide;
mod query;
mod service;
mod store;
mod words;

pub use guide::{Guide, GuideArticle, GuideText};
pub use service::Guides;
pub use store::{GuideHit, GuideWanted, create, get, list, replace_all, search};
