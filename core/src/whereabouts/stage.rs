//! The way of positions to the outbox, under the traveler's consent.
//!
//! Two marks in the record say how far it has come: up to `fixes_sent` all is in
//! the outbox, or covered by no consent; up to `fixes_sending` it is on its way.
//! Fixes that come for a moment behind the mark are in `fix_late` and leave in
//! runs of their own. Which fixes are in a run is written down before it is
//! sealed, and nothing joins it later: after a crash between the two files the
//! same run is made again, under the same id. What was brought in from elsewhere
//! is in `fix_late` too, under a number that no run has, and never leaves.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::compact::Compact;
use super::gap::{self, Covered, Gap};
use super::pack::pack_compact;
use super::{keep, store};
use crate::config::Policy;
use crate::error::Result;
use crate::outbox::{Lane, NewEnvelope, Outbox, Role};
use crate::record::{Record, meta, meta_number, set_meta_number};
use crate::registration::gate::{self, PositionGate};
use crate::sync::protocol::{Base64, Content, Crisis, Positions};
use crate::sync::{Sealer, stable_id};

/// In place of a run, for what no consent of any time covers: a track that was
/// brought in from elsewhere. No run has this number.
const NEVER: i64 = i64::MIN;

/// Fixes that leave together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Run {
    /// Everything behind the mark up to this moment.
    Until(i64),
    /// Those of `fix_late` with this number; never a moment of our age.
    Late(i64),
}

impl Run {
    /// What the envelope's id is made from: no two runs of a record share it.
    fn number(self) -> i64 {
        match self {
            Self::Until(number) | Self::Late(number) => number,
        }
    }
}

/// Moves unsent positions to the outbox, an envelope at a time, if the traveler
/// consents. Returns whether there may be more.
pub(crate) fn stage_fixes(
    record: &Record,
    outbox: &Outbox,
    sealer: &Sealer,
    policy: &Policy,
) -> Result<bool> {
    let crises: Vec<Crisis> = sealer
        .service()
        .map_or_else(Vec::new, |service| service.crises.clone());
    let next = record.write(|tx| {
        let gate = PositionGate::of(tx)?;
        // Without a crisis they wait: one may be declared later that began before.
        if gate == PositionGate::InCrisis && crises.is_empty() {
            return Ok(None);
        }
        let Some(run) = next_run(tx, policy.fixes_per_envelope)? else {
            return Ok(None);
        };
        let mut fixes = fixes_of(tx, run)?;
        let mut gaps = gap::take(tx, run.number(), policy.fixes_per_envelope)?;
        if gate != PositionGate::Always {
            fixes.retain(|fix| lets(gate, fix, &crises));
            gaps.clear();
        }
        // What was removed in between leaves nothing to send.
        let content = match fixes.is_empty() && gaps.is_empty() {
            true => None,
            false => Some(Content::Positions(positions(&fixes, gaps, policy)?)),
        };
        let leaves = match &content {
            Some(content) => gate::may_leave(tx, content)?,
            None => false,
        };
        let content = content.filter(|_| leaves);
        Ok(Some((run, content, meta(tx, "instance")?)))
    })?;
    let Some((run, content, instance)) = next else {
        return Ok(false);
    };
    if let Some(content) = content {
        let id = stable_id(&instance, "positions", run.number());
        outbox.enqueue(&NewEnvelope {
            id,
            lane: Lane::Whereabouts,
            role: Role::Positions,
            report: None,
            sealed: sealer.to_ministry(&content, id)?,
            readable: Some(sealer.to_self(&content, id)?),
            not_before_ms: 0,
        })?;
    }
    record.write(|tx| done(tx, run))?;
    // A withdrawal may have come in between.
    gate::enforce(record, outbox)?;
    Ok(true)
}

/// Whether a fix may leave in a crisis: by its place on earth and its moment.
fn lets(gate: PositionGate, fix: &Compact, crises: &[Crisis]) -> bool {
    let place = fix
        .recorded()
        .and_then(|recorded| recorded.fix.position.to_wgs84().ok());
    place.is_some_and(|place| gate.lets((place.latitude(), place.longitude()), fix.at_ms, crises))
}

fn positions(fixes: &[Compact], gaps: Vec<Gap>, policy: &Policy) -> Result<Positions> {
    let most = usize::try_from(policy.block_fixes).unwrap_or(usize::MAX);
    Ok(Positions {
        fixes: Vec::new(),
        blocks: fixes
            .chunks(most)
            .map(|fixes| Ok(Base64(pack_compact(fixes)?)))
            .collect::<Result<_>>()?,
        gaps,
    })
}

