//! A phone in use for simulated weeks on a network that comes and goes: what it
//! costs must stay what it was.
//!
//! The phone is this process, with the library's own transport and its files on
//! disk; the stage (the ministry and the breakable network) is another one, so that
//! its memory is not counted. Only the phone's clock is moved.

use std::error::Error;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use homeline::Homeline;
use homeline::clock::Clock as _;
use homeline::contacts::{Contact, Relation};
use homeline::registration::{Purpose, Traveler, TravelerKind};
use homeline::sos::{OnRepeat, SosKind, SosRequest};
use homeline::whereabouts::{Fix, FixSource, Position};
use serde::Deserialize;

use crate::clock::MovedClock;
use crate::stage::{self, Values};
use crate::vault::LockableVault;

type Outcome<T> = Result<T, Box<dyn Error>>;

const HOUR_MS: i64 = 3_600_000;

/// What the phone costs at a moment.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// Memory of the process, kilobytes.
    pub rss_kb: u64,
    /// Open descriptors of the process.
    pub descriptors: u64,
    /// All files of the phone, bytes.
    pub file_bytes: u64,
    /// Passes until now.
    pub passes: u64,
    /// Reports pressed until now.
    pub reports: u64,
    /// Positions recorded until now.
    pub fixes: u64,
}

/// What a soak came to: medians of the second and of the last quarter.
#[derive(Debug, Clone, Copy)]
pub struct Soak {
    /// After the warm-up.
    pub early: Sample,
    /// At the end.
    pub late: Sample,
    /// Simulated weeks.
    pub weeks: f64,
}

impl Soak {
    /// Growth of the memory, megabytes; negative where it shrank.
    pub fn rss_growth_mb(&self) -> f64 {
        (number(self.late.rss_kb) - number(self.early.rss_kb)) / 1_024.0
    }

    /// Descriptors more than after the warm-up.
    pub fn descriptor_growth(&self) -> f64 {
        number(self.late.descriptors) - number(self.early.descriptors)
    }

    /// Bytes that the files grew by, beyond what is kept by design: the evidence of a
    /// report for three years (at most 8 KB), a position (at most 30 bytes, and the
    /// trace of its envelope).
    pub fn unexplained_file_bytes(&self) -> f64 {
        let more = |of: fn(&Sample) -> u64| number(of(&self.late)) - number(of(&self.early));
        more(|s| s.file_bytes) - 8_192.0 * more(|s| s.reports) - 230.0 * more(|s| s.fixes)
    }
}

/// A count as it is divided: exact below 2^32.
fn number(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// The stage in a process of its own; it ends with this.
struct StageProcess {
    child: Child,
    control: String,
    values: Values,
}

#[derive(Deserialize)]
struct Told {
    ministry_url: String,
    anchor: String,
    sealing_key: String,
    tls_root: String,
    hotline_from_home: String,
    hotline_from_abroad: String,
    control: String,
}

fn bytes(hex: &str) -> Outcome<Vec<u8>> {
    hex.as_bytes()
        .chunks(2)
        .map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?))
        .collect()
}

impl StageProcess {
    fn start(program: &Path) -> Outcome<Self> {
        let mut child = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let out = child.stdout.take().ok_or("no output")?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        let told: Told = serde_json::from_str(&line)?;
        Ok(Self {
            child,
            control: told.control.trim_start_matches("http://").to_owned(),
            values: Values {
                ministry_url: told.ministry_url,
                anchor: bytes(&told.anchor)?,
                sealing_key: bytes(&told.sealing_key)?,
                tls_root: bytes(&told.tls_root)?,
                hotline: (told.hotline_from_home, told.hotline_from_abroad),
                more_tls_roots: Vec::new(),
            },
        })
    }

    fn network(&self, name: &str) -> Outcome<()> {
        let mut stream = TcpStream::connect(&self.control)?;
        let host = &self.control;
        write!(
            stream,
            "POST /link/{name} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        if answer.starts_with("HTTP/1.1 204") {
            return Ok(());
        }
        Err(answer.into())
    }
}

