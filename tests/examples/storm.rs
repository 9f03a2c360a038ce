//! A million phones come back at once: the table, the plot, and the two figures.
//!
//! ```text
//! cargo run --release -p homeline-tests --example storm [-- --seed N] [--plot FILE]
//! ```
//!
//! The table goes to standard error, the figures to standard output, a line of JSON
//! each.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program")]

use std::error::Error;
use std::path::PathBuf;

use homeline_tests::storm::{Outcome, Peer, Says, Storm, plot, run};
use lexopt::{Arg, ValueExt as _};

fn main() -> Result<(), Box<dyn Error>> {
    let mut storm = Storm::million();
    let mut file = None;
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("seed") => storm.seed = arguments.value()?.string()?.parse()?,
            Arg::Long("plot") => file = Some(PathBuf::from(arguments.value()?)),
            other => return Err(other.unexpected().into()),
        }
    }
    let crisis = Storm {
        stale_per_mille: 1_000,
        ..storm
    };
    let half = Storm {
        capacity: storm.capacity / 2,
        ..storm
    };
    let fixed = Peer::Fixed(30_000);
    let doubling = Peer::Doubling(64_000);
    let runs: Vec<(&str, Outcome)> = [
        ("homeline", storm, Peer::Homeline, Says::StandBy),
        (
            "homeline, every service document stale",
            crisis,
            Peer::Homeline,
            Says::StandBy,
        ),
        (
            "homeline, half the capacity",
            half,
            Peer::Homeline,
            Says::StandBy,
        ),
        (
            "homeline, hosts do not tell of the return",
            storm,
            Peer::HomelineUntold,
            Says::StandBy,
        ),
        (
            "the same, Retry-After without a spread",
            storm,
            Peer::HomelineUntold,
            Says::RetryAfter,
        ),
        ("naive: again each 30 s", storm, fixed, Says::RetryAfter),
        (
            "naive: doubling to 64 s, no jitter",
            storm,
            doubling,
            Says::RetryAfter,
        ),
    ]
    .map(|(name, storm, peer, says)| (name, run(&storm, peer, says)))
    .into();
    eprintln!(
        "{} phones within {} s after {} min, {} ‰ with an SOS, {} requests a second, seed {}\n",
        storm.phones,
        storm.within_ms / 1_000,
        storm.outage_ms / 60_000,
        storm.sos_per_mille,
        storm.capacity,
        storm.seed
    );
    eprintln!(
        "{:<44}{:>8}{:>10}{:>11}{:>9}{:>9}{:>10}{:>10}",
        "", "peak", "requests", "refused", "SOS p50", "p100", "last SOS", "through"
    );
    for (name, outcome) in &runs {
        eprintln!(
            "{name:<44}{:>7.2}x{:>10}{:>11}{:>8.1}s{:>8.1}s{:>9.1}s{:>10}",
            outcome.peak_ratio,
            outcome.requests,
            outcome.refused,
            outcome.sos_p50_s,
            outcome.sos_p100_s,
            outcome.last_sos_s,
            outcome
                .through_s
                .map_or_else(|| "never".into(), |s| format!("{s:.0}s")),
        );
    }
    if let Some(file) = file {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&file, plot::svg(&storm, &runs, 30 * 60))?;
    }
    let [(_, ours), .., (_, fixed), (_, doubling)] = runs.as_slice() else {
        return Err("no run".into());
    };
    let naive = [fixed, doubling];
    let figure = |name: &str, value: f64| println!(r#"{{"name":"{name}","value":{value:.3}}}"#);
    figure("storm_sos_p100_s", ours.sos_p100_s);
    figure("storm_peak_ratio", ours.peak_ratio);
    let least = |of: fn(&Outcome) -> f64| naive.map(of).into_iter().fold(f64::INFINITY, f64::min);
    figure("storm_naive_peak_ratio", least(|run| run.peak_ratio));
    figure("storm_naive_sos_p100_s", least(|run| run.sos_p100_s));
    Ok(())
}
