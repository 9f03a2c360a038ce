//! The shape of a table: which columns a stored row has, and in which order.
//!
//! It is asked of SQLite itself: of the file that the rows go to, and, for the
//! damaged one, of a database in memory that is given its `CREATE TABLE`.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::tree::Row;
use crate::error::Result;

/// What a column takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Integer,
    Real,
    Text,
    Blob,
    Any,
}

struct Column {
    name: String,
    takes: Takes,
    may_miss: Missing,
    /// Whether the rowid stands for it: its place in the record is empty then.
    is_rowid: bool,
    /// Whether SQLite computes it.
    generated: bool,
}

/// What becomes of a row without a value for a column.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
    Refused,
    Null,
    Default,
}

/// A table, as its rows are stored.
pub(super) struct Shape {
    pub(super) name: String,
    /// Where its tree begins.
    pub(super) root: u32,
    columns: Vec<Column>,
    has_rowid: bool,
}

/// The shapes of all tables of a database but SQLite's own.
pub(super) fn shapes(connection: &Connection) -> Result<Vec<Shape>> {
    let mut tables = connection.prepare(
        "SELECT t.name, t.wr, s.rootpage FROM pragma_table_list t JOIN sqlite_schema s
           ON s.name = t.name
         WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
         ORDER BY s.rootpage",
    )?;
    let found: Vec<(String, bool, u32)> = tables
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<rusqlite::Result<_>>()?;
    found
        .into_iter()
        .map(|(name, without_rowid, root)| {
            Ok(Shape {
                columns: if without_rowid {
                    key_first(connection, &name)?
                } else {
                    in_order(connection, &name)?
                },
                has_rowid: !without_rowid,
                name,
                root,
            })
        })
        .collect()
}

/// The columns of an ordinary table: as declared.
fn in_order(connection: &Connection, table: &str) -> Result<Vec<Column>> {
    let mut statement = connection.prepare(
        // A key of one INTEGER column is the rowid itself.
        "SELECT name, upper(type), \"notnull\", dflt_value IS NOT NULL, hidden,
                pk = 1 AND upper(type) = 'INTEGER'
                  AND (SELECT max(pk) FROM pragma_table_xinfo(?1)) = 1
         FROM pragma_table_xinfo(?1) WHERE hidden <> 2 ORDER BY cid",
    )?;
    let columns = statement.query_map([table], |row| {
        let kind: String = row.get(1)?;
        let not_null: bool = row.get(2)?;
        let has_default: bool = row.get(3)?;
        let hidden: i64 = row.get(4)?;
        Ok(Column {
            name: row.get(0)?,
            takes: match kind.as_str() {
                "INTEGER" | "INT" => Takes::Integer,
                "REAL" => Takes::Real,
                "TEXT" => Takes::Text,
                "BLOB" => Takes::Blob,
                _ => Takes::Any,
            },
            may_miss: match (has_default, not_null) {
                (true, _) => Missing::Default,
                (false, true) => Missing::Refused,
                (false, false) => Missing::Null,
            },
            is_rowid: row.get(5)?,
            generated: hidden != 0,
        })
    })?;
    Ok(columns.collect::<rusqlite::Result<_>>()?)
}

/// The columns of a table without rowid: its key first, then the others.
fn key_first(connection: &Connection, table: &str) -> Result<Vec<Column>> {
    let mut columns = in_order(connection, table)?;
    let mut statement = connection.prepare(
        "SELECT x.name FROM pragma_index_list(?1) l JOIN pragma_index_xinfo(l.name) x
         WHERE l.origin = 'pk' ORDER BY x.seqno",
    )?;
    let order: Vec<String> = statement
        .query_map([table], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    columns.sort_by_key(|column| order.iter().position(|name| *name == column.name));
    for column in &mut columns {
        column.is_rowid = false;
    }
    Ok(columns)
}

impl Shape {
    /// Whether a stored row can be one of this table.
    pub(super) fn fits(&self, row: &Row) -> bool {
        row.rowid.is_some() == self.has_rowid
            && row.values.len() <= self.columns.len()
            && self.columns.iter().enumerate().all(|(at, column)| {
                match row.values.get(at) {
                    Some(value) => column.fits(value),
                    // Added to the table after the row was written.
                    None => column.may_miss != Missing::Refused,
                }
            })
    }

    /// How rows of this shape with `length` values get into the table `to`: by the
    /// names of the columns that both have.
    pub(super) fn insertion(&self, to: &Self, length: usize) -> Insertion {
        let taken: Vec<(usize, &Column)> = self
            .columns
            .iter()
            .take(length)
            .enumerate()
            .filter(|(_, column)| {
                to.columns
                    .iter()
                    .any(|other| other.name == column.name && !other.generated)
            })
            .collect();
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        let names: Vec<String> = taken
            .iter()
            .map(|(_, column)| quoted(&column.name))
            .collect();
        Insertion {
            sql: format!(
                // A migration has written rows of its own into the new file.
                "INSERT OR REPLACE INTO {} ({}) VALUES ({})",
                quoted(&to.name),
                names.join(", "),
                vec!["?"; names.len()].join(", ")
            ),
            taken: taken
                .iter()
                .map(|(at, column)| (*at, column.is_rowid))
                .collect(),
        }
    }
}

/// See [`Shape::insertion`].
pub(super) struct Insertion {
    sql: String,
    /// Which of the values, and whether the rowid stands for it.
    taken: Vec<(usize, bool)>,
}

impl Insertion {
    /// Writes a row. `Ok(false)`: the table does not take it.
    pub(super) fn insert(&self, row: &Row, connection: &Connection) -> Result<bool> {
        let given = self.taken.iter().map(|(at, is_rowid)| match row.rowid {
            Some(rowid) if *is_rowid => Value::Integer(rowid),
            _ => row.values.get(*at).cloned().unwrap_or(Value::Null),
        });
        let mut statement = connection.prepare_cached(&self.sql)?;
        match statement.execute(params_from_iter(given)) {
            Ok(_) => Ok(true),
            Err(error)
                if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) =>
            {
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl Column {
    fn fits(&self, value: &Value) -> bool {
        match (value, self.takes) {
            (Value::Null, _) => self.is_rowid || self.may_miss != Missing::Refused,
            (_, _) if self.is_rowid => false,
            (Value::Integer(_), Takes::Integer | Takes::Real | Takes::Any)
            | (Value::Real(_), Takes::Real | Takes::Any)
            | (Value::Text(_), Takes::Text | Takes::Any)
            | (Value::Blob(_), Takes::Blob | Takes::Any) => true,
            _ => false,
        }
    }
}
