//! One journey, from its seed to its verdict.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::time::Duration;

use homeline::registration::Traveler as Registered;
use homeline::sos::SosKind;
use homeline_tests::chance::Chance;
use homeline_tests::judge::Claim;
use homeline_tests::office::{Case, Office};
use homeline_tests::operation::Operation;
use homeline_tests::proxy::{FaultProxy, Link};
use homeline_tests::stage::Values;
use homeline_tests::traveler::{Ask, Told, Traveler};
use tempfile::TempDir;

use crate::network::{Network, Targets, World};

/// Passes on a fair network within which nothing may wait any more.
const FAIR_PASSES: usize = 12;
/// A countdown, and the second in which a press is the same press.
const COUNTDOWN_MS: i64 = 61_000;

/// What came of a journey.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) presses: usize,
    pub(crate) passes: usize,
    pub(crate) phone_kills: usize,
    pub(crate) ministry_kills: usize,
    /// What was pressed and is not a case with a receipt, and what is there and
    /// must not be.
    pub(crate) lost: Vec<String>,
    /// Reports of which there is more than one case.
    pub(crate) double: Vec<String>,
    /// States that do not follow from evidence of the ministry.
    pub(crate) unproved: Vec<String>,
}

impl Verdict {
    pub(crate) fn is_good(&self) -> bool {
        self.lost.is_empty() && self.double.is_empty() && self.unproved.is_empty()
    }
}

pub(crate) struct Journey<'a> {
    world: &'a World,
    chance: Chance,
    base: TempDir,
    office: Office,
    proxy: FaultProxy,
    values: Values,
    targets: Targets,
    phone: Option<Traveler>,
    /// How far the phone's clocks are ahead: the counter, and the wall beyond that.
    clock: (i64, i64),
    notes: u32,
    /// Reports whose press has returned.
    returned: Vec<String>,
    /// Reports whose cancellation has returned.
    cancelled: BTreeSet<String>,
    /// Reports that were left to their countdown.
    counting: BTreeSet<String>,
    /// Reports whose countdown was cancelled.
    gone: Vec<String>,
    verdict: Verdict,
    tell: bool,
}

impl<'a> Journey<'a> {
    /// Makes the journey of a seed; `tell`: prints it.
    pub(crate) fn travel(world: &'a World, seed: u64, tell: bool) -> Verdict {
        let base = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let base = base.unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_office"));
        let office = Office::start(program, &base.path().join("ministry")).unwrap();
        let proxy = FaultProxy::start(office.address()).unwrap();
        let values = Values {
            ministry_url: format!("https://{}", proxy.addr()),
            more_tls_roots: vec![world.root.clone()],
            ..office.values().clone()
        };
        std::fs::create_dir(base.path().join("phone")).unwrap();
        let mut journey = Self {
            world,
            chance: Chance::new(seed),
            base,
            office,
            proxy,
            values,
            targets: Targets::default(),
            phone: None,
            clock: (0, 0),
            notes: 0,
            returned: Vec::new(),
            cancelled: BTreeSet::new(),
            counting: BTreeSet::new(),
            gone: Vec::new(),
            verdict: Verdict::default(),
            tell,
        };
        journey.start_phone();
        if !journey.chance.once_in(4) {
            let register = Ask::Register {
                traveler: Registered {
                    name: "李伟".into(),
                    ..Registered::default()
                },
                contacts: vec![],
            };
            let _ = journey.ask(&register);
        }
        for _ in 0..journey.chance.below(3) {
            journey.press();
        }
        for _ in 0..3 + journey.chance.below(6) {
            journey.step();
            if !journey.chance.once_in(3) {
                journey.pass();
            }
        }
        journey.arrive();
        journey.verdict
    }

    fn say(&self, words: impl FnOnce() -> String) {
        if self.tell {
            println!("{}", words());
        }
    }

    /// Asks the phone; one that was killed is started again, and nothing is known
    /// of what it was asked.
    fn ask(&mut self, ask: &Ask) -> Option<Told> {
        let told = self.phone.as_mut().map(|phone| phone.ask(ask));
        if let Some(Ok(told)) = told {
            return Some(told);
        }
        self.say(|| "  the phone was killed".into());
        self.verdict.phone_kills += 1;
        self.start_phone();
        None
    }

    fn start_phone(&mut self) {
        if let Some(phone) = self.phone.take() {
            let _ = phone.kill();
        }
        let program = Path::new(env!("CARGO_BIN_EXE_traveler"));
        let mut phone = Traveler::start(program, &[]).unwrap();
        let (pass_ms, set_ms) = self.clock;
        phone.ask(&Ask::Clock { pass_ms, set_ms }).unwrap();
        let open = Ask::Open {
            values: self.values.clone(),
            directory: self.base.path().join("phone"),
            locked: false,
        };
        let told = phone.ask(&open).unwrap();
        if told.text != "Open" {
            self.verdict
                .lost
                .push(format!("the record is {}", told.text));
        }
        self.targets.set(Some(phone.id()), Some(self.office.id()));
        self.phone = Some(phone);
    }

