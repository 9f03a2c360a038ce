//! A phone in a process of its own, its ministry, and what it says after an attack.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use homeline::sos::{AttemptResult, Evidence, SosKind};
use homeline_tests::certs::Authority;
use homeline_tests::judge::Claim;
use homeline_tests::stage::Values;
use homeline_tests::traveler::{Ask, Told, Traveler};
use ministry::{CaseView, Ministry, Settings};
use tempfile::TempDir;

/// A pass that nothing but its deadline can end.
pub(crate) const SHORT_MS: u64 = 700;
/// A pass that ends by itself, with the traveler looking on: then nothing waits for a
/// better moment. It is what `Ask::Sync` does.
pub(crate) const LONG_MS: u64 = 30_000;

/// What an attack may cost, kilobytes: a megabyte of an answer, the buffers of the
/// connections, code that is touched for the first time. An attack that is not
/// bounded takes ten times as much in a second.
const MOST_KB: u64 = 32 * 1_024;

/// A pass that has not returned by now never will.
const NEVER: Duration = Duration::from_secs(60);

/// The real ministry, an authority that phones trust, and one phone.
pub(crate) struct Story {
    pub(crate) ca: Authority,
    pub(crate) ministry: Ministry,
    phone: Option<Traveler>,
    directory: PathBuf,
    base: TempDir,
    presses: u32,
}

/// What the phone says after an attack.
pub(crate) struct Met {
    pub(crate) report: String,
    /// Why the pass has ended.
    pub(crate) stopped: String,
    pub(crate) claim: Claim,
}

impl Met {
    /// What the last attempt to send the report came to.
    pub(crate) fn attempt(&self) -> AttemptResult {
        match self.claim.events.last() {
            Some(Evidence::Attempt { result, .. }) => *result,
            _ => panic!("{}, stopped: {}", self.claim.state, self.stopped),
        }
    }
}

impl Story {
    /// A phone that the ministry has enrolled.
    pub(crate) fn new() -> Self {
        let mut story = Self::of_a_new_phone();
        story.is_open_to(&story.ministry.url());
        assert_eq!(story.ask(&Ask::Sync).text, "Done");
        story
    }

    /// A phone that nobody knows.
    pub(crate) fn of_a_new_phone() -> Self {
        let base = tempfile::tempdir().unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_traveler"));
        let mut story = Self {
            ca: Authority::new().unwrap(),
            ministry: Ministry::start(Settings::new(base.path().join("ministry"))).unwrap(),
            phone: Some(Traveler::start(program, &[]).unwrap()),
            directory: base.path().join("phone"),
            base,
            presses: 0,
        };
        story.another_phone();
        story
    }

    /// From here on it is another phone, which nobody knows.
    pub(crate) fn another_phone(&mut self) {
        self.presses += 1;
        self.directory = self.base.path().join(format!("phone{}", self.presses));
        std::fs::create_dir(&self.directory).unwrap();
    }

