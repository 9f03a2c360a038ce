//! A traveler asks to be erased: what the ministry deletes, and what it keeps.
//!
//! Deleted is all that was sent under a consent or in advance: the registration,
//! the positions, and standing envelopes that no report speaks of. A registration
//! that another phone of the traveler shares stays with that phone. A case stays,
//! with what was said in it, the standing envelope that says who called, the
//! medical card that came beside it and what was attached: it is
//! the ministry's own record of what it was asked and did (GDPR art. 17 (3) (b)
//! and (e); Personal Information Protection Law of the PRC, art. 47, last
//! sentence). The rows of `envelopes` stay too: an id and a receipt, so that a
//! repeat is still a repeat.

use homeline::sync::protocol::Content;
use rusqlite::{OptionalExtension as _, Transaction, params};
use uuid::Uuid;

use super::{Result, Store, registrations, unsigned};
use crate::intake::Sender;

/// How much there is beside the cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holdings {
    /// Registrations.
    pub profiles: u64,
    /// Positions.
    pub positions: u64,
    /// Standing envelopes, those of cases too.
    pub standings: u64,
}

impl Store {
    pub(crate) fn holdings(&self) -> Result<Holdings> {
        self.read(|tx| {
            Ok(tx.query_row(
                "SELECT (SELECT count(*) FROM profiles), (SELECT count(*) FROM positions),
                        (SELECT count(*) FROM standings)",
                [],
                |row| {
                    Ok(Holdings {
                        profiles: unsigned(row, 0)?,
                        positions: unsigned(row, 1)?,
                        standings: unsigned(row, 2)?,
                    })
                },
            )?)
        })
    }
}

/// Deletes what is not part of a case.
pub(super) fn erase(tx: &Transaction<'_>, sender: &Sender, received_ms: i64) -> Result<()> {
    tx.execute(
        "INSERT INTO erasures (sender, received_ms) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        params![sender, received_ms],
    )?;
    registrations::erase(tx, sender)?;
    for table in ["positions", "cards"] {
        tx.execute(&format!("DELETE FROM {table} WHERE sender = ?1"), [sender])?;
    }
    let named = standings_of_cases(tx, sender)?;
    let mut select = tx.prepare("SELECT envelope FROM standings WHERE sender = ?1")?;
    let held = select
        .query_map([sender], |row| row.get::<_, [u8; 16]>(0))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    for envelope in held {
        if !named.contains(&Uuid::from_bytes(envelope)) {
            tx.execute("DELETE FROM standings WHERE envelope = ?1", [envelope])?;
        }
    }
    Ok(())
}

/// Whether a content of this sender is kept. After an erasure only what belongs
/// to an SOS is: it was pressed before and came on a slow way.
pub(super) fn keeps(tx: &Transaction<'_>, sender: &Sender, content: &Content) -> Result<bool> {
    let erased: Option<i64> = tx
        .query_row(
            "SELECT 1 FROM erasures WHERE sender = ?1",
            [sender],
            |row| row.get(0),
        )
        .optional()?;
    Ok(erased.is_none()
        || match content {
            Content::Profile(_) | Content::Positions(_) | Content::Group(_) => false,
            Content::Sos(_)
            | Content::SosUpdate(_)
            | Content::SosCancel(_)
            | Content::Standing(_)
            | Content::Medical(_)
            | Content::Attachment(_)
            | Content::GroupLeave(_)
            | Content::Erase(_) => true,
        })
}

/// The standing envelopes that this sender's reports name.
fn standings_of_cases(tx: &Transaction<'_>, sender: &Sender) -> Result<Vec<Uuid>> {
    let mut select = tx.prepare("SELECT content FROM case_letters WHERE sender = ?1")?;
    let letters = select
        .query_map([sender], |row| row.get::<_, Vec<u8>>(0))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(letters
        .iter()
        .filter_map(|letter| match serde_json::from_slice(letter) {
            Ok(Content::Sos(report)) => report.standing,
            _ => None,
        })
        .collect())
}