impl Drop for StageProcess {
    fn drop(&mut self) {
        // It ends when its input closes.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Uses a phone with its files in `folder` for `lasts`; `program` is the stage.
pub fn run(program: &Path, folder: &Path, lasts: Duration) -> Outcome<Soak> {
    let stage = StageProcess::start(program)?;
    let mut phone = Phone::new(&stage, folder)?;
    let begin = Instant::now();
    let mut samples = Vec::new();
    let mut hour = 0;
    while begin.elapsed() < lasts || samples.len() < 8 {
        phone.hour(hour)?;
        hour += 1;
        if hour % 10 == 0 {
            samples.push(phone.sample()?);
        }
    }
    let quarter = samples.len() / 4;
    let early = samples.get(quarter..2 * quarter).unwrap_or_default();
    let late = samples.get(3 * quarter..).unwrap_or_default();
    Ok(Soak {
        early: median(early).ok_or("no sample")?,
        late: median(late).ok_or("no sample")?,
        weeks: number(hour) / (24.0 * 7.0),
    })
}

/// Each value by itself; the counts are those of the middle.
fn median(samples: &[Sample]) -> Option<Sample> {
    let middle = samples.len() / 2;
    let of = |get: fn(&Sample) -> u64| {
        let mut all: Vec<u64> = samples.iter().map(get).collect();
        all.sort_unstable();
        all.get(middle).copied()
    };
    Some(Sample {
        rss_kb: of(|s| s.rss_kb)?,
        descriptors: of(|s| s.descriptors)?,
        file_bytes: of(|s| s.file_bytes)?,
        passes: of(|s| s.passes)?,
        reports: of(|s| s.reports)?,
        fixes: of(|s| s.fixes)?,
    })
}

/// The phone.
struct Phone<'a> {
    stage: &'a StageProcess,
    folder: &'a Path,
    vault: Arc<LockableVault>,
    clock: Arc<MovedClock>,
    home: Arc<Homeline>,
    passes: u64,
    reports: u64,
    fixes: u64,
}

impl<'a> Phone<'a> {
    fn new(stage: &'a StageProcess, folder: &'a Path) -> Outcome<Self> {
        let vault = LockableVault::open(&folder.join("vault.key"), false)?;
        let clock = Arc::new(MovedClock::new());
        let home = open(stage, folder, &vault, &clock)?;
        home.registration().save(Traveler {
            name: "李伟".into(),
            kind: TravelerKind::LongStay,
            ..Traveler::default()
        })?;
        home.contacts().add(contact(0))?;
        for purpose in [Purpose::Register, Purpose::Whereabouts] {
            home.consents().give(purpose, "2026-01".into())?;
        }
        Ok(Self {
            stage,
            folder,
            vault,
            clock,
            home,
            passes: 0,
            reports: 0,
            fixes: 0,
        })
    }

    /// An hour: the network of it, positions, a pass or two; now and then an edit, a
    /// report, a suspension, a restart.
    fn hour(&mut self, hour: u64) -> Outcome<()> {
        let network = match hour % 10 {
            0..=4 | 9 => "up",
            5 | 6 => "down",
            7 => "portal",
            _ => "swallow",
        };
        self.stage.network(network)?;
        for _ in 0..4 {
            self.clock.pass(HOUR_MS / 4);
            self.home.whereabouts().record(self.fix()?)?;
            self.fixes += 1;
        }
        if hour % 24 == 3 {
            let known = self.home.contacts().list()?;
            let first = known.first().ok_or("no contact")?.id.clone();
            self.home.contacts().change(first, contact(hour))?;
        }
        if hour % 48 == 7 {
            let mut request = SosRequest::new(SosKind::Lost);
            request.on_repeat = Some(OnRepeat::NewReport);
            self.home.sos().press(request)?;
            self.reports += 1;
        }
        self.home.network_changed()?;
        // Short where the network swallows: the host's own time is over.
        let deadline_ms = if network == "swallow" { 100 } else { 20_000 };
        let next_ms = self.home.sync(deadline_ms)?.next_ms;
        self.passes += 1;
        if let Some(next_ms) = next_ms.filter(|_| network == "up") {
            self.clock.pass(next_ms.min(HOUR_MS));
            self.home.sync(deadline_ms)?;
            self.passes += 1;
        }
        if hour % 12 == 5 {
            self.home.pause()?;
            self.home.reopen()?;
        }
        if hour % 72 == 70 {
            self.home = open(self.stage, self.folder, &self.vault, &self.clock)?;
        }
        Ok(())
    }

    fn fix(&self) -> Outcome<Fix> {
        let step = f64::from(u32::try_from(self.fixes % 1_000)?) * 0.001;
        let position = Position::Wgs84 {
            latitude: 41.0 + step,
            longitude: 28.9,
        };
        let now = self.clock.read().map_err(|_| "no clock")?;
        Ok(Fix::new(position, now.wall_ms, FixSource::Gnss))
    }

    fn sample(&self) -> Outcome<Sample> {
        let status = fs::read_to_string("/proc/self/status")?;
        let rss = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok());
        let mut file_bytes = 0;
        for entry in fs::read_dir(self.folder.join("phone"))? {
            file_bytes += entry?.metadata()?.len();
        }
        Ok(Sample {
            rss_kb: rss.ok_or("no VmRSS")?,
            descriptors: u64::try_from(fs::read_dir("/proc/self/fd")?.count())?,
            file_bytes,
            passes: self.passes,
            reports: self.reports,
            fixes: self.fixes,
        })
    }
}

fn contact(number: u64) -> Contact {
    Contact {
        name: format!("王芳 {number}"),
        phone: "+8613800138000".into(),
        relation: Relation::Parent,
        ..Contact::default()
    }
}

fn open(
    stage: &StageProcess,
    folder: &Path,
    vault: &Arc<LockableVault>,
    clock: &Arc<MovedClock>,
) -> homeline::Result<Arc<Homeline>> {
    let config = stage::config(&stage.values, &folder.join("phone"));
    let clock = Arc::<MovedClock>::clone(clock);
    Homeline::open(
        config,
        Arc::<LockableVault>::clone(vault),
        None,
        Some(clock),
    )
}
