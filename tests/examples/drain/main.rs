//! The drain bench: 1,000 reports of about 1 KiB that were pressed without a network
//! leave over a link of 600 ms round trip and 1 Mbit/s each way.
//!
//! Real library, real ministry, the kernel's own TCP on both sides; the link is made
//! of TUN devices between two network namespaces (`homeline_tests::link`). Each run
//! is a process of its own with fresh namespaces, so that no connection, no cached
//! metric and no TLS session is left from another. What it assumes: the phone has
//! enrolled and knows the service document (a phone that has 1,000 reports did so
//! before), and its connections are cold: name, TCP, TLS 1.3 and the first request
//! take three round trips before the first receipt.
//!
//! The reports: `sos.press` with a note of `link::notes` (Chinese and English, none
//! twice), a position of its own, and before each a fix 10 to 30 m on, as a walking
//! traveler's does; four positions are kept, which makes a report of 1 KiB.
//!
//! Peer: one request a report, one after the other, on one warm HTTP/2 connection,
//! each with a body as long as one JSON report; measured on 20 and multiplied.
//! Floor: the bytes that the phone sent, at the link's rate, and three round trips.
//!
//! ```text
//! cargo run --release -p homeline-tests --example drain -- DIR
//! ```
//!
//! The files are in DIR, which must be on a real disk; without it, here. A second
//! argument `link` or `press` leaves the other part out.
//!
//! How long a press takes while 100,000 positions drain is measured without the link
//! between, see [`press`].
//!
//! Prints a line of JSON for each figure.

#![allow(
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that measures"
)]
#![cfg_attr(
    not(target_os = "linux"),
    allow(
        dead_code,
        unused_imports,
        reason = "the link is made with Linux's devices"
    )
)]

#[cfg(target_os = "linux")]
mod hub;
#[cfg(target_os = "linux")]
mod office;
#[cfg(target_os = "linux")]
mod phone;
#[cfg(target_os = "linux")]
mod press;

use std::error::Error;
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::json;

/// Runs with loss: which packets it hits makes seconds of difference.
const LOSSY_RUNS: u64 = 3;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// What one run came to; all of it is printed.
#[derive(Debug, Deserialize)]
#[allow(dead_code, reason = "some fields are only printed")]
struct Run {
    /// From the call of `sync` until nothing waits.
    drained_s: f64,
    /// The whole pass, the change feed included.
    pass_s: f64,
    /// IP bytes that the phone sent until the end of the pass.
    bytes_up: u64,
    bytes_down: u64,
    dropped: u64,
    /// Mean length of a report's JSON.
    report_bytes: f64,
    /// Mean length of an envelope.
    envelope_bytes: f64,
    /// One request a report, for 1,000.
    one_by_one_s: Option<f64>,
}

#[cfg(not(target_os = "linux"))]
fn main() -> Outcome<()> {
    Err("the link is made with Linux's devices".into())
}

#[cfg(target_os = "linux")]
fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("hub") => hub::run(arguments.get(1..).unwrap_or_default()),
        Some("phone") => phone::run(),
        Some("ministry") => office::run(arguments.get(1..).unwrap_or_default()),
        Some(directory) => {
            std::env::set_current_dir(directory)?;
            bench(arguments.get(1).map(String::as_str))
        }
        None => bench(None),
    }
}

#[cfg(target_os = "linux")]
fn bench(only: Option<&str>) -> Outcome<()> {
    if only.is_none_or(|part| part == "link") {
        over_the_link()?;
    }
    if only.is_none_or(|part| part == "press") {
        let (rest, drain) = press::during_drain()?;
        say("press_p99_at_rest_ms", rest);
        say("press_p99_during_drain_ms", drain);
        say("press_p99_during_drain_ratio", drain / rest);
    }
    Ok(())
}

fn say(name: &str, value: f64) {
    println!("{}", json!({ "name": name, "value": value }));
}

#[cfg(target_os = "linux")]
fn over_the_link() -> Outcome<()> {
    if !Command::new("unshare")
        .args(["-rn", "true"])
        .status()?
        .success()
    {
        return Err("no user namespaces here: the link cannot be made".into());
    }
    let clean = start(0, 1, "full")?;
    eprintln!("{clean:?}");
    let mut lossy = Vec::new();
    for seed in 1..=LOSSY_RUNS {
        let run = start(50, seed, "drain")?;
        eprintln!("{run:?}");
        lossy.push(run.drained_s);
    }
    lossy.sort_by(f64::total_cmp);
    say("drain_1000_s_loss0", clean.drained_s);
    if let (Some(median), Some(worst)) = (lossy.get(lossy.len() / 2), lossy.last()) {
        say("drain_1000_s_loss5", *median);
        say("drain_1000_s_loss5_worst", *worst);
    }
    say("drain_1000_bytes", clean.bytes_up as f64);
    say("drain_report_bytes", clean.report_bytes);
    if let Some(one_by_one) = clean.one_by_one_s {
        say("drain_one_by_one_s", one_by_one);
        say("drain_vs_one_by_one", one_by_one / clean.drained_s);
    }
    let floor = clean.bytes_up as f64 * 8.0 / hub::RATE as f64 + 3.0 * 2.0 * hub::DELAY_S;
    say("drain_floor_s", floor);
    say("drain_vs_floor", clean.drained_s / floor);
    Ok(())
}

#[cfg(target_os = "linux")]
fn start(loss_per_mille: u64, seed: u64, what: &str) -> Outcome<Run> {
    let child = Command::new("unshare")
        .arg("-rn")
        .arg(std::env::current_exe()?)
        .args(["hub", &loss_per_mille.to_string(), &seed.to_string(), what])
        .stderr(Stdio::inherit())
        .output()?;
    if !child.status.success() {
        return Err("a run failed".into());
    }
    Ok(serde_json::from_slice(&child.stdout)?)
}