    /// A file for the phone to read.
    pub(crate) fn file(&self, bytes: &[u8]) -> PathBuf {
        let path = self.base.path().join("file");
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Starts the app with this address of its ministry.
    pub(crate) fn is_open_to(&mut self, url: &str) {
        assert_eq!(self.opens(url, false), "Open");
    }

    /// The same before the phone is unlocked.
    pub(crate) fn is_locked_and_open_to(&mut self, url: &str) {
        assert_eq!(self.opens(url, true), "Locked");
    }

    /// A number from the file of what waits.
    pub(crate) fn outbox(&self, sql: &str) -> i64 {
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let path = self.directory.join("files/outbox.db");
        let file = rusqlite::Connection::open_with_flags(path, flags).unwrap();
        file.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    fn opens(&mut self, url: &str, locked: bool) -> String {
        let values = Values {
            more_tls_roots: vec![self.ca.der().to_vec()],
            ..Values::of(&self.ministry, url.to_owned())
        };
        let directory = self.directory.clone();
        self.ask(&Ask::Open {
            values,
            directory,
            locked,
        })
        .text
    }

    /// The phone's answer; a phone that gives none has crashed, or hangs.
    #[track_caller]
    pub(crate) fn ask(&mut self, ask: &Ask) -> Told {
        let phone = self.phone.as_mut().unwrap();
        let _watch = kill_later(phone.id());
        let told = phone.ask(ask).expect("the phone has crashed, or hung");
        assert!(!told.text.starts_with("error"), "{}", told.text);
        told
    }

    /// Whatever waits for its time is due.
    pub(crate) fn half_an_hour_later(&mut self) {
        let (pass_ms, set_ms) = (31 * 60_000, 0);
        self.ask(&Ask::Clock { pass_ms, set_ms });
    }

    /// A report of its own: two presses within a second are one.
    pub(crate) fn press(&mut self) -> String {
        let (pass_ms, set_ms) = (2_000, 0);
        self.ask(&Ask::Clock { pass_ms, set_ms });
        self.presses += 1;
        let note = format!("hurt {}", self.presses);
        let kind = SosKind::Medical;
        self.ask(&Ask::Press { kind, note }).text
    }

    /// Presses, and runs one pass towards what the phone is open to.
    #[track_caller]
    pub(crate) fn meet(&mut self, name: &str, deadline_ms: u64) -> Met {
        let report = self.press();
        self.meet_with(name, report, deadline_ms)
    }

    /// One pass towards what the phone is open to, with `report` still to be sent.
    #[track_caller]
    pub(crate) fn meet_with(&mut self, name: &str, report: String, deadline_ms: u64) -> Met {
        let before = self.memory_from_here_on();
        let pass = match deadline_ms {
            LONG_MS => Ask::Sync,
            _ => Ask::Pass { deadline_ms },
        };
        let stopped = self.ask(&pass).text;
        let more = self.peak_kb().saturating_sub(before);
        assert!(more < MOST_KB, "{name}: {more} KB");
        let claim = self.claim(&report);
        Met {
            report,
            stopped,
            claim,
        }
    }

    /// As [`Story::meet`], where nothing can have been proved.
    #[track_caller]
    pub(crate) fn meet_a_liar(&mut self, name: &str, deadline_ms: u64) -> Met {
        let met = self.meet(name, deadline_ms);
        let state = &met.claim.state;
        assert!(!met.claim.is_proved(), "{name}: {state}");
        assert!(!state.starts_with("parked"), "{name}: {state}");
        assert_ne!(met.stopped, "Done", "{name}");
        met
    }

    /// A pass with the real ministry; the report is one case.
    #[track_caller]
    pub(crate) fn arrives(&mut self, name: &str, report: &str) {
        self.is_open_to(&self.ministry.url());
        self.is_one_case_after_a_pass(name, report);
    }

    /// As [`Story::arrives`], on the way that the phone is open to.
    #[track_caller]
    pub(crate) fn is_one_case_after_a_pass(&mut self, name: &str, report: &str) {
        let stopped = self.ask(&Ask::Sync).text;
        let claim = self.claim(report);
        let shown = &claim.state;
        assert!(claim.is_proved(), "{name}: {shown}, stopped: {stopped}");
        let case = self.case(report);
        assert!(case.note.starts_with("hurt"), "{name}");
    }

    /// An officer takes the case, and the phone comes to know.
    #[track_caller]
    pub(crate) fn is_acknowledged_in_the_end(&mut self, name: &str, report: &str) {
        let case = self.case(report).id;
        self.ministry.acknowledge(&case, "王芳", "M").unwrap();
        let stopped = self.ask(&Ask::Sync).text;
        let state = self.claim(report).state;
        assert!(
            state.starts_with("acknowledged"),
            "{name}: {state}, {stopped}"
        );
    }

    /// The one case of a report.
    #[track_caller]
    pub(crate) fn case(&self, report: &str) -> CaseView {
        let mut cases = self.ministry.cases().unwrap();
        cases.retain(|case| case.report.to_string() == report);
        assert_eq!(cases.len(), 1, "cases of {report}");
        cases.remove(0)
    }

    /// What the phone says of a report, judged.
    #[track_caller]
    pub(crate) fn claim(&mut self, report: &str) -> Claim {
        let key = self.ministry.receipt_key();
        let lines = self.ask(&Ask::Claims).lines;
        let claims = lines.iter().map(|line| serde_json::from_str(line).unwrap());
        let claim: Claim = claims
            .into_iter()
            .find(|claim: &Claim| claim.report == report)
            .unwrap();
        let faults = claim.faults(&key, None);
        assert!(faults.is_empty(), "{faults:?}");
        claim
    }

    /// Kilobytes that the phone holds now; the peak is counted anew.
    fn memory_from_here_on(&self) -> u64 {
        if !cfg!(target_os = "linux") {
            return 0;
        }
        // 5 resets the peak, see proc(5).
        std::fs::write(self.proc("clear_refs"), "5").unwrap();
        self.peak_kb()
    }

    fn peak_kb(&self) -> u64 {
        if !cfg!(target_os = "linux") {
            return 0;
        }
        let status = std::fs::read_to_string(self.proc("status")).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.unwrap().trim().trim_end_matches(" kB");
        peak.parse().unwrap()
    }

    fn proc(&self, file: &str) -> PathBuf {
        let id = self.phone.as_ref().unwrap().id();
        Path::new("/proc").join(id.to_string()).join(file)
    }
}

impl Drop for Story {
    fn drop(&mut self) {
        if let Some(phone) = self.phone.take() {
            let _ = phone.kill();
        }
    }
}

/// Kills the process unless the returned sender is dropped before.
fn kill_later(process: u32) -> Sender<()> {
    let (done, waits) = channel();
    std::thread::spawn(move || {
        if waits.recv_timeout(NEVER) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            let _ = Command::new("kill")
                .args(["-9", &process.to_string()])
                .status();
        }
    });
    done
}
