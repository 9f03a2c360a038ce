//! Packing old rows into blocks: from about 26 bytes a fix to about 3.
//!
//! Runs behind a pass, never on a press or a recording; a bounded piece at a
//! time, in one transaction: each costs a sync, and a press that comes meanwhile
//! shares the disk. What is not sent yet stays in rows, and so do the newest.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::compact::Compact;
use super::gap::Covered;
use super::{keep, store};
use crate::config::Policy;
use crate::error::Result;
use crate::record::{Record, meta_number};

/// Packs up to `Policy::blocks_at_once` blocks; returns how many it made.
pub(crate) fn archive(record: &Record, policy: &Policy) -> Result<u32> {
    record.write(|tx| {
        for done in 0..policy.blocks_at_once {
            if !pack_one(tx, policy)? {
                return Ok(done);
            }
        }
        Ok(policy.blocks_at_once)
    })
}

/// Packs the oldest rows into one block; `false` where there are not enough.
fn pack_one(tx: &Connection, policy: &Policy) -> Result<bool> {
    let Some(until_ms) = border(tx, policy)? else {
        return Ok(false);
    };
    let rows = oldest(tx, until_ms, policy.block_fixes)?;
    if u32::try_from(rows.len()).unwrap_or(u32::MAX) < policy.block_fixes {
        return Ok(false);
    }
    let first_ms = rows.first().map_or(0, |fix| fix.at_ms);
    let last_ms = first_ms.saturating_add(policy.block_span_ms);
    let block: Vec<Compact> = rows
        .into_iter()
        .take_while(|fix| fix.at_ms <= last_ms)
        .collect();
    store::insert_block(tx, &block)?;
    let mut delete = tx.prepare_cached("DELETE FROM fix WHERE at_ms = ?1")?;
    for fix in &block {
        delete.execute([fix.at_ms])?;
    }
    Ok(true)
}

/// The last moment whose row may be packed.
fn border(tx: &Connection, policy: &Policy) -> Result<Option<i64>> {
    let old: Option<i64> = tx
        .prepare_cached("SELECT at_ms FROM fix ORDER BY at_ms DESC LIMIT 1 OFFSET ?1")?
        .query_row([policy.rows_kept], |row| row.get(0))
        .optional()?;
    let Some(old) = old else { return Ok(None) };
    Ok(Some(match keep::covered(tx)? {
        Covered::ByConsent => old.min(meta_number(tx, "fixes_sent")?),
        Covered::ByNone => old,
    }))
}

