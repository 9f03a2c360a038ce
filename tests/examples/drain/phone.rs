//! The phone's side: reads what to do from its standard input, a line of JSON each,
//! and answers with one.

use std::collections::VecDeque;
use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

use homeline::Homeline;
use homeline::error::HostError;
use homeline::homeline::{ChangeListener, Topic};
use homeline::keys::FileVault;
use homeline::sos::{OnRepeat, SosKind, SosRequest};
use homeline::whereabouts::{Fix, FixSource, Position};
use homeline_tests::link::notes::note;
use homeline_tests::stage::{self, Values};
use serde::{Deserialize, Serialize};

use super::Outcome;
use super::hub::address;

#[derive(Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(crate) enum Ask {
    /// Takes the device `phone` up.
    Address { own: String },
    /// Opens, enrols, and presses.
    Prepare {
        values: Values,
        directory: PathBuf,
        reports: u64,
    },
    /// One pass, timed.
    Drain,
    /// One request a report; seconds for 1,000.
    OneByOne,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Pressed {
    pub(crate) report_bytes: f64,
    pub(crate) envelope_bytes: f64,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Drained {
    pub(crate) drained_s: f64,
    pub(crate) pass_s: f64,
}

pub(crate) struct Open {
    pub(crate) home: Arc<Homeline>,
    values: Values,
    directory: PathBuf,
}

pub(crate) fn run() -> Outcome<()> {
    say(&"ready")?;
    let mut open: Option<Open> = None;
    for line in std::io::stdin().lock().lines() {
        match serde_json::from_str(&line?)? {
            Ask::Address { own } => {
                address("lo", "127.0.0.1").ok();
                address("phone", &own)?;
                say(&"up")?;
            }
            Ask::Prepare {
                values,
                directory,
                reports,
            } => {
                let opened = prepare(values, directory)?;
                say(&press_all(&opened, reports)?)?;
                open = Some(opened);
            }
            Ask::Drain => say(&drain(&open.as_ref().ok_or("not open")?.home)?)?,
            Ask::OneByOne => say(&one_by_one(&open.as_ref().ok_or("not open")?.values)?)?,
        }
    }
    Ok(())
}

fn say(answer: &impl Serialize) -> Outcome<()> {
    println!("{}", serde_json::to_string(answer)?);
    Ok(std::io::stdout().flush()?)
}

pub(crate) fn prepare(values: Values, directory: PathBuf) -> Outcome<Open> {
    std::fs::create_dir_all(&directory)?;
    let key = directory.join("vault.key");
    let vault = FileVault::open(key.to_string_lossy().into_owned())?;
    let config = stage::config(&values, &directory.join("files"));
    let home = Homeline::open(config, vault, None, None)?;
    // Enrols and fetches the service document.
    for _ in 0..5 {
        if home.sync(60_000)?.stopped == homeline::sync::SyncStop::Done {
            break;
        }
    }
    Ok(Open {
        home,
        values,
        directory,
    })
}

/// Now, milliseconds UTC.
pub(crate) fn now_ms() -> i64 {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A walk, with the jitter of a receiver.
pub(crate) fn fix(number: u64) -> Fix {
    let jitter = |salt: u64| (number.wrapping_mul(7_919).wrapping_add(salt) % 997) as f64 / 1e7;
    let on = number as f64 * 1.7e-4;
    let place = Position::Wgs84 {
        latitude: 41.008_237_6 + on + jitter(3),
        longitude: 28.978_358_9 + on / 2.0 + jitter(11),
    };
    let mut fix = Fix::new(place, now_ms(), FixSource::Gnss);
    fix.accuracy_m = Some(3.0 + (number * 37 % 400) as f64 / 10.0);
    fix
}

/// Positions that a report carries: with the note, about 1 KiB.
const TRAIL: usize = 4;

pub(crate) fn request(number: u64) -> SosRequest {
    let kinds = [
        SosKind::Medical,
        SosKind::Crime,
        SosKind::Accident,
        SosKind::Disaster,
        SosKind::Lost,
        SosKind::Other,
    ];
    let kind = usize::try_from(number).unwrap_or(0) % kinds.len();
    let mut request = SosRequest::new(kinds[kind]);
    request.note = note(number);
    request.people = Some(u32::try_from(number % 7).unwrap_or(0) + 1);
    request.battery_percent = Some(u8::try_from(number % 97).unwrap_or(0) + 3);
    request.on_repeat = Some(OnRepeat::NewReport);
    request
}

fn press_all(open: &Open, reports: u64) -> Outcome<Pressed> {
    let mut trail = VecDeque::new();
    for number in 0..reports {
        let fix = fix(number);
        trail.push_back(fix.time_ms);
        open.home.whereabouts().record(fix)?;
        if trail.len() > TRAIL {
            trail.pop_front();
            // What is older is forgotten, so that a report has its 1 KiB.
            let first = trail.front().copied().unwrap_or_default();
            open.home.whereabouts().remove_before(first)?;
        }
        open.home.sos().press(request(number))?;
    }
    let outbox = open.directory.join("files/outbox.db");
    let outbox = rusqlite::Connection::open(outbox)?;
    // The own copy is the same JSON in the clear length, sealed in base mode.
    let (report_bytes, envelope_bytes) = outbox.query_row(
        "SELECT (SELECT avg(length(own_copy)) FROM report) - ?1,
                (SELECT avg(length(sealed)) FROM envelope WHERE state = 0)",
        [homeline::seal::envelope::OVERHEAD as i64],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(Pressed {
        report_bytes,
        envelope_bytes,
    })
}

/// Notes the first moment at which nothing waits.
struct Empty {
    home: OnceLock<std::sync::Weak<Homeline>>,
    at: Mutex<Option<Instant>>,
}

impl ChangeListener for Empty {
    fn changed(&self, topic: Topic) -> Result<(), HostError> {
        let home = self.home.get().and_then(std::sync::Weak::upgrade);
        let Some(home) = home.filter(|_| topic == Topic::Sos) else {
            return Ok(());
        };
        let unsent = home.health().ok().map(|health| health.oldest_unsent_ms);
        if unsent == Some(None) {
            let mut at = self
                .at
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            at.get_or_insert_with(Instant::now);
        }
        Ok(())
    }
}

fn drain(home: &Arc<Homeline>) -> Outcome<Drained> {
    let empty = Arc::new(Empty {
        home: OnceLock::new(),
        at: Mutex::new(None),
    });
    let _ = empty.home.set(Arc::downgrade(home));
    home.set_listener(Some(Arc::clone(&empty) as Arc<dyn ChangeListener>))?;
    let begin = Instant::now();
    let outcome = home.sync(300_000)?;
    let pass_s = begin.elapsed().as_secs_f64();
    home.set_listener(None)?;
    // With the reports go the positions that followed them.
    if outcome.sent < 1_000 || outcome.waiting != 0 {
        return Err(format!("{outcome:?}").into());
    }
    let at = empty
        .at
        .lock()
        .map_err(|_| "poisoned")?
        .ok_or("never empty")?;
    Ok(Drained {
        drained_s: (at - begin).as_secs_f64(),
        pass_s,
    })
}

/// One POST after the other on one connection. Unsigned: the ministry refuses them
/// at once, so this is the wire alone, and the peer's best case.
fn one_by_one(values: &Values) -> Outcome<f64> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(values.tls_root.clone().into())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .build()?;
    let post = || {
        client
            .post(format!("{}/v1/envelopes", values.ministry_url))
            .header("content-type", "application/json")
            // A report in base64 in JSON.
            .body("x".repeat(1_600))
            .send()
    };
    runtime.block_on(async {
        post().await?;
        let begin = Instant::now();
        for _ in 0..20 {
            post().await?.bytes().await?;
        }
        Ok(begin.elapsed().as_secs_f64() / 20.0 * 1_000.0)
    })
}
