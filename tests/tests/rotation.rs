//! The record's key is rotated again and again, with contacts and fixes written
//! in between, in a process that is killed at random moments. After each kill the
//! record opens and holds everything that was acknowledged.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use homeline::keys::FileVault;
use homeline::{Homeline, RecordState};
use homeline_tests::chance::Chance;
use homeline_tests::stage::Stage;
use homeline_tests::traveler::{Ask, Traveler, numbered};

const KILLS: u32 = 120;
/// Fixes before the first rotation: enough that a kill falls into the copying.
const FILL: u32 = 1_500;
const FIRST: u32 = 100_000;

fn open(stage: &Stage, phone: &Path) -> Arc<Homeline> {
    let vault = FileVault::open(phone.join("vault.key").to_string_lossy().into_owned()).unwrap();
    Homeline::open(stage.config(&phone.join("files")), vault, None, None).unwrap()
}

/// What was acknowledged, and what the kills fell into.
#[derive(Default)]
struct Seen {
    contacts: HashSet<u32>,
    fixes: HashSet<u32>,
    rotations: u32,
    halfway: u32,
    next: u32,
}

impl Seen {
    fn take(&mut self, lines: &[String]) {
        for line in lines {
            let (what, number) = line.split_once(' ').unwrap();
            let number: u32 = number.parse().unwrap();
            match what {
                "contact" => assert!(self.contacts.insert(number)),
                "fix" => assert!(self.fixes.insert(number)),
                "rotated" => self.rotations += 1,
                other => unreachable!("{other}"),
            }
            // One that was not acknowledged may be there too.
            self.next = self.next.max(number + 2);
        }
        self.next += 1;
    }

    /// How much of what was acknowledged is not there.
    fn lost(&self, home: &Homeline) -> usize {
        let names: HashSet<String> = home
            .contacts()
            .list()
            .unwrap()
            .into_iter()
            .map(|saved| saved.contact.name)
            .collect();
        let times: HashSet<i64> = home
            .whereabouts()
            .list(i64::MIN, i64::MAX, u32::MAX)
            .unwrap()
            .into_iter()
            .map(|fix| fix.fix.time_ms)
            .collect();
        let contact = |number: &&u32| !names.contains(&numbered(**number).0.name);
        let fix = |number: &&u32| !times.contains(&numbered(**number).1.time_ms);
        let filled = (0..FILL).filter(|number| !times.contains(&numbered(*number).1.time_ms));
        self.contacts.iter().filter(contact).count()
            + self.fixes.iter().filter(fix).count()
            + filled.count()
    }
}

#[test]
fn a_rotation_killed_at_any_moment_loses_nothing() {
    let base = tempfile::tempdir().unwrap();
    let stage = Stage::start(&base.path().join("ministry")).unwrap();
    let phone = base.path().join("phone");
    let files = phone.join("files");
    fs::create_dir_all(&phone).unwrap();
    let seed = Chance::seed();
    let mut chance = Chance::new(seed);
    println!("seed {seed}");
    let home = open(&stage, &phone);
    let fill = (0..FILL).map(|number| numbered(number).1).collect();
    home.whereabouts().record_all(fill).unwrap();
    drop(home);
    let old_key = fs::read(files.join("record.key")).unwrap();

    let (mut seen, mut lost) = (
        Seen {
            next: FIRST,
            ..Seen::default()
        },
        0,
    );
    for _ in 0..KILLS {
        let program = Path::new(env!("CARGO_BIN_EXE_traveler"));
        let mut traveler = Traveler::start(program, &[]).unwrap();
        let told = traveler.ask(&Ask::Open {
            values: stage.values().clone(),
            directory: phone.clone(),
            locked: false,
        });
        assert_eq!(told.unwrap().text, "Open");
        traveler
            .say(&Ask::RotateForever { from: seen.next })
            .unwrap();
        std::thread::sleep(Duration::from_micros(chance.bits() % 600_000));
        seen.take(&traveler.kill().unwrap());
        let two_secrets = fs::read(files.join("record.key")).unwrap().first() == Some(&2);
        seen.halfway += u32::from(two_secrets || files.join("record.db.partial").exists());

        let home = open(&stage, &phone);
        let state = home.state().unwrap();
        assert_eq!(state.record, RecordState::Open);
        assert!(state.set_aside.is_empty() && state.recovered.is_empty());
        lost += seen.lost(&home);
    }
    println!(
        "{{\"rotation_kills\":{KILLS},\"rotation_kills_halfway\":{},\"rotations\":{},\
         \"rotation_acknowledged\":{},\"rotation_kills_lost\":{lost}}}",
        seen.halfway,
        seen.rotations,
        seen.contacts.len() + seen.fixes.len()
    );
    assert_eq!(lost, 0);
    assert!(seen.rotations > KILLS / 8, "rotations end");
    // How many depends on the disk and on what else runs.
    assert!(seen.halfway > KILLS / 20, "kills fall into them");

    // With the vault and the key file of before, nothing of it can be read.
    fs::write(files.join("record.key"), old_key).unwrap();
    let home = open(&stage, &phone);
    assert!(home.contacts().list().unwrap().is_empty());
    let state = home.state().unwrap();
    assert!(
        state
            .recovered
            .iter()
            .all(|recovery| recovery.saved.is_empty())
    );
    assert!(!state.set_aside.is_empty());
}
