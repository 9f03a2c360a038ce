//! The country of a place: ours beside the crate `country-boundaries`, in one run.
//!
//! ```text
//! cargo run --release -p homeline-tests --example country [-- SAMPLE.csv]
//! ```
//!
//! The places are those of `../shared/data/places`, where it is there; and a sample of
//! `core/src/geo/generate/countries.js --sample`, where one is given. The table goes to
//! standard error, the figures to standard output, a line of JSON each.
//!
//! The peer is measured with each of the three rasters that it brings; its figures are
//! those of the finest, which is its most exact and its fastest.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program")]

use std::collections::BTreeMap;
use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use country_boundaries::{
    BOUNDARIES_ODBL_60X30, BOUNDARIES_ODBL_180X90, BOUNDARIES_ODBL_360X180, CountryBoundaries,
    LatLon,
};
use homeline::geo::Wgs84;
use homeline::geo::country::{Boundaries, Ground};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Places that are looked up on land, for the times.
const LAND: usize = 10_000;
/// Rounds of a time: the fastest counts, since others use the machine, too.
const ROUNDS: usize = 50;
/// Processes that load and look up; the median of them counts.
const PROCESSES: usize = 15;

/// A place whose country is known; empty on the high sea.
struct Known {
    latitude: f64,
    longitude: f64,
    country: String,
    kind: String,
}

/// Who is asked.
enum Asked {
    Homeline(&'static Boundaries),
    Peer(CountryBoundaries),
}

const NAMES: [&str; 4] = ["homeline", "360x180", "180x90", "60x30"];

impl Asked {
    fn load(name: &str) -> Outcome<Self> {
        Ok(match raster(name) {
            Some(bytes) => Self::Peer(CountryBoundaries::from_reader(bytes)?),
            None => Self::Homeline(Boundaries::builtin()),
        })
    }

    /// The countries, the most likely first. The peer also has states (`US-TX`).
    fn countries(&self, latitude: f64, longitude: f64) -> Outcome<Vec<String>> {
        Ok(match self {
            Self::Homeline(boundaries) => {
                let located = boundaries.locate(Wgs84::new(latitude, longitude)?, None);
                located
                    .candidates
                    .into_iter()
                    .map(|one| one.country)
                    .collect()
            }
            Self::Peer(boundaries) => {
                let ids = boundaries.ids(LatLon::new(latitude, longitude)?);
                let ids = ids.into_iter().filter(|id| !id.contains('-'));
                ids.map(str::to_owned).collect()
            }
        })
    }

    /// Nanoseconds a place, as each answers by itself.
    fn nanoseconds(&self, places: &[(f64, f64)]) -> Outcome<f64> {
        match self {
            Self::Homeline(boundaries) => {
                let points: Vec<Wgs84> = places
                    .iter()
                    .map(|(latitude, longitude)| Wgs84::new(*latitude, *longitude))
                    .collect::<Result<_, _>>()?;
                Ok(fastest(&points, |point| {
                    black_box(boundaries.locate(black_box(*point), None));
                }))
            }
            Self::Peer(boundaries) => {
                let points: Vec<LatLon> = places
                    .iter()
                    .map(|(latitude, longitude)| LatLon::new(*latitude, *longitude))
                    .collect::<Result<_, _>>()?;
                Ok(fastest(&points, |point| {
                    black_box(boundaries.ids(black_box(*point)));
                }))
            }
        }
    }
}

fn raster(name: &str) -> Option<&'static [u8]> {
    match name {
        "360x180" => Some(BOUNDARIES_ODBL_360X180),
        "180x90" => Some(BOUNDARIES_ODBL_180X90),
        "60x30" => Some(BOUNDARIES_ODBL_60X30),
        _ => None,
    }
}

/// Nanoseconds for each of the points.
fn fastest<P>(points: &[P], mut ask: impl FnMut(&P)) -> f64 {
    let rounds = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        points.iter().for_each(&mut ask);
        start.elapsed().as_secs_f64() * 1e9 / count(points.len())
    });
    rounds.fold(f64::INFINITY, f64::min)
}

