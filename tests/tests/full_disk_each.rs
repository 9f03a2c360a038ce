//! A full disk in the middle of each operation that writes: it is done or says
//! `Full`, nothing of it is half written, an SOS is stored or gives the numbers to
//! call, and with space again everything goes on.
//!
//! Needs Linux and the right to make a mount namespace; without it the test says
//! so and, under `CI=true`, fails.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use homeline::registration::{Traveler as Registered, TravelerKind};
use homeline::sos::SosKind;
use homeline_tests::operation::Operation;
use homeline_tests::stage::Stage;
use homeline_tests::traveler::{Ask, Traveler, numbered};

/// What is left of the disk, bytes: nothing, a page, enough to begin.
const LEFT: [u64; 4] = [0, 4_096, 20_480, 73_728];
/// So often until it is refused: files have space inside, too.
const TRIES: u32 = 60;
const FULL: &str = "error: Storage { problem: Full }";

/// A phone whose disk is 3 MB, seen from outside.
struct Phone {
    traveler: Traveler,
    disk: PathBuf,
    inside: PathBuf,
    stage: Stage,
    presses: Vec<String>,
    _base: tempfile::TempDir,
}

impl Phone {
    fn start() -> Option<Self> {
        let base = tempfile::tempdir().unwrap();
        let disk = base.path().join("disk");
        fs::create_dir(&disk).unwrap();
        let name = disk.to_string_lossy().into_owned();
        let mount = "mount -t tmpfs -o size=3m tmpfs \"$0\"";
        let allowed = Command::new("unshare")
            .args(["-rm", "sh", "-c", mount, &name])
            .status()
            .is_ok_and(|status| status.success());
        if !allowed {
            assert!(std::env::var_os("CI").is_none(), "no mount namespace");
            // Past the capture of the test harness: a skip is said plainly.
            let _ = writeln!(std::io::stderr(), "SKIP full_disk_each: no mount namespace");
            return None;
        }
        let run = format!("{mount} && exec \"$1\"");
        let program = env!("CARGO_BIN_EXE_traveler");
        let arguments = ["-rm", "sh", "-c", &run, &name, program];
        let mut phone = Self {
            traveler: Traveler::start(Path::new("unshare"), &arguments).unwrap(),
            inside: PathBuf::new(),
            disk,
            stage: Stage::start(&base.path().join("ministry")).unwrap(),
            presses: Vec::new(),
            _base: base,
        };
        assert_eq!(phone.open(), "Open");
        phone.inside = PathBuf::from(format!("/proc/{}/root", phone.traveler.id()))
            .join(phone.disk.strip_prefix("/").unwrap());
        Some(phone)
    }

    fn ask(&mut self, ask: &Ask) -> String {
        self.traveler.ask(ask).unwrap().text
    }

    fn open(&mut self) -> String {
        let ask = Ask::Open {
            values: self.stage.values().clone(),
            directory: self.disk.clone(),
            locked: false,
        };
        self.ask(&ask)
    }

    fn register(&mut self) {
        let told = self.ask(&Ask::Register {
            traveler: Registered {
                name: "李伟".into(),
                kind: TravelerKind::ShortTrip,
                ..Registered::default()
            },
            contacts: (0..5).map(|number| numbered(number).0).collect(),
        });
        assert_eq!(told, "");
        for what in [Operation::RecordFixes, Operation::AddMember] {
            assert_eq!(self.operate(what, 0), "");
        }
        // For what is attached.
        self.press(0);
    }

    fn operate(&mut self, what: Operation, number: u32) -> String {
        if what == Operation::ChangeVault && self.inside.join("photos").metadata().is_err() {
            // The new vault's own key: its host's matter, and there before.
            self.new_vault(number);
        }
        self.ask(&Ask::Operate { what, number })
    }

    fn new_vault(&self, number: u32) {
        let byte = u8::try_from(number % 251).unwrap();
        fs::write(self.inside.join("new.key"), [byte; 32]).unwrap();
    }

    /// The host opens with the new vault from now on.
    fn vault_changed(&self) {
        let key = fs::read(self.inside.join("new.key")).unwrap();
        fs::write(self.inside.join("vault.key"), key).unwrap();
    }

    fn held(&mut self) -> String {
        let held = self.ask(&Ask::Held);
        assert!(held.starts_with('{'), "{held}");
        held
    }

