//! A ministry in a process of its own.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use homeline_tests::stage::Values;
use ministry::{Ministry, Settings};

use super::Outcome;

/// The process; it ends with this.
pub(crate) struct Office {
    child: Child,
    pub(crate) values: Values,
}

impl Office {
    /// Starts one, its files in memory, that only gets what time the processors have
    /// left: it stands for a machine elsewhere, and must not keep the phone's disk and
    /// processors busy.
    pub(crate) fn start() -> Outcome<Self> {
        let mut child = Command::new("chrt")
            .args(["--idle", "0"])
            .arg(std::env::current_exe()?)
            .args(["ministry", "/dev/shm"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no stdout")?).read_line(&mut line)?;
        Ok(Self {
            values: serde_json::from_str(&line)?,
            child,
        })
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        // Its files go with it.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// The process: says what a host is told of the ministry, and serves until its
/// standard input ends.
pub(crate) fn run(arguments: &[String]) -> Outcome<()> {
    let files = tempfile::tempdir_in(arguments.first().ok_or("where to?")?)?;
    let ministry = Ministry::start(Settings::new(files.path().join("ministry")))?;
    let values = Values::of(&ministry, ministry.url());
    println!("{}", serde_json::to_string(&values)?);
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
