//! One run: the office's namespace, the ministry, the link, and the phone as a
//! child in a namespace of its own.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use homeline_tests::link::{Link, Shape};
use homeline_tests::stage::Values;
use ministry::{Ministry, Settings};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::Outcome;
use super::phone::{Ask, Drained, Pressed};

/// Half of the round trip, in seconds.
pub(crate) const DELAY_S: f64 = 0.3;
/// Bits a second, each way.
pub(crate) const RATE: u64 = 1_000_000;

const OFFICE: &str = "10.9.0.1";
const PHONE: &str = "10.9.0.2";

/// The phone's process.
struct Phone {
    child: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Phone {
    fn start() -> Outcome<Self> {
        let mut child = Command::new("unshare")
            .arg("-n")
            .arg(std::env::current_exe()?)
            .arg("phone")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let asks = child.stdin.take().ok_or("no stdin")?;
        let answers = BufReader::new(child.stdout.take().ok_or("no stdout")?);
        Ok(Self {
            child,
            asks,
            answers,
        })
    }

    fn read<T: DeserializeOwned>(&mut self) -> Outcome<T> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    }

    fn ask<T: DeserializeOwned>(&mut self, ask: &impl Serialize) -> Outcome<T> {
        writeln!(self.asks, "{}", serde_json::to_string(ask)?)?;
        self.read()
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn run(arguments: &[String]) -> Outcome<()> {
    let number = |at: usize| {
        arguments
            .get(at)
            .and_then(|it| it.parse().ok())
            .unwrap_or(0)
    };
    let full = arguments.get(2).is_some_and(|what| what == "full");
    let link = Link::start(Shape {
        delay: Duration::from_secs_f64(DELAY_S),
        rate: RATE,
        // What is in flight on a full link, once more.
        queue: 75_000,
        loss_per_mille: number(0),
        seed: number(1),
    })?;
    let mut phone = Phone::start()?;
    let _: Value = phone.read()?;
    let pid = phone.child.id().to_string();
    ip(&["link", "set", "phone", "netns", &pid])?;
    ip(&["link", "set", "lo", "up"])?;
    address("office", OFFICE)?;
    let _: Value = phone.ask(&Ask::Address { own: PHONE.into() })?;

    let files = tempfile::tempdir_in(std::env::current_dir()?)?;
    let mut settings = Settings::new(files.path().join("ministry"));
    settings.listen = format!("{OFFICE}:0").parse()?;
    let ministry = Ministry::start(settings)?;
    let values = Values::of(&ministry, ministry.url());
    let directory = files.path().join("phone");
    let made: Pressed = phone.ask(&Ask::Prepare {
        values,
        directory,
        reports: 1_000,
    })?;

    let before = (link.up.bytes.load(SeqCst), link.down.bytes.load(SeqCst));
    let lost = || link.up.dropped.load(SeqCst) + link.down.dropped.load(SeqCst);
    let lost_before = lost();
    let drained: Drained = phone.ask(&Ask::Drain)?;
    let bytes_up = link.up.bytes.load(SeqCst) - before.0;
    let bytes_down = link.down.bytes.load(SeqCst) - before.1;
    let dropped = lost() - lost_before;
    let cases = ministry.cases()?.len();
    if cases != 1_000 {
        return Err(format!("{cases} cases for 1,000 reports").into());
    }
    let one_by_one_s: Option<f64> = match full {
        true => Some(phone.ask(&Ask::OneByOne)?),
        false => None,
    };
    println!(
        "{}",
        json!({
            "drained_s": drained.drained_s, "pass_s": drained.pass_s,
            "bytes_up": bytes_up, "bytes_down": bytes_down, "dropped": dropped,
            "report_bytes": made.report_bytes, "envelope_bytes": made.envelope_bytes,
            "one_by_one_s": one_by_one_s,
        })
    );
    Ok(())
}

/// Gives a device its address and takes it up.
pub(crate) fn address(device: &str, own: &str) -> Outcome<()> {
    ip(&["addr", "add", &format!("{own}/24"), "dev", device])?;
    ip(&["link", "set", device, "up"])
}

fn ip(arguments: &[&str]) -> Outcome<()> {
    match Command::new("ip").args(arguments).status()?.success() {
        true => Ok(()),
        false => Err(format!("ip {}", arguments.join(" ")).into()),
    }
}
