//! A press is on disk when it returns, and costs exactly one sync.
//!
//! Another process, traced by strace, is asked to press; what it answers is a
//! write to its standard output. Between one answer and the next there must be
//! one sync of the outbox, and nothing else that waits for a disk.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failure ends the test it happens in; the figures read what it prints"
)]

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use homeline::registration::{MedicalCard, Traveler as Registered};
use homeline::sos::SosKind;
use homeline_tests::stage::{Network, Stage};
use homeline_tests::traveler::{Ask, Traveler};

const PRESSES: usize = 20;

/// Every call that asks a disk to write, and the answers.
const TRACED: &str = "trace=fsync,fdatasync,sync_file_range,sync,syncfs,msync,write";

#[test]
fn each_press_costs_exactly_one_sync() {
    if Command::new("strace").arg("-V").output().is_err() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "no strace");
        // Past libtest's capture: the suite counts this line.
        let text = "SKIP each_press_costs_exactly_one_sync: no strace\n";
        std::io::stderr().write_all(text.as_bytes()).unwrap();
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let stage = Stage::start(&data.path().join("ministry")).unwrap();
    stage.network(Network::Down);
    let phone = data.path().join("phone");
    std::fs::create_dir_all(&phone).unwrap();
    let trace = data.path().join("trace");

    let arguments = ["-f", "-qq", "-y", "-e", TRACED, "-o"];
    let traveler = env!("CARGO_BIN_EXE_traveler");
    let mut arguments = arguments.to_vec();
    arguments.extend([trace.to_str().unwrap(), traveler]);
    let mut traveler = Traveler::start(Path::new("strace"), &arguments).unwrap();
    let open = Ask::Open {
        values: stage.values().clone(),
        directory: phone,
        locked: false,
    };
    assert_eq!(traveler.ask(&open).unwrap().text, "Open");
    // Both standing envelopes stand ready: they go beside the first press, and cost
    // it nothing.
    let prepared = [
        Ask::Register {
            traveler: Registered {
                name: "李伟".into(),
                ..Registered::default()
            },
            contacts: vec![],
        },
        Ask::Card {
            card: MedicalCard::default(),
        },
    ];
    for ask in &prepared {
        assert_eq!(traveler.ask(ask).unwrap().text, "");
    }
    let mut reports = Vec::new();
    for number in 0..PRESSES {
        // Each another note: the same within a second would be the same press.
        let press = Ask::Press {
            kind: SosKind::Medical,
            note: format!("press {number}"),
        };
        reports.push(traveler.ask(&press).unwrap().text);
    }
    // Its answer comes after everything before it is in the trace.
    let status = Ask::Status {
        report: reports.last().unwrap().clone(),
    };
    assert!(traveler.ask(&status).unwrap().text.starts_with("stored"));
    drop(traveler);
    reports.sort();
    reports.dedup();
    assert_eq!(reports.len(), PRESSES);

    let presses = syncs_between_answers(&std::fs::read_to_string(trace).unwrap());
    let first = 1 + prepared.len();
    let presses = presses.get(first..first + PRESSES).unwrap();
    let syncs: usize = presses.iter().map(Vec::len).sum();
    println!(r#"{{"press_fsyncs":{syncs},"presses":{PRESSES}}}"#);
    for (number, calls) in presses.iter().enumerate() {
        assert_eq!(calls.len(), 1, "press {number}: {calls:?}");
        assert!(
            calls.iter().all(|call| call.contains("outbox.db-wal")),
            "press {number}: {calls:?}"
        );
    }
}

/// The syncs before each answer, in order; the first answer is to `Open`.
fn syncs_between_answers(trace: &str) -> Vec<Vec<String>> {
    let mut answered = Vec::new();
    let mut syncs = Vec::new();
    for line in trace.lines() {
        // `PID call(fd<file>, …) = result`
        let call = line.split_once(' ').map_or("", |(_, call)| call.trim());
        if call.starts_with("write(1<") {
            answered.push(std::mem::take(&mut syncs));
        } else if call.contains("sync") && !call.starts_with("write(") {
            syncs.push(call.to_owned());
        }
    }
    answered
}