fn oldest(tx: &Connection, until_ms: i64, count: u32) -> Result<Vec<Compact>> {
    let mut statement = tx.prepare_cached(
        "SELECT at_ms, data FROM fix WHERE at_ms <= ?1
           AND NOT EXISTS (SELECT 1 FROM fix_late WHERE fix_late.at_ms = fix.at_ms)
         ORDER BY at_ms LIMIT ?2",
    )?;
    let rows = statement.query_map(params![until_ms, count], store::bytes)?;
    rows.map(|row| {
        let (at_ms, data) = row?;
        store::compact(at_ms, &data)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::super::RecordedFix;
    use super::super::testing::{START_MS, clock, fix, give_consent, judged, record};
    use super::*;
    use crate::record::set_meta_number;

    fn small() -> Policy {
        Policy {
            rows_kept: 10,
            block_fixes: 16,
            ..Policy::STANDARD
        }
    }

    fn insert(tx: &Connection, at_ms: i64) {
        let now = clock(at_ms, "a");
        let session = store::session(tx, &now).unwrap();
        store::insert(tx, &judged(fix(10.0, at_ms), &now), session).unwrap();
    }

    fn filled(count: i64) -> Connection {
        let tx = record();
        (0..count).for_each(|n| insert(&tx, START_MS + n * 1_000));
        tx
    }

    fn list(tx: &Connection, from_ms: i64, to_ms: i64, limit: u32) -> Vec<RecordedFix> {
        store::list(tx, from_ms, to_ms, limit, &small()).unwrap()
    }

    fn rows(tx: &Connection) -> i64 {
        tx.query_row("SELECT count(*) FROM fix", [], |row| row.get(0))
            .unwrap()
    }

    fn pack_all(tx: &Connection) -> u32 {
        let mut blocks = 0;
        while pack_one(tx, &small()).unwrap() {
            blocks += 1;
        }
        blocks
    }

    #[test]
    fn a_reader_sees_no_difference() {
        let tx = filled(100);
        let before = list(&tx, 0, i64::MAX, 1_000);
        assert_eq!(before.len(), 100);
        assert_eq!(pack_all(&tx), 5);
        assert_eq!(rows(&tx), 20);
        assert!(list(&tx, 0, i64::MAX, 1_000) == before);
        // Every window, over the borders of blocks and of rows.
        let at = |n: usize| START_MS + i64::try_from(n).unwrap() * 1_000;
        for from in (0..100).step_by(7) {
            for length in [1, 16, 40] {
                let end = (from + length).min(100);
                assert!(list(&tx, at(from), at(end), 1_000) == before[from..end]);
                let few = list(&tx, at(from), i64::MAX, 9);
                assert!(few == before[from..(from + 9).min(100)]);
            }
        }
    }

    #[test]
    fn what_comes_late_lies_between_packed_ones_and_is_packed_again() {
        let tx = filled(100);
        pack_all(&tx);
        for n in 0..40 {
            insert(&tx, START_MS + n * 1_000 + 500);
        }
        // The same track once more.
        for n in 0..40 {
            insert(&tx, START_MS + n * 1_000);
        }
        let all = list(&tx, 0, i64::MAX, 1_000);
        assert_eq!(all.len(), 140);
        assert!(pack_all(&tx) > 0);
        assert!(list(&tx, 0, i64::MAX, 1_000) == all);
        assert!(list(&tx, 0, i64::MAX, 33) == all[..33]);
    }

    #[test]
    fn removal_cuts_the_block_at_the_border() {
        let tx = filled(100);
        pack_all(&tx);
        let all = list(&tx, 0, i64::MAX, 1_000);
        assert_eq!(store::remove_before(&tx, START_MS + 20_000).unwrap(), 20);
        assert!(list(&tx, 0, i64::MAX, 1_000) == all[20..]);
        assert_eq!(store::remove_before(&tx, START_MS + 90_000).unwrap(), 70);
        assert!(list(&tx, 0, i64::MAX, 1_000) == all[90..]);
        let blocks: i64 = tx
            .query_row("SELECT count(*) FROM fix_block", [], |row| row.get(0))
            .unwrap();
        assert_eq!(blocks, 0);
    }

    #[test]
    fn what_is_not_sent_is_not_packed() {
        let tx = filled(100);
        give_consent(&tx);
        assert_eq!(pack_all(&tx), 0);
        set_meta_number(&tx, "fixes_sent", START_MS + 50_000).unwrap();
        tx.execute(
            "INSERT INTO fix_late (at_ms, run) VALUES (?1, 0)",
            [START_MS],
        )
        .unwrap();
        assert_eq!(pack_all(&tx), 3);
        // The late one and what is behind the border are rows still.
        assert_eq!(rows(&tx), 100 - 48);
        let first = tx.query_row("SELECT min(at_ms) FROM fix", [], |row| row.get(0));
        assert_eq!(first, Ok(START_MS));
    }

    #[test]
    fn a_block_spans_no_more_than_a_search_looks_back() {
        let tx = record();
        let day = 24 * 3_600_000;
        (0..60).for_each(|n| insert(&tx, START_MS + n * 5 * day));
        let before = list(&tx, 0, i64::MAX, 1_000);
        pack_all(&tx);
        let widest: i64 = tx
            .query_row("SELECT max(last_ms - first_ms) FROM fix_block", [], |row| {
                row.get(0)
            })
            .unwrap();
        assert!(widest <= small().block_span_ms);
        assert!(list(&tx, 0, i64::MAX, 1_000) == before);
        for fix in &before {
            assert!(list(&tx, fix.at_ms, fix.at_ms + 1, 10) == [fix.clone()]);
        }
    }

    #[test]
    fn no_question_is_answered_by_looking_at_everything() {
        let tx = filled(1);
        for sql in [
            store::ROWS_BETWEEN,
            store::BLOCKS_BETWEEN,
            store::NEWEST,
            super::super::gap::BETWEEN,
        ] {
            let plan: Vec<String> = tx
                .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
                .unwrap()
                .query_map(
                    rusqlite::params_from_iter(
                        [1, 2, 3]
                            .iter()
                            .take(tx.prepare(sql).unwrap().parameter_count()),
                    ),
                    |row| row.get(3),
                )
                .unwrap()
                .collect::<rusqlite::Result<_>>()
                .unwrap();
            // The newest are read off the end of the key: a scan with a LIMIT.
            let scans = plan.iter().any(|step| step.starts_with("SCAN"));
            assert_eq!(scans, sql == store::NEWEST, "{plan:?}");
            let sorts = plan.iter().any(|step| step.contains("TEMP B-TREE"));
            assert!(!sorts, "{plan:?}");
        }
    }
}
