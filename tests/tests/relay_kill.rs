//! A carrier that is killed in the middle of taking a bundle, and of passing it on:
//! a bundle is taken whole or not at all, what was taken is not lost, and each report
//! is one case.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use homeline::Homeline;
use homeline::keys::FileVault;
use homeline::sos::{OnRepeat, SosKind, SosRequest};
use homeline_tests::chance::Chance;
use homeline_tests::stage::{self, Network, Stage};
use homeline_tests::traveler::{Ask, Told, Traveler};
use tempfile::TempDir;

/// Bundles, each with the reports of a valley.
const BUNDLES: u64 = 12;
const REPORTS: u64 = 5;
/// An import takes some 5 ms on an idle machine, and ten times that on a busy one.
const IMPORT_STEP: Duration = Duration::from_millis(6);

struct World {
    base: TempDir,
    stage: Stage,
}

impl World {
    fn new() -> Self {
        let base = tempfile::tempdir().unwrap();
        let stage = Stage::start(&base.path().join("ministry")).unwrap();
        Self { base, stage }
    }

    /// The bundle of a valley with several reports; their ids.
    fn valley(&self, number: u64) -> (PathBuf, Vec<String>) {
        let directory = self.base.path().join(format!("valley {number}"));
        std::fs::create_dir_all(&directory).unwrap();
        let vault = directory.join("vault.key").to_string_lossy().into_owned();
        let vault = FileVault::open(vault).unwrap();
        let config = stage::config(self.stage.values(), &directory.join("files"));
        let home = Homeline::open(config, vault, None, None).unwrap();
        let mut request = SosRequest::new(SosKind::Other);
        request.on_repeat = Some(OnRepeat::NewReport);
        let mut chance = Chance::new(number);
        let reports = (0..REPORTS)
            .map(|_| {
                // Too long for two of them to share a parcel, compressed as they are.
                request.note = chance.text(500);
                home.sos().press(request.clone()).unwrap()
            })
            .collect();
        let file = directory.join("bundle");
        std::fs::write(&file, home.relay().export(u64::MAX).unwrap()).unwrap();
        (file, reports)
    }

    fn carrier(&self) -> Traveler {
        let directory = self.base.path().join("carrier");
        std::fs::create_dir_all(&directory).unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_traveler"));
        let mut carrier = Traveler::start(program, &[]).unwrap();
        let opened = carrier.ask(&Ask::Open {
            values: self.stage.values().clone(),
            directory,
            locked: false,
        });
        assert_eq!(opened.unwrap().text, "Open");
        carrier
    }
}

fn wait(number: u64, step: Duration) {
    std::thread::sleep(step * u32::try_from(number).unwrap());
}

#[test]
fn killed_while_it_takes_and_while_it_passes_on() {
    let world = World::new();
    let valleys: Vec<_> = (0..BUNDLES).map(|number| world.valley(number)).collect();
    world.stage.network(Network::Down);

    let (mut held, mut cut) = (0, 0);
    for (number, (bundle, _)) in (0..).zip(&valleys) {
        let mut carrier = world.carrier();
        let bundle = bundle.clone();
        carrier.say(&Ask::Carry { bundle }).unwrap();
        wait(number, IMPORT_STEP);
        let told = carrier.kill().unwrap();
        let returned = told.first().is_some_and(|line| {
            let told: Told = serde_json::from_str(line).unwrap();
            assert_eq!(told.number, REPORTS);
            true
        });
        cut += u32::from(!returned);
        let mut carrier = world.carrier();
        let now = carrier.ask(&Ask::Carried).unwrap().number;
        assert!(now == held + REPORTS || (now == held && !returned));
        // The neighbour holds it against the radio once more.
        let bundle = valleys[usize::try_from(number).unwrap()].0.clone();
        let again = carrier.ask(&Ask::Carry { bundle }).unwrap().number;
        held += REPORTS;
        assert_eq!(now + again, held, "whole or not at all");
        carrier.end().unwrap();
    }
    assert_eq!(held, BUNDLES * REPORTS);

    world.stage.network(Network::Up);
    let mut passes = 0;
    let end = loop {
        let mut carrier = world.carrier();
        carrier.say(&Ask::Sync).unwrap();
        wait(passes, Duration::from_millis(25));
        carrier.kill().unwrap();
        passes += 1;
        let mut carrier = world.carrier();
        let mut told = carrier.ask(&Ask::Carried).unwrap();
        if passes == 12 {
            assert_eq!(carrier.ask(&Ask::Sync).unwrap().text, "Done");
            told = carrier.ask(&Ask::Carried).unwrap();
        }
        carrier.end().unwrap();
        if told.text == format!("{held} 0") || passes == 12 {
            break told;
        }
    };
    assert_eq!(end.text, format!("{held} 0"), "taken, none refused");
    let cases = world.stage.ministry.cases().unwrap();
    let at_ministry: BTreeSet<String> = cases.iter().map(|case| case.report.to_string()).collect();
    let pressed: BTreeSet<String> = valleys
        .into_iter()
        .flat_map(|(_, reports)| reports)
        .collect();
    assert_eq!(cases.len(), pressed.len(), "one case each");
    assert_eq!(at_ministry, pressed, "none lost");
    println!("{{\"relay_kills\":{}}}", BUNDLES + passes);
    println!("imports cut: {cut}, passes: {passes}");
}
