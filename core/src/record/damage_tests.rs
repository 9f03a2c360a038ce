//! A damaged page loses at most what is on it. Every kind of page of a filled
//! record is damaged in turn; what SQLite itself says was on it (`dbstat`, before
//! the damage) is the most that may be missing afterwards.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::codec::PageKeys;
use super::testing::{Tables, everything, filled};
use super::*;
use crate::salvage::Pages;
use crate::sos::{SosKind, SosRequest};

const FIXES: i32 = 20_000;

/// What is on a page, as SQLite has it.
struct OnPage {
    number: usize,
    table: String,
    kind: String,
    cells: usize,
}

fn pages(connection: &Connection) -> Vec<OnPage> {
    connection
        .prepare("SELECT pageno, name, pagetype, ncell FROM dbstat ORDER BY pageno")
        .unwrap()
        .query_map([], |row| {
            Ok(OnPage {
                number: row.get::<_, u32>(0)?.try_into().unwrap(),
                table: row.get(1)?,
                kind: row.get(2)?,
                cells: row.get::<_, u32>(3)?.try_into().unwrap(),
            })
        })
        .unwrap()
        .collect::<rusqlite::Result<_>>()
        .unwrap()
}

/// How many rows may be missing once this page is damaged.
fn most_lost(page: &OnPage, tables: &Tables) -> usize {
    match page.kind.as_str() {
        // A row whose text goes on there.
        "overflow" => 1,
        "leaf" if tables.contains_key(&page.table) => page.cells,
        // The inside of a tree, an index, the schema: nothing that is not elsewhere.
        _ => 0,
    }
}

/// Page 1, every page that is no leaf, and leaves of each table, `of_each` at most.
fn chosen(all: Vec<OnPage>, of_each: usize) -> Vec<OnPage> {
    let mut leaves: BTreeMap<String, usize> = BTreeMap::new();
    let total: BTreeMap<String, usize> = all.iter().fold(BTreeMap::new(), |mut count, page| {
        *count.entry(page.table.clone()).or_default() += 1;
        count
    });
    all.into_iter()
        .filter(|page| {
            let seen = leaves.entry(page.table.clone()).or_default();
            *seen += 1;
            let step = total[&page.table].div_ceil(of_each).max(1);
            page.number == 1 || page.kind == "internal" || *seen % step == 1 % step
        })
        .collect()
}

#[test]
fn a_page_says_what_sqlite_reads_there() {
    let phone = filled(100);
    let keys = PageKeys::of(&phone.secret());
    let decode = |number: u32, raw: &[u8]| keys.open(number, raw);
    let pages = Pages::open(&phone.file("record.db"), &decode).unwrap();
    assert_eq!(pages.user_version(), u32::try_from(NEWEST).ok());
    assert!((1..=pages.count()).all(|number| pages.read(number).is_some()));
    assert_eq!(pages.read(pages.count() + 1), None);
    assert!(codec::fits(&phone.file("record.db"), &phone.secret()));
    let other = new_secret().unwrap();
    assert!(!codec::fits(&phone.file("record.db"), &other));
}

#[test]
fn each_damaged_page_loses_at_most_what_is_on_it() {
    let phone = filled(FIXES);
    let (before, all) = {
        let connection = phone.sqlite();
        (everything(&connection).unwrap(), pages(&connection))
    };
    let total = all.len();
    let chosen = chosen(all, 6);
    let mut lost_at_all = 0;
    for page in &chosen {
        let name = format!("page {} ({} {})", page.number, page.kind, page.table);
        let copy = phone.copy();
        copy.damage(page.number);
        let record = copy.record();
        assert_eq!(record.open(), RecordState::Open, "{name}");
        // Some damage shows only when the page is needed.
        record.read(everything).unwrap();
        recover_if_needed(&record);
        let after = record.read(everything).unwrap();
        let lost = lost(&before, &after, page);
        let most = most_lost(page, &before);
        assert!(lost <= most, "{name}: {lost} rows lost, {most} were on it");
        lost_at_all += lost;
        let reports = record.recoveries();
        assert_eq!(reports.len(), 1, "{name}");
        assert_eq!(reports[0].unreadable_pages, 1, "{name}");
        drop(record);
        // The report survives a restart, and so does the SOS.
        let home = copy.home();
        let state = home.state().unwrap();
        assert_eq!(state.recovered, reports, "{name}");
        assert!(
            state
                .set_aside
                .iter()
                .any(|file| file.starts_with("record.db.aside-"))
        );
        home.sos().press(SosRequest::new(SosKind::Crime)).unwrap();
        assert_eq!(
            home.dismiss_recoveries().unwrap().recovered,
            vec![],
            "{name}"
        );
    }
    println!(
        "{{\"damaged_pages\":{},\"of_pages\":{total},\"rows_lost\":{lost_at_all}}}",
        chosen.len()
    );
    assert!(chosen.len() > 25);
}

/// A page that no query of ours reads is found by nobody; here it is.
fn recover_if_needed(record: &Record) {
    let mut slot = record.lock();
    if record.recovered(&mut slot) {
        assert!(matches!(*slot, Slot::Open(_)));
    }
}

/// Rows of ours that are missing. What the record keeps for itself may change by
/// a recovery, but only where its page was damaged.
fn lost(before: &Tables, after: &Tables, page: &OnPage) -> usize {
    let mut lost = 0;
    for (table, rows) in before {
        let left = &after[table];
        let missing = rows.difference(left).count();
        if missing > 0 {
            assert_eq!(&page.table, table, "another table lost rows");
        }
        if !["meta", "boot", "sqlite_sequence"].contains(&page.table.as_str()) {
            assert_eq!(
                left.difference(rows).count(),
                0,
                "{table}: rows from nowhere"
            );
        }
        lost += missing;
    }
    lost
}
