//! What the host is told of a recovery. It holds counts, nothing personal, and
//! lies in the table `meta` of the recovered file itself, so that it comes into
//! force with it and survives a restart.

use serde::{Deserialize, Serialize};

use crate::error::{HomelineError, Result};

/// Key of the reports in `meta`.
pub(crate) const RECOVERIES: &str = "recoveries";

/// A damaged file was replaced by what could still be read of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct Recovery {
    /// The file: `record.db` or `outbox.db`. The damaged one is kept, see
    /// `HomeState::set_aside`.
    pub file: String,
    /// When, milliseconds UTC by the phone's clock.
    pub at_ms: i64,
    /// What was saved, class by class; a class of which nothing was saved, or of
    /// which there was nothing, is left out.
    pub saved: Vec<SavedRows>,
    /// Pages of 4,096 bytes that could not be read: what was on them is lost.
    /// 0 where a newer version of the library had written the file.
    pub unreadable_pages: u32,
}

/// How many rows of one class were saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct SavedRows {
    /// The class, by the name of its table: `contact`, `fix`, `report`.
    pub class: String,
    /// Rows saved.
    pub rows: u64,
}

/// What salvage saved.
#[derive(Debug, Default)]
pub(crate) struct Saved {
    /// Tables with how many of their rows, those with none left out.
    pub(crate) rows: Vec<(String, u64)>,
    /// Tables of which a part was out of reach.
    pub(crate) broken: Vec<String>,
    /// Pages that could not be read.
    pub(crate) unreadable_pages: u32,
}

impl Saved {
    /// Whether all of a table was within reach.
    pub(crate) fn whole(&self, table: &str) -> bool {
        !self.broken.iter().any(|name| name == table)
    }

    pub(crate) fn recovery(&self, file: &str, at_ms: i64) -> Recovery {
        let saved = self.rows.iter().map(|(class, rows)| SavedRows {
            class: class.clone(),
            rows: *rows,
        });
        Recovery {
            file: file.to_owned(),
            at_ms,
            saved: saved.collect(),
            unreadable_pages: self.unreadable_pages,
        }
    }
}

/// The value of [`RECOVERIES`] with one more report behind those of `before`.
pub(crate) fn added(before: Option<&[u8]>, recovery: Recovery) -> Result<String> {
    let mut all = before.map(read).unwrap_or_default();
    all.push(recovery);
    serde_json::to_string(&all).map_err(|_| HomelineError::bug("salvage::report"))
}

/// The reports in a value of [`RECOVERIES`].
pub(crate) fn read(value: &[u8]) -> Vec<Recovery> {
    serde_json::from_slice(value).unwrap_or_default()
}
