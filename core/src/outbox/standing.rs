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

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::super::{Beside, EventRow, NewEnvelope, Press};
    use super::*;
    use crate::clock::{ClockReading, Time};
    use crate::config::Policy;

    const NOW: i64 = 1_000_000;

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    fn row(number: u128) -> StandingRow {
        StandingRow {
            id: id(number),
            sealed: number.to_string().into_bytes(),
            version: 1,
            made_ms: 0,
        }
    }

    fn outbox(directory: &std::path::Path) -> Outbox {
        Outbox::new(directory, Time::new(None), Policy::STANDARD)
    }

    fn press(outbox: &Outbox, number: u128, beside: Beside, not_before_ms: i64) {
        let at = ClockReading {
            wall_ms: NOW,
            monotonic_ms: 0,
            boot_id: String::new(),
        };
        outbox
            .press(&Press {
                envelope: NewEnvelope {
                    id: id(number),
                    lane: Lane::Sos,
                    role: Role::Report,
                    report: Some(id(number)),
                    sealed: vec![0],
                    readable: None,
                    not_before_ms,
                },
                sequence: 1,
                own_copy: vec![],
                event: EventRow::new(id(number), &at, "{}".into()),
                beside,
            })
            .unwrap();
    }

    /// What waits, beside the reports: roles and ids.
    fn beside(outbox: &Outbox) -> Vec<(Role, u128)> {
        outbox
            .read(|tx| {
                let mut statement = tx.prepare(
                    "SELECT role, id FROM envelope WHERE role <> 0 AND state = 0 ORDER BY role",
                )?;
                let rows = statement.query_map([], |row| {
                    Ok((
                        Role::from_number(row.get(0)?),
                        row.get::<_, Uuid>(1)?.as_u128(),
                    ))
                })?;
                Ok(rows.collect::<rusqlite::Result<_>>()?)
            })
            .unwrap()
    }

    #[test]
    fn the_card_goes_beside_medical_reports_only_and_goes_with_the_last_of_them() {
        use Role::{Medical, Standing};
        let directory = tempfile::tempdir().unwrap();
        let outbox = outbox(directory.path());
        outbox.set_standing(StandingKind::Who, &row(10)).unwrap();
        outbox
            .set_standing(StandingKind::Medical, &row(20))
            .unwrap();
        let later = NOW + 10_000;
        press(&outbox, 1, Beside::Who, later);
        assert_eq!(beside(&outbox), [(Standing, 10)]);
        press(&outbox, 2, Beside::WhoAndMedical, later);
        press(&outbox, 3, Beside::WhoAndMedical, later);
        assert_eq!(beside(&outbox), [(Standing, 10), (Medical, 20)]);
        // The countdown of one of two.
        assert_eq!(outbox.remove_countdown(id(2), NOW), Ok(true));
        assert_eq!(beside(&outbox), [(Standing, 10), (Medical, 20)]);
        assert_eq!(outbox.remove_countdown(id(3), NOW), Ok(true));
        assert_eq!(beside(&outbox), [(Standing, 10)]);
        assert_eq!(outbox.remove_countdown(id(1), NOW), Ok(true));
        assert_eq!(beside(&outbox), []);
    }

    #[test]
    fn a_card_that_waits_for_a_received_report_stays() {
        let directory = tempfile::tempdir().unwrap();
        let outbox = outbox(directory.path());
        outbox
            .set_standing(StandingKind::Medical, &row(20))
            .unwrap();
        press(&outbox, 1, Beside::WhoAndMedical, 0);
        outbox.received(id(1), None).unwrap();
        press(&outbox, 2, Beside::WhoAndMedical, NOW + 10_000);
        assert_eq!(outbox.remove_countdown(id(2), NOW), Ok(true));
        assert_eq!(beside(&outbox), [(Role::Medical, 20)]);
    }

    #[test]
    fn a_corrected_card_replaces_what_waits_and_a_removed_one_takes_it_back() {
        let directory = tempfile::tempdir().unwrap();
        let outbox = outbox(directory.path());
        outbox
            .set_standing(StandingKind::Medical, &row(20))
            .unwrap();
        press(&outbox, 1, Beside::WhoAndMedical, 0);
        outbox
            .set_standing(StandingKind::Medical, &row(21))
            .unwrap();
        assert_eq!(beside(&outbox), [(Role::Medical, 21)]);
        // The countdown of another one does not take away what the first waits for.
        press(&outbox, 2, Beside::WhoAndMedical, NOW + 10_000);
        assert_eq!(outbox.remove_countdown(id(2), NOW), Ok(true));
        assert_eq!(beside(&outbox), [(Role::Medical, 21)]);
        // Refused: it is no longer sent, but it is there.
        outbox.park(id(21), None).unwrap();
        outbox.remove_medical().unwrap();
        let left: i64 = outbox
            .read(|tx| {
                Ok(tx.query_row(
                    "SELECT (SELECT count(*) FROM envelope WHERE role = 9)
                          + (SELECT count(*) FROM standing)
                          + (SELECT count(*) FROM report WHERE medical NOT NULL)",
                    [],
                    |row| row.get(0),
                )?)
            })
            .unwrap();
        assert_eq!(left, 0);
        press(&outbox, 3, Beside::WhoAndMedical, 0);
        assert_eq!(beside(&outbox), []);
    }

    /// `outbox.db` as version 1 left it: a report and its standing envelope wait.
    fn version_1(path: &std::path::Path) {
        let old = Connection::open(path).unwrap();
        old.execute_batch(include_str!("migrations/0001.sql"))
            .unwrap();
        old.execute_batch(
            "PRAGMA application_id = 1213976386; PRAGMA user_version = 1;
             INSERT INTO standing VALUES (1, x'0000000000000000000000000000000a', x'01', 7, 8);
             INSERT INTO report VALUES (x'00000000000000000000000000000001', 1, NULL);
             INSERT INTO envelope (id, lane, role, report, sealed) VALUES
               (x'00000000000000000000000000000001', 0, 0,
                x'00000000000000000000000000000001', x'02'),
               (x'0000000000000000000000000000000a', 0, 3, NULL, x'01');",
        )
        .unwrap();
    }

    #[test]
    fn an_outbox_of_version_1_keeps_what_it_holds() {
        let directory = tempfile::tempdir().unwrap();
        version_1(&directory.path().join("outbox.db"));
        let outbox = outbox(directory.path());
        let kept = outbox.standing(StandingKind::Who).unwrap().unwrap();
        assert_eq!((kept.id, kept.version, kept.made_ms), (id(10), 7, 8));
        assert!(outbox.standing(StandingKind::Medical).unwrap().is_none());
        assert_eq!(outbox.reports(), Ok(vec![id(1)]));
        assert_eq!(beside(&outbox), [(Role::Standing, 10)]);
    }

    #[test]
    fn an_outbox_of_version_1_that_is_damaged_is_salvaged() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("outbox.db");
        version_1(&path);
        // What the migration would copy is gone: it fails, and the file stays as
        // version 1 had it.
        let old = Connection::open(&path).unwrap();
        old.execute_batch("ALTER TABLE standing RENAME COLUMN made_ms TO lost")
            .unwrap();
        drop(old);
        let outbox = outbox(directory.path());
        assert_eq!(outbox.reports(), Ok(vec![id(1)]));
        assert_eq!(beside(&outbox), [(Role::Standing, 10)]);
        press(&outbox, 2, Beside::WhoAndMedical, 0);
    }
}