/// The run that was begun, or else the next one, noted as begun.
fn next_run(tx: &Connection, most: u32) -> Result<Option<Run>> {
    if keep::covered(tx)? == Covered::ByNone {
        return Ok(None);
    }
    let begun: Option<i64> = tx
        .prepare_cached(
            "SELECT run FROM fix_late WHERE run > ?1 AND run < 0
             UNION ALL SELECT run FROM fix_late WHERE run > 0 LIMIT 1",
        )?
        .query_row([NEVER], |row| row.get(0))
        .optional()?;
    if let Some(run) = begun {
        return Ok(Some(Run::Late(run)));
    }
    let sent = meta_number(tx, "fixes_sent")?;
    let sending = meta_number(tx, "fixes_sending")?;
    if sending > sent {
        return Ok(Some(Run::Until(sending)));
    }
    if let Some(run) = next_late(tx, most)? {
        return Ok(Some(run));
    }
    let until: Option<i64> = tx
        .prepare_cached(
            "SELECT max(at_ms) FROM
               (SELECT at_ms FROM fix WHERE at_ms > ?1 ORDER BY at_ms LIMIT ?2)",
        )?
        .query_row(params![sent, most], |row| row.get(0))?;
    if let Some(until) = until {
        set_meta_number(tx, "fixes_sending", until)?;
    }
    Ok(until.map(Run::Until))
}

fn next_late(tx: &Connection, most: u32) -> Result<Option<Run>> {
    let number = meta_number(tx, "late_runs")?.saturating_add(1);
    let marked = tx
        .prepare_cached(
            "UPDATE fix_late SET run = ?1 WHERE at_ms IN
               (SELECT at_ms FROM fix_late WHERE run = 0 ORDER BY at_ms LIMIT ?2)",
        )?
        .execute(params![-number, most])?;
    if marked == 0 {
        return Ok(None);
    }
    set_meta_number(tx, "late_runs", number)?;
    Ok(Some(Run::Late(-number)))
}

fn fixes_of(tx: &Connection, run: Run) -> Result<Vec<Compact>> {
    let (sql, values) = match run {
        Run::Until(until) => (
            "SELECT at_ms, data FROM fix WHERE at_ms > ?1 AND at_ms <= ?2
               AND NOT EXISTS (SELECT 1 FROM fix_late WHERE fix_late.at_ms = fix.at_ms)
             ORDER BY at_ms",
            [meta_number(tx, "fixes_sent")?, until],
        ),
        Run::Late(run) => (
            "SELECT at_ms, data FROM fix WHERE at_ms IN
               (SELECT at_ms FROM fix_late WHERE run = ?1) AND ?1 = ?2 ORDER BY at_ms",
            [run, run],
        ),
    };
    let mut statement = tx.prepare_cached(sql)?;
    let rows = statement.query_map(values, store::bytes)?;
    rows.map(|row| {
        let (at_ms, data) = row?;
        store::compact(at_ms, &data)
    })
    .collect()
}

fn done(tx: &Connection, run: Run) -> Result<()> {
    match run {
        Run::Until(until) => {
            set_meta_number(tx, "fixes_sent", until)?;
            // Behind the mark nothing leaves by itself: no need to keep it back.
            tx.prepare_cached("DELETE FROM fix_late WHERE run = ?1 AND at_ms <= ?2")?
                .execute([NEVER, until])?;
        }
        Run::Late(run) => {
            tx.execute("DELETE FROM fix_late WHERE run = ?1", [run])?;
        }
    }
    gap::taken(tx, run.number())
}

/// Keeps the fix of a moment on the phone, whatever the traveler consents to.
pub(super) fn keep_back(tx: &Connection, at_ms: i64) -> Result<()> {
    if at_ms > meta_number(tx, "fixes_sent")? {
        tx.prepare_cached("INSERT OR REPLACE INTO fix_late (at_ms, run) VALUES (?1, ?2)")?
            .execute([at_ms, NEVER])?;
    }
    Ok(())
}

