//! The real outbox and the real sync against the real ministry, in any order of
//! presses, faults, crashes and clocks that a seed brings, and beside them a model
//! of what must be true: see [`world`].
//!
//! ```text
//! MODEL_SEED=7 MODEL_CASES=500 cargo test -p homeline-tests --test delivery_model
//! ```
//!
//! A failure prints the shortest story that still fails. The phone's files lie on a
//! small file system of their own, so that the disk can be full; where that is not
//! allowed, the rest is run and it is said.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a failure ends the test it happens in"
)]

mod world;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use homeline_tests::line::{Answer, Fault};
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};
use world::{Act, Trouble, World};

/// Set for the run inside the namespace: where the small disk is.
const SMALL_DISK: &str = "MODEL_SMALL_DISK";

fn number(name: &str, or: u64) -> u64 {
    let said = std::env::var(name).ok();
    said.map_or(or, |text| text.parse().expect("a number"))
}

#[test]
fn nothing_pressed_is_lost_doubled_or_called_what_it_is_not() {
    let Some(disk) = std::env::var_os(SMALL_DISK).map(PathBuf::from) else {
        if !inside_a_namespace() {
            assert!(std::env::var_os("CI").is_none(), "no mount namespace here");
            let _ = writeln!(
                std::io::stderr(),
                "SKIP delivery_model: a full disk, for want of a mount namespace"
            );
            let folder = tempfile::tempdir().unwrap();
            explore(folder.path().to_path_buf(), false);
        }
        return;
    };
    explore(disk, true);
}

/// Runs this very test again with a file system of 6 MB; `false`: not allowed here.
fn inside_a_namespace() -> bool {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().to_string_lossy().into_owned();
    let unshared = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-c", script, &disk]);
        command
    };
    let mount = "mount -t tmpfs -o size=6m tmpfs \"$0\"";
    let allowed = unshared(mount)
        .status()
        .is_ok_and(|status| status.success());
    if !allowed {
        return false;
    }
    let status = unshared(&format!("{mount} && exec \"$@\""))
        .arg(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "nothing_pressed_is_lost_doubled_or_called_what_it_is_not",
            "--nocapture",
        ])
        .env(SMALL_DISK, &disk)
        .status()
        .unwrap();
    assert!(status.success(), "see above");
    true
}

fn explore(disk: PathBuf, may_be_full: bool) {
    let config = ProptestConfig {
        cases: u32::try_from(number("MODEL_CASES", 20)).unwrap(),
        failure_persistence: None,
        max_shrink_iters: 120,
        rng_seed: RngSeed::Fixed(number("MODEL_SEED", 1)),
        ..ProptestConfig::default()
    };
    let office = world::Office::new();
    let told = std::cell::Cell::new((0_u64, 0_u64));
    let story = proptest::collection::vec(any_act(may_be_full), 1..50);
    let outcome = TestRunner::new(config).run(&story, |story| {
        let mut world = World::new(&office, &disk);
        for act in &story {
            world.act(act);
            world.check();
        }
        let pressed = world.finish();
        let (acts, presses) = told.get();
        let length = u64::try_from(story.len()).unwrap();
        told.set((acts + length, presses + pressed));
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    let (acts, presses) = told.get();
    println!("{{\"model_acts\":{acts},\"model_presses\":{presses}}}");
}

fn any_act(may_be_full: bool) -> impl Strategy<Value = Act> {
    let which = 0..6_usize;
    let full = if may_be_full { 2 } else { 0 };
    prop_oneof![
        6 => (0..3_u32).prop_map(|n| Act::Press { countdown_s: if n == 0 { 20 } else { 0 } }),
        2 => which.clone().prop_map(Act::Cancel),
        1 => which.clone().prop_map(Act::Update),
        2 => which.clone().prop_map(Act::TryAgain),
        2 => Just(Act::Edit),
        2 => Just(Act::Record),
        12 => (any_trouble(), 0..4_u64).prop_map(|(trouble, after)| Act::Sync { trouble, after }),
        3 => Just(Act::NetworkChanged),
        4 => prop_oneof![
            1..3_000_i64, 1_000..120_000_i64, 600_000..7_200_000_i64, Just(26 * 3_600_000)
        ].prop_map(Act::Tick),
        2 => (-400..400_i64).prop_map(|days| Act::SetClock { days }),
        1 => Just(Act::Reboot),
        2 => Just(Act::Crash),
        1 => Just(Act::CloseAndReopen),
        1 => Just(Act::Foreground),
        2 => which.clone().prop_map(Act::Acknowledge),
        1 => which.prop_map(Act::CloseCase),
        full => Just(Act::FillDisk),
        full => Just(Act::FreeDisk),
    ]
}

fn any_trouble() -> impl Strategy<Value = Trouble> {
    let problem = |statuses: &'static [u16]| {
        prop::sample::select(statuses).prop_map(|status| Fault::Answer(Answer::problem(status)))
    };
    let page = |statuses: &'static [u16]| {
        prop::sample::select(statuses).prop_map(|status| {
            Fault::Answer(Answer {
                status,
                ..Answer::portal()
            })
        })
    };
    let fault = prop_oneof![
        4 => Just(Fault::None),
        2 => Just(Fault::Offline),
        3 => Just(Fault::LostAnswer),
        1 => Just(Fault::Swallowed),
        2 => problem(&[400, 404, 409, 413, 422, 451]),
        2 => problem(&[401, 403]),
        2 => problem(&[408, 425, 429, 500, 502, 503, 504]),
        1 => (0..400_u32, 0..9_000_u32)
            .prop_map(|(after, spread)| Fault::Answer(Answer::stand_by(after, spread))),
        2 => page(&[200, 204, 302, 401, 404, 500, 511]),
    ];
    prop_oneof![
        8 => fault.prop_map(Trouble::Fault),
        1 => Just(Trouble::Crash),
    ]
}