fn middle(numbers: &mut [f64]) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::NAN, f64::from)
}

fn read(file: &Path) -> Outcome<Vec<Known>> {
    let text = std::fs::read_to_string(file)?;
    let mut places = Vec::new();
    for line in text.lines().skip(1) {
        let mut parts = line.splitn(5, ',');
        let mut next = || parts.next().ok_or("a line of five parts");
        let (latitude, longitude) = (next()?.parse()?, next()?.parse()?);
        let country = next()?.trim_matches('-').to_owned();
        next()?;
        let kind = next()?.to_owned();
        places.push(Known {
            latitude,
            longitude,
            country,
            kind,
        });
    }
    Ok(places)
}

/// Per cent of the places where the first answer is right, and where the right one is
/// among the answers.
fn right(asked: &Asked, places: &[&Known]) -> Outcome<(f64, f64)> {
    let (mut best, mut among) = (0, 0);
    for place in places {
        let found = asked.countries(place.latitude, place.longitude)?;
        let first = found.first().map_or("", String::as_str);
        let is_among = match place.country.as_str() {
            "" => found.is_empty(),
            country => found.iter().any(|one| one == country),
        };
        best += usize::from(first == place.country);
        among += usize::from(is_among);
    }
    let per_cent = |right: usize| 100.0 * count(right) / count(places.len());
    Ok((per_cent(best), per_cent(among)))
}

/// By kind: the places of one distance from a border.
fn by_kind(places: &[Known]) -> BTreeMap<(usize, &str), Vec<&Known>> {
    let mut kinds: BTreeMap<(usize, &str), Vec<&Known>> = BTreeMap::new();
    for place in places {
        let metres = place.kind.trim_start_matches("d=").trim_end_matches('m');
        let thousand = metres.strip_suffix('k');
        let number: usize = thousand.unwrap_or(metres).parse().unwrap_or(0);
        let metres = number * if thousand.is_some() { 1_000 } else { 1 };
        kinds.entry((metres, &place.kind)).or_default().push(place);
    }
    kinds
}

/// Places on the earth by chance, the same each time, that both have in a country.
fn land(peer: &Asked) -> Outcome<Vec<(f64, f64)>> {
    let mut state = 20_241_213_u64;
    let mut random = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(state >> 32).map_or(0.0, f64::from) / 4_294_967_296.0
    };
    let ours = Boundaries::builtin();
    let mut places = Vec::new();
    while places.len() < LAND {
        let latitude = (2.0 * random() - 1.0).asin().to_degrees();
        let longitude = random() * 360.0 - 180.0;
        let located = ours.locate(Wgs84::new(latitude, longitude)?, None);
        let territory = located.ground == Ground::Territory;
        if territory && !peer.countries(latitude, longitude)?.is_empty() {
            places.push((latitude, longitude));
        }
    }
    Ok(places)
}

