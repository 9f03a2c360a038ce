//! 50 MB attached to a report, over a link that breaks all the time: what the phone's
//! memory grows by until the ministry has the file whole.
//!
//! Three processes: the ministry, the phone (the real library, and nothing else runs
//! in it), and this one, which is the link between them. The link breaks after every 1 to 2 MB
//! that the phone sends. "Every 20 seconds" is made by bytes here, since nobody wants
//! to wait for it: 1.5 MB in 20 s is a link of 600 kbit/s. Half of the breaks are
//! resets; at the others a byte is changed, and TLS ends the connection.
//!
//! The phone runs passes with a short deadline, as a host has them in the background.
//!
//! ```text
//! cargo run --release -p homeline-tests --example attachment -- DIR [--seed N]
//! ```
//!
//! The files are in DIR, which must be on a real disk; without it, here. Prints a line
//! of JSON for each figure; the rest goes to standard error.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program")]

use std::error::Error;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use homeline::sos::SosKind;
use homeline_tests::chance::Chance;
use homeline_tests::office::{self, Office};
use homeline_tests::proxy::{Fault, FaultProxy, Faults, Link, Then, Way};
use homeline_tests::stage::Values;
use homeline_tests::traveler::{self, Ask, Told, Traveler};
use lexopt::{Arg, ValueExt as _};
use serde_json::json;

/// The file.
const BYTES: usize = 50 * 1024 * 1024;
/// The link breaks after so many bytes of a connection, at least and less than twice.
const BREAK_BYTES: usize = 1024 * 1024;
/// A pass in the background of a phone, at most.
const PASS_MS: u64 = 5_000;
/// Passes without an end in sight.
const PASSES: u32 = 1_000;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let mut folder: Option<PathBuf> = None;
    let mut seed = 1;
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            // The two children of this program, as their parents start them.
            Arg::Long("phone") => return Ok(traveler::serve()?),
            Arg::Value(given) => match folder {
                Some(data) => return Ok(office::serve(&data, given.string()?.parse()?)?),
                None => folder = Some(given.into()),
            },
            Arg::Long("seed") => seed = arguments.value()?.string()?.parse()?,
            other => return Err(other.unexpected().into()),
        }
    }
    let here = std::env::current_dir()?;
    let files = tempfile::tempdir_in(folder.unwrap_or(here))?;
    let said = run(files.path(), seed)?;
    for (name, value) in [
        ("attachment_50mb_rss_mb", json!(said.rss_mb)),
        ("attachment_50mb_breaks", json!(said.breaks)),
        ("attachment_50mb_sent_ratio", json!(said.sent_ratio)),
    ] {
        println!("{}", json!({ "name": name, "value": value }));
    }
    Ok(())
}

struct Figures {
    rss_mb: f64,
    breaks: usize,
    sent_ratio: f64,
}

fn run(files: &Path, seed: u64) -> Outcome<Figures> {
    let program = std::env::current_exe()?;
    let mut office = Office::start(&program, &files.join("ministry"))?;
    let link = FaultProxy::start(office.address())?;
    let mut phone = Phone::start(&program, files, &office, &link)?;
    let report = phone.press()?;
    let mut chance = Chance::new(seed);
    let (file, sha256) = file(files, &mut chance)?;
    let at_rest = phone.memory("VmHWM:")?;
    eprintln!("before: {at_rest} KB at most");

    let attachment = phone.attach(&report, &file)?;
    let attached = phone.memory("VmHWM:")?;
    eprintln!("attached: {attached} KB at most");
    std::fs::remove_file(&file)?;

    let before = link.counters();
    link.set(Link::Faulty(faults(&mut chance)));
    let begin = Instant::now();
    let passes = phone.upload(&report)?;
    let after = link.counters();
    let peak = phone.memory("VmHWM:")?;
    if office.attachment(&attachment)? != Some(sha256) {
        return Err("the ministry does not have the file".into());
    }
    let (breaks, sent) = (
        after.struck - before.struck,
        after.bytes_up - before.bytes_up,
    );
    eprintln!(
        "{passes} passes, {} connections, {breaks} breaks, {sent} bytes sent, {:?}; {peak} KB at most",
        after.connections - before.connections,
        begin.elapsed(),
    );
    Ok(Figures {
        rss_mb: number(peak.saturating_sub(at_rest)) / 1_024.0,
        breaks,
        sent_ratio: number(sent) / number(BYTES),
    })
}

