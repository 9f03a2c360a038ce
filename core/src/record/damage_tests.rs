//! A damaged page loses at most what is on it. Every kind of page of a filled
//! record is damaged in turn; what SQLite itself says was on it (`dbstat`, before
//! the damage) is the most that may be missing afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use super::codec::PageKeys;
use super::connection::set_key;
use super::*;
use crate::Homeline;
use crate::config::{Config, Hotline};
use crate::contacts::{Contact, Relation};
use crate::keys::FileVault;
use crate::registration::{Purpose, Traveler, TravelerKind};
use crate::salvage::Pages;
use crate::sos::{OnRepeat, SosKind, SosRequest};
use crate::whereabouts::{Fix, FixSource, Position};

type Tables = BTreeMap<String, BTreeSet<String>>;

const PAGE: usize = 4096;
const FIXES: i32 = 20_000;

/// A phone with a filled record, and its files.
struct Phone {
    directory: TempDir,
}

impl Phone {
    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn home(&self) -> Arc<Homeline> {
        let config = Config {
            directory: self.directory.path().to_string_lossy().into_owned(),
            ministry_url: "https://127.0.0.1:1".into(),
            anchors: vec![vec![7; 32]],
            sealing_key: vec![9; 32],
            tls_roots: vec![],
            hotline: Hotline {
                from_home: "12308".into(),
                from_abroad: "+861012308".into(),
            },
        };
        Homeline::open(config, self.vault(), None, None).unwrap()
    }

    fn vault(&self) -> Arc<FileVault> {
        FileVault::open(self.file("vault.key").to_string_lossy().into_owned()).unwrap()
    }

    fn record(&self) -> Record {
        Record::new(
            self.directory.path(),
            Arc::new(CurrentVault::new(self.vault())),
            Time::new(None),
            Policy::STANDARD,
        )
    }

    fn secret(&self) -> Secret {
        let file = SecretFile::new(self.directory.path(), KeyPurpose::Record);
        file.load_or_create(self.vault().as_ref())
            .unwrap()
            .all()
            .unwrap()
            .remove(0)
    }

    /// The record as SQLite sees it, nothing written.
    fn sqlite(&self) -> Connection {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let connection = Connection::open_with_flags(self.file("record.db"), flags).unwrap();
        set_key(&connection, &self.secret()).unwrap();
        connection
    }

    /// Another phone with the same files.
    fn copy(&self) -> Self {
        let copy = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        for entry in fs::read_dir(self.directory.path()).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            fs::copy(self.file(&name), copy.file(&name)).unwrap();
        }
        copy
    }

    fn damage(&self, page: usize) {
        let path = self.file("record.db");
        let mut bytes = fs::read(&path).unwrap();
        bytes[(page - 1) * PAGE + 700] ^= 1;
        fs::write(path, bytes).unwrap();
    }
}

fn contact(number: i32) -> Contact {
    Contact {
        name: format!("王芳 {number}"),
        phone: "+86 139 0013 9000".into(),
        relation: Relation::Friend,
    }
}

fn fix(number: i32) -> Fix {
    Fix {
        position: Position::Wgs84 {
            latitude: 41.0 + f64::from(number % 1_000) * 1e-4,
            longitude: 29.0 + f64::from(number % 777) * 1e-4,
        },
        time_ms: 1_767_225_600_000 + i64::from(number) * 30_000,
        accuracy_m: Some(f64::from(number % 50)),
        source: FixSource::Gnss,
    }
}

/// Everything the record knows, with texts that need more than a page.
fn filled(fixes: i32) -> Phone {
    let phone = Phone {
        directory: tempfile::tempdir().unwrap(),
    };
    let home = phone.home();
    let registration = home.registration();
    registration
        .save(Traveler {
            name: "李伟".into(),
            kind: TravelerKind::LongStay,
            phone: None,
            document: None,
        })
        .unwrap();
    let consent = |purpose| registration.give_consent(purpose, "2026-01".into());
    consent(Purpose::Register).unwrap();
    consent(Purpose::Whereabouts).unwrap();
    for number in 0..150 {
        home.contacts().add(contact(number)).unwrap();
    }
    for begin in (0..fixes).step_by(1_000) {
        let run = (begin..fixes.min(begin + 1_000)).map(fix).collect();
        home.whereabouts().record_all(run).unwrap();
    }
    for number in 0..30 {
        let mut request = SosRequest::new(SosKind::Medical);
        request.note = format!("{number} ").repeat(2_000);
        request.on_repeat = Some(OnRepeat::NewReport);
        home.sos().press(request).unwrap();
    }
    home.pause().unwrap();
    home.reopen().unwrap();
    home.pause().unwrap();
    phone
}

/// Every row of every table, as text, but the reports of recoveries.
fn everything(connection: &Connection) -> Result<Tables> {
    let tables: Vec<String> = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut all = BTreeMap::new();
    for table in tables {
        let mut statement = connection.prepare(&format!("SELECT * FROM {table}"))?;
        let width = statement.column_count();
        let rows: BTreeSet<String> = statement
            .query_map([], |row| {
                let values: Vec<Value> = (0..width)
                    .map(|at| row.get(at))
                    .collect::<rusqlite::Result<_>>()?;
                Ok(format!("{values:?}"))
            })?
            .collect::<rusqlite::Result<_>>()?;
        let rows = rows.into_iter().filter(|row| !row.contains("recoveries"));
        all.insert(table, rows.collect());
    }
    Ok(all)
}

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
