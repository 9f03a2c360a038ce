//! A power cut at any moment loses nothing that was promised.
//!
//! A phone in a process of its own is recorded by strace: every write, every sync,
//! every answer. From the recording comes what a disk may hold when the power is
//! cut after each single call (see `homeline_tests::disk`), and each such disk is
//! opened again by the real library. Whatever had returned before the cut must be
//! there, and must reach the ministry.
//!
//! `HOMELINE_POWER_CUTS=N` tries N disks a story instead of a sample. A failure
//! prints its seed; `HOMELINE_SEED=…` repeats it. The last test is the control:
//! without the syncs the same disks lose presses, or the checks prove nothing.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test; the figures read what it prints"
)]

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use homeline::homeline::Waiting;
use homeline::registration::{MedicalCard, Traveler as Registered};
use homeline::sos::{ReportState, ReportStatus, SosKind, SosRequest};
use homeline::{Homeline, RecordState};
use homeline_tests::chance::Chance;
use homeline_tests::disk::{Disk, Fate, Image, lay_down};
use homeline_tests::operation::Operation;
use homeline_tests::stage::{Network, Stage};
use homeline_tests::strace::{self, Event};
use homeline_tests::traveler::{Ask, Told, Traveler, numbered};
use homeline_tests::vault::LockableVault;
use tempfile::TempDir;

/// Disks a story, where nobody says otherwise.
const SAMPLE: usize = 50;
/// Of so many disks one goes through a whole pass with the ministry.
const PASS_EACH: usize = 6;

/// What the phone owes after a certain answer, counted from 1.
enum Promise {
    /// The report is there; until the answer before its cancellation.
    Report {
        id: String,
        from: usize,
        until: usize,
    },
    /// Nothing is left of the report.
    Gone { id: String, from: usize },
    /// The contact is in the record.
    Contact { name: String, from: usize },
    /// The ministry's receipt for the report is there.
    Receipt { id: String, from: usize },
}

/// A phone that is being recorded.
struct Story {
    base: TempDir,
    stage: Stage,
    before: Disk,
    traveler: Option<Traveler>,
    answers: usize,
    presses: u32,
    promises: Vec<Promise>,
}

impl Story {
    /// `files` are in the phone before it begins.
    fn begin(files: Option<&Path>) -> Self {
        let base = tempfile::tempdir().unwrap();
        let stage = Stage::start(&base.path().join("ministry")).unwrap();
        let phone = base.path().join("phone");
        std::fs::create_dir_all(&phone).unwrap();
        if let Some(files) = files {
            std::fs::create_dir_all(phone.join("files")).unwrap();
            for entry in std::fs::read_dir(files).unwrap() {
                let entry = entry.unwrap();
                let folder = match entry.file_name().to_str() {
                    Some("vault.key") => phone.clone(),
                    _ => phone.join("files"),
                };
                std::fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
            }
        }
        let mut arguments = strace::recording(&base.path().join("trace"));
        arguments.push(env!("CARGO_BIN_EXE_traveler").into());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut story = Self {
            before: Disk::holding(&phone).unwrap(),
            traveler: Some(Traveler::start(Path::new("strace"), &arguments).unwrap()),
            base,
            stage,
            answers: 0,
            presses: 0,
            promises: Vec::new(),
        };
        let open = Ask::Open {
            values: story.stage.values().clone(),
            directory: story.base.path().join("phone"),
            locked: false,
        };
        assert_eq!(story.ask(&open).text, "Open");
        story
    }

    fn ask(&mut self, ask: &Ask) -> Told {
        let told = self.traveler.as_mut().unwrap().ask(ask).unwrap();
        assert!(!told.text.starts_with("error"), "{}", told.text);
        self.answers += 1;
        told
    }

    fn press(&mut self, kind: SosKind) -> String {
        self.presses += 1;
        let note = format!("press {}", self.presses);
        let id = self.ask(&Ask::Press { kind, note }).text;
        self.promise(&id)
    }

    fn promise(&mut self, id: &str) -> String {
        self.promises.push(Promise::Report {
            id: id.to_owned(),
            from: self.answers,
            until: usize::MAX,
        });
        id.to_owned()
    }

