//! What a press costs while much is being sent.

use std::thread;
use std::time::{Duration, Instant};

use homeline::registration::Purpose;
use homeline::whereabouts::Fix;

use super::Outcome;
use super::office::Office;
use super::phone::{fix, now_ms, prepare, request};

const POSITIONS: i64 = 100_000;

/// 99th percentile of a press in milliseconds, at rest and while 100,000 positions
/// drain to a ministry on this machine: without a link between, so that the library
/// never rests in between.
pub(crate) fn during_drain() -> Outcome<(f64, f64)> {
    let files = tempfile::tempdir_in(std::env::current_dir()?)?;
    let office = Office::start()?;
    let home = &prepare(office.values.clone(), files.path().join("phone"))?.home;
    home.consents()
        .give(Purpose::Whereabouts, "2026-01".into())?;
    let start = now_ms() - POSITIONS * 1_000;
    for part in 0..POSITIONS / 5_000 {
        let fixes = (part * 5_000..(part + 1) * 5_000).map(|n| Fix {
            time_ms: start + n * 1_000,
            ..fix(u64::try_from(n).unwrap_or(0))
        });
        home.whereabouts().record_all(fixes.collect())?;
    }
    let mut number = 1_000_000;
    let mut press = || -> Outcome<f64> {
        number += 1;
        let request = request(number);
        let begin = Instant::now();
        home.sos().press(request)?;
        let ms = begin.elapsed().as_secs_f64() * 1_000.0;
        thread::sleep(Duration::from_millis(10));
        Ok(ms)
    };
    let at_rest = (0..300).map(|_| press()).collect::<Outcome<Vec<_>>>()?;
    let mut during = Vec::new();
    thread::scope(|scope| -> Outcome<()> {
        let pass = scope.spawn(|| home.sync(300_000));
        while !pass.is_finished() {
            during.push(press()?);
        }
        let outcome = pass.join().map_err(|_| "panicked")??;
        eprintln!("{} presses while {outcome:?}", during.len());
        Ok(())
    })?;
    Ok((p99("at rest", at_rest)?, p99("during the drain", during)?))
}

fn p99(what: &str, mut times: Vec<f64>) -> Outcome<f64> {
    times.sort_by(f64::total_cmp);
    let at = |percent: usize| times.get((times.len() * percent / 100).min(times.len() - 1));
    for percent in [50, 90, 95, 99, 100] {
        eprintln!("{what}: p{percent} {:.1?} ms", at(percent));
    }
    Ok(*at(99).ok_or("too few presses")?)
}
