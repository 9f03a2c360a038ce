//! What can still be read of a damaged database is copied into a new one, so
//! that a damaged page loses at most what is on it.
//!
//! Both files are salvaged by the same steps; `record.db` brings the key that
//! opens its pages. SQLite cannot do it: it stops at a damaged page of the
//! schema or of the inside of a tree, and SQLCipher refuses the whole connection
//! once one page has failed. So:
//!
//! 1. every page is read by itself ([`Pages`]), the newest version of each;
//! 2. the schema of the damaged file says where each table's tree begins; where
//!    that is lost, the tables of the new file stand in for it;
//! 3. the trees are walked, and the rows of their pages copied by the names of
//!    the columns;
//! 4. a page that no tree reaches, because the page above it is damaged, goes to
//!    the table with a damaged tree that its rows fit.
//!
//! Free pages are left out: what was removed does not come back.

mod bytes;
mod pages;
mod rebuild;
mod report;
mod shape;
mod tree;

use std::collections::{HashMap, HashSet};
use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, params};

pub(crate) use pages::{Decode, Pages};
pub(crate) use rebuild::{Rebuild, rebuild};
pub(crate) use report::{RECOVERIES, Saved, added, read as reports};
pub use report::{Recovery, SavedRows};
use shape::{Insertion, Shape, shapes};

use crate::error::Result;

/// Whether a page of the file at `path` cannot be read.
pub(crate) fn is_damaged(path: &Path, decode: Decode<'_>) -> Result<bool> {
    let pages = Pages::open(path, decode)?;
    Ok((1..=pages.count()).any(|number| pages.read(number).is_none()))
}

/// Copies every row that can be read in `from` to the tables of `to`, which has
/// the schema already, in one transaction.
///
/// Errors: those of writing `to`. What is wrong with `from` is no error.
fn salvage(from: &Path, decode: Decode<'_>, to: &Connection) -> Result<Saved> {
    let pages = Pages::open(from, decode)?;
    // A row whose parent is lost is saved all the same.
    to.execute_batch("PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE")?;
    let mut run = Run {
        pages: &pages,
        to,
        targets: shapes(to)?,
        seen: HashSet::new(),
        unreadable: HashSet::new(),
        insertions: HashMap::new(),
        rows: Vec::new(),
        broken: Vec::new(),
    };
    let outcome = run.all();
    match outcome.and_then(|()| Ok(to.execute_batch("COMMIT")?)) {
        Ok(()) => Ok(run.report()),
        Err(error) => {
            let _ = to.execute_batch("ROLLBACK");
            Err(error)
        }
    }
}

/// How well the tables of `candidate` fit the file: how many of its trees begin
/// where `candidate` has them. Tells the version of a file whose first page,
/// which says it, is damaged.
fn likeness(from: &Path, decode: Decode<'_>, candidate: &Connection) -> Result<usize> {
    let pages = Pages::open(from, decode)?;
    let shapes = shapes(candidate)?;
    Ok(shapes
        .iter()
        .filter(|shape| begins_at(&pages, shape, shape.root))
        .count())
}

struct Run<'a> {
    pages: &'a Pages<'a>,
    to: &'a Connection,
    targets: Vec<Shape>,
    seen: HashSet<u32>,
    unreadable: HashSet<u32>,
    /// By table and number of values.
    insertions: HashMap<(usize, usize), Insertion>,
    rows: Vec<(String, u64)>,
    broken: Vec<String>,
}

/// A tree of the damaged file: the shape of its rows, and its place in `targets`.
struct Source {
    shape: Shape,
    target: usize,
    /// Whether something of it was out of reach.
    broken: bool,
}

