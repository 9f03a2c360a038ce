//! Killed at, or refused by, every system call that writes.
//!
//! strace runs a phone through one story and strikes at the N-th call of a kind:
//! it kills the process there, or makes the call fail with "no space" or "I/O
//! error". Afterwards the phone is started again. Whatever had returned is there,
//! and after a pass the ministry has exactly one case for it. A press that could
//! not be stored has said so, and the next one was.
//!
//! `HOMELINE_SYSCALLS=N` strikes N times instead of a few; beyond all there are,
//! each once. `HOMELINE_SEED=…` repeats a choice.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test; the figures read what it prints"
)]

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use homeline::sos::{ReportState, ReportSummary, SosKind};
use homeline::sync::SyncStop;
use homeline::{Homeline, RecordState};
use homeline_tests::chance::Chance;
use homeline_tests::clock::MovedClock;
use homeline_tests::operation::Operation;
use homeline_tests::stage::Stage;
use homeline_tests::strace;
use homeline_tests::traveler::{Ask, Told, Traveler};
use homeline_tests::vault::LockableVault;
use tempfile::TempDir;

/// Strikes, where nobody says otherwise.
const SAMPLE: usize = 24;
/// A ministry sees so many phones: its list of cases is read after each.
const PHONES: usize = 40;

/// The calls that are struck at, and the ways of each beside a kill.
const CALLS: [(&str, &[&str]); 8] = [
    ("write", &["ENOSPC", "EIO"]),
    ("pwrite64", &["ENOSPC", "EIO"]),
    ("fsync", &["EIO"]),
    ("fdatasync", &["EIO"]),
    ("ftruncate", &["EIO"]),
    ("rename", &["EIO"]),
    ("unlink", &["EIO"]),
    ("mkdir", &["ENOSPC"]),
];

/// One strike: at the N-th call of this kind.
#[derive(Debug, Clone)]
struct Strike {
    call: &'static str,
    /// The error that it returns; none: the process is killed.
    error: Option<&'static str>,
    number: usize,
}

/// One run of the story.
/// Long enough to be cancelled in, on a busy machine too.
const COUNTDOWN_S: u32 = 60;

struct Run {
    traveler: Traveler,
    open: Ask,
    presses: u32,
    /// Reports whose press has returned.
    returned: Vec<String>,
    /// Reports whose cancellation has returned.
    cancelled: Vec<String>,
    /// Reports whose countdown was cancelled.
    gone: Vec<String>,
    /// What must not be.
    wrong: Vec<String>,
}

impl Run {
    fn start(arguments: &[String], stage: &Stage, phone: &Path) -> Self {
        let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        arguments.push(env!("CARGO_BIN_EXE_traveler"));
        Self {
            traveler: Traveler::start(Path::new("strace"), &arguments).unwrap(),
            open: Ask::Open {
                values: stage.values().clone(),
                directory: phone.to_path_buf(),
                locked: false,
            },
            presses: 0,
            returned: Vec::new(),
            cancelled: Vec::new(),
            gone: Vec::new(),
            wrong: Vec::new(),
        }
    }

    /// The story; an error where the process has ended.
    fn story(&mut self) -> io::Result<()> {
        self.open()?;
        let first = self.press()?;
        let contact = Ask::Operate {
            what: Operation::AddContact,
            number: 1,
        };
        self.traveler.ask(&contact)?;
        let second = self.press()?;
        self.traveler.ask(&Ask::Sync)?;
        let update = Ask::Update {
            report: first,
            number: 1,
        };
        self.traveler.ask(&update)?;
        self.cancel(&second)?;
        self.countdown()?;
        self.traveler.ask(&Ask::Pause)?;
        self.press()?;
        self.open()?;
        self.traveler.ask(&Ask::Sync)?;
        self.press()?;
        Ok(())
    }

    fn open(&mut self) -> io::Result<()> {
        // What fails once is tried again, as a host does.
        let told = self.traveler.ask(&self.open)?;
        if failed(&told) {
            self.traveler.ask(&self.open)?;
        }
        Ok(())
    }