/// In a process of its own: loads, answers once, and then for many places. Prints the
/// milliseconds until the first answer and the memory in KB, `nobody` for the process
/// alone.
fn alone(name: &str) -> Outcome<()> {
    let start = Instant::now();
    let mut ready_ms = 0.0;
    if name != "nobody" {
        let asked = Asked::load(name)?;
        asked.countries(48.853, 2.349)?;
        ready_ms = start.elapsed().as_secs_f64() * 1e3;
        for step in 0..10_000_u32 {
            let part = f64::from(step);
            let latitude = (part * 0.754_877).rem_euclid(1.0) * 180.0 - 90.0;
            let longitude = (part * 0.569_840).rem_euclid(1.0) * 360.0 - 180.0;
            black_box(asked.countries(latitude, longitude)?);
        }
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kb = peak.and_then(|peak| peak.trim().strip_suffix(" kB"));
    println!("{ready_ms} {}", kb.unwrap_or("NaN"));
    Ok(())
}

/// Medians of several such processes: milliseconds until the first answer, peak KB.
fn measured_alone(name: &str) -> Outcome<(f64, f64)> {
    let (mut ready, mut peaks) = (Vec::new(), Vec::new());
    for _ in 0..PROCESSES {
        let out = Command::new(std::env::current_exe()?)
            .args(["alone", name])
            .output()?;
        let text = String::from_utf8(out.stdout)?;
        let (ms, kb) = text.trim().split_once(' ').ok_or("two numbers")?;
        ready.push(ms.parse()?);
        peaks.push(kb.parse()?);
    }
    Ok((middle(&mut ready), middle(&mut peaks)))
}

/// What is measured of one, by the name of its figure.
type Figures = BTreeMap<String, f64>;

fn measure(name: &str, land: &[(f64, f64)], sample: Option<&[Known]>) -> Outcome<Figures> {
    let asked = Asked::load(name)?;
    let mut figures = Figures::new();
    let mut say = |name: &str, value: f64| {
        figures.insert(name.to_owned(), value);
    };
    say("land_ns", asked.nanoseconds(land)?);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/places");
    if folder.is_dir() {
        let tricky = read(&folder.join("tricky_points.csv"))?;
        let (best, among) = right(&asked, &tricky.iter().collect::<Vec<_>>())?;
        say("tricky_pct", among);
        say("tricky_best_pct", best);
        let border = read(&folder.join("border_points.csv"))?;
        for ((_, kind), places) in by_kind(&border) {
            let (best, among) = right(&asked, &places)?;
            let kind = kind.trim_start_matches("d=");
            say(&format!("{kind}_pct"), best);
            say(&format!("{kind}_among_pct"), among);
        }
        let border: Vec<_> = border
            .iter()
            .map(|one| (one.latitude, one.longitude))
            .collect();
        say("border_ns", asked.nanoseconds(&border)?);
    } else {
        eprintln!("SKIP ../shared/data/places: not here");
    }
    for ((_, kind), places) in by_kind(sample.unwrap_or_default()) {
        let (best, among) = right(&asked, &places)?;
        let kind = kind.trim_start_matches("d=");
        say(&format!("sample_{kind}_pct"), best);
        say(&format!("sample_{kind}_among_pct"), among);
    }
    let bytes = raster(name).map_or(Boundaries::builtin().bytes(), <[u8]>::len);
    say("bytes", count(bytes));
    let (ready_ms, peak_kb) = measured_alone(name)?;
    let (_, bare_kb) = measured_alone("nobody")?;
    say("ready_ms", ready_ms);
    say("rss_mb", (peak_kb - bare_kb) / 1_024.0);
    Ok(figures)
}

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["alone", name] = words.as_slice() {
        return alone(name);
    }
    let sample = words
        .first()
        .map(|file| read(Path::new(file)))
        .transpose()?;
    let land = land(&Asked::load("360x180")?)?;
    let all: Vec<Figures> = NAMES
        .iter()
        .map(|name| measure(name, &land, sample.as_deref()))
        .collect::<Outcome<_>>()?;
    let [ours, peer, ..] = all.as_slice() else {
        return Err("nobody was measured".into());
    };
    eprintln!(
        "{:<24}{:>14}{:>14}{:>14}{:>14}",
        "", NAMES[0], NAMES[1], NAMES[2], NAMES[3]
    );
    for name in ours.keys() {
        let values = all
            .iter()
            .map(|one| one.get(name).copied().unwrap_or(f64::NAN));
        let row: String = values.map(|value| format!("{value:>14.3}")).collect();
        eprintln!("{name:<24}{row}");
    }
    for (prefix, figures) in [("country", ours), ("country_peer", peer)] {
        for (name, value) in figures {
            println!(r#"{{"name":"{prefix}_{name}","value":{value:.3}}}"#);
        }
    }
    Ok(())
}
