//! Measures what positions cost: bytes, time, memory. Prints JSON, one object a
//! line; `tests/run figures` reads it.
//!
//! ```text
//! whereabouts DIR           measures in DIR, which must be on a real disk
//! whereabouts million DIR   a million positions, in a process that has just begun
//! ```
//!
//! The tracks are those of `../shared/data/gpx` (where it is there) and the
//! journey's, replayed as a phone records them: a few at a time, its clock going
//! on with them. Everything that is compared runs in the same process, on the
//! same disk, in turns.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program")]

use std::error::Error;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use homeline::Homeline;
use homeline::clock::{Clock, ClockReading};
use homeline::config::{Config, Hotline};
use homeline::error::HostError;
use homeline::keys::FileVault;
use homeline::whereabouts::{Fix, FixSource, Position, RecordedFix, pack};
use rusqlite::{Connection, params};

type Outcome<T> = Result<T, Box<dyn Error>>;

const START_MS: i64 = 1_700_000_000_000;
const DAY_MS: i64 = 24 * 3_600_000;
/// Positions that a phone hands over together in the replay.
const TOGETHER: usize = 20;
const REPLAYED: usize = 20_000;
const BATCH: usize = 1_000;
const MILLION: usize = 1_000_000;
/// So long does the record keep positions.
const KEPT_DAYS: i64 = 180;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["million", directory] => million(Path::new(directory)),
        [directory] => measure(Path::new(directory)),
        _ => Err("usage: whereabouts [million] DIR".into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("whereabouts: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(directory: &Path) -> Outcome<()> {
    std::fs::create_dir_all(directory)?;
    let tracks = tracks()?;
    bytes(directory, &tracks)?;
    inserts(directory)?;
    let program = std::env::current_exe()?;
    let output = Command::new(program)
        .arg("million")
        .arg(directory)
        .output()?;
    print!("{}", String::from_utf8(output.stdout)?);
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    Ok(())
}

/// A clock that is where the replay is.
struct ReplayClock(Mutex<i64>);

impl ReplayClock {
    fn set(&self, wall_ms: i64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = wall_ms;
    }
}

impl Clock for ReplayClock {
    fn read(&self) -> Result<ClockReading, HostError> {
        let wall_ms = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(ClockReading {
            wall_ms,
            monotonic_ms: wall_ms - START_MS + 1_000,
            boot_id: "replay".into(),
        })
    }
}

fn home(directory: &Path, name: &str, clock: &Arc<ReplayClock>) -> Outcome<Arc<Homeline>> {
    let path = |name: &str| directory.join(name).to_string_lossy().into_owned();
    let config = Config {
        directory: path(name),
        // Nobody listens there.
        ministry_url: "https://127.0.0.1:1".into(),
        anchors: vec![vec![7; 32]],
        sealing_key: vec![9; 32],
        tls_roots: vec![],
        hotline: Hotline {
            from_home: "12308".into(),
            from_abroad: "+861012308".into(),
        },
        home_country: "CN".into(),
        sms_numbers: vec![],
        datagram: None,
        receipt_keys: Vec::new(),
        languages: Vec::new(),
    };
    let clock: Arc<dyn Clock> = Arc::<ReplayClock>::clone(clock);
    let vault = FileVault::open(path(&format!("{name}.key")))?;
    Ok(Homeline::open(config, vault, None, Some(clock))?)
}

fn file_bytes(directory: &Path, name: &str) -> Outcome<f64> {
    let length = std::fs::metadata(directory.join(name).join("record.db"))?.len();
    Ok(f64::from(u32::try_from(length)?))
}

/// Bytes of a position: in a row of ours, in a JSON row, as JSON, packed.
fn bytes(directory: &Path, tracks: &[(String, Vec<Fix>)]) -> Outcome<()> {
    let mut all = Vec::new();
    for (name, fixes) in tracks {
        let packed = packed_bytes(fixes)?;
        show(&format!("fix_packed_bytes:{name}"), packed);
        all.extend(fixes.iter().cloned());
    }
    show(
        "fix_packed_bytes",
        packed_bytes(&one_after_the_other(&all))?,
    );
    let day = generated(20_000);
    show(
        "fix_packed_bytes:generated_with_everything",
        packed_bytes(&day)?,
    );

    let mut replay = Vec::new();
    while replay.len() < REPLAYED {
        replay.extend(all.iter().cloned());
    }
    let replay = one_after_the_other(&replay);
    let count = f64::from(u32::try_from(replay.len())?);
    show(
        "fix_row_bytes",
        row_bytes(directory, "tracks", &replay)? / count,
    );
    let generated_count = f64::from(u32::try_from(day.len())?);
    show(
        "fix_row_bytes:generated_with_everything",
        row_bytes(directory, "generated", &day)? / generated_count,
    );
    show(
        "fix_json_row_bytes",
        json_row_bytes(directory, &replay)? / count,
    );
    let mut json = 0;
    for fix in &replay {
        json += serde_json::to_string(fix)?.len();
    }
    show("fix_json_bytes", f64::from(u32::try_from(json)?) / count);
    Ok(())
}

/// Moves tracks in time so that each begins where the one before ended.
fn one_after_the_other(fixes: &[Fix]) -> Vec<Fix> {
    let (mut before, mut now_ms) = (None, START_MS);
    fixes
        .iter()
        .map(|fix| {
            let step = before.map_or(0, |before| fix.time_ms - before);
            before = Some(fix.time_ms);
            now_ms += if (1..DAY_MS).contains(&step) {
                step
            } else {
                10_000
            };
            Fix {
                time_ms: now_ms,
                ..fix.clone()
            }
        })
        .collect()
}

fn packed_bytes(fixes: &[Fix]) -> Outcome<f64> {
    let mut bytes = 0;
    for some in fixes.chunks(256) {
        let recorded: Vec<RecordedFix> = some
            .iter()
            .map(|fix| RecordedFix {
                fix: fix.clone(),
                at_ms: fix.time_ms,
                flags: vec![],
            })
            .collect();
        bytes += pack(&recorded)?.len();
    }
    Ok(f64::from(u32::try_from(bytes)?) / f64::from(u32::try_from(fixes.len())?))
}

/// What the record grows by.
fn row_bytes(directory: &Path, name: &str, fixes: &[Fix]) -> Outcome<f64> {
    let clock = Arc::new(ReplayClock(Mutex::new(START_MS)));
    drop(home(directory, name, &clock)?);
    let empty = file_bytes(directory, name)?;
    let home = home(directory, name, &clock)?;
    for some in fixes.chunks(TOGETHER) {
        // Handed over half a second after the last of them.
        clock.set(some.last().map_or(0, |fix| fix.time_ms) + 500);
        home.whereabouts().record_all(some.to_vec())?;
    }
    let listed = home.whereabouts().list(0, i64::MAX, u32::MAX)?.len();
    if listed != fixes.len() {
        return Err(format!("{listed} of {} are there", fixes.len()).into());
    }
    drop(home);
    Ok(file_bytes(directory, name)? - empty)
}

fn json_row_bytes(directory: &Path, fixes: &[Fix]) -> Outcome<f64> {
    let path = directory.join("json.db");
    let mut file = plain(
        &path,
        "CREATE TABLE fix (id INTEGER PRIMARY KEY, json TEXT NOT NULL)",
    )?;
    let transaction = file.transaction()?;
    for fix in fixes {
        let json = serde_json::to_string(fix)?;
        transaction
            .prepare_cached("INSERT INTO fix (json) VALUES (?1)")?
            .execute([json])?;
    }
    transaction.commit()?;
    drop(file);
    Ok(f64::from(u32::try_from(std::fs::metadata(&path)?.len())?))
}

/// A plain database with the record's own settings of durability.
fn plain(path: &Path, table: &str) -> Outcome<Connection> {
    let _ = std::fs::remove_file(path);
    let file = Connection::open(path)?;
    file.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")?;
    file.execute_batch(table)?;
    Ok(file)
}

/// Batches of a thousand into the record, and into plain SQLite with four REAL
/// columns, in turns.
fn inserts(directory: &Path) -> Outcome<()> {
    let fixes = generated(100_000);
    let clock = Arc::new(ReplayClock(Mutex::new(START_MS)));
    let home = home(directory, "inserts", &clock)?;
    let mut peer = plain(
        &directory.join("peer.db"),
        "CREATE TABLE fix (lat REAL, lon REAL, time REAL, accuracy REAL)",
    )?;
    let (mut ours, mut theirs) = (0.0, 0.0);
    for some in fixes.chunks(BATCH) {
        clock.set(some.last().map_or(0, |fix| fix.time_ms) + 500);
        let batch = some.to_vec();
        ours += seconds(|| Ok(home.whereabouts().record_all(batch)?))?;
        theirs += seconds(|| {
            let transaction = peer.transaction()?;
            for fix in some {
                let (lat, lon) = fix.position.degrees();
                let time = Instant::now().elapsed().as_secs_f64();
                transaction
                    .prepare_cached("INSERT INTO fix VALUES (?1, ?2, ?3, ?4)")?
                    .execute(params![lat, lon, time, fix.accuracy_m])?;
            }
            Ok(transaction.commit()?)
        })?;
    }
    let count = f64::from(u32::try_from(fixes.len())?);
    show("fix_insert_per_s", count / ours);
    show("sqlite_insert_4_real_per_s", count / theirs);
    show("fix_insert_vs_sqlite", theirs / ours);
    Ok(())
}

/// A million positions, 30 s apart: nearly a year.
fn million(directory: &Path) -> Outcome<()> {
    let clock = Arc::new(ReplayClock(Mutex::new(START_MS)));
    let home = home(directory, "million", &clock)?;
    let mut track = Track::new();
    for _ in 0..MILLION / BATCH {
        let batch: Vec<Fix> = track.by_ref().take(BATCH).collect();
        clock.set(batch.last().map_or(0, |fix| fix.time_ms) + 500);
        home.whereabouts().record_all(batch)?;
    }
    let days = i64::try_from(MILLION)? * STEP_MS / DAY_MS;
    show("last_known_us", last_known(&home)?);
    show("day_query_us", day_query(&home, 0..days)?);
    show("million_fixes_rss_mb", peak_mb()?);
    show(
        "million_fixes_file_mb",
        file_bytes(directory, "million")? / 1e6,
    );
    // The same, packed: a pass packs a piece at a time, though nobody answers.
    let mut passes = 0;
    let begin = Instant::now();
    while passes < 600 {
        home.sync(60_000)?;
        passes += 1;
    }
    show(
        "pack_pass_ms",
        begin.elapsed().as_secs_f64() * 1e3 / f64::from(passes),
    );
    // What is older was deleted by the first pass; the newest is not packed yet.
    show(
        "day_query_packed_us",
        day_query(&home, days - KEPT_DAYS + 5..days - 5)?,
    );
    show("million_fixes_packed_rss_mb", peak_mb()?);
    Ok(())
}

/// The last known position as a press reads it: from memory, whatever the record
/// holds.
fn last_known(home: &Homeline) -> Outcome<f64> {
    let mut samples = Vec::new();
    for _ in 0..1_000 {
        samples.push(
            1e6 * seconds(|| {
                home.whereabouts().last()?.ok_or("no position")?;
                Ok(())
            })?,
        );
    }
    Ok(median(samples))
}

fn day_query(home: &Homeline, days: Range<i64>) -> Outcome<f64> {
    let mut samples = Vec::new();
    for n in 0..200 {
        let day = days.start + n * 37 % (days.end - days.start - 1);
        let from = START_MS + day * DAY_MS;
        samples.push(
            1e6 * seconds(|| {
                let day = home.whereabouts().list(from, from + DAY_MS, u32::MAX)?;
                if day.len() < 2_800 {
                    return Err(format!("{} on a day", day.len()).into());
                }
                Ok(())
            })?,
        );
    }
    Ok(median(samples))
}

/// The most memory this process had so far, MB.
fn peak_mb() -> Outcome<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .ok_or("no VmHWM")?;
    let kb: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kb / 1024.0)
}