    fn press(&mut self) -> io::Result<String> {
        for _ in 0..3 {
            self.presses += 1;
            let told = self.traveler.ask(&Ask::Press {
                kind: SosKind::Medical,
                note: format!("press {}", self.presses),
            })?;
            if !failed(&told) {
                self.returned.push(told.text.clone());
                return Ok(told.text);
            }
            if !told.text.contains("NotStored") || !told.text.contains("+861012308") {
                self.wrong.push(format!("a press said {}", told.text));
            }
        }
        // One call failed, once.
        self.wrong.push("three presses were refused".into());
        Err(io::ErrorKind::Other.into())
    }

    fn cancel(&mut self, report: &str) -> io::Result<()> {
        let told = self.traveler.ask(&Ask::Cancel {
            report: report.into(),
        })?;
        if !failed(&told) {
            self.cancelled.push(report.into());
        }
        Ok(())
    }

    fn countdown(&mut self) -> io::Result<()> {
        let told = self.traveler.ask(&Ask::Countdown {
            note: "a countdown".into(),
            seconds: COUNTDOWN_S,
        })?;
        let report = told.text.clone();
        if !failed(&told) && !failed(&self.traveler.ask(&Ask::Cancel { report })?) {
            self.gone.push(told.text);
        }
        Ok(())
    }
}

fn failed(told: &Told) -> bool {
    told.text.starts_with("error")
}

/// Runs the story with a strike, starts the phone again and judges.
fn strike(stage: &Stage, strike: &Strike) -> Vec<String> {
    let phone = phone();
    let inject = match strike.error {
        None => "signal=KILL".to_owned(),
        Some(error) => format!("error={error}"),
    };
    let arguments = [
        "-f",
        "-qq",
        "--seccomp-bpf",
        "-o",
        "/dev/null",
        "-e",
        &format!("trace={}", strike.call),
        "-e",
        &format!("inject={}:{inject}:when={}", strike.call, strike.number),
    ]
    .map(str::to_owned);
    let mut run = Run::start(&arguments, stage, phone.path());
    let ended = run.story();
    if strike.error.is_none() && ended.is_ok() {
        // It may come at the very end, or in a thread that did less this time.
        run.traveler.ask(&Ask::Pause).ok();
    }
    // An orderly end; killed already, mostly.
    run.traveler.end().unwrap();
    let mut wrong = std::mem::take(&mut run.wrong);
    let judged = judge(
        stage,
        phone.path(),
        &run.returned,
        &run.cancelled,
        &run.gone,
    );
    wrong.extend(judged.err());
    wrong
        .into_iter()
        .map(|what| format!("{strike:?}: {what}"))
        .collect()
}

fn judge(
    stage: &Stage,
    phone: &Path,
    returned: &[String],
    cancelled: &[String],
    gone: &[String],
) -> Result<(), String> {
    let words = |error: homeline::HomelineError| format!("{error:?}");
    let vault = LockableVault::open(&phone.join("vault.key"), false).map_err(words)?;
    let config = stage.config(&phone.join("files"));
    let clock = Arc::new(MovedClock::new());
    let home = Homeline::open(config, vault, None, Some(clock.clone())).map_err(words)?;
    let state = home.state().map_err(words)?;
    let files = phone.join("files");
    let empty = |name| std::fs::metadata(files.join(name)).is_ok_and(|meta| meta.len() == 0);
    if state.record != RecordState::Open
        || !state.recovered.is_empty()
        || !state.set_aside.iter().all(empty)
    {
        return Err(format!("{state:?}"));
    }
    for id in returned {
        home.sos()
            .status(id.clone())
            .map_err(|error| format!("{id}: {error:?}"))?;
    }
    home.network_changed().map_err(words)?;
    let mut outcome = home.sync(30_000).map_err(words)?;
    // Struck before it could be cancelled, a countdown runs to its end.
    let reports = home.sos().reports().map_err(words)?;
    let counting = |report: &ReportSummary| matches!(report.state, ReportState::Countdown { .. });
    if reports.iter().any(counting) {
        clock.pass(i64::from(COUNTDOWN_S) * 1_000);
        outcome = home.sync(30_000).map_err(words)?;
    }
    if (outcome.stopped, outcome.waiting, outcome.parked) != (SyncStop::Done, 0, 0) {
        return Err(format!("{outcome:?}"));
    }
    let mut cases: BTreeMap<String, (usize, bool)> = BTreeMap::new();
    for case in stage.ministry.cases().unwrap() {
        let entry = cases.entry(case.report.to_string()).or_default();
        entry.0 += usize::from(case.kind.is_some());
        entry.1 |= case.cancelled_ms.is_some();
    }
    for id in returned {
        let state = home.sos().status(id.clone()).map_err(words)?.state;
        let proved = matches!(
            state,
            ReportState::Received { .. } | ReportState::Cancelled { .. }
        );
        if !proved || cases.get(id).is_none_or(|(count, _)| *count != 1) {
            return Err(format!("{id}: {state:?}, {:?}", cases.get(id)));
        }
    }
    // What is not known to have returned is one case, too, or none.
    if let Some((id, (count, _))) = cases.iter().find(|(_, (count, _))| *count > 1) {
        return Err(format!("{count} cases of {id}"));
    }
    if let Some(id) = cancelled
        .iter()
        .find(|id| !cases.get(*id).is_some_and(|it| it.1))
    {
        return Err(format!("the ministry does not know that {id} is cancelled"));
    }
    match gone.iter().find(|id| cases.contains_key(*id)) {
        Some(id) => Err(format!("the countdown of {id} was cancelled")),
        None => Ok(()),
    }
}