    fn fill(&self, left: u64) {
        let mut file = fs::File::create(self.inside.join("photos")).unwrap();
        while file.write_all(&[7; 1024]).is_ok() {}
        let length = file.metadata().unwrap().len();
        file.set_len(length.saturating_sub(left)).unwrap();
    }

    fn free(&self) {
        fs::remove_file(self.inside.join("photos")).unwrap();
    }

    /// Presses; whether it was stored, it is said.
    fn press(&mut self, number: u32) {
        let told = self.ask(&Ask::Press {
            kind: SosKind::Medical,
            note: format!("{number}"),
        });
        if told.starts_with("error") {
            assert!(told.contains("NotStored"), "{told}");
            assert!(told.contains("problem: Full"), "{told}");
            assert!(told.contains("+861012308"), "{told}");
        } else {
            self.presses.push(told);
        }
    }

    /// Names of files that something was being written to.
    fn half_written(&self) -> Vec<String> {
        let folders = ["", "files", "files/attachments"].map(|name| self.inside.join(name));
        folders
            .iter()
            .filter_map(|folder| fs::read_dir(folder).ok())
            .flatten()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .filter(|name| name.ends_with(".partial") || name == "erase.request")
            .collect()
    }
}

/// Whether it leaves what is held as it was.
fn keeps(what: Operation) -> bool {
    matches!(
        what,
        Operation::Sync | Operation::ExportToFile | Operation::ChangeVault | Operation::RotateKey
    )
}

/// Does it once, with space enough or not; `held` is what was held before it, and
/// then what is. Whether it was done.
fn once(phone: &mut Phone, what: Operation, number: u32, held: &mut String) -> bool {
    let told = phone.operate(what, number);
    let now = phone.held();
    if told == FULL {
        assert!(now == *held, "{what:?}: refused, and not as before");
        return false;
    }
    assert!(["", "Done"].contains(&told.as_str()), "{what:?}: {told}");
    assert_eq!(now == *held, keeps(what), "{what:?}: done");
    if what == Operation::ChangeVault {
        phone.vault_changed();
    }
    *held = now;
    true
}

fn each(what: Operation) {
    let Some(mut phone) = Phone::start() else {
        return;
    };
    let (mut number, mut refused) = (0, 0);
    for left in LEFT {
        if left == 0 || what == Operation::Erase {
            phone.register();
        }
        if what == Operation::ChangeVault {
            phone.new_vault(number + 100);
        }
        let mut held = phone.held();
        phone.fill(left);
        for _ in 0..TRIES {
            number += 1;
            let done = once(&mut phone, what, number, &mut held);
            refused += u32::from(!done);
            // Those that make the file anew say all with the first answer.
            if !done || keeps(what) || what == Operation::Erase {
                break;
            }
        }
        phone.press(number);
        if phone.open() == "Open" {
            // The outbox may need a page to open, and what was sent is in it.
            let now = phone.ask(&Ask::Held);
            assert!(now == held || now == FULL, "{what:?}: started anew, full");
        }
        phone.free();
        assert_eq!(phone.open(), "Open", "{what:?}, {left} bytes left");
        assert!(phone.held() == held, "{what:?}: started anew");
        assert_eq!(phone.half_written(), Vec::<String>::new(), "{what:?}");
        number += 1;
        assert!(once(&mut phone, what, number, &mut held), "{what:?}: again");
        if what == Operation::ExportToFile {
            let whole = fs::read(phone.inside.join("export.json")).unwrap();
            serde_json::from_slice::<serde_json::Value>(&whole).unwrap();
            fs::remove_file(phone.inside.join("export.json")).unwrap();
        }
        number += 1;
        phone.press(number);
    }
    assert!(refused > 0, "{what:?}: the disk was never full");
    assert_eq!(phone.ask(&Ask::Sync), "Done");
    let cases = phone.stage.ministry.cases().unwrap();
    for report in &phone.presses {
        let of_it = |case: &&ministry::CaseView| case.report.to_string() == *report;
        assert_eq!(cases.iter().filter(of_it).count(), 1, "{what:?}");
    }
    assert!(phone.presses.len() >= LEFT.len());
    phone.traveler.kill().unwrap();
}

#[test]
fn each_operation_is_done_or_refused_whole_and_works_with_space_again() {
    for what in Operation::ALL {
        each(what);
    }
}
