//! The story itself. Each step checks what it tells: a promise that is broken
//! ends it with an error.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use homeline::sos::SosKind;
use homeline_tests::stage::{Network, Stage};
use homeline_tests::track;
use homeline_tests::traveler::{Ask, Told, Traveler};
use ministry::CaseView;
use serde_json::json;

use crate::Options;
use crate::show::Show;

/// What the summary counts.
#[derive(Default)]
pub(crate) struct Count {
    pub(crate) presses: u32,
    kills: u32,
    durable_ms: f64,
    receipt_ms: f64,
}

/// The story as it goes on. The student's acts are here and in `student`, those of
/// the others in `channels` and `people`.
pub(crate) struct Story<'a> {
    pub(crate) show: &'a mut Show,
    pub(crate) stage: Stage,
    /// Where every phone keeps its files.
    pub(crate) base: PathBuf,
    /// The student's phone.
    pub(crate) phone: PathBuf,
    pub(crate) count: Count,
    pub(crate) reports: Vec<String>,
}

/// Tells the story.
pub(crate) fn tell(options: &Options, show: &mut Show) -> io::Result<()> {
    // Removed when the story ends, unless the caller keeps it.
    let temporary = tempfile::tempdir()?;
    let base = options.keep.as_deref().unwrap_or(temporary.path());
    let phone = base.join("phone");
    std::fs::create_dir_all(&phone)?;
    let stage = Stage::with_channels(&base.join("ministry"))?;
    let mut story = Story {
        show,
        stage,
        base: base.to_path_buf(),
        phone,
        count: Count::default(),
        reports: Vec::new(),
    };
    story.ministry();
    let mut traveler = story.wake(false)?;
    story.register(&mut traveler)?;
    story.card(&mut traveler)?;
    story.published(&mut traveler)?;
    story.arrives(&mut traveler)?;
    story.walk(&mut traveler, options.gpx.as_deref())?;
    story.lose_the_network(&mut traveler)?;
    story.press_and_die(traveler)?;
    let mut traveler = story.before_the_first_unlock()?;
    story.portal(&mut traveler)?;
    story.delivered(&mut traveler)?;
    story.desk_reads()?;
    story.acknowledged(&mut traveler)?;
    story.no_data()?;
    story.family()?;
    story.tour()?;
    story.export(&mut traveler)?;
    story.erase(&mut traveler)?;
    story.summary()?;
    if let Some(keep) = &options.keep {
        story.show.say(&format!("files kept in {}", keep.display()));
    }
    Ok(())
}

