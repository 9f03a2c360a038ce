//! Fills a directory with everything that this version of the library keeps,
//! through its public API alone, with clocks of its own. What it made at each
//! schema version is in `tests/fixtures/vN`, and `tests/growing_old.rs` opens it
//! with today's code: run this once for each new version, and never again.
//!
//! ```text
//! fixture DIR    fills DIR, which must not exist
//! ```

#![expect(clippy::print_stderr, reason = "a program")]

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use homeline::Homeline;
use homeline::clock::{Clock, ClockReading};
use homeline::config::{Config, Hotline};
use homeline::contacts::{Contact, Relation};
use homeline::error::HostError;
use homeline::keys::FileVault;
use homeline::registration::{Purpose, TravelDocument, Traveler, TravelerKind};
use homeline::sos::{SosKind, SosRequest};
use homeline::whereabouts::{Fix, FixSource, Position};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// 2026-01-01T00:00:00Z.
const BEGIN_MS: i64 = 1_767_225_600_000;

fn main() -> ExitCode {
    let Some(directory) = std::env::args().nth(1) else {
        eprintln!("usage: fixture DIR");
        return ExitCode::FAILURE;
    };
    match fill(Path::new(&directory)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fixture: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A clock that goes on by a second at each reading.
struct Steps(AtomicI64);

impl Clock for Steps {
    fn read(&self) -> Result<ClockReading, HostError> {
        let seconds = self.0.fetch_add(1, Ordering::SeqCst);
        Ok(ClockReading {
            wall_ms: BEGIN_MS + seconds * 1_000,
            monotonic_ms: 60_000 + seconds * 1_000,
            boot_id: format!("boot-{}", seconds / 200),
        })
    }
}

fn fill(directory: &Path) -> Outcome<()> {
    std::fs::create_dir(directory)?;
    let path = |name: &str| directory.join(name).to_string_lossy().into_owned();
    let config = Config {
        directory: directory.to_string_lossy().into_owned(),
        ministry_url: "https://ministry.example".into(),
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
    let clock = Arc::new(Steps(AtomicI64::new(0)));
    let home = Homeline::open(
        config,
        FileVault::open(path("vault.key"))?,
        None,
        Some(clock),
    )?;
    register(&home)?;
    positions(&home)?;
    // Settled: its readable copy moves to the record at the next unlock.
    press(&home, SosKind::Medical, "摔伤了腿", 0)?;
    home.pause()?;
    home.reopen()?;
    press(&home, SosKind::Lost, "迷路了 مرحبا", 0)?;
    press(&home, SosKind::Crime, "包被偷了", 60)?;
    // Closes both files, which folds their logs into them.
    home.pause()?;
    Ok(())
}

fn register(home: &Homeline) -> Outcome<()> {
    let registration = home.registration();
    registration.save(Traveler {
        name: "李伟".into(),
        kind: TravelerKind::Student {
            school: "Boğaziçi Üniversitesi".into(),
            programme: None,
            guardian: None,
        },
        phone: Some("+90 212 555 0100".into()),
        documents: vec![TravelDocument {
            number: "L898902C3".into(),
            // The specimen of ICAO Doc 9303-4.
            mrz: Some(
                "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\n\
                 L898902C36UTO7408122F1204159ZE184226B<<<<<10"
                    .into(),
            ),
            ..TravelDocument::default()
        }],
        ..Traveler::default()
    })?;
    for (name, phone, relation) in [
        ("王芳", "+86 139 0013 9000", Relation::Parent),
        ("Ayşe Yılmaz", "112", Relation::School),
    ] {
        home.contacts().add(Contact {
            name: name.into(),
            phone: phone.into(),
            relation,
            ..Contact::default()
        })?;
    }
    home.consents().give(Purpose::Register, "2026-01".into())?;
    home.consents()
        .give(Purpose::Whereabouts, "2026-01".into())?;
    home.consents().withdraw(Purpose::Whereabouts)?;
    Ok(())
}

/// 300 fixes a minute apart, then ten that came late.
fn positions(home: &Homeline) -> Outcome<()> {
    let whereabouts = home.whereabouts();
    for number in 0..300 {
        whereabouts.record(fix(number, number))?;
    }
    let late = (0..10).map(|number| fix(number, number * 30 - 5));
    whereabouts.record_all(late.collect())?;
    Ok(())
}

/// The fix `number`, of the given minute: every datum, source and accuracy.
fn fix(number: i32, minute: i32) -> Fix {
    let latitude = 41.0 + f64::from(number) * 1e-4;
    let longitude = 28.5 + f64::from(number) * 3e-4;
    let position = match number % 3 {
        0 => Position::Wgs84 {
            latitude,
            longitude,
        },
        1 => Position::Gcj02 {
            latitude,
            longitude,
        },
        _ => Position::Bd09 {
            latitude,
            longitude,
        },
    };
    let source = match number % 4 {
        0 => FixSource::Gnss,
        1 => FixSource::Network,
        2 => FixSource::Fused,
        _ => FixSource::Manual,
    };
    let time_ms = BEGIN_MS + i64::from(minute) * 60_000;
    Fix {
        accuracy_m: (number % 5 != 4).then(|| 3.5 + f64::from(number % 50)),
        ..Fix::new(position, time_ms, source)
    }
}

fn press(home: &Homeline, kind: SosKind, note: &str, countdown_s: u32) -> Outcome<()> {
    let mut request = SosRequest::new(kind);
    request.note = note.into();
    request.people = Some(2);
    request.countdown_s = countdown_s;
    home.sos().press(request)?;
    Ok(())
}