    fn countdown_and_cancel(&mut self) {
        let counting = Ask::Countdown {
            note: "a countdown".into(),
            seconds: 60,
        };
        let id = self.ask(&counting).text;
        let from = self.answers;
        // So that there are moments at which it must be there.
        self.ask(&Ask::Contacts);
        self.ask(&Ask::Contacts);
        let until = self.answers;
        self.promises.push(Promise::Report {
            id: id.clone(),
            from,
            until,
        });
        self.ask(&Ask::Cancel { report: id.clone() });
        let from = self.answers;
        self.promises.push(Promise::Gone { id, from });
    }

    fn contact(&mut self, number: u32) {
        let what = Operation::AddContact;
        self.ask(&Ask::Operate { what, number });
        self.promises.push(Promise::Contact {
            name: numbered(number).0.name,
            from: self.answers,
        });
    }

    /// A pass; `received` are the reports whose receipts it brings.
    fn sync(&mut self, received: &[&String]) {
        let told = self.ask(&Ask::Sync);
        if !received.is_empty() {
            assert_eq!(told.text, "Done");
        }
        for id in received {
            self.promises.push(Promise::Receipt {
                id: (*id).clone(),
                from: self.answers,
            });
        }
    }

    /// Ends the process; what happened, in order.
    fn events(&mut self) -> Vec<Event> {
        // An orderly end, so that the last lines are in the trace.
        self.traveler.take().unwrap().end().unwrap();
        let trace = std::fs::read_to_string(self.base.path().join("trace")).unwrap();
        strace::events(&trace, &self.base.path().join("phone")).unwrap()
    }

    /// Opens a disk as it is left by a cut after `answers`; the words say what is
    /// missing.
    fn check(&self, disk: &Path, answers: usize, pass: Pass) -> Result<(), String> {
        let words = |what: &str, error: homeline::HomelineError| format!("{what}: {error:?}");
        let vault = LockableVault::open(&disk.join("vault.key"), false)
            .map_err(|error| words("vault", error))?;
        let config = self.stage.config(&disk.join("files"));
        let home =
            Homeline::open(config, vault, None, None).map_err(|error| words("open", error))?;
        let state = home.state().map_err(|error| words("state", error))?;
        if state.record != RecordState::Open
            || !needed(disk, &state.set_aside, answers)
            || !state.recovered.is_empty()
            || !matches!(state.outbox, Waiting::Known { parked: 0, .. })
        {
            return Err(format!("{state:?}"));
        }
        for promise in &self.promises {
            kept(promise, &home, answers)?;
        }
        if pass == Pass::Yes {
            self.pass(&home, answers)?;
        }
        Ok(())
    }