impl Story<'_> {
    fn ministry(&mut self) {
        let ministry = &self.stage.ministry;
        let desk = format!(
            "{}/desk?token={}",
            ministry.desk_url(),
            ministry.desk_token()
        );
        self.show.step(
            "ministry",
            "The ministry opens its service and its desk",
            json!({ "url": ministry.url(), "desk": desk }),
        );
        self.show.say(&format!("service  {}", ministry.url()));
        self.show.say(&format!("desk     {desk}"));
    }

    /// Starts the phone's process and opens Homeline in it.
    fn wake(&mut self, locked: bool) -> io::Result<Traveler> {
        let program = std::env::current_exe()?;
        let mut traveler = Traveler::start(&program, &["--traveler"])?;
        let told = traveler.ask(&Ask::Open {
            values: self.stage.values().clone(),
            directory: self.phone.clone(),
            locked,
        })?;
        let expected = if locked { "Locked" } else { "Open" };
        hold(told.text == expected, "the record is in the expected state")?;
        Ok(traveler)
    }

    fn walk(&mut self, traveler: &mut Traveler, gpx: Option<&Path>) -> io::Result<()> {
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/journey/kavrun.gpx");
        // The last position is four minutes old when the story goes on.
        let end_ms = now_ms() - 4 * 60_000;
        let track = track::read(gpx.unwrap_or(&own), end_ms)?;
        let (points, hours) = (track.fixes.len(), duration(track.duration_ms));
        self.show.step(
            "track",
            "The phone records the way into the mountains",
            json!({
                "fixes": points,
                "gaps": track.gaps,
                "duration_ms": track.duration_ms,
            }),
        );
        let bar = self.show.progress(u64::try_from(points).unwrap_or(0));
        for fixes in track.fixes.chunks(4) {
            traveler.ask(&Ask::Record {
                fixes: fixes.to_vec(),
            })?;
            bar.inc(u64::try_from(fixes.len()).unwrap_or(0));
            if !bar.is_hidden() {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        bar.finish_and_clear();
        self.show.say(&format!(
            "{points} positions in {hours}, {} gap(s); they stay on the phone until a sync",
            track.gaps
        ));
        Ok(())
    }

    fn lose_the_network(&mut self, traveler: &mut Traveler) -> io::Result<()> {
        self.stage.network(Network::Down);
        let told = traveler.ask(&Ask::Sync)?;
        hold(told.text == "Offline", "the network is really gone")?;
        self.show.step(
            "offline",
            "The valley has no signal",
            json!({ "sync": told.text }),
        );
        self.show.say("connections are refused; sync says: offline");
        Ok(())
    }

    fn press_and_die(&mut self, mut traveler: Traveler) -> io::Result<()> {
        let told = self.press(
            &mut traveler,
            SosKind::Medical,
            "Fell on the scree, left leg, cannot walk. 请帮忙 🆘",
        )?;
        let (process, report) = (traveler.id(), told.text);
        traveler.kill()?;
        self.count.kills += 1;
        self.show.step(
            "pressed",
            "She presses SOS; the process is killed as soon as the press returns",
            json!({ "report": report, "durable_ms": told.ms, "killed": process }),
        );
        self.show.say(&format!(
            "on disk after {:.2} ms; SIGKILL to {process}",
            told.ms
        ));

        let mut traveler = self.wake(false)?;
        let status = self.status(&mut traveler, &report)?;
        self.show.step(
            "reopened",
            "The app starts again: the report is there",
            json!({ "state": word(&status.text) }),
        );
        self.show.status(&status.text, &status.lines);
        hold(word(&status.text) == "stored", "a killed press is stored")?;
        traveler.kill()?;
        self.count.kills += 1;
        self.reports.push(report);
        Ok(())
    }

    fn before_the_first_unlock(&mut self) -> io::Result<Traveler> {
        let mut traveler = self.wake(true)?;
        let told = self.press(&mut traveler, SosKind::Lost, "")?;
        let status = self.status(&mut traveler, &told.text)?;
        self.show.step(
            "locked_press",
            "The phone has rebooted; she presses again before the first unlock",
            json!({ "report": told.text, "state": word(&status.text), "record": "locked" }),
        );
        self.show
            .say("the record is locked; the press takes the same path");
        self.show.status(&status.text, &status.lines);
        hold(word(&status.text) == "stored", "a locked press is stored")?;
        self.reports.push(told.text);
        let told = traveler.ask(&Ask::Unlock)?;
        hold(told.text == "Open", "the record opens after the unlock")?;
        Ok(traveler)
    }

    fn portal(&mut self, traveler: &mut Traveler) -> io::Result<()> {
        self.stage.network(Network::Portal);
        let told = traveler.ask(&Ask::Sync)?;
        let report = self.reports.first().cloned().unwrap_or_default();
        let status = self.status(traveler, &report)?;
        self.show.step(
            "portal",
            "A captive portal answers 200 to everything",
            json!({ "sync": told.text, "state": word(&status.text) }),
        );
        self.show.say("HTTP 200 is not evidence: not received");
        self.show.status(&status.text, &status.lines);
        hold(word(&status.text) == "handed", "a portal proves nothing")?;
        hold(
            self.stage.ministry.cases()?.is_empty(),
            "nothing has reached the ministry",
        )
    }

    fn delivered(&mut self, traveler: &mut Traveler) -> io::Result<()> {
        // First the answers get lost: the ministry hears, the phone does not.
        self.stage.network(Network::Swallow);
        traveler.ask(&Ask::Sync)?;
        let report = self.reports.first().cloned().unwrap_or_default();
        let status = self.status(traveler, &report)?;
        self.show.step(
            "lost_answer",
            "A thin signal: the ministry hears her, the answer gets lost",
            json!({ "state": word(&status.text), "cases": self.stage.ministry.cases()?.len() }),
        );
        self.show.status(&status.text, &status.lines);
        hold(word(&status.text) == "handed", "no receipt, not received")?;

        let begin = Instant::now();
        self.stage.network(Network::Up);
        let told = traveler.ask(&Ask::Sync)?;
        self.count.receipt_ms = begin.elapsed().as_secs_f64() * 1_000.0;
        hold(told.text == "Done", "the pass comes to its end")?;
        let status = self.status(traveler, &report)?;
        let cases = self.stage.ministry.cases()?;
        self.show.step(
            "received",
            "The network is back: SOS first, and a signed receipt for each report",
            json!({
                "state": word(&status.text),
                "cases": cases.len(),
                "receipt_ms": self.count.receipt_ms,
            }),
        );
        self.show.status(&status.text, &status.lines);
        for case in &cases {
            self.show.say(&desk_line(case));
        }
        hold(word(&status.text) == "received", "the receipt proves it")?;
        for report in &self.reports {
            let mine: Vec<&CaseView> = cases
                .iter()
                .filter(|case| case.report.to_string() == *report)
                .collect();
            hold(mine.len() == 1, "one case a report")?;
            hold(
                mine.iter().all(|case| case.traveler.is_some()),
                "the desk sees who called",
            )?;
            hold(
                mine.iter().all(|case| case.position.is_some()),
                "the desk sees where",
            )?;
        }
        Ok(())
    }

    fn acknowledged(&mut self, traveler: &mut Traveler) -> io::Result<()> {
        for case in self.stage.ministry.cases()? {
            self.stage.ministry.acknowledge(
                &case.id,
                "Karin Öberg",
                "Consulate General, Istanbul",
            )?;
        }
        traveler.ask(&Ask::Sync)?;
        let report = self.reports.first().cloned().unwrap_or_default();
        let status = self.status(traveler, &report)?;
        self.show.step(
            "acknowledged",
            "The duty officer takes the case; she sees who and when",
            json!({ "state": word(&status.text) }),
        );
        self.show.status(&status.text, &status.lines);
        hold(
            status.text.contains("Karin Öberg"),
            "the traveler sees who took the case",
        )
    }

    fn summary(&mut self) -> io::Result<()> {
        let cases = self.stage.ministry.cases()?;
        let found = |report: &&String| cases.iter().any(|case| case.report.to_string() == **report);
        let lost = self.reports.len() - self.reports.iter().filter(found).count();
        let counters = self.stage.ministry.counters();
        let requests: u64 = counters.requests.values().sum();
        let bytes_sent = self.stage.proxy.counters().bytes_up;
        let count = &self.count;
        self.show.step(
            "summary",
            "In numbers",
            json!({
                "presses": count.presses,
                "kills": count.kills,
                "requests": requests,
                "duplicates": counters.duplicates,
                "lost": lost,
                "durable_ms": count.durable_ms,
                "receipt_ms": count.receipt_ms,
                "bytes_sent": bytes_sent,
            }),
        );
        self.show.table(&[
            ("presses", count.presses.to_string()),
            ("kills (SIGKILL)", count.kills.to_string()),
            ("requests at the ministry", requests.to_string()),
            ("duplicates refused", counters.duplicates.to_string()),
            ("reports lost", lost.to_string()),
            ("press to durable", format!("{:.2} ms", count.durable_ms)),
            ("network to receipt", format!("{:.0} ms", count.receipt_ms)),
            ("bytes sent", bytes_sent.to_string()),
        ]);
        hold(lost == 0, "no report is lost")?;
        hold(counters.duplicates > 0, "a report was sent more than once")
    }

    fn press(&mut self, traveler: &mut Traveler, kind: SosKind, note: &str) -> io::Result<Told> {
        let told = traveler.ask(&Ask::Press {
            kind,
            note: note.into(),
        })?;
        self.count.presses += 1;
        self.count.durable_ms = self.count.durable_ms.max(told.ms);
        Ok(told)
    }

    fn status(&self, traveler: &mut Traveler, report: &str) -> io::Result<Told> {
        traveler.ask(&Ask::Status {
            report: report.into(),
        })
    }
}

/// A promise of the story.
pub(crate) fn hold(kept: bool, promise: &str) -> io::Result<()> {
    if kept {
        Ok(())
    } else {
        Err(io::Error::other(format!("promise broken: {promise}")))
    }
}

/// What the desk sees of a case, on a line.
pub(crate) fn desk_line(case: &CaseView) -> String {
    let caller = case
        .traveler
        .as_ref()
        .map_or("unknown", |traveler| traveler.name.as_str());
    let position = match &case.position {
        None => "no position".to_owned(),
        Some(position) => position.age_ms.map_or_else(
            || "position of unknown age".to_owned(),
            |ms| format!("position {} old", duration(ms)),
        ),
    };
    format!(
        "desk     {}  {caller}, {position}, came in {} time(s)",
        case.id, case.times_received
    )
}

/// The first word of a state: its name.
pub(crate) fn word(state: &str) -> &str {
    state.split(':').next().unwrap_or(state)
}

fn duration(ms: i64) -> String {
    let minutes = ms / 60_000;
    if minutes >= 60 {
        format!("{} h {:02} min", minutes / 60, minutes % 60)
    } else {
        format!("{minutes} min")
    }
}

/// The date so many days from today, as registrations have it.
pub(crate) fn day(from_today: i64) -> io::Result<String> {
    let seconds = now_ms() / 1_000 + from_today * 24 * 3_600;
    let then = time::OffsetDateTime::from_unix_timestamp(seconds).map_err(io::Error::other)?;
    Ok(then.date().to_string())
}

pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(0))
}
