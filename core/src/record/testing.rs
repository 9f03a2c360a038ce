//! What the tests of the record share: a phone, its files, and what is in them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::Connection;
use tempfile::TempDir;

use super::Record;
use super::connection::set_key;
use crate::Homeline;
use crate::clock::Time;
use crate::config::{Config, Hotline, Policy};
use crate::contacts::{Contact, Relation};
use crate::error::Result;
use crate::keys::{CurrentVault, FileVault, KeyPurpose, KeyVault, Secret, SecretFile};
use crate::registration::{Purpose, Traveler, TravelerKind};
use crate::sos::{OnRepeat, SosKind, SosRequest};
use crate::whereabouts::{Fix, FixSource, Position};

/// Every row of every table, as text.
pub(super) type Tables = BTreeMap<String, BTreeSet<String>>;

const PAGE: usize = 4096;

/// A phone with a filled record, and its files.
pub(super) struct Phone {
    pub(super) directory: TempDir,
}

impl Phone {
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(super) fn home(&self) -> Arc<Homeline> {
        self.home_with(self.vault())
    }

    pub(super) fn home_with(&self, vault: Arc<dyn KeyVault>) -> Arc<Homeline> {
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
            home_country: "CN".into(),
            sms_numbers: vec![],
            datagram: None,
            receipt_keys: Vec::new(),
            languages: Vec::new(),
        };
        Homeline::open(config, vault, None, None).unwrap()
    }

    pub(super) fn vault(&self) -> Arc<FileVault> {
        self.other_vault("vault.key")
    }

    pub(super) fn other_vault(&self, name: &str) -> Arc<FileVault> {
        FileVault::open(self.file(name).to_string_lossy().into_owned()).unwrap()
    }

    pub(super) fn record(&self) -> Record {
        Record::new(
            self.directory.path(),
            Arc::new(CurrentVault::new(self.vault())),
            Time::new(None),
            Policy::STANDARD,
        )
    }

    pub(super) fn record_open(&self) -> Record {
        let record = self.record();
        record.open();
        record
    }

    pub(super) fn secret(&self) -> Secret {
        let file = SecretFile::new(self.directory.path(), KeyPurpose::Record);
        file.load_or_create(self.vault().as_ref())
            .unwrap()
            .all()
            .unwrap()
            .remove(0)
    }

    /// The record as SQLite has it.
    pub(super) fn sqlite(&self) -> Connection {
        let connection = Connection::open(self.file("record.db")).unwrap();
        set_key(&connection, &self.secret()).unwrap();
        connection
    }

    /// Another phone with the same files.
    pub(super) fn copy(&self) -> Self {
        let copy = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        for entry in fs::read_dir(self.directory.path()).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            fs::copy(self.file(&name), copy.file(&name)).unwrap();
        }
        copy
    }

    pub(super) fn damage(&self, page: usize) {
        let path = self.file("record.db");
        let mut bytes = fs::read(&path).unwrap();
        bytes[(page - 1) * PAGE + 700] ^= 1;
        fs::write(path, bytes).unwrap();
    }
}

pub(super) fn contact(number: i32) -> Contact {
    Contact {
        name: format!("王芳 {number}"),
        phone: "+86 139 0013 9000".into(),
        relation: Relation::Friend,
        ..Contact::default()
    }
}

pub(super) fn fix(number: i32) -> Fix {
    Fix {
        accuracy_m: Some(f64::from(number % 50)),
        ..Fix::new(
            Position::Wgs84 {
                latitude: 41.0 + f64::from(number % 1_000) * 1e-4,
                longitude: 29.0 + f64::from(number % 777) * 1e-4,
            },
            1_767_225_600_000 + i64::from(number) * 30_000,
            FixSource::Gnss,
        )
    }
}

/// Everything the record knows, with texts that need more than a page.
pub(super) fn filled(fixes: i32) -> Phone {
    let phone = Phone {
        directory: tempfile::tempdir().unwrap(),
    };
    let home = phone.home();
    let registration = home.registration();
    registration
        .save(Traveler {
            name: "李伟".into(),
            kind: TravelerKind::LongStay,
            ..Traveler::default()
        })
        .unwrap();
    let consent = |purpose| home.consents().give(purpose, "2026-01".into());
    consent(Purpose::Register).unwrap();
    consent(Purpose::Whereabouts).unwrap();
    for number in 0..90 {
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
pub(super) fn everything(connection: &Connection) -> Result<Tables> {
    let tables: Vec<String> = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut all = BTreeMap::new();
    for table in tables {
        let columns: Vec<String> = connection
            .prepare(&format!("SELECT * FROM {table}"))?
            .column_names()
            .map(|name| format!("quote({name})"))
            .collect();
        let rows: BTreeSet<String> = connection
            .prepare(&format!(
                "SELECT {} FROM {table}",
                columns.join(" || ',' || ")
            ))?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let rows = rows.into_iter().filter(|row| !row.contains("recoveries"));
        all.insert(table, rows.collect());
    }
    Ok(all)
}