fn phone() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Every strike there is: the story runs once and its calls are counted.
fn all(stage: &Stage) -> Vec<Strike> {
    let base = tempfile::tempdir().unwrap();
    let trace = base.path().join("trace");
    let calls = CALLS.map(|(call, _)| call).join(",");
    let trace_of = format!("trace={calls}");
    let out = trace.to_string_lossy().into_owned();
    let arguments = ["-f", "-qq", "--seccomp-bpf", "-e", &trace_of, "-o", &out];
    let phone = phone();
    let mut run = Run::start(&arguments.map(str::to_owned), stage, phone.path());
    run.story().unwrap();
    assert!(
        run.wrong.is_empty() && run.gone.len() == 1,
        "{:?}",
        run.wrong
    );
    run.traveler.end().unwrap();

    let text = std::fs::read_to_string(trace).unwrap();
    let mut lines = text
        .lines()
        .filter_map(|line| line.split_once(' '))
        .peekable();
    // strace counts the calls of each thread; the files are written by the first.
    let main = lines.peek().unwrap().0;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, rest) in lines.filter(|(thread, _)| *thread == main) {
        let call = rest.trim_start().split('(').next().unwrap();
        *counts.entry(call).or_default() += 1;
    }
    let mut strikes = Vec::new();
    for (call, errors) in CALLS {
        for number in 1..=counts.get(call).copied().unwrap_or(0) {
            let kill = std::iter::once(None);
            for error in kill.chain(errors.iter().copied().map(Some)) {
                strikes.push(Strike {
                    call,
                    error,
                    number,
                });
            }
        }
    }
    strikes
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn a_kill_or_an_error_at_any_call_loses_nothing() {
    if !strace::at_hand("a_kill_or_an_error_at_any_call_loses_nothing") {
        return;
    }
    let more = setting("HOMELINE_SYSCALLS");
    let seed = Chance::seed_of_test(more);
    let most = more.map_or(SAMPLE, |most| usize::try_from(most).unwrap());
    println!("seed {seed}");
    let base = tempfile::tempdir().unwrap();
    let mut chance = Chance::new(seed);
    let stage = |number: usize| Stage::start(&base.path().join(number.to_string())).unwrap();
    let mut current = stage(0);
    let mut strikes = all(&current);
    let there = strikes.len();
    assert!(there > 300, "{there}");
    while strikes.len() > most {
        strikes.swap_remove(chance.below(strikes.len()));
    }
    let mut wrong = Vec::new();
    for (number, one) in strikes.iter().enumerate() {
        if number % PHONES == PHONES - 1 {
            current = stage(number);
        }
        wrong.extend(strike(&current, one));
    }
    println!(
        "of {there}\n{{\"syscall_faults\":{},\"syscall_lost\":{}}}",
        strikes.len(),
        wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