impl Run<'_> {
    fn all(&mut self) -> Result<()> {
        let schema = self.schema()?;
        let mut sources = self.sources(&schema)?;
        for source in &mut sources {
            source.broken = self.tree(source)?;
        }
        self.sequences(&schema)?;
        // Indexes, and tables that only a newer version has, keep their pages.
        for entry in &schema {
            let tree = tree::walk(self.pages, entry.root, &mut self.seen);
            self.unreadable.extend(tree.unreadable);
        }
        self.free_pages();
        sources.retain(|source| source.broken);
        let names = sources.iter().map(|source| source.shape.name.clone());
        self.broken = names.collect();
        self.orphans(&sources)
    }

    /// The rows of `sqlite_schema`, from the first page on; those that hang below
    /// a damaged page are looked for everywhere.
    fn schema(&mut self) -> Result<Vec<Entry>> {
        let tree = tree::walk(self.pages, 1, &mut self.seen);
        let broken = !tree.unreadable.is_empty();
        self.unreadable.extend(tree.unreadable);
        let mut entries: Vec<Entry> = tree
            .pages
            .iter()
            .flat_map(|number| tree::rows(self.pages, *number).0)
            .filter_map(|row| Entry::of(&row.values))
            .collect();
        if broken {
            for number in 2..=self.pages.count() {
                let (rows, lost) = tree::rows(self.pages, number);
                let found: Vec<Entry> = rows
                    .iter()
                    .filter_map(|row| Entry::of(&row.values))
                    .collect();
                if lost == 0 && !found.is_empty() && found.len() == rows.len() {
                    self.seen.insert(number);
                    entries.extend(found);
                }
            }
        }
        Ok(entries)
    }

    /// Each table of the new file with the shape that its rows have in the
    /// damaged one.
    fn sources(&self, schema: &[Entry]) -> Result<Vec<Source>> {
        let memory = Connection::open_in_memory()?;
        for entry in schema {
            entry.declare(&memory);
        }
        let mut known = shapes(&memory)?;
        let guesses = shapes(self.to)?;
        let mut sources = Vec::new();
        for (target, guess) in guesses.into_iter().enumerate() {
            let at = known.iter().position(|shape| shape.name == guess.name);
            let source = match at.map(|at| known.swap_remove(at)) {
                Some(mut shape) => {
                    shape.root = schema
                        .iter()
                        .find(|entry| entry.table && entry.name == shape.name)
                        .map_or(0, |entry| entry.root);
                    shape
                }
                // The file has no such table...
                None if self.unreadable.is_empty() => continue,
                // ...or its declaration is lost: every file of this version has
                // its trees at the same place.
                None => {
                    let mut guess = guess;
                    if !begins_at(self.pages, &guess, guess.root) {
                        guess.root = 0;
                    }
                    guess
                }
            };
            sources.push(Source {
                broken: source.root == 0,
                shape: source,
                target,
            });
        }
        Ok(sources)
    }

    /// Copies the tree of one table; returns whether part of it is out of reach.
    fn tree(&mut self, source: &Source) -> Result<bool> {
        let tree = tree::walk(self.pages, source.shape.root, &mut self.seen);
        for number in &tree.pages {
            let (rows, _) = tree::rows(self.pages, *number);
            for row in rows {
                self.copy(source, &row)?;
            }
        }
        let broken = source.broken || !tree.unreadable.is_empty();
        self.unreadable.extend(tree.unreadable);
        Ok(broken)
    }

    fn copy(&mut self, source: &Source, row: &tree::Row) -> Result<()> {
        let Some(target) = self.targets.get(source.target) else {
            return Ok(());
        };
        if !source.shape.fits(row) {
            return Ok(());
        }
        let length = row.values.len();
        let insertion = self
            .insertions
            .entry((source.target, length))
            .or_insert_with(|| source.shape.insertion(target, length));
        if insertion.insert(row, self.to)? {
            match self.rows.iter_mut().find(|(name, _)| *name == target.name) {
                Some((_, count)) => *count += 1,
                None => self.rows.push((target.name.clone(), 1)),
            }
        }
        Ok(())
    }

    /// Pages on the list of free ones belong to nobody.
    fn free_pages(&mut self) {
        let mut next = self.pages.free_list().unwrap_or(0);
        while next != 0 && self.seen.insert(next) {
            let Some(trunk) = self.pages.read(next) else {
                break;
            };
            let leaves = bytes::u32_at(&trunk, 4).unwrap_or(0);
            for leaf in 0..usize::try_from(leaves).unwrap_or(0) {
                let Some(number) = bytes::u32_at(&trunk, 8 + 4 * leaf) else {
                    break;
                };
                self.seen.insert(number);
            }
            next = bytes::u32_at(&trunk, 0).unwrap_or(0);
        }
    }

    /// Pages that no tree reached, given to the first broken table whose rows
    /// they can be.
    fn orphans(&mut self, broken: &[Source]) -> Result<()> {
        for number in 1..=self.pages.count() {
            if self.seen.contains(&number) {
                continue;
            }
            if self.pages.read(number).is_none() {
                self.unreadable.insert(number);
                continue;
            }
            let (rows, _) = tree::rows(self.pages, number);
            let owner = broken
                .iter()
                .find(|source| rows.iter().all(|row| source.shape.fits(row)));
            if let Some(source) = owner {
                for row in rows {
                    self.copy(source, &row)?;
                }
            }
        }
        Ok(())
    }

    /// The highest number that each AUTOINCREMENT table has given: a number that
    /// was removed is not given again.
    fn sequences(&mut self, schema: &[Entry]) -> Result<()> {
        let Some(entry) = schema.iter().find(|entry| entry.name == "sqlite_sequence") else {
            return Ok(());
        };
        let tree = tree::walk(self.pages, entry.root, &mut self.seen);
        self.unreadable.extend(tree.unreadable);
        for number in tree.pages {
            for row in tree::rows(self.pages, number).0 {
                if let [Value::Text(table), Value::Integer(last)] = row.values.as_slice() {
                    raise_sequence(self.to, table, *last)?;
                }
            }
        }
        Ok(())
    }

    fn report(self) -> Saved {
        Saved {
            rows: self.rows,
            broken: self.broken,
            unreadable_pages: u32::try_from(self.unreadable.len()).unwrap_or(u32::MAX),
        }
    }
}