/// More breaks than are needed; no connection is spared.
fn faults(chance: &mut Chance) -> std::sync::Arc<Faults> {
    let mut fault = |_| Fault {
        way: Way::Up,
        after: BREAK_BYTES + chance.below(BREAK_BYTES),
        then: match chance.once_in(2) {
            true => Then::Reset,
            false => Then::Flip,
        },
    };
    Faults::new((0..10_000).map(&mut fault).collect::<Vec<_>>())
}

/// A file that nothing shortens, and its hash.
fn file(files: &Path, chance: &mut Chance) -> Outcome<(PathBuf, String)> {
    let mut bytes = Vec::with_capacity(BYTES);
    while bytes.len() < BYTES {
        bytes.extend_from_slice(&chance.bits().to_le_bytes());
    }
    let path = files.join("video.mp4");
    let mut file = BufWriter::new(std::fs::File::create(&path)?);
    file.write_all(&bytes)?;
    file.flush()?;
    Ok((path, homeline::seal::sha256_hex(&bytes)))
}

/// The phone's process.
struct Phone(Traveler);

impl Phone {
    /// A phone whose app is open, behind the link.
    fn start(program: &Path, files: &Path, office: &Office, link: &FaultProxy) -> Outcome<Self> {
        let mut phone = Self(Traveler::start(program, &["--phone"])?);
        let directory = files.join("phone");
        std::fs::create_dir(&directory)?;
        phone.ask(&Ask::Open {
            values: Values {
                ministry_url: format!("https://{}", link.addr()),
                ..office.values().clone()
            },
            directory,
            locked: false,
        })?;
        Ok(phone)
    }

    fn ask(&mut self, ask: &Ask) -> Outcome<Told> {
        let told = self.0.ask(ask)?;
        match told.text.starts_with("error") {
            true => Err(told.text.into()),
            false => Ok(told),
        }
    }

    /// A report that the ministry has.
    fn press(&mut self) -> Outcome<String> {
        let note = String::new();
        let kind = SosKind::Crime;
        let report = self.ask(&Ask::Press { kind, note })?.text;
        match self.ask(&Ask::Sync)?.text.as_str() {
            "Done" => Ok(report),
            other => Err(other.into()),
        }
    }

    fn attach(&mut self, report: &str, path: &Path) -> Outcome<String> {
        let (report, path) = (report.to_owned(), path.to_owned());
        let told = self.ask(&Ask::Attach { report, path })?;
        eprintln!("attached in {:.0} ms", told.ms);
        Ok(told.text)
    }

    /// Passes until the ministry has it; how many.
    fn upload(&mut self, report: &str) -> Outcome<u32> {
        for pass in 1..PASSES {
            let deadline_ms = PASS_MS;
            self.ask(&Ask::Pass { deadline_ms })?;
            let report = report.to_owned();
            let told = self.ask(&Ask::Attachments { report })?;
            if told.lines.iter().all(|line| line.ends_with(" received")) {
                return Ok(pass);
            }
        }
        Err("it does not arrive".into())
    }

    /// Of the process, kilobytes.
    fn memory(&self, what: &str) -> Outcome<usize> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let found = status.lines().find_map(|line| line.strip_prefix(what));
        let found = found.ok_or("no such line in /proc")?;
        Ok(found.trim().trim_end_matches(" kB").parse()?)
    }
}

/// A count as it is divided: exact below 2^32.
fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