    fn move_clock(&mut self, pass_ms: i64, set_ms: i64) {
        self.clock.0 += pass_ms;
        self.clock.1 += set_ms;
        self.ask(&Ask::Clock { pass_ms, set_ms });
    }

    fn note(&mut self) -> String {
        self.notes += 1;
        format!("note {}", self.notes)
    }

    fn kind(&mut self) -> SosKind {
        *self.chance.one_of(&[SosKind::Medical, SosKind::Other])
    }

    /// A report that does not count down any more.
    fn one(&mut self) -> Option<String> {
        let counts = |report: &&String| self.counting.contains(*report);
        let over: Vec<&String> = self.returned.iter().filter(|it| !counts(it)).collect();
        (!over.is_empty()).then(|| (*self.chance.one_of(&over)).clone())
    }

    fn step(&mut self) {
        match self.chance.below(14) {
            0..=3 => self.press(),
            4 => self.press_and_kill(),
            5 => {
                if let Some(report) = self.one() {
                    let number = self.notes;
                    self.ask(&Ask::Update { report, number });
                }
            }
            6 => self.cancel(),
            7 => self.countdown(),
            8 => self.save(),
            9 => {
                self.ask(&Ask::Pause);
                let values = self.values.clone();
                self.ask(&Ask::Open {
                    values,
                    directory: self.base.path().join("phone"),
                    locked: false,
                });
            }
            10 => {
                let day = 86_400_000;
                let set_ms = *self.chance.one_of(&[-400 * day, -day, 3 * day, 900 * day]);
                self.say(|| format!("the clock is set by {set_ms} ms"));
                self.move_clock(0, set_ms);
            }
            11 => {
                self.say(|| "a kill at rest".into());
                self.verdict.phone_kills += 1;
                self.start_phone();
            }
            12 => self.restart_office(),
            _ => self.acknowledge(),
        }
    }

    fn press(&mut self) {
        let (kind, note) = (self.kind(), self.note());
        let Some(told) = self.ask(&Ask::Press { kind, note }) else {
            return;
        };
        self.say(|| format!("press {}", told.text));
        self.verdict.presses += 1;
        match told.text.starts_with("error") {
            true => self
                .verdict
                .lost
                .push(format!("a press said {}", told.text)),
            false => self.returned.push(told.text),
        }
    }

    /// A kill at some moment of a press; what it had printed was promised.
    fn press_and_kill(&mut self) {
        let (kind, note) = (self.kind(), self.note());
        let wait = Duration::from_micros(self.chance.bits() % 6_000);
        let Some(mut phone) = self.phone.take() else {
            return;
        };
        let said = phone.say(&Ask::Press { kind, note });
        std::thread::sleep(wait);
        let lines = phone.kill().unwrap_or_default();
        self.say(|| format!("a kill {wait:?} into a press: {said:?} {lines:?}"));
        let told = lines
            .iter()
            .filter_map(|line| serde_json::from_str::<Told>(line).ok());
        for told in told.filter(|told| !told.text.starts_with("error")) {
            self.verdict.presses += 1;
            self.returned.push(told.text);
        }
        self.verdict.phone_kills += 1;
        self.start_phone();
    }

    fn cancel(&mut self) {
        let Some(report) = self.one() else { return };
        self.say(|| format!("cancel {report}"));
        let ask = Ask::Cancel {
            report: report.clone(),
        };
        if self.ask(&ask).is_some_and(|told| told.text.is_empty()) {
            self.cancelled.insert(report);
        }
    }

    /// A countdown that ends, or is cancelled, or falls to a kill.
    fn countdown(&mut self) {
        let note = self.note();
        let Some(told) = self.ask(&Ask::Countdown { note, seconds: 60 }) else {
            return;
        };
        let report = told.text;
        match self.chance.below(3) {
            0 => {
                self.say(|| format!("a countdown is cancelled: {report}"));
                let ask = Ask::Cancel {
                    report: report.clone(),
                };
                if self.ask(&ask).is_some_and(|told| told.text.is_empty()) {
                    self.gone.push(report);
                }
            }
            1 => {
                self.say(|| format!("a countdown ends: {report}"));
                self.returned.push(report);
                self.move_clock(COUNTDOWN_MS, 0);
            }
            _ => {
                self.say(|| format!("a countdown, and a kill: {report}"));
                self.counting.insert(report.clone());
                self.returned.push(report);
                self.verdict.phone_kills += 1;
                self.start_phone();
            }
        }
    }

