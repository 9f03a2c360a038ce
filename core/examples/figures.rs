//! Measures what a press and an open cost, beside what they are made of. Prints
//! JSON, one object a line; `tests/run figures` reads it.
//!
//! ```text
//! figures DIR           measures in DIR, which must be on a real disk
//! figures open DIR      opens once, in a process that has just begun
//! figures sqlite DIR    the same for a plain SQLite file
//! figures boundary DIR  the calls that the benches of Kotlin and Swift measure, in Rust
//! ```
//!
//! Everything that is compared runs in the same process, on the same disk, in
//! turns, so that a slow moment of the machine is in all of it.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program")]

use std::error::Error;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Instant;

use homeline::Homeline;
use homeline::config::{Config, Hotline};
use homeline::keys::FileVault;
use homeline::seal::envelope::{OVERHEAD, seal_to_device};
use homeline::sos::{OnRepeat, SosKind, SosRequest};
use homeline::whereabouts::{Fix, FixSource, Position};
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256 as Kem;
use hpke::{Kem as _, OpModeS, Serializable as _};
use rusqlite::Connection;
use uuid::Uuid;

type Outcome<T> = Result<T, Box<dyn Error>>;

const WARM_UP: usize = 20;
const ROUNDS: usize = 300;
const OPENS: usize = 15;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["open", directory] => open_once(Path::new(directory)),
        ["sqlite", directory] => sqlite_once(Path::new(directory)),
        ["boundary", directory] => boundary(Path::new(directory)),
        [directory] => measure(Path::new(directory)),
        _ => Err("usage: figures [open|sqlite|boundary] DIR".into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("figures: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(directory: &Path) -> Outcome<()> {
    std::fs::create_dir_all(directory)?;
    press(directory)?;
    open(directory)
}

fn home(directory: &Path) -> Outcome<Arc<Homeline>> {
    let (_, public) = Kem::gen_keypair();
    let config = Config {
        directory: directory.join("files").to_string_lossy().into_owned(),
        ministry_url: "https://ministry.example".into(),
        anchors: vec![vec![7; 32]],
        sealing_key: public.to_bytes().to_vec(),
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
    let vault = directory.join("vault.key").to_string_lossy().into_owned();
    Ok(Homeline::open(config, FileVault::open(vault)?, None, None)?)
}

/// The same calls, with the same arguments and as often, as `CostTest.kt` and
/// `CostTests.swift` make them.
fn boundary(directory: &Path) -> Outcome<()> {
    let home = home(directory)?;
    let mut request = SosRequest::new(SosKind::Medical);
    request.on_repeat = Some(OnRepeat::NewReport);
    let report = home.sos().press(request.clone())?;
    for minute in 0..1_000 {
        let position = Position::Wgs84 {
            latitude: 41.0,
            longitude: 29.0 + f64::from(minute) / 1_000.0,
        };
        let fix = Fix::new(position, i64::from(minute) * 60_000, FixSource::Gnss);
        home.whereabouts().record(fix)?;
    }
    let median = |rounds: usize, work: &dyn Fn() -> Outcome<()>| -> Outcome<f64> {
        let samples = (0..WARM_UP + rounds)
            .map(|_| micros(work))
            .collect::<Outcome<Vec<_>>>()?;
        Ok(spread(samples.into_iter().skip(WARM_UP).collect()).median)
    };
    let press = median(ROUNDS, &|| {
        home.sos().press(request.clone())?;
        Ok(())
    })?;
    let status = median(ROUNDS * 10, &|| {
        home.sos().status(report.clone())?;
        Ok(())
    })?;
    let list = median(
        ROUNDS,
        &|| match home.whereabouts().list(0, i64::MAX, 1_000)?.len() {
            1_000 => Ok(()),
            other => Err(format!("{other} fixes").into()),
        },
    )?;
    show("rust_press_us", press);
    show("rust_status_us", status);
    show("rust_list1000_us", list);
    Ok(())
}

/// A press, one INSERT and one append, in turns: each ends with one sync, and
/// the last two write as many bytes as the press has in its rows.
fn press(directory: &Path) -> Outcome<()> {
    let home = home(directory)?;
    let mut request = SosRequest::new(SosKind::Medical);
    request.note = "摔伤了，在山谷里，没有信号。".into();
    request.on_repeat = Some(OnRepeat::NewReport);
    home.sos().press(request.clone())?;
    let (row, envelope) = bytes_of_a_press(&directory.join("files/outbox.db"))?;
    let payload = vec![0xa5; row];

    let bare = bare(&directory.join("bare.db"))?;
    let mut log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(directory.join("append.log"))?;

    let (mut press, mut insert, mut append) = (vec![], vec![], vec![]);
    for round in 0..WARM_UP + ROUNDS {
        let pressed = micros(|| {
            home.sos().press(request.clone())?;
            Ok(())
        })?;
        let inserted = micros(|| {
            bare.execute("INSERT INTO row (body) VALUES (?1)", [&payload])?;
            Ok(())
        })?;
        let appended = micros(|| append_synced(&mut log, &payload))?;
        if round >= WARM_UP {
            press.push(pressed);
            insert.push(inserted);
            append.push(appended);
        }
    }
    let seal = sealing(envelope.saturating_sub(OVERHEAD))?;

    let (press, insert, append) = (spread(press), spread(insert), spread(append));
    show("press_row_bytes", f64::from(u32::try_from(row)?));
    show("press_us", press.median);
    show("press_p95_us", press.p95);
    show("sqlite_insert_us", insert.median);
    show("append_fdatasync_us", append.median);
    show("press_vs_sqlite_insert", press.median / insert.median);
    show("press_vs_append_fdatasync", press.median / append.median);
    show("press_seal_us", seal);
    Ok(())
}

fn append_synced(log: &mut File, payload: &[u8]) -> Outcome<()> {
    log.write_all(payload)?;
    log.sync_data()?;
    Ok(())
}

/// What one press wrote: the bytes in all its rows, and in its envelope alone.
fn bytes_of_a_press(outbox: &Path) -> Outcome<(usize, usize)> {
    let file = Connection::open(outbox)?;
    let bytes = |sql| -> Outcome<usize> {
        let bytes: i64 = file.query_row(sql, (), |row| row.get(0))?;
        Ok(usize::try_from(bytes)?)
    };
    let envelope = bytes("SELECT max(length(sealed)) FROM envelope")?;
    let own_copy = bytes("SELECT max(length(own_copy)) FROM report")?;
    let event =
        bytes("SELECT max(length(report) + length(boot_id) + length(evidence)) FROM event")?;
    Ok((envelope + own_copy + event, envelope))
}

/// A plain database with the outbox's own settings.
fn bare(path: &Path) -> Outcome<Connection> {
    let connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA wal_autocheckpoint = 0;
         CREATE TABLE IF NOT EXISTS row (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;",
    )?;
    Ok(connection)
}

/// What sealing a press costs alone: once to the ministry in HPKE's auth mode,
/// once to the device itself. Microseconds, median.
fn sealing(content: usize) -> Outcome<f64> {
    let content = vec![0x5a; content];
    let (_, ministry) = Kem::gen_keypair();
    let sender = Kem::gen_keypair();
    let device: [u8; 32] = sender.1.to_bytes().as_slice().try_into()?;
    let mode = OpModeS::Auth(sender);
    let mut samples = vec![];
    for _ in 0..ROUNDS {
        samples.push(micros(|| {
            hpke::single_shot_seal::<ChaCha20Poly1305, HkdfSha256, Kem>(
                &mode,
                &ministry,
                b"homeline/envelope/v1",
                &content,
                &[0; 58],
            )
            .map_err(|error| error.to_string())?;
            seal_to_device(&content, Uuid::nil(), &device)?;
            Ok(())
        })?);
    }
    Ok(spread(samples).median)
}

/// `Homeline::open` on existing files against opening plain SQLite, each in a
/// process of its own that has done nothing else, in turns.
fn open(directory: &Path) -> Outcome<()> {
    let program = std::env::current_exe()?;
    let (mut ours, mut plain) = (vec![], vec![]);
    for _ in 0..OPENS {
        for (what, samples) in [("open", &mut ours), ("sqlite", &mut plain)] {
            let output = Command::new(&program).arg(what).arg(directory).output()?;
            if !output.status.success() {
                return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
            }
            samples.push(String::from_utf8(output.stdout)?.trim().parse::<f64>()?);
        }
    }
    let (ours, plain) = (spread(ours), spread(plain));
    show("open_ms", ours.median / 1_000.0);
    show("sqlite_open_ms", plain.median / 1_000.0);
    show("open_vs_sqlite", ours.median / plain.median);
    Ok(())
}

fn open_once(directory: &Path) -> Outcome<()> {
    let mut kept = None;
    let took = micros(|| {
        kept = Some(home(directory)?);
        Ok(())
    })?;
    // Only an open record counts: a locked one would be quick.
    let state = kept.ok_or("not opened")?.state()?.record;
    if state != homeline::RecordState::Open {
        return Err(format!("the record is {state:?}").into());
    }
    println!("{took}");
    Ok(())
}

fn sqlite_once(directory: &Path) -> Outcome<()> {
    let path = directory.join("bare.db");
    let took = micros(|| {
        let connection = bare(&path)?;
        connection.query_row("SELECT count(*) FROM row", (), |_| Ok(()))?;
        Ok(())
    })?;
    println!("{took}");
    Ok(())
}

fn micros(work: impl FnOnce() -> Outcome<()>) -> Outcome<f64> {
    let begin = Instant::now();
    work()?;
    Ok(begin.elapsed().as_secs_f64() * 1e6)
}

struct Spread {
    median: f64,
    p95: f64,
}

fn spread(mut samples: Vec<f64>) -> Spread {
    samples.sort_by(f64::total_cmp);
    let at = |part: usize| {
        let index = samples.len().saturating_sub(1) * part / 100;
        samples.get(index).copied().unwrap_or(f64::NAN)
    };
    Spread {
        median: at(50),
        p95: at(95),
    }
}

fn show(name: &str, value: f64) {
    println!("{}", serde_json::json!({ "name": name, "value": value }));
}
