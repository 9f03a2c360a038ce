//! A damaged page loses at most what is on it. Every kind of page of a filled
//! record is damaged in turn; what SQLite itself says was on it (`dbstat`, before
//! the damage) is the most that may be missing afterwards.

use std::collections::BTreeMap;
use std::io::Write as _;

use rusqlite::Connection;

use super::codec::PageKeys;
use super::testing::{Phone, Tables, contact, everything, filled, fix};
use super::*;
use crate::salvage::Pages;
use crate::sos::{SosKind, SosRequest};

/// Says which fixes wait, or never leave. Where it or `meta` is damaged all of it
/// goes, and no fix recorded before leaves.
const BOOKKEEPING: &str = "fix_late";

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

/// Page 1, every page that is no leaf, and some of each table and index.
fn some_of_each(all: Vec<OnPage>, most: usize) -> Vec<OnPage> {
    let mut total: BTreeMap<String, usize> = BTreeMap::new();
    for page in &all {
        *total.entry(page.table.clone()).or_default() += 1;
    }
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    all.into_iter()
        .filter(|page| {
            let seen = seen.entry(page.table.clone()).or_default();
            *seen += 1;
            let step = total[&page.table].div_ceil(most).max(1);
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
fn each_page_of_a_record_damaged_in_turn_loses_at_most_what_is_on_it() {
    let phone = filled(300);
    damage_in_turn(&phone, |pages| pages);
}

#[test]
fn a_damaged_page_of_a_large_record_loses_at_most_what_is_on_it() {
    let phone = filled(5_000);
    damage_in_turn(&phone, |pages| some_of_each(pages, 2));
}

fn damage_in_turn(phone: &Phone, choose: impl Fn(Vec<OnPage>) -> Vec<OnPage>) {
    let (before, all) = {
        let connection = phone.sqlite();
        (everything(&connection).unwrap(), pages(&connection))
    };
    let of_pages = all.len();
    let chosen = choose(all);
    assert!(chosen.len() > 15);
    let mut rows_lost = 0;
    for page in &chosen {
        rows_lost += damage_one(phone, &before, page);
    }
    // Past the capture of the test harness: a figure is said plainly.
    let _ = writeln!(
        std::io::stderr(),
        "{{\"damaged_pages\":{},\"of_pages\":{of_pages},\"rows_lost\":{rows_lost}}}",
        chosen.len()
    );
}

fn damage_one(phone: &Phone, before: &Tables, page: &OnPage) -> usize {
    let name = format!("page {} ({} {})", page.number, page.kind, page.table);
    let phone = phone.copy();
    phone.damage(page.number);
    let record = phone.record();
    assert_eq!(record.open(), RecordState::Open, "{name}");
    record.read(touch).unwrap();
    recover_if_needed(&record);
    let after = record.read(everything).unwrap();
    let lost = lost(before, &after, page);
    let most = most_lost(page, before);
    assert!(lost <= most, "{name}: {lost} rows lost, {most} were on it");
    let reports = record.recoveries();
    assert_eq!(reports.len(), 1, "{name}");
    assert_eq!(reports[0].unreadable_pages, 1, "{name}");
    for saved in &reports[0].saved {
        if saved.class == BOOKKEEPING {
            continue;
        }
        // `meta` holds the report too.
        let rows = u64::try_from(after[&saved.class].len()).unwrap();
        assert_eq!(saved.rows.abs_diff(rows), 0, "{name}: {}", saved.class);
    }
    drop(record);
    // The report survives a restart, and so does the SOS.
    let home = phone.home();
    let state = home.state().unwrap();
    assert_eq!(state.recovered, reports, "{name}");
    assert_eq!(state.set_aside.len(), 1, "{name}");
    home.sos().press(SosRequest::new(SosKind::Crime)).unwrap();
    let dismissed = home.dismiss_recoveries().unwrap();
    assert_eq!(dismissed.recovered, vec![], "{name}");
    assert_eq!(dismissed.set_aside.len(), 1, "{name}");
    lost
}

/// Not a page but its neighbours too, the header in clear, the end of the file.
#[test]
fn larger_damage_loses_no_more_than_its_pages() {
    let phone = filled(300);
    let (before, all) = {
        let connection = phone.sqlite();
        (everything(&connection).unwrap(), pages(&connection))
    };
    let root = |table: &str| {
        let mut of_table = all.iter().filter(|page| page.table == table);
        of_table.next().unwrap().number
    };
    let whole = |numbers: Vec<usize>| {
        move |bytes: &mut Vec<u8>| {
            for number in &numbers {
                bytes[(number - 1) * 4096..number * 4096].fill(0x5a);
            }
        }
    };
    type Harm<'a> = (&'a str, Vec<usize>, Box<dyn Fn(&mut Vec<u8>)>);
    let half = all.len() / 2;
    let harms: Vec<Harm<'_>> = vec![
        ("the first page", vec![1], Box::new(whole(vec![1]))),
        (
            "the schema and two roots",
            vec![1, root("fix"), root("field")],
            Box::new(whole(vec![1, root("fix"), root("field")])),
        ),
        (
            "cut in the middle of a page",
            (half + 1..=all.len()).collect(),
            Box::new(move |bytes| bytes.truncate(half * 4096 + 100)),
        ),
    ];
    for (name, pages, harm) in harms {
        let phone = phone.copy();
        let mut bytes = std::fs::read(phone.file("record.db")).unwrap();
        harm(&mut bytes);
        std::fs::write(phone.file("record.db"), bytes).unwrap();
        let record = phone.record();
        assert_eq!(record.open(), RecordState::Open, "{name}");
        recover_if_needed(&record);
        let after = record.read(everything).unwrap();
        let reports = record.recoveries();
        let unreadable = usize::try_from(reports[0].unreadable_pages).unwrap();
        assert_eq!(unreadable, pages.len(), "{name}");
        for (table, rows) in &before {
            let on_them: usize = all
                .iter()
                .filter(|page| pages.contains(&page.number) && page.table == *table)
                .map(|page| most_lost(page, &before))
                .sum();
            let missing = rows.difference(&after[table]).count();
            assert!(
                missing <= on_them,
                "{name}: {missing} of {table}, {on_them} on them"
            );
        }
    }
}

/// What is committed in the log alone, while a page of the file is damaged.
#[test]
fn what_is_in_the_log_is_saved_with_the_rest() {
    let phone = filled(300);
    let home = phone.home();
    for number in 1_000..1_010 {
        home.contacts().add(contact(number)).unwrap();
    }
    // As a kill leaves the files.
    let killed = phone.copy();
    drop(home);
    assert!(
        std::fs::metadata(killed.file("record.db-wal"))
            .unwrap()
            .len()
            > 0
    );
    let table = pages(&phone.sqlite());
    let page = table.iter().find(|page| page.table == "report").unwrap();
    killed.damage(page.number);
    let record = killed.record();
    assert_eq!(record.open(), RecordState::Open);
    recover_if_needed(&record);
    assert_eq!(record.recoveries().len(), 1);
    drop(record);
    assert_eq!(killed.home().contacts().list().unwrap().len(), 100);
}

/// A value that nobody can make sense of is no damage: nothing is recovered.
#[test]
fn a_value_that_does_not_parse_recovers_nothing() {
    let phone = filled(10);
    let record = phone.record();
    assert_eq!(record.open(), RecordState::Open);
    let runs = std::cell::Cell::new(0);
    let outcome = record.read::<()>(|_| {
        runs.set(runs.get() + 1);
        Err(StorageProblem::Damaged.into())
    });
    assert_eq!(outcome, Err(StorageProblem::Damaged.into()));
    assert_eq!((runs.get(), record.recoveries()), (1, vec![]));
}

/// Lost bookkeeping must not send what no consent covers, nor hide what is new.
#[test]
fn without_its_bookkeeping_no_earlier_fix_leaves_and_later_ones_do() {
    let phone = filled(300);
    let all = pages(&phone.sqlite());
    let meta = all.iter().find(|page| page.table == "meta").unwrap().number;
    phone.damage(meta);
    let record = phone.record();
    assert_eq!(record.open(), RecordState::Open);
    let (sent, last): (i64, i64) = record
        .read(|tx| {
            let last = tx.query_row("SELECT max(at_ms) FROM fix", [], |row| row.get(0))?;
            Ok((meta_number(tx, "fixes_sent")?, last))
        })
        .unwrap();
    assert_eq!(sent, last);
    assert!(
        record
            .read(|tx| meta_number(tx, "profile_version"))
            .unwrap()
            > 0
    );
    drop(record);
    let home = phone.home();
    home.whereabouts().record(fix(301)).unwrap();
    let next: i64 = phone
        .record_open()
        .read(|tx| Ok(tx.query_row("SELECT max(at_ms) FROM fix", [], |row| row.get(0))?))
        .unwrap();
    assert!(next > sent);
}

/// Reads every row of every table, though not all of a long text.
fn touch(connection: &Connection) -> Result<()> {
    let tables: Vec<String> = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for table in tables {
        let sql = format!("SELECT count(*) FROM {table} NOT INDEXED");
        connection.query_row(&sql, [], |_| Ok(()))?;
    }
    Ok(())
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
    let bookkeeping = ["meta", BOOKKEEPING].contains(&page.table.as_str());
    for (table, rows) in before {
        let left = &after[table];
        if bookkeeping && table == BOOKKEEPING {
            assert!(left.is_empty());
            continue;
        }
        if page.table == BOOKKEEPING && table == "meta" {
            continue;
        }
        let missing = rows.difference(left).count();
        if missing > 0 {
            assert_eq!(&page.table, table, "another table lost rows");
        }
        if !["meta", "sqlite_sequence", BOOKKEEPING].contains(&page.table.as_str()) {
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
