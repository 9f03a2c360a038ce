//! Standing envelopes: sealed while the record is open, sent only beside an SOS.
//!
//! There is one of each kind, and each keeps its id until it changes, so that it
//! is sent once. Who calls goes beside every report; the medical card only beside
//! a report of the kind `Medical`, and it is taken back whole when it is removed.

use rusqlite::{OptionalExtension as _, Transaction, params};
use uuid::Uuid;

use super::{Lane, Outbox, Role};
use crate::error::Result;

/// The kinds of standing envelopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StandingKind {
    /// Who calls.
    Who,
    /// The medical card.
    Medical,
}

impl StandingKind {
    // In files: the numbers never change their meaning.
    fn number(self) -> i64 {
        match self {
            Self::Who => 0,
            Self::Medical => 1,
        }
    }

    fn role(self) -> Role {
        match self {
            Self::Who => Role::Standing,
            Self::Medical => Role::Medical,
        }
    }
}

/// A standing envelope.
#[derive(Clone)]
pub(crate) struct StandingRow {
    pub(crate) id: Uuid,
    pub(crate) sealed: Vec<u8>,
    /// Version of what is in it.
    pub(crate) version: i64,
    pub(crate) made_ms: i64,
}

impl Outbox {
    pub(crate) fn standing(&self, kind: StandingKind) -> Result<Option<StandingRow>> {
        self.read(|tx| {
            Ok(tx
                .query_row(
                    "SELECT id, sealed, version, made_ms FROM standing WHERE kind = ?1",
                    [kind.number()],
                    |row| {
                        Ok(StandingRow {
                            id: row.get(0)?,
                            sealed: row.get(1)?,
                            version: row.get(2)?,
                            made_ms: row.get(3)?,
                        })
                    },
                )
                .optional()?)
        })
    }

    /// Replaces the standing envelope. A medical card that waits beside a report
    /// is replaced too: a doctor must not read the one that was corrected.
    pub(crate) fn set_standing(&self, kind: StandingKind, row: &StandingRow) -> Result<()> {
        self.write(|tx| {
            if kind == StandingKind::Medical {
                replace_waiting(tx, row)?;
            }
            tx.execute(
                "INSERT INTO standing (kind, id, sealed, version, made_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (kind) DO UPDATE SET id = excluded.id, sealed = excluded.sealed,
                   version = excluded.version, made_ms = excluded.made_ms",
                params![kind.number(), row.id, row.sealed, row.version, row.made_ms],
            )?;
            Ok(())
        })
    }

    /// Removes the medical card, and what of it has not left.
    pub(crate) fn remove_medical(&self) -> Result<()> {
        self.write(|tx| {
            let kind = StandingKind::Medical;
            tx.execute("DELETE FROM standing WHERE kind = ?1", [kind.number()])?;
            tx.execute(
                "DELETE FROM envelope WHERE role = ?1 AND state <> 1",
                [kind.role().number()],
            )?;
            tx.execute(
                "UPDATE report SET medical = NULL WHERE medical NOT NULL",
                [],
            )?;
            Ok(())
        })
    }
}

fn replace_waiting(tx: &Transaction<'_>, row: &StandingRow) -> Result<()> {
    let waiting: Option<Uuid> = tx
        .query_row(
            "SELECT id FROM envelope WHERE role = ?1 AND state <> 1",
            [Role::Medical.number()],
            |row| row.get(0),
        )
        .optional()?;
    let Some(waiting) = waiting else {
        return Ok(());
    };
    tx.execute(
        "UPDATE envelope SET id = ?2, sealed = ?3, state = 0, attempts = 0, due = 0
         WHERE id = ?1",
        params![waiting, row.id, row.sealed],
    )?;
    tx.execute(
        "UPDATE report SET medical = ?2 WHERE medical = ?1",
        params![waiting, row.id],
    )?;
    Ok(())
}

/// Queues a standing envelope beside a report, once: it keeps its id.
pub(super) fn queue(tx: &Transaction<'_>, kind: StandingKind, not_before_ms: i64) -> Result<()> {
    tx.execute(
        "INSERT INTO envelope (id, lane, role, sealed, not_before)
         SELECT id, ?1, ?2, sealed, ?3 FROM standing WHERE kind = ?4
         ON CONFLICT (id) DO UPDATE
           SET not_before = min(not_before, excluded.not_before) WHERE state = 0",
        params![
            Lane::Sos.number(),
            kind.role().number(),
            not_before_ms,
            kind.number()
        ],
    )?;
    Ok(())
}

/// Takes back what waited beside a report that is gone.
pub(super) fn take_back(tx: &Transaction<'_>) -> Result<()> {
    tx.execute(
        "DELETE FROM envelope WHERE role = ?1 AND state = 0 AND NOT EXISTS
           (SELECT 1 FROM envelope WHERE role = ?2 AND state = 0)",
        params![Role::Standing.number(), Role::Report.number()],
    )?;
    tx.execute(
        "DELETE FROM envelope WHERE role = ?1 AND state = 0 AND NOT EXISTS
           (SELECT 1 FROM report WHERE report.medical = envelope.id)",
        [Role::Medical.number()],
    )?;
    Ok(())
}