const STEP_MS: i64 = 30_000;

/// A traveler who stands, walks and drives, with all that a phone measures.
struct Track {
    seed: u64,
    n: i64,
    latitude: f64,
    longitude: f64,
    heading: f64,
}

impl Track {
    fn new() -> Self {
        Self {
            seed: 0x9e37_79b9_7f4a_7c15,
            n: 0,
            latitude: 41.0,
            longitude: 29.0,
            heading: 0.0,
        }
    }

    /// -1 to 1 (xorshift).
    fn noise(&mut self) -> f64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        let part = u32::try_from(self.seed >> 40).unwrap_or(0);
        f64::from(part) / f64::from(1u32 << 23) - 1.0
    }
}

impl Iterator for Track {
    type Item = Fix;

    fn next(&mut self) -> Option<Fix> {
        self.n += 1;
        // Each four hours: standing, walking, standing, driving.
        let speed = match self.n / 120 % 4 {
            1 => 1.3 + 0.2 * self.noise(),
            3 => 15.0 + 8.0 * self.noise(),
            _ => 0.0,
        };
        self.heading = (self.heading + 20.0 * self.noise()).rem_euclid(360.0);
        let metres = speed * 30.0 / 111_195.0;
        self.latitude += metres * self.heading.to_radians().cos() + 2.0 * self.noise() / 111_195.0;
        self.longitude += metres * self.heading.to_radians().sin() + 2.0 * self.noise() / 84_000.0;
        if !(30.0..50.0).contains(&self.latitude) || !(10.0..50.0).contains(&self.longitude) {
            self.heading += 180.0;
        }
        let position = Position::Wgs84 {
            latitude: self.latitude.clamp(-89.0, 89.0),
            longitude: self.longitude.clamp(-179.0, 179.0),
        };
        Some(Fix {
            accuracy_m: Some((8.0 + 4.0 * self.noise()).max(3.0)),
            altitude_m: Some(100.0 + 3.0 * self.noise()),
            speed_mps: Some(speed),
            heading_deg: Some(self.heading % 360.0),
            battery_percent: u8::try_from(100 - self.n / 30 % 80).ok(),
            ..Fix::new(position, START_MS + self.n * STEP_MS, FixSource::Fused)
        })
    }
}

