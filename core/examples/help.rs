//! Measures the two searches for help: the nearest of 300 missions, beside a plain loop
//! of haversines; and words in 5,000 guides, beside SQLite's `LIKE` over the same table.
//! Prints JSON, one object a line; `tests/run figures` reads it.
//!
//! ```text
//! help DIR     measures in DIR, which must be on a real disk
//! ```
//!
//! What is compared runs in the same process, in turns. The guides lie in a plain file, as
//! `packs.db` is, and are put together from the sentences of the library's own guides: a
//! common word is in hundreds of them.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program")]

use std::collections::BTreeMap;
use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use homeline::geo::{Area, Wgs84, distance_m};
use homeline::guides::{self, Guide, GuideText, GuideWanted};
use homeline::language::Texts;
use homeline::missions::{Directory, Mission, MissionKind, MissionPlace};
use homeline::packs::first;
use rusqlite::Connection;

type Outcome<T> = Result<T, Box<dyn Error>>;

const MISSIONS: usize = 300;
const PLACES: usize = 1_000;
const ROUNDS: usize = 51;
/// Guides, in two languages each: 5,000 documents.
const GUIDES: usize = 2_500;
const LINES: usize = 8;
const HITS: usize = 20;

/// Words of one, two and more characters, a sentence, words of English: common ones and
/// one that nobody has written.
const QUERIES: [&str; 9] = [
    "护照",
    "地震",
    "护",
    "领馆",
    "狂犬病",
    "我的护照被偷了怎么办",
    "passport",
    "lost passp",
    "潜水艇",
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.as_slice() {
        [directory] => missions().and_then(|()| search(Path::new(directory))),
        _ => Err("usage: help DIR".into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("help: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Numbers that look random and are the same in each run (xorshift64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// From 0 to 1.
    fn part(&mut self) -> f64 {
        let high = u32::try_from(self.next() >> 32).unwrap_or(0);
        f64::from(high) / f64::from(u32::MAX)
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let index = usize::try_from(self.next() >> 33).unwrap_or(0);
        from.get(index % from.len().max(1))
    }

    /// Anywhere on the earth, as often as there is land for it.
    fn place(&mut self) -> (f64, f64) {
        let latitude = (self.part() * 2.0 - 1.0).asin().to_degrees();
        (latitude, self.part() * 360.0 - 180.0)
    }
}

fn missions() -> Outcome<()> {
    let mut dice = Dice(20_261_125);
    let places: Vec<(f64, f64)> = (0..MISSIONS).map(|_| dice.place()).collect();
    let all = places
        .iter()
        .enumerate()
        .map(|(number, at)| mission(number, *at));
    let directory = Directory::new(all);
    let spots = (0..PLACES).map(|_| dice.place());
    let spots: Vec<Wgs84> = spots
        .map(|(latitude, longitude)| Wgs84::new(latitude, longitude))
        .collect::<Result<_, _>>()?;
    let plain: Vec<Wgs84> = places
        .iter()
        .map(|(latitude, longitude)| Wgs84::new(*latitude, *longitude))
        .collect::<Result<_, _>>()?;
    let haversine = |spot: Wgs84| {
        let far = |place: &Wgs84| distance_m(*place, spot);
        plain.iter().map(far).fold(f64::INFINITY, f64::min)
    };
    let (mut ours, mut theirs) = (vec![], vec![]);
    for _ in 0..ROUNDS {
        ours.push(each_ns(&spots, |spot| {
            directory
                .nearest(spot)
                .map_or(f64::NAN, |(_, metres)| metres)
        }));
        theirs.push(each_ns(&spots, haversine));
    }
    show("mission_nearest_ns", median(ours));
    show("mission_nearest_haversine_ns", median(theirs));
    Ok(())
}

fn mission(number: usize, (lat, lon): (f64, f64)) -> Mission {
    Mission {
        id: format!("m{number:03}"),
        kind: MissionKind::Embassy,
        country: "TR".into(),
        names: Texts::default(),
        address: Texts::default(),
        position: Some(MissionPlace { lat, lon }),
        phones: vec![],
        languages: vec![],
        email: None,
        website: None,
        district: Area::default(),
        checked_ms: 0,
        source: String::new(),
    }
}

/// Nanoseconds a call, over all places.
fn each_ns(spots: &[Wgs84], find: impl Fn(Wgs84) -> f64) -> f64 {
    let begin = Instant::now();
    for spot in spots {
        black_box(find(black_box(*spot)));
    }
    let calls = u32::try_from(spots.len()).map_or(f64::NAN, f64::from);
    begin.elapsed().as_secs_f64() * 1e9 / calls
}

fn search(directory: &Path) -> Outcome<()> {
    std::fs::create_dir_all(directory)?;
    let connection = Connection::open(directory.join("guides.db"))?;
    guides::create(&connection)?;
    connection.execute_batch("BEGIN")?;
    guides::replace_all(&connection, &documents())?;
    connection.execute_batch("COMMIT")?;

    let wanted = GuideWanted {
        languages: vec!["zh-Hans".into()],
        countries: vec!["TR".into()],
        situation: Some("crime".into()),
    };
    let (mut ours, mut theirs) = (vec![], vec![]);
    for query in QUERIES {
        let (mut index, mut like) = (vec![], vec![]);
        let mut found = 0;
        for _ in 0..ROUNDS {
            index.push(millis(|| {
                found = guides::search(&connection, query, &wanted, HITS)?.len();
                Ok(())
            })?);
            like.push(millis(|| scan(&connection, query).map(|_| ()))?);
        }
        let (index, like) = (median(index), median(like));
        let in_texts = scan(&connection, query)?;
        eprintln!(
            "{query}: {found} shown, {in_texts} documents have it as it stands; {index:.2} ms, LIKE {like:.2} ms"
        );
        ours.push(index);
        theirs.push(like);
    }
    let worst = ours.iter().copied().fold(0.0, f64::max);
    show("guide_search_ms", median(ours));
    show("guide_search_worst_ms", worst);
    show("guide_search_like_ms", median(theirs));
    Ok(())
}

/// The documents that have the text somewhere, as `LIKE` finds them: no order, no
/// languages, no words. Returns how many.
fn scan(connection: &Connection, query: &str) -> Outcome<usize> {
    let mut statement = connection.prepare_cached(
        "SELECT number, title FROM guide_text WHERE title LIKE ?1 OR body LIKE ?1",
    )?;
    let rows = statement.query_map([format!("%{query}%")], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
    })?;
    Ok(rows.collect::<Result<Vec<_>, _>>()?.len())
}

/// Guides of sentences drawn from the library's own, in both languages.
fn documents() -> Vec<Guide> {
    let mut dice = Dice(12_308);
    let originals = first::guides();
    let pool = |language: &str| -> Vec<GuideText> {
        let texts = originals
            .iter()
            .filter_map(|guide| guide.texts.get(language));
        texts.cloned().collect()
    };
    let pools: BTreeMap<&str, Vec<GuideText>> = ["zh-Hans", "en"].map(|it| (it, pool(it))).into();
    let situations: Vec<&str> = originals
        .iter()
        .map(|guide| guide.situation.as_str())
        .collect();
    let text = |language: &str, dice: &mut Dice| -> Option<GuideText> {
        let pool = pools.get(language)?;
        let lines: Vec<&str> = pool.iter().flat_map(|text| text.body.lines()).collect();
        let body = (0..LINES).filter_map(|_| dice.pick(&lines).copied());
        Some(GuideText {
            body: body.collect::<Vec<_>>().join("\n"),
            title: dice.pick(pool)?.title.clone(),
        })
    };
    let mut guide = |number: usize| {
        let mut texts = BTreeMap::new();
        for language in ["zh-Hans", "en"] {
            texts.insert(language.to_owned(), text(language, &mut dice)?);
        }
        Some(Guide {
            id: format!("g{number:04}"),
            situation: (*dice.pick(&situations)?).to_owned(),
            countries: dice
                .pick(&[vec![], vec!["TR".to_owned()], vec!["JP".to_owned()]])?
                .clone(),
            updated: "2026-11-25".into(),
            texts,
        })
    };
    (0..GUIDES).filter_map(&mut guide).collect()
}

fn millis(work: impl FnOnce() -> Outcome<()>) -> Outcome<f64> {
    let begin = Instant::now();
    work()?;
    Ok(begin.elapsed().as_secs_f64() * 1e3)
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or(f64::NAN)
}

fn show(name: &str, value: f64) {
    println!("{}", serde_json::json!({ "name": name, "value": value }));
}
