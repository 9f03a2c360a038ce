//! A page of `outbox.db` is overwritten, each in turn: the press goes on, and of
//! what waited no more is missing than was on the page.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failure ends the test it happens in"
)]

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use homeline::Homeline;
use homeline::config::{Config, Hotline};
use homeline::homeline::Waiting;
use homeline::keys::FileVault;
use homeline::sos::{OnRepeat, SosKind, SosRequest};
use rusqlite::Connection;

const REPORTS: usize = 40;
const PAGE: usize = 4096;

fn open(directory: &Path) -> Arc<Homeline> {
    let config = Config {
        directory: directory.to_string_lossy().into_owned(),
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
    let vault = directory.join("vault.key").to_string_lossy().into_owned();
    Homeline::open(config, FileVault::open(vault).unwrap(), None, None).unwrap()
}

fn press(home: &Homeline) -> String {
    let mut request = SosRequest::new(SosKind::Medical);
    request.note = "x".repeat(700);
    request.on_repeat = Some(OnRepeat::NewReport);
    home.sos().press(request).unwrap()
}

/// Ids of the envelopes that wait.
fn waiting(directory: &Path) -> BTreeSet<Vec<u8>> {
    Connection::open(directory.join("outbox.db"))
        .unwrap()
        .prepare("SELECT id FROM envelope NOT INDEXED WHERE state = 0 AND length(sealed) > 0")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<rusqlite::Result<_>>()
        .unwrap()
}

/// Number, tree, kind and rows of each page.
fn pages(directory: &Path) -> Vec<(usize, String, String, usize)> {
    Connection::open(directory.join("outbox.db"))
        .unwrap()
        .prepare("SELECT pageno, name, pagetype, ncell FROM dbstat ORDER BY pageno")
        .unwrap()
        .query_map([], |row| {
            let number: u32 = row.get(0)?;
            let rows: u32 = row.get(3)?;
            let usize = |number: u32| usize::try_from(number).unwrap();
            Ok((usize(number), row.get(1)?, row.get(2)?, usize(rows)))
        })
        .unwrap()
        .collect::<rusqlite::Result<_>>()
        .unwrap()
}

#[test]
fn each_page_of_an_outbox_overwritten_loses_at_most_what_is_on_it() {
    let filled = tempfile::tempdir().unwrap();
    let home = open(filled.path());
    for _ in 0..REPORTS {
        press(&home);
    }
    home.pause().unwrap();
    drop(home);
    let (before, pages) = (waiting(filled.path()), pages(filled.path()));
    assert_eq!(before.len(), REPORTS);
    let mut replaced = 0;
    for (number, tree, kind, rows) in &pages {
        let name = format!("page {number} ({kind} {tree})");
        let phone = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(filled.path()).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), phone.path().join(entry.file_name())).unwrap();
        }
        let path = phone.path().join("outbox.db");
        let mut bytes = fs::read(&path).unwrap();
        bytes[(number - 1) * PAGE..number * PAGE].fill(0xff);
        fs::write(&path, bytes).unwrap();

        let home = open(phone.path());
        press(&home);
        let _ = home.sos().reports();
        // Goes through all that waits; nobody listens.
        let _ = home.sync(300);
        let state = home.state().unwrap();
        assert!(matches!(state.outbox, Waiting::Known { .. }), "{name}");
        home.pause().unwrap();
        drop(home);
        if state.recovered.is_empty() {
            // Nothing has read the page yet: it is found when something does.
            continue;
        }
        replaced += 1;
        let missing = before.difference(&waiting(phone.path())).count();
        let most = match (tree.as_str(), kind.as_str()) {
            ("envelope", "leaf") => *rows,
            ("envelope", "overflow") => 1,
            _ => 0,
        };
        assert!(missing <= most, "{name}: {missing} lost, {most} were on it");
        assert_eq!(state.recovered[0].file, "outbox.db");
        assert!(
            state
                .set_aside
                .iter()
                .any(|file| file.starts_with("outbox.db.aside-"))
        );
    }
    let _ = writeln!(
        std::io::stderr(),
        "{{\"outbox_pages\":{},\"outbox_replaced\":{replaced}}}",
        pages.len()
    );
    assert!(replaced > pages.len() / 4);
}