/// Sees to it that the AUTOINCREMENT table `table` gives numbers above `last`.
pub(crate) fn raise_sequence(connection: &Connection, table: &str, last: i64) -> Result<()> {
    connection.execute(
        "UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1",
        params![table, last],
    )?;
    connection.execute(
        "INSERT INTO sqlite_sequence (name, seq) SELECT name, ?2 FROM sqlite_schema
         WHERE type = 'table' AND name = ?1 AND sql LIKE '%AUTOINCREMENT%'
           AND NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?1)",
        params![table, last],
    )?;
    Ok(())
}

/// Whether the page at `root` can be the beginning of this table's tree.
fn begins_at(pages: &Pages<'_>, shape: &Shape, root: u32) -> bool {
    let tree = tree::walk(pages, root, &mut HashSet::new());
    !tree.pages.is_empty()
        && tree.pages.iter().all(|number| {
            let (rows, _) = tree::rows(pages, *number);
            rows.iter().all(|row| shape.fits(row))
        })
}

/// A row of `sqlite_schema`.
struct Entry {
    table: bool,
    name: String,
    root: u32,
    sql: String,
}

impl Entry {
    fn of(values: &[Value]) -> Option<Self> {
        let [
            Value::Text(kind),
            Value::Text(name),
            Value::Text(_),
            Value::Integer(root),
            sql,
        ] = values
        else {
            return None;
        };
        let sql = match sql {
            Value::Text(sql) => sql.clone(),
            Value::Null => String::new(),
            _ => return None,
        };
        Some(Self {
            table: match kind.as_str() {
                "table" => true,
                "index" | "view" | "trigger" => false,
                _ => return None,
            },
            name: name.clone(),
            root: u32::try_from(*root).ok()?,
            sql,
        })
    }

    /// Makes the same table in `memory`, to ask for its shape. One declared by a
    /// query would run it, and is not ours.
    fn declare(&self, memory: &Connection) {
        let sql = self.sql.to_ascii_uppercase();
        if self.table && sql.starts_with("CREATE TABLE") && !sql.contains(" SELECT ") {
            let _ = memory.execute(&self.sql, []);
        }
    }
}