    /// What is owed reaches the ministry, and a new press too.
    fn pass(&self, home: &Arc<Homeline>, answers: usize) -> Result<(), String> {
        let new = home.sos().press(SosRequest::new(SosKind::Other)).unwrap();
        home.network_changed().unwrap();
        let outcome = home.sync(20_000).unwrap();
        let cases = self.stage.ministry.cases().unwrap();
        let mut owed = vec![&new];
        owed.extend(self.promises.iter().filter_map(|promise| match promise {
            Promise::Report { id, from, until } => {
                (*from <= answers && *until == usize::MAX).then_some(id)
            }
            _ => None,
        }));
        for id in owed {
            let there = cases.iter().filter(|case| case.report.to_string() == *id);
            let there: Vec<_> = there.collect();
            match there.as_slice() {
                [case] if case.kind.is_some() => {}
                other => return Err(format!("{} cases of {id}, {outcome:?}", other.len())),
            }
        }
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    Yes,
    No,
}

/// Whether a promise is kept after `answers`.
fn kept(promise: &Promise, home: &Arc<Homeline>, answers: usize) -> Result<(), String> {
    match promise {
        Promise::Report { id, from, until } if (*from..*until).contains(&answers) => {
            let status = home.sos().status(id.clone());
            let status = status.map_err(|error| format!("report {id}: {error:?}"))?;
            if !on_its_way(&status) {
                return Err(format!("report {id} waits for nothing: {status:?}"));
            }
        }
        Promise::Gone { id, from } if *from <= answers && home.sos().status(id.clone()).is_ok() => {
            return Err(format!("report {id} is back"));
        }
        Promise::Contact { name, from } if *from <= answers => {
            let contacts = home
                .contacts()
                .list()
                .map_err(|error| format!("{error:?}"))?;
            if !contacts.iter().any(|saved| saved.contact.name == *name) {
                return Err(format!("contact {name}"));
            }
        }
        Promise::Receipt { id, from } if *from <= answers => {
            let state = home.sos().status(id.clone()).map(|status| status.state);
            if !matches!(
                state,
                Ok(ReportState::Received { .. } | ReportState::Cancelled { .. })
            ) {
                return Err(format!("receipt of {id}: {state:?}"));
            }
        }
        _ => {}
    }
    Ok(())
}

/// Whether the ministry has a report, or it is going to be sent.
fn on_its_way(status: &ReportStatus) -> bool {
    status.next_attempt_ms.is_some()
        || matches!(
            status.state,
            ReportState::Received { .. }
                | ReportState::Cancelled {
                    known_at_ministry_ms: Some(_)
                }
        )
}

/// Whether nothing was set aside but, at the first start, a file without content: it
/// could be one that was damaged, and is kept to be on the safe side.
fn needed(disk: &Path, set_aside: &[String], answers: usize) -> bool {
    let empty = |name| {
        std::fs::metadata(disk.join("files").join(name))
            .unwrap()
            .len()
            == 0
    };
    set_aside.iter().all(|name| answers == 0 && empty(name))
}

/// What came of the disks of one story.
#[derive(Default)]
struct Tally {
    disks: usize,
    passes: usize,
    lost: Vec<String>,
}

/// Tries up to `most` disks of a story.
fn cut_everywhere(name: &str, story: &Story, events: &[Event], most: usize, seed: u64) -> Tally {
    let mut chance = Chance::new(seed);
    let chosen = choose(story, events, most, &mut chance);
    cut_at(name, story, events, &chosen, seed)
}

fn cut_at(
    name: &str,
    story: &Story,
    events: &[Event],
    chosen: &[(usize, Fate)],
    seed: u64,
) -> Tally {
    let (mut disk, mut answers) = (story.before.clone(), 0);
    let (mut tally, mut seen) = (Tally::default(), HashSet::new());
    for (number, event) in events.iter().enumerate() {
        disk.happens(event);
        if let Event::Said(text) = event {
            answers += text.matches('\n').count();
        }
        for fate in chosen.iter().filter(|(at, _)| *at == number) {
            let image = disk.cut(fate.1.clone());
            if !seen.insert(hash(&image, answers)) {
                continue;
            }
            tally.disks += 1;
            let pass = match tally.disks % PASS_EACH {
                0 => Pass::Yes,
                _ => Pass::No,
            };
            tally.passes += usize::from(pass == Pass::Yes);
            let folder = laid_down(&image);
            if let Err(missing) = story.check(folder.path(), answers, pass) {
                tally.lost.push(format!(
                    "{name}, seed {seed}: after call {number} ({event:?}), answer {answers}, \
                     {:?}: {missing}",
                    fate.1
                ));
            }
        }
    }
    tally
}

/// Where the power is cut, and what the disk keeps of what is not certain then.
fn choose(story: &Story, events: &[Event], most: usize, chance: &mut Chance) -> Vec<(usize, Fate)> {
    let mut all = Vec::new();
    let mut disk = story.before.clone();
    for (number, event) in events.iter().enumerate() {
        disk.happens(event);
        let uncertain = disk.uncertain();
        all.push((number, Fate::Lost));
        if uncertain == 0 {
            continue;
        }
        all.push((number, Fate::Kept));
        for change in 0..uncertain.min(8) {
            all.push((number, Fate::Only(change)));
            all.push((number, Fate::Without(uncertain - 1 - change)));
        }
        for _ in 0..4 {
            all.push((number, Fate::Chance(Chance::new(chance.bits()))));
        }
    }
    while all.len() > most {
        all.swap_remove(chance.below(all.len()));
    }
    all
}

fn hash(image: &Image, answers: usize) -> u64 {
    let mut hasher = DefaultHasher::new();
    (image, answers).hash(&mut hasher);
    hasher.finish()
}

/// In memory where that is possible: the disk was modelled already.
fn laid_down(image: &Image) -> TempDir {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    let folder = folder.unwrap();
    lay_down(image, folder.path()).unwrap();
    folder
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn most() -> usize {
    setting("HOMELINE_POWER_CUTS").map_or(SAMPLE, |most| usize::try_from(most).unwrap())
}

fn seed() -> u64 {
    Chance::seed_of_test(setting("HOMELINE_POWER_CUTS"))
}

fn run(name: &str, mut story: Story) {
    let events = story.events();
    assert!(events.contains(&Event::Sync("files/outbox.db-wal".into())));
    let seed = seed();
    let tally = cut_everywhere(name, &story, &events, most(), seed);
    println!(
        "{name}, seed {seed}: {} calls, {} passes\n{{\"powercut_states\":{},\"powercut_lost\":{}}}",
        events.len(),
        tally.passes,
        tally.disks,
        tally.lost.len()
    );
    assert!(tally.lost.is_empty(), "{}", tally.lost.join("\n"));
    assert!(tally.disks > most().min(SAMPLE) / 2, "{}", tally.disks);
}

#[test]
fn at_the_first_start() {
    if !strace::at_hand("at_the_first_start") {
        return;
    }
    let mut story = Story::begin(None);
    story.press(SosKind::Medical);
    story.press(SosKind::Other);
    run("first start", story);
}

#[test]
fn between_presses_and_saves() {
    if !strace::at_hand("between_presses_and_saves") {
        return;
    }
    let mut story = Story::begin(None);
    let traveler = Registered {
        name: "李伟".into(),
        ..Registered::default()
    };
    story.ask(&Ask::Register {
        traveler,
        contacts: vec![],
    });
    let card = MedicalCard::default();
    story.ask(&Ask::Card { card });
    let first = story.press(SosKind::Medical);
    story.contact(1);
    story.countdown_and_cancel();
    let update = Ask::Update {
        report: first.clone(),
        number: 1,
    };
    story.ask(&update);
    story.press(SosKind::Other);
    story.contact(2);
    story.ask(&Ask::Cancel { report: first });
    story.ask(&Ask::Pause);
    story.press(SosKind::Other);
    run("presses and saves", story);
}

#[test]
fn while_receipts_are_applied() {
    if !strace::at_hand("while_receipts_are_applied") {
        return;
    }
    let mut story = Story::begin(None);
    story.contact(1);
    let first = story.press(SosKind::Medical);
    let second = story.press(SosKind::Other);
    story.stage.network(Network::Swallow);
    story.sync(&[]);
    story.stage.network(Network::Up);
    story.sync(&[&first, &second]);
    let third = story.press(SosKind::Other);
    let cancel = Ask::Cancel { report: second };
    story.ask(&cancel);
    story.sync(&[&third]);
    run("receipts", story);
}

#[test]
fn while_the_key_of_the_record_is_rotated() {
    if !strace::at_hand("while_the_key_of_the_record_is_rotated") {
        return;
    }
    let mut story = Story::begin(None);
    story.contact(1);
    story.ask(&Ask::Rotate);
    story.contact(2);
    story.press(SosKind::Other);
    story.ask(&Ask::Rotate);
    story.press(SosKind::Other);
    run("rotation", story);
}

#[test]
fn while_the_files_of_an_older_version_are_migrated() {
    if !strace::at_hand("while_the_files_of_an_older_version_are_migrated") {
        return;
    }
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/tests/fixtures/v1");
    let vault: PathBuf = files.join("vault.key");
    assert!(vault.exists());
    let mut story = Story::begin(Some(&files));
    story.press(SosKind::Medical);
    story.contact(1);
    run("migration", story);
}

/// The same disks where no sync has any effect: as with `synchronous = OFF`.
#[test]
fn without_syncs_presses_are_lost() {
    if !strace::at_hand("without_syncs_presses_are_lost") {
        return;
    }
    let mut story = Story::begin(None);
    for _ in 0..3 {
        story.press(SosKind::Other);
    }
    let mut events = story.events();
    // What makes the files is left alone: the control is about the presses.
    let answered = |event: &Event| matches!(event, Event::Said(_));
    let opened = events.iter().position(answered).unwrap();
    let mut number = 0;
    events.retain(|event| {
        number += 1;
        number <= opened || !matches!(event, Event::Sync(_))
    });
    let seed = seed();
    let mut chosen = choose(&story, &events, usize::MAX, &mut Chance::new(seed));
    chosen.retain(|(at, _)| *at > opened);
    let mut chance = Chance::new(seed);
    while chosen.len() > SAMPLE {
        chosen.swap_remove(chance.below(chosen.len()));
    }
    let tally = cut_at("control", &story, &events, &chosen, seed);
    println!(
        "control: {} of {} disks lose",
        tally.lost.len(),
        tally.disks
    );
    let lost = |words: &&String| words.contains("report ");
    assert!(tally.lost.iter().filter(lost).count() > tally.disks / 10);
}
