//! News of the change feed that only the record can take: kept as they came,
//! sealed to this device, until it is open. They are written with the cursor of
//! the feed, as one, so that none is lost and none is fetched twice.
//!
//! A kind of its own for each reader: `profile`. Each lies in `meta` under
//! `news/KIND/SEQ`.

use rusqlite::Transaction;

use super::{Outbox, state};
use crate::error::Result;

/// An item of the feed for the record.
pub(crate) struct News {
    /// Its kind in the feed.
    pub(crate) kind: &'static str,
    /// Its position in the feed.
    pub(crate) seq: u64,
    /// As it came: an envelope to this device.
    pub(crate) sealed: Vec<u8>,
}

impl Outbox {
    /// The oldest kept item of a kind.
    pub(crate) fn first_news(&self, kind: &'static str) -> Result<Option<News>> {
        let prefix = format!("news/{kind}/");
        // '0' follows '/' in ASCII: a range of the primary key.
        let end = format!("news/{kind}0");
        self.read(|tx| {
            let mut statement = tx.prepare_cached(
                "SELECT key, value FROM meta WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT 1",
            )?;
            let mut rows = statement.query([&prefix, &end])?;
            let Some(row) = rows.next()? else {
                return Ok(None);
            };
            let key: String = row.get(0)?;
            let seq = key.strip_prefix(&prefix).and_then(|seq| seq.parse().ok());
            Ok(Some(News {
                kind,
                seq: seq.unwrap_or(0),
                sealed: row.get(1)?,
            }))
        })
    }

    /// The record has it, or nobody can read it.
    pub(crate) fn drop_news(&self, news: &News) -> Result<()> {
        let key = key(news);
        self.write(|tx| {
            tx.execute("DELETE FROM meta WHERE key = ?1", [&key])?;
            Ok(())
        })
    }
}

pub(super) fn keep(tx: &Transaction<'_>, news: &News) -> Result<()> {
    state::put(tx, &key(news), &news.sealed)
}

fn key(news: &News) -> String {
    // Twenty digits hold every position: the order of the text is theirs.
    format!("news/{}/{:020}", news.kind, news.seq)
}
