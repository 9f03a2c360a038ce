//! Guides in `packs.db`: their tables and the search in them.
//!
//! The order of what is found, first things first: texts in a language of the traveler
//! before others; guides about the country before those about all, and these before those
//! about other countries; then the score of the words (BM25, a word in the title counting
//! as four in the body), twice as high where the guide is for the situation.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{Connection, OptionalExtension as _, params};

use super::guide::{Guide, GuideArticle, GuideText};
use super::query::Query;
use super::words::{Piece, for_index, pieces};
use crate::config::Policy;
use crate::error::Result;
use crate::language::{best_of, nearness};

/// A word in the title counts as four in the body.
const MATCHES: &str = "
    SELECT guide_index.rowid, item.languages, item.countries, item.situation,
           bm25(guide_index, 4.0, 1.0)
    FROM guide_index
    JOIN guide_item AS item ON item.number = guide_index.rowid / 64
    WHERE guide_index MATCH ?1";

/// Texts of one guide, at most: numbers have room for so many. More are left out.
const TEXTS: i64 = 64;

/// For the situation a guide counts as so many times as good.
const SITUATION_WEIGHT: f64 = 2.0;

/// For whom and where guides are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GuideWanted {
    /// The languages of the reader, the preferred one first (BCP 47).
    pub languages: Vec<String>,
    /// Where the reader is or will be: two letters each. Empty: not known.
    pub countries: Vec<String>,
    /// What has happened: the kind of an SOS as its JSON has it, or another word for it.
    pub situation: Option<String>,
}

/// A guide that was found.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct GuideHit {
    /// Its id, for [`get`].
    pub id: String,
    /// What it is for.
    pub situation: String,
    /// The countries that it is about; empty: all.
    pub countries: Vec<String>,
    /// The language of title and excerpt (BCP 47).
    pub language: String,
    /// Its title.
    pub title: String,
    /// The line of the body with the most of what was looked for, or its first line; cut
    /// to 80 characters.
    pub excerpt: String,
    /// The day of its last change, `YYYY-MM-DD`.
    pub updated: String,
}

/// Makes the tables of the guides, empty.
///
/// Errors: `Storage`.
pub fn create(connection: &Connection) -> Result<()> {
    Ok(connection.execute_batch(include_str!("schema.sql"))?)
}