/// A consent begins: what is recorded so far is not covered by it, and never
/// leaves.
pub(crate) fn skip_recorded(tx: &Connection) -> Result<()> {
    let last: Option<i64> = tx.query_row("SELECT max(at_ms) FROM fix", [], |row| row.get(0))?;
    set_meta_number(tx, "fixes_sent", last.unwrap_or(i64::MIN))?;
    set_meta_number(tx, "fixes_sending", i64::MIN)?;
    tx.execute("DELETE FROM fix_late", [])?;
    tx.execute("UPDATE gap SET run = NULL", [])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::import;
    use super::super::testing::{START_MS, clock, fix, give_consent, judged, record};
    use super::*;
    use crate::clock::Time;
    use std::sync::Arc;

    use crate::keys::{CurrentVault, DeviceKeys, FileVault, Secret};
    use crate::outbox::Batch;
    use crate::record::RecordState;

    /// Records fixes of these seconds, in one call.
    fn keep_all(tx: &Connection, seconds: &[i64]) {
        let now = clock(START_MS + 100_000, "a");
        let fixes: Vec<_> = seconds
            .iter()
            .map(|second| judged(fix(0.0, START_MS + second * 1_000), &now))
            .collect();
        keep::keep(tx, None, &fixes, &now, &Policy::STANDARD).unwrap();
    }

    fn seconds(tx: &Connection, run: Run) -> Vec<i64> {
        let fixes = fixes_of(tx, run).unwrap();
        fixes
            .iter()
            .map(|fix| (fix.at_ms - START_MS) / 1_000)
            .collect()
    }

    /// Makes runs until there is none; their seconds.
    fn run_all(tx: &Connection) -> Vec<Vec<i64>> {
        let mut runs = Vec::new();
        while let Some(run) = next_run(tx, 4).unwrap() {
            runs.push(seconds(tx, run));
            done(tx, run).unwrap();
        }
        runs
    }

    #[test]
    fn what_is_recorded_before_the_consent_or_after_it_ended_never_leaves() {
        let tx = record();
        keep_all(&tx, &[1, 2, 3]);
        assert_eq!(next_run(&tx, 4).unwrap(), None);
        skip_recorded(&tx).unwrap();
        give_consent(&tx);
        assert_eq!(next_run(&tx, 4).unwrap(), None);
        keep_all(&tx, &[4, 5]);
        assert_eq!(run_all(&tx), [[4, 5]]);
        tx.execute("UPDATE consent_given SET withdrawn_ms = 1", [])
            .unwrap();
        keep_all(&tx, &[6, 2]);
        skip_recorded(&tx).unwrap();
        give_consent(&tx);
        assert_eq!(run_all(&tx), [[0; 0]; 0]);
    }

    #[test]
    fn what_comes_late_is_sent_too_and_only_once() {
        let tx = record();
        give_consent(&tx);
        keep_all(&tx, &[10, 20, 30, 40, 50]);
        assert_eq!(run_all(&tx), [vec![10, 20, 30, 40], vec![50]]);
        keep_all(&tx, &[15, 25, 60]);
        assert_eq!(run_all(&tx), [vec![15, 25], vec![60]]);
        keep_all(&tx, &[15, 60]);
        assert_eq!(run_all(&tx), [[0; 0]; 0]);
    }

    #[test]
    fn a_run_that_was_begun_is_the_same_when_it_is_made_again() {
        let tx = record();
        give_consent(&tx);
        keep_all(&tx, &[10, 20, 30]);
        let run = next_run(&tx, 4).unwrap().unwrap();
        assert_eq!(seconds(&tx, run), [10, 20, 30]);
        // A crash here; then more, before and behind.
        keep_all(&tx, &[5, 25, 40]);
        assert_eq!(next_run(&tx, 4).unwrap(), Some(run));
        assert_eq!(seconds(&tx, run), [10, 20, 30]);
        done(&tx, run).unwrap();
        let late = next_run(&tx, 4).unwrap().unwrap();
        assert_eq!(seconds(&tx, late), [5, 25]);
        keep_all(&tx, &[7]);
        assert_eq!(next_run(&tx, 4).unwrap(), Some(late));
        assert_eq!(seconds(&tx, late), [5, 25]);
        done(&tx, late).unwrap();
        assert_eq!(run_all(&tx), [vec![7], vec![40]]);
    }

    #[test]
    fn what_was_brought_in_never_leaves_and_holds_nothing_up() {
        let bring = |tx: &Connection, seconds: &[i64]| {
            let now = clock(START_MS + 100_000, "a");
            let at = |second: &i64| judged(fix(0.0, START_MS + second * 1_000), &now);
            let piece = seconds.iter().map(at).collect();
            import::import(tx, None, &[piece], &now, &Policy::STANDARD).unwrap();
        };
        let tx = record();
        give_consent(&tx);
        keep_all(&tx, &[10, 20, 30]);
        bring(&tx, &[5, 15, 25, 35, 45]);
        // A run that was begun takes none of it in either.
        let run = next_run(&tx, 4).unwrap().unwrap();
        bring(&tx, &[11, 31, 55]);
        assert_eq!(seconds(&tx, run), [10, 20]);
        keep_all(&tx, &[40, 50, 60]);
        let sent = run_all(&tx).concat();
        assert_eq!(sent, [10, 20, 30, 40, 50, 60]);
        // Behind the mark nothing is left to keep back, and nothing leaves.
        let marks = tx.query_row("SELECT count(*) FROM fix_late", [], |row| row.get(0));
        assert_eq!(marks, Ok(0));
        bring(&tx, &[12, 22]);
        assert_eq!(run_all(&tx), [[0; 0]; 0]);
        // What is recorded on the phone itself leaves as ever.
        keep_all(&tx, &[70, 13]);
        assert_eq!(run_all(&tx).concat(), [13, 70]);
    }

    #[test]
    fn no_two_runs_share_a_number() {
        let tx = record();
        give_consent(&tx);
        let mut numbers = std::collections::BTreeSet::new();
        for round in 0..5 {
            keep_all(&tx, &[round + 10, round]);
            while let Some(run) = next_run(&tx, 1).unwrap() {
                assert!(numbers.insert(run.number()), "{run:?}");
                done(&tx, run).unwrap();
            }
        }
        assert_eq!(numbers.len(), 10);
    }

    /// A record and an outbox in files, as a phone has them.
    struct Files {
        record: Record,
        outbox: Outbox,
        sealer: Sealer,
        _directory: tempfile::TempDir,
    }

    impl Files {
        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path();
            let time = Time::new(None);
            let vault = FileVault::open(path.join("key").to_string_lossy().into_owned()).unwrap();
            let vault = Arc::new(CurrentVault::new(vault));
            let record = Record::new(path, vault, time.clone(), Policy::STANDARD);
            assert_eq!(record.open(), RecordState::Open);
            let outbox = Outbox::new(path, time, Policy::STANDARD);
            let config = crate::testing::config(path);
            let device = DeviceKeys::from_secret(&Secret::new([5; 32])).unwrap();
            Self {
                sealer: Sealer::new(&config, device, &outbox),
                record,
                outbox,
                _directory: directory,
            }
        }

        fn in_record<R>(&self, work: impl Fn(&Connection) -> R) -> R {
            self.record.write(|tx| Ok(work(tx))).unwrap()
        }

        fn stage_all(&self) {
            while stage_fixes(&self.record, &self.outbox, &self.sealer, &Policy::STANDARD).unwrap()
            {
            }
        }

        /// Ids of what waits.
        fn waiting(&self) -> Vec<uuid::Uuid> {
            match self
                .outbox
                .next_batch(i64::MAX / 2, 64, usize::MAX, &[])
                .unwrap()
            {
                Batch::Send(batch) => batch.iter().map(|waiting| waiting.id).collect(),
                _ => Vec::new(),
            }
        }
    }

    #[test]
    fn after_a_crash_between_the_two_files_the_envelope_is_the_same() {
        let files = Files::new();
        files.in_record(give_consent);
        files.in_record(|tx| keep_all(tx, &[10, 20, 30]));
        files.stage_all();
        let first = files.waiting();
        assert_eq!(first.len(), 1);
        let sent = files.in_record(|tx| meta_number(tx, "fixes_sent").unwrap());
        assert_eq!(sent, START_MS + 30_000);
        // The outbox has it, and the process ended before the record knew.
        files.in_record(|tx| set_meta_number(tx, "fixes_sent", i64::MIN).unwrap());
        files.in_record(|tx| keep_all(tx, &[5, 40]));
        files.stage_all();
        let second = files.waiting();
        // The same one, one for the late fix and one for the new.
        assert_eq!(second.len(), 3);
        assert_eq!(second[0], first[0]);
        let late = files.in_record(|tx| {
            tx.query_row("SELECT count(*) FROM fix_late", [], |row| {
                row.get::<_, i64>(0)
            })
            .unwrap()
        });
        assert_eq!(late, 0);
        files.stage_all();
        assert_eq!(files.waiting(), second);
    }
}