    fn save(&mut self) {
        let number = self.notes;
        let what = match self.chance.below(3) {
            0 => Operation::AddContact,
            1 => Operation::RecordFixes,
            _ => Operation::SaveTraveler,
        };
        self.ask(&Ask::Operate { what, number });
    }

    fn restart_office(&mut self) {
        self.say(|| "the ministry is killed and started".into());
        self.verdict.ministry_kills += 1;
        self.office.restart().unwrap();
        let phone = self.phone.as_ref().map(Traveler::id);
        self.targets.set(phone, Some(self.office.id()));
    }

    /// The cases of a ministry that may have been killed meanwhile.
    fn cases(&mut self) -> Vec<Case> {
        match self.office.cases() {
            Ok(cases) => cases,
            Err(_) => {
                self.restart_office();
                self.office.cases().unwrap()
            }
        }
    }

    fn acknowledge(&mut self) {
        let cases = self.cases();
        if !cases.is_empty() {
            let case = self.chance.one_of(&cases).id.clone();
            self.say(|| format!("an officer takes {case}"));
            self.office.acknowledge(&case).unwrap();
        }
    }

    /// One pass over a network that the seed chooses.
    fn pass(&mut self) {
        let origin = format!("https://{}", self.office.address());
        let root = self.office.values().tls_root.clone();
        let network = Network::choose(
            &mut self.chance,
            self.world,
            &self.targets,
            (&origin, &root),
        );
        self.proxy.set(network.link);
        let told = self.ask(&Ask::Pass {
            deadline_ms: network.deadline_ms,
        });
        self.verdict.passes += 1;
        let ended = told.map(|told| (told.text, told.number));
        self.say(|| format!("pass over {}: {ended:?}", network.words));
        // Whatever it was that the ministry was killed by.
        if self.office.cases().is_err() {
            self.restart_office();
        }
        self.judge(None);
    }

    /// Judges what the phone says now.
    fn judge(&mut self, cases: Option<&[Case]>) -> Vec<Claim> {
        let Some(told) = self.ask(&Ask::Claims) else {
            return Vec::new();
        };
        if told.text.starts_with("error") {
            self.verdict.unproved.push(told.text);
        }
        let claims: Vec<Claim> = told
            .lines
            .iter()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        for claim in &claims {
            let faults = claim.faults(self.office.receipt_key(), cases);
            self.verdict.unproved.extend(faults);
        }
        claims
    }

    /// A fair network, until nothing waits; then the verdict.
    fn arrive(&mut self) {
        self.proxy.set(Link::Up);
        let _ = self.cases();
        self.move_clock(COUNTDOWN_MS, 0);
        let (mut ended, mut waiting) = (String::new(), u64::MAX);
        for _ in 0..FAIR_PASSES {
            let told = self.ask(&Ask::Pass {
                deadline_ms: 20_000,
            });
            let Some(told) = told else { continue };
            (ended, waiting) = (told.text, told.number);
            if ended == "Done" && waiting == 0 && told.lines.is_empty() {
                break;
            }
            self.move_clock(10 * 60_000, 0);
        }
        self.say(|| format!("arrived: {ended}, {waiting} waiting"));
        let cases = self.cases();
        let claims = self.judge(Some(&cases));
        let lost = &mut self.verdict.lost;
        if ended != "Done" || waiting != 0 {
            lost.push(format!("{waiting} wait after all: {ended}"));
        }
        for report in &self.returned {
            let claim = claims.iter().find(|claim| claim.report == *report);
            let there = cases
                .iter()
                .any(|case| case.report == *report && case.opened);
            if !there || !claim.is_some_and(Claim::is_proved) {
                let state = claim.map(|claim| claim.state.clone());
                lost.push(format!("{report}: at the ministry {there}, here {state:?}"));
            }
        }
        for report in &self.cancelled {
            if !cases
                .iter()
                .any(|case| case.report == *report && case.cancelled)
            {
                lost.push(format!("the cancellation of {report}"));
            }
        }
        for report in &self.gone {
            if cases.iter().any(|case| case.report == *report) {
                lost.push(format!("{report} is there, its countdown was cancelled"));
            }
        }
        let mut seen = BTreeSet::new();
        for case in &cases {
            let known = claims.iter().any(|claim| claim.report == case.report);
            if !seen.insert(&case.report) || !known {
                self.verdict
                    .double
                    .push(format!("{case:?}, known here: {known}"));
            }
        }
        if let Some(phone) = self.phone.take() {
            let _: io::Result<()> = phone.end();
        }
    }
}
