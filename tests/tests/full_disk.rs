//! A full disk and a directory without permission, made for real: a small file
//! system in a mount namespace, and a process of another user.
//!
//! Both need Linux and rights that a plain user may lack; then the test says so
//! and, under `CI=true`, fails.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test"
)]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use homeline::packs::PackName;
use homeline::sos::SosKind;
use homeline_tests::stage::Stage;
use homeline_tests::traveler::{Ask, Traveler};

fn cannot(what: &str) {
    assert!(std::env::var_os("CI").is_none(), "cannot run: {what}");
    // Past the capture of the test harness: a skip is said plainly.
    let _ = writeln!(std::io::stderr(), "SKIP full_disk: {what}");
}

fn open(stage: &Stage, directory: &Path) -> Ask {
    Ask::Open {
        values: stage.values().clone(),
        directory: directory.to_path_buf(),
        locked: false,
    }
}

/// Another note each time: the same one within a second would be the same press.
fn press(number: u32) -> Ask {
    Ask::Press {
        kind: SosKind::Medical,
        note: format!("{number} {}", "x".repeat(3_000)),
    }
}

/// A phone on a disk of 1 MB, with its files open; `None` where that is not allowed here.
fn on_a_small_disk(stage: &Stage, disk: &Path) -> Option<Traveler> {
    fs::create_dir(disk).unwrap();
    let mount = "mount -t tmpfs -o size=1m tmpfs \"$0\" && exec \"$1\"";
    let allowed = Command::new("unshare")
        .args([
            "-rm",
            "sh",
            "-c",
            "mount -t tmpfs tmpfs \"$0\"",
            &disk.to_string_lossy(),
        ])
        .status()
        .is_ok_and(|status| status.success());
    if !allowed {
        cannot("a mount namespace is not allowed here");
        return None;
    }
    let arguments = [
        "-rm",
        "sh",
        "-c",
        mount,
        &disk.to_string_lossy(),
        env!("CARGO_BIN_EXE_traveler"),
    ];
    let mut traveler = Traveler::start(Path::new("unshare"), &arguments).unwrap();
    assert_eq!(traveler.ask(&open(stage, disk)).unwrap().text, "Open");
    Some(traveler)
}

/// A pack that does not fit leaves the one before it, and does not hold up a report.
#[test]
fn a_pack_that_does_not_fit_is_no_harm() {
    let base = tempfile::tempdir().unwrap();
    let stage = Stage::start(&base.path().join("ministry")).unwrap();
    let Some(mut traveler) = on_a_small_disk(&stage, &base.path().join("disk")) else {
        return;
    };
    let pack = |bytes: usize| {
        let json = format!("\"{}\"", "x".repeat(bytes));
        homeline::packs::write(&[("a".to_owned(), json.into_bytes())].into())
    };
    let publish = |bytes| {
        let ministry = &stage.ministry;
        ministry.publish(PackName::Alerts, &pack(bytes)).unwrap()
    };
    publish(1_000);
    assert_eq!(traveler.ask(&Ask::Sync).unwrap().text, "Done");
    assert_eq!(traveler.ask(&Ask::AlertsVersion).unwrap().number, 1);

    publish(2_000_000);
    let report = traveler.ask(&press(0)).unwrap().text;
    assert_eq!(traveler.ask(&Ask::Sync).unwrap().text, "Done");
    assert_eq!(traveler.ask(&Ask::AlertsVersion).unwrap().number, 1);
    let status = traveler.ask(&Ask::Status { report }).unwrap().text;
    assert!(status.starts_with("received"), "{status}");

    publish(2_000);
    let minutes = Ask::Clock {
        pass_ms: 11 * 60_000,
        set_ms: 0,
    };
    traveler.ask(&minutes).unwrap();
    assert_eq!(traveler.ask(&Ask::Sync).unwrap().text, "Done");
    assert_eq!(traveler.ask(&Ask::AlertsVersion).unwrap().number, 3);
    traveler.kill().unwrap();
}

#[test]
fn a_full_disk_is_said_at_once_and_nothing_is_half_written() {
    let base = tempfile::tempdir().unwrap();
    let stage = Stage::start(&base.path().join("ministry")).unwrap();
    let disk = base.path().join("disk");
    let Some(mut traveler) = on_a_small_disk(&stage, &disk) else {
        return;
    };
    let first = traveler.ask(&press(0)).unwrap().text;
    assert!(!first.starts_with("error"), "{first}");

    // The child's own view of the small disk.
    let inside = PathBuf::from(format!("/proc/{}/root", traveler.id()))
        .join(disk.strip_prefix("/").unwrap());
    let filler = inside.join("photos");
    let mut file = fs::File::create(&filler).unwrap();
    while file.write_all(&[7; 1024]).is_ok() {}
    drop(file);
    // What is left of the last page may still take one or the other.
    let refused = (1..50)
        .map(|number| traveler.ask(&press(number)).unwrap().text)
        .find(|text| text.starts_with("error"))
        .expect("a full disk refuses");
    assert!(refused.contains("NotStored"), "{refused}");
    assert!(refused.contains("problem: Full"), "{refused}");
    assert!(refused.contains("+861012308"), "{refused}");

    // Space again: the same process goes on, and what was stored is whole.
    fs::remove_file(&filler).unwrap();
    let last = traveler.ask(&press(50)).unwrap().text;
    assert!(!last.starts_with("error"), "{last}");
    assert_eq!(traveler.ask(&Ask::Sync).unwrap().text, "Done");
    let cases = stage.ministry.cases().unwrap();
    for report in [&first, &last] {
        let count = cases
            .iter()
            .filter(|case| case.report.to_string() == **report)
            .count();
        assert_eq!(count, 1);
    }
    for report in [first, last] {
        let status = traveler.ask(&Ask::Status { report }).unwrap().text;
        assert!(status.starts_with("received"), "{status}");
    }
    traveler.kill().unwrap();
}

#[test]
fn a_directory_without_permission_is_said_at_once() {
    let base = tempfile::tempdir().unwrap();
    let stage = Stage::start(&base.path().join("ministry")).unwrap();
    let directory = base.path().join("phone");
    fs::create_dir(&directory).unwrap();
    // The vault's key must be readable for the other user; its files are not.
    for (path, mode) in [(base.path(), 0o755), (directory.as_path(), 0o777)] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    let files = directory.join("files");
    fs::create_dir(&files).unwrap();
    fs::set_permissions(&files, fs::Permissions::from_mode(0o500)).unwrap();
    let program = base.path().join("traveler");
    fs::copy(env!("CARGO_BIN_EXE_traveler"), &program).unwrap();
    let user = ["--reuid=65534", "--clear-groups"];
    let allowed = Command::new("setpriv")
        .args(user)
        .arg("true")
        .status()
        .is_ok_and(|status| status.success());
    if !allowed {
        return cannot("another user cannot be taken on here");
    }
    let program = program.to_string_lossy();
    let arguments = [user.as_slice(), &[&program]].concat();
    let mut traveler = Traveler::start(Path::new("setpriv"), &arguments).unwrap();
    let opened = traveler.ask(&open(&stage, &directory)).unwrap().text;
    assert_eq!(opened, "Unavailable { problem: NoPermission }");
    let refused = traveler.ask(&press(0)).unwrap().text;
    assert!(refused.contains("NotStored"), "{refused}");
    assert!(refused.contains("NoPermission"), "{refused}");
    traveler.kill().unwrap();
}