fn generated(count: usize) -> Vec<Fix> {
    Track::new().take(count).collect()
}

/// The tracks: name and positions.
fn tracks() -> Outcome<Vec<(String, Vec<Fix>)>> {
    let base = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![base.join("../tests/examples/journey/kavrun.gpx")];
    match std::fs::read_dir(base.join("../../shared/data/gpx")) {
        Ok(shared) => files.extend(shared.filter_map(|entry| Some(entry.ok()?.path()))),
        Err(_) => eprintln!("SKIP ../shared/data/gpx: not here"),
    }
    files.retain(|path| path.extension().is_some_and(|ending| ending == "gpx"));
    files.sort();
    files.into_iter().map(|path| read(&path)).collect()
}

fn read(path: &PathBuf) -> Outcome<(String, Vec<Fix>)> {
    let name = path
        .file_name()
        .ok_or("no name")?
        .to_string_lossy()
        .into_owned();
    let text = std::fs::read_to_string(path)?;
    let mut fixes = Vec::new();
    let mut time_ms = START_MS;
    for part in text
        .split("<trkpt")
        .skip(1)
        .chain(text.split("<rtept").skip(1))
    {
        let part = part.split("pt>").next().unwrap_or(part);
        let (Some(latitude), Some(longitude)) =
            (between(part, "lat=\"", "\""), between(part, "lon=\"", "\""))
        else {
            continue;
        };
        time_ms = between(part, "<time>", "<")
            .and_then(time)
            .unwrap_or(time_ms + 10_000);
        let position = Position::Wgs84 {
            latitude: latitude.parse()?,
            longitude: longitude.parse()?,
        };
        let number = |from| between(part, from, "<").and_then(|text| text.parse::<f64>().ok());
        fixes.push(Fix {
            accuracy_m: number("<hdop>").map(|hdop| hdop * 5.0),
            altitude_m: number("<ele>"),
            ..Fix::new(position, time_ms, FixSource::Gnss)
        });
    }
    Ok((name, fixes))
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> Option<&'a str> {
    text.split_once(from)?
        .1
        .split_once(to)
        .map(|(found, _)| found)
}

/// Milliseconds UTC of `2026-05-09T05:30:00Z`.
fn time(text: &str) -> Option<i64> {
    let mut numbers = text
        .split(|c: char| !c.is_ascii_digit())
        .map(|digits| digits.parse::<i64>().ok());
    let mut next = || numbers.next().flatten();
    let (year, month, day) = (next()?, next()?, next()?);
    let (hour, minute, second) = (next()?, next()?, next()?);
    // Days from 1970 in the Gregorian calendar, years beginning in March.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days =
        365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 719_469;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000)
}

fn seconds(work: impl FnOnce() -> Outcome<()>) -> Outcome<f64> {
    let begin = Instant::now();
    work()?;
    Ok(begin.elapsed().as_secs_f64())
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or(f64::NAN)
}

fn show(name: &str, value: f64) {
    println!("{}", serde_json::json!({ "name": name, "value": value }));
}
