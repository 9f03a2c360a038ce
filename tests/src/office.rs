//! A ministry in a process of its own, so that it can really be killed.
//!
//! It is killed and started again at the same address with the same files, as a
//! service behind a fixed name is. A binary becomes one by calling [`serve`]; the
//! parent holds an [`Office`].

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use ministry::{Ministry, Settings};
use serde::{Deserialize, Serialize};

use crate::stage::Values;

/// What the parent asks for.
#[derive(Debug, Serialize, Deserialize)]
enum Ask {
    Cases,
    Acknowledge { case: String },
    Attachment { id: String },
}

/// What is told at the start.
#[derive(Clone, Serialize, Deserialize)]
struct Start {
    address: SocketAddr,
    values: Values,
    receipt_key: Vec<u8>,
}

/// A case, as far as it is judged by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// The case number.
    pub id: String,
    /// The report that it is about.
    pub report: String,
    /// Whether the report itself has arrived and was opened.
    pub opened: bool,
    /// Whether the ministry knows that it was taken back.
    pub cancelled: bool,
}

/// The parent's side.
pub struct Office {
    program: PathBuf,
    data: PathBuf,
    start: Start,
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Office {
    /// Starts `program`, which must call [`serve`], with its files in `data`.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(program: &Path, data: &Path) -> io::Result<Self> {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let (child, input, output, start) = spawn(program, data, any)?;
        Ok(Self {
            program: program.into(),
            data: data.into(),
            start,
            child,
            input,
            output,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.start.address
    }

    /// What a host is told, but for the network between.
    pub fn values(&self) -> &Values {
        &self.start.values
    }

    /// The key that signs receipts.
    pub fn receipt_key(&self) -> &[u8] {
        &self.start.receipt_key
    }

    /// Id of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it, if it still lives, and starts it again at the same address.
    ///
    /// # Errors
    /// It does not start.
    pub fn restart(&mut self) -> io::Result<()> {
        let _ = self.child.kill();
        self.child.wait()?;
        let again = spawn(&self.program, &self.data, self.start.address)?;
        (self.child, self.input, self.output, self.start) = again;
        Ok(())
    }

    /// All cases.
    ///
    /// # Errors
    /// It does not answer.
    pub fn cases(&mut self) -> io::Result<Vec<Case>> {
        self.ask(&Ask::Cases)
    }

    /// An officer takes a case.
    ///
    /// # Errors
    /// It does not answer.
    pub fn acknowledge(&mut self, case: &str) -> io::Result<()> {
        self.ask::<Vec<Case>>(&Ask::Acknowledge { case: case.into() })
            .map(drop)
    }

    /// SHA-256 of an attachment's file in hex; `None` while it is not whole.
    ///
    /// # Errors
    /// It does not answer.
    pub fn attachment(&mut self, id: &str) -> io::Result<Option<String>> {
        self.ask(&Ask::Attachment { id: id.into() })
    }

    fn ask<T: serde::de::DeserializeOwned>(&mut self, ask: &Ask) -> io::Result<T> {
        writeln!(self.input, "{}", serde_json::to_string(ask)?)?;
        read(&mut self.output)
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

type Started = (Child, ChildStdin, BufReader<ChildStdout>, Start);

fn spawn(program: &Path, data: &Path, listen: SocketAddr) -> io::Result<Started> {
    let mut child = Command::new(program)
        .arg(data)
        .arg(listen.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let missing = || io::Error::other("no pipe to the office");
    let input = child.stdin.take().ok_or_else(missing)?;
    let mut output = BufReader::new(child.stdout.take().ok_or_else(missing)?);
    let start = read(&mut output)?;
    Ok((child, input, output, start))
}

fn read<T: serde::de::DeserializeOwned>(output: &mut BufReader<ChildStdout>) -> io::Result<T> {
    let mut line = String::new();
    output.read_line(&mut line)?;
    serde_json::from_str(&line).map_err(io::Error::other)
}

/// The child's side: a ministry with its files in `data`, until its input closes.
///
/// # Errors
/// It cannot run.
pub fn serve(data: &Path, listen: SocketAddr) -> io::Result<()> {
    let mut settings = Settings::new(data);
    settings.listen = listen;
    let ministry = Ministry::start(settings)?;
    let address = ministry.url().trim_start_matches("https://").parse();
    let start = Start {
        address: address.map_err(io::Error::other)?,
        values: Values::of(&ministry, ministry.url()),
        receipt_key: ministry.receipt_key(),
    };
    let mut out = io::stdout();
    writeln!(out, "{}", serde_json::to_string(&start)?)?;
    out.flush()?;
    for line in io::stdin().lock().lines() {
        let answer = match serde_json::from_str(&line?)? {
            Ask::Attachment { id } => serde_json::to_string(&attachment(&ministry, &id)?)?,
            Ask::Acknowledge { case } => {
                ministry.acknowledge(&case, "Officer", "Mission")?;
                serde_json::to_string(&cases(&ministry)?)?
            }
            Ask::Cases => serde_json::to_string(&cases(&ministry)?)?,
        };
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn attachment(ministry: &Ministry, id: &str) -> io::Result<Option<String>> {
    let file = ministry.attachment(id)?;
    Ok(file.map(|bytes| homeline::seal::sha256_hex(&bytes)))
}

fn cases(ministry: &Ministry) -> io::Result<Vec<Case>> {
    let cases = ministry.cases()?.into_iter().map(|case| Case {
        id: case.id,
        report: case.report.to_string(),
        opened: case.kind.is_some(),
        cancelled: case.cancelled_ms.is_some(),
    });
    Ok(cases.collect())
}