/// Puts these guides in the place of all that were there. Run it inside a transaction, so
/// that a half is never seen. Of two guides with the same id the later one counts.
///
/// Errors: `Storage`.
pub fn replace_all(connection: &Connection, guides: &[Guide]) -> Result<()> {
    connection.execute_batch(
        "INSERT INTO guide_index (guide_index) VALUES ('delete-all');
         DELETE FROM guide_text;
         DELETE FROM guide_item;",
    )?;
    let by_id: BTreeMap<&str, &Guide> = guides.iter().map(|it| (it.id.as_str(), it)).collect();
    let mut item = connection.prepare(
        "INSERT INTO guide_item (id, situation, countries, languages, updated)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    let mut text =
        connection.prepare("INSERT INTO guide_text (number, title, body) VALUES (?1, ?2, ?3)")?;
    let mut index =
        connection.prepare("INSERT INTO guide_index (rowid, title, body) VALUES (?1, ?2, ?3)")?;
    for guide in by_id.into_values() {
        let kept = || (0..TEXTS).zip(&guide.texts);
        let languages: Vec<&str> = kept().map(|(_, (tag, _))| tag.as_str()).collect();
        let item = item.insert(params![
            guide.id,
            guide.situation,
            guide.countries.join(" "),
            languages.join(" "),
            guide.updated
        ])?;
        for (at, (_, it)) in kept() {
            let number = item * TEXTS + at;
            text.execute(params![number, it.title, it.body])?;
            index.execute(params![number, for_index(&it.title), for_index(&it.body)])?;
        }
    }
    Ok(())
}

/// The guides in which the words of `query` are, best first; each guide once, in the
/// language of the reader where it has it. Guides that have all words are found; only
/// where there is none, those that have any. A query without a letter finds nothing, and
/// one that is too long is cut.
///
/// Errors: `Storage`.
pub fn search(
    connection: &Connection,
    query: &str,
    wanted: &GuideWanted,
    limit: usize,
) -> Result<Vec<GuideHit>> {
    let policy = &Policy::STANDARD;
    let Some(words) = Query::new(query, policy) else {
        return Ok(vec![]);
    };
    let mut ranked = matches(connection, &words.all, wanted)?;
    if ranked.is_empty() && words.any != words.all {
        ranked = matches(connection, &words.any, wanted)?;
    }
    let best = ranked.into_iter().take(limit.min(policy.guide_hits));
    best.filter_map(|item| hit(connection, item, query, wanted).transpose())
        .collect()
}

/// One guide, in the language of the reader; `None` where there is none with that id.
/// `pack_ms` is when its pack was made, `now_ms` the time, both milliseconds UTC.
///
/// Errors: `Storage`.
pub fn get(
    connection: &Connection,
    id: &str,
    languages: &[String],
    pack_ms: Option<i64>,
    now_ms: i64,
) -> Result<Option<GuideArticle>> {
    let number = connection
        .query_row("SELECT number FROM guide_item WHERE id = ?1", [id], |row| {
            row.get(0)
        })
        .optional()?;
    let Some(number) = number else {
        return Ok(None);
    };
    let item = Item::read(connection, number)?;
    let Some((language, text)) = item.best(connection, languages)? else {
        return Ok(None);
    };
    let guide = Guide {
        id: item.id,
        situation: item.situation,
        countries: item.countries,
        updated: item.updated,
        texts: BTreeMap::from([(language, text)]),
    };
    Ok(guide.view(languages, pack_ms, now_ms))
}

/// The guides for a situation, or all of them where none is wanted: those about the
/// country first, then those about all countries, by title. Guides about other countries
/// are left out where the country is known.
///
/// Errors: `Storage`.
pub fn list(connection: &Connection, wanted: &GuideWanted, limit: usize) -> Result<Vec<GuideHit>> {
    let mut statement = connection.prepare_cached(
        "SELECT number, countries FROM guide_item WHERE ?1 IS NULL OR situation = ?1",
    )?;
    let mut rows = statement.query([&wanted.situation])?;
    let mut hits = Vec::new();
    while let Some(row) = rows.next()? {
        let place = place(&row.get::<_, String>(1)?, wanted);
        if place != Place::Elsewhere || wanted.countries.is_empty() {
            hits.extend(hit(connection, row.get(0)?, "", wanted)?.map(|hit| (place, hit)));
        }
    }
    hits.sort_by(|(here, one), (there, other)| {
        (here, &one.title, &one.id).cmp(&(there, &other.title, &other.id))
    });
    let best = hits
        .into_iter()
        .take(limit.min(Policy::STANDARD.guide_hits));
    Ok(best.map(|(_, hit)| hit).collect())
}

/// What a guide is about, seen from where the reader is: in the order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Here,
    Anywhere,
    Elsewhere,
}

fn place(countries: &str, wanted: &GuideWanted) -> Place {
    let is_wanted = |code: &str| {
        wanted
            .countries
            .iter()
            .any(|it| it.eq_ignore_ascii_case(code))
    };
    match countries {
        "" => Place::Anywhere,
        codes if codes.split(' ').any(is_wanted) => Place::Here,
        _ => Place::Elsewhere,
    }
}

/// A guide among those that were found: the smaller the better.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
struct Standing {
    is_foreign: bool,
    place: Place,
    /// As `bm25()` has it: the smaller the better, and negative.
    score: f64,
}

/// The guides that match, best first, by their numbers.
fn matches(connection: &Connection, query: &str, wanted: &GuideWanted) -> Result<Vec<i64>> {
    let mut statement = connection.prepare_cached(MATCHES)?;
    let mut rows = statement.query([query])?;
    let mut best: HashMap<i64, Standing> = HashMap::new();
    let mut foreign = Foreign::default();
    while let Some(row) = rows.next()? {
        let text =
            |column| -> Result<&str> { Ok(row.get_ref(column)?.as_str().unwrap_or_default()) };
        let is_for_this = wanted.situation.as_deref() == Some(text(3)?);
        let weight = if is_for_this { SITUATION_WEIGHT } else { 1.0 };
        let number: i64 = row.get(0)?;
        let standing = Standing {
            is_foreign: foreign.is(language_of(number, text(1)?), wanted),
            place: place(text(2)?, wanted),
            score: row.get::<_, f64>(4)? * weight,
        };
        let known = best.entry(number / TEXTS).or_insert(standing);
        if standing < *known {
            *known = standing;
        }
    }
    let mut ranked: Vec<(i64, Standing)> = best.into_iter().collect();
    ranked.sort_by(|(one, a), (other, b)| {
        let unequal = a.partial_cmp(b).filter(|order| order.is_ne());
        unequal.unwrap_or_else(|| one.cmp(other))
    });
    Ok(ranked.into_iter().map(|(item, _)| item).collect())
}

