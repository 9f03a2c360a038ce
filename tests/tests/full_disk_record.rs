//! A full disk in the middle of a rotation, a recovery and a change of vault: each
//! says so, leaves everything as it was, and works once there is space again.
//!
//! Needs Linux and the right to make a mount namespace; without it the test says
//! so and, under `CI=true`, fails.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use homeline::registration::{Traveler as Registered, TravelerKind};
use homeline_tests::stage::Stage;
use homeline_tests::traveler::{Ask, Told, Traveler, numbered};

const CONTACTS: u32 = 20;
const PAGE: usize = 4096;

/// A phone whose disk is 2 MB, seen from outside.
struct Phone {
    traveler: Traveler,
    disk: PathBuf,
    inside: PathBuf,
    stage: Stage,
    _base: tempfile::TempDir,
}

impl Phone {
    fn start() -> Option<Self> {
        let base = tempfile::tempdir().unwrap();
        let stage = Stage::start(&base.path().join("ministry")).unwrap();
        let disk = base.path().join("disk");
        fs::create_dir(&disk).unwrap();
        let name = disk.to_string_lossy().into_owned();
        let mount = "mount -t tmpfs -o size=2m tmpfs \"$0\"";
        let allowed = Command::new("unshare")
            .args(["-rm", "sh", "-c", mount, &name])
            .status()
            .is_ok_and(|status| status.success());
        if !allowed {
            assert!(std::env::var_os("CI").is_none(), "no mount namespace");
            // Past the capture of the test harness: a skip is said plainly.
            let _ = writeln!(
                std::io::stderr(),
                "SKIP full_disk_record: no mount namespace"
            );
            return None;
        }
        let run = format!("{mount} && exec \"$1\"");
        let arguments = [
            "-rm",
            "sh",
            "-c",
            &run,
            &name,
            env!("CARGO_BIN_EXE_traveler"),
        ];
        let mut phone = Self {
            traveler: Traveler::start(Path::new("unshare"), &arguments).unwrap(),
            inside: PathBuf::new(),
            disk,
            stage,
            _base: base,
        };
        assert_eq!(phone.open(), "Open");
        phone.inside = PathBuf::from(format!("/proc/{}/root", phone.traveler.id()))
            .join(phone.disk.strip_prefix("/").unwrap());
        phone.ask(&Ask::Register {
            traveler: Registered {
                name: "李伟".into(),
                kind: TravelerKind::ShortTrip,
                ..Registered::default()
            },
            contacts: (0..CONTACTS).map(|number| numbered(number).0).collect(),
        });
        // About 400 KB: the copy needs space that a full disk does not have.
        let fixes = (0..5_000).map(|number| numbered(number).1).collect();
        phone.ask(&Ask::Record { fixes });
        Some(phone)
    }

    fn ask(&mut self, ask: &Ask) -> Told {
        self.traveler.ask(ask).unwrap()
    }

    fn open(&mut self) -> String {
        let ask = Ask::Open {
            values: self.stage.values().clone(),
            directory: self.disk.clone(),
            locked: false,
        };
        self.ask(&ask).text
    }

    fn file(&self, name: &str) -> PathBuf {
        self.inside.join("files").join(name)
    }

    fn contacts(&mut self) -> u64 {
        self.ask(&Ask::Contacts).number
    }

    /// Leaves less than `left` bytes.
    fn fill(&self, left: usize) {
        let mut file = fs::File::create(self.inside.join("photos")).unwrap();
        while file.write_all(&[7; 1024]).is_ok() {}
        let length = file.metadata().unwrap().len();
        let left = u64::try_from(left).unwrap();
        file.set_len(length.saturating_sub(left)).unwrap();
    }

    fn free(&self) {
        fs::remove_file(self.inside.join("photos")).unwrap();
    }
}

const FULL: &str = "error: Storage { problem: Full }";

#[test]
fn a_rotation_on_a_full_disk_leaves_the_old_file_and_works_later() {
    let Some(mut phone) = Phone::start() else {
        return;
    };
    let key = fs::read(phone.file("record.key")).unwrap();
    // Nothing at all, space for the key file, space for half of the copy.
    for left in [0, 2 * PAGE, 200_000] {
        phone.fill(left);
        assert_eq!(phone.ask(&Ask::Rotate).text, FULL, "{left} bytes left");
        assert_eq!(phone.contacts(), u64::from(CONTACTS), "{left} bytes left");
        assert!(!phone.file("record.db.partial").exists());
        phone.free();
        // The next start needs nothing of what was begun.
        assert_eq!(phone.open(), "Open");
        assert_eq!(fs::read(phone.file("record.key")).unwrap()[0], 1);
    }
    assert_eq!(phone.ask(&Ask::Rotate).text, "");
    assert_eq!(phone.contacts(), u64::from(CONTACTS));
    assert!(fs::read(phone.file("record.key")).unwrap() != key);
    phone.traveler.kill().unwrap();
}

#[test]
fn a_change_of_vault_on_a_full_disk_leaves_the_old_one_and_works_later() {
    let Some(mut phone) = Phone::start() else {
        return;
    };
    // The new vault's own key is there already.
    let key = phone.disk.join("new.key");
    fs::write(phone.inside.join("new.key"), [9; 32]).unwrap();
    phone.fill(0);
    let before = fs::read(phone.file("record.key")).unwrap();
    let change = Ask::ChangeVault { key };
    assert_eq!(phone.ask(&change).text, FULL);
    assert_eq!(fs::read(phone.file("record.key")).unwrap(), before);
    phone.free();
    assert_eq!(phone.open(), "Open");
    assert_eq!(phone.ask(&change).text, "");
    assert_eq!(phone.contacts(), u64::from(CONTACTS));
    // The old vault opens nothing any more.
    assert_eq!(phone.open(), "KeyLost");
    phone.traveler.kill().unwrap();
}

#[test]
fn a_recovery_on_a_full_disk_waits_for_space_and_touches_nothing() {
    let Some(mut phone) = Phone::start() else {
        return;
    };
    phone.ask(&Ask::Pause);
    let path = phone.file("record.db");
    let mut bytes = fs::read(&path).unwrap();
    // The first page: found at the next open, and all rows can be saved.
    bytes[..PAGE].fill(0x5a);
    fs::write(&path, &bytes).unwrap();
    phone.fill(100_000);
    assert_eq!(phone.open(), "Unavailable { problem: Full }");
    assert!(fs::read(&path).unwrap() == bytes);
    assert!(!phone.file("record.db.partial").exists());
    phone.free();
    assert_eq!(phone.open(), "Open");
    assert_eq!(phone.contacts(), u64::from(CONTACTS));
    phone.traveler.kill().unwrap();
}
