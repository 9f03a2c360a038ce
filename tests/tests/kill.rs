//! Nothing pressed is lost: a phone that presses in a loop is killed at random
//! moments, 200 times. Every press that returned is on disk, opens at the
//! ministry, and is one case there.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::time::Duration;

use homeline::Homeline;
use homeline::keys::FileVault;
use homeline::sos::ReportState;
use homeline::sync::SyncStop;
use homeline_tests::chance::Chance;
use homeline_tests::stage::Stage;
use homeline_tests::traveler::{Ask, Traveler};

const KILLS: u64 = 200;

#[test]
fn two_hundred_kills_lose_nothing() {
    let base = tempfile::tempdir().unwrap();
    let stage = Stage::start(&base.path().join("ministry")).unwrap();
    let phone = base.path().join("phone");
    std::fs::create_dir_all(&phone).unwrap();
    let seed = Chance::seed();
    let mut chance = Chance::new(seed);
    println!("seed {seed}");

    let mut printed: Vec<String> = Vec::new();
    let mut rounds_with_presses = 0;
    for _ in 0..KILLS {
        let program = Path::new(env!("CARGO_BIN_EXE_traveler"));
        let mut traveler = Traveler::start(program, &[]).unwrap();
        let told = traveler.ask(&Ask::Open {
            values: stage.values().clone(),
            directory: phone.clone(),
            locked: false,
        });
        assert_eq!(told.unwrap().text, "Open");
        traveler.say(&Ask::PressForever).unwrap();
        std::thread::sleep(Duration::from_micros(chance.bits() % 60_000));
        let ids = traveler.kill().unwrap();
        rounds_with_presses += u32::from(!ids.is_empty());
        printed.extend(ids);
    }
    assert!(
        rounds_with_presses > 100,
        "the kills came before the presses"
    );

    let vault = FileVault::open(phone.join("vault.key").to_string_lossy().into_owned()).unwrap();
    let config = stage.config(&phone.join("files"));
    let home = Homeline::open(config, vault, None, None).unwrap();
    assert!(home.state().unwrap().set_aside.is_empty());
    for id in &printed {
        let status = home.sos().status(id.clone()).unwrap();
        assert_eq!(status.state, ReportState::Stored);
    }
    let outcome = home.sync(300_000).unwrap();
    assert_eq!((outcome.stopped, outcome.waiting), (SyncStop::Done, 0));

    let mut at_ministry: HashMap<String, u32> = HashMap::new();
    for case in stage.ministry.cases().unwrap() {
        assert!(case.kind.is_some(), "it opens");
        *at_ministry.entry(case.report.to_string()).or_default() += 1;
    }
    let unique: HashSet<&String> = printed.iter().collect();
    assert_eq!(unique.len(), printed.len());
    let lost = printed
        .iter()
        .filter(|id| !at_ministry.contains_key(*id))
        .count();
    let double = at_ministry.values().filter(|count| **count > 1).count();
    println!(
        "{{\"kills\":{KILLS},\"kill_presses\":{},\"kill_lost\":{lost},\"kill_double\":{double}}}",
        printed.len()
    );
    assert_eq!((lost, double), (0, 0));
    // A press that was cut off before it returned may be there too, or not.
    assert!(at_ministry.len() <= printed.len() + usize::try_from(KILLS).unwrap());
}