/// The language of a text of an item.
fn language_of(number: i64, languages: &str) -> &str {
    let at = usize::try_from(number % TEXTS).unwrap_or(0);
    languages.split(' ').nth(at).unwrap_or_default()
}

/// Which languages the reader does not read: there are few, and thousands of texts.
#[derive(Default)]
struct Foreign(HashMap<String, bool>);

impl Foreign {
    fn is(&mut self, language: &str, wanted: &GuideWanted) -> bool {
        if let Some(known) = self.0.get(language) {
            return *known;
        }
        let is_read = |tag: &String| nearness(tag, language) > 0;
        let is_foreign = !wanted.languages.iter().any(is_read);
        self.0.insert(language.to_owned(), is_foreign);
        is_foreign
    }
}

/// An item without its texts.
struct Item {
    id: String,
    situation: String,
    countries: Vec<String>,
    /// Number of the text by language.
    texts: BTreeMap<String, i64>,
    updated: String,
}

impl Item {
    fn read(connection: &Connection, number: i64) -> Result<Self> {
        let item = connection
            .prepare_cached(
                "SELECT id, situation, countries, languages, updated
                 FROM guide_item WHERE number = ?1",
            )?
            .query_row([number], |row| {
                let (countries, languages): (String, String) = (row.get(2)?, row.get(3)?);
                let texts = languages.split(' ').map(Into::into).zip(number * TEXTS..);
                Ok(Self {
                    id: row.get(0)?,
                    situation: row.get(1)?,
                    countries: countries.split_whitespace().map(Into::into).collect(),
                    texts: texts.collect(),
                    updated: row.get(4)?,
                })
            })?;
        Ok(item)
    }

    fn text(connection: &Connection, number: i64) -> Result<GuideText> {
        let text = connection
            .prepare_cached("SELECT title, body FROM guide_text WHERE number = ?1")?
            .query_row([number], |row| {
                Ok(GuideText {
                    title: row.get(0)?,
                    body: row.get(1)?,
                })
            })?;
        Ok(text)
    }

    /// The text for the reader, and its language.
    fn best(
        &self,
        connection: &Connection,
        languages: &[String],
    ) -> Result<Option<(String, GuideText)>> {
        let Some((language, number)) = best_of(&self.texts, languages) else {
            return Ok(None);
        };
        Ok(Some((language.clone(), Self::text(connection, *number)?)))
    }
}

fn hit(
    connection: &Connection,
    number: i64,
    query: &str,
    wanted: &GuideWanted,
) -> Result<Option<GuideHit>> {
    let item = Item::read(connection, number)?;
    let best = item.best(connection, &wanted.languages)?;
    Ok(best.map(|(language, text)| GuideHit {
        language,
        excerpt: excerpt(&text.body, query, Policy::STANDARD.guide_excerpt_chars),
        title: text.title,
        id: item.id,
        situation: item.situation,
        countries: item.countries,
        updated: item.updated,
    }))
}

/// The line with the most of what was looked for, or else the first line.
fn excerpt(body: &str, query: &str, chars: usize) -> String {
    let short: String = query
        .chars()
        .take(Policy::STANDARD.guide_query_chars)
        .collect();
    let wanted: Vec<String> = pieces(&short.to_lowercase())
        .iter()
        .flat_map(parts)
        .collect();
    let has = |line: &str| {
        let line = line.to_lowercase();
        wanted.iter().filter(|part| line.contains(*part)).count()
    };
    let lines = body.lines().filter(|line| !line.trim().is_empty());
    let counted = lines.map(|line| (has(line), line));
    // The first of equals.
    let best = counted.reduce(|best, next| if next.0 > best.0 { next } else { best });
    let line = best.map_or("", |(_, line)| line);
    line.trim().chars().take(chars).collect()
}

/// What a piece is looked for in a line as: a word, a character, pairs of them.
fn parts(piece: &Piece) -> Vec<String> {
    match piece {
        Piece::Word(word) => vec![word.clone()],
        Piece::Unspaced(run) if run.len() < 2 => vec![run.iter().collect()],
        Piece::Unspaced(run) => run.windows(2).map(|pair| pair.iter().collect()).collect(),
    }
}

#[cfg(test)]
mod tests;
