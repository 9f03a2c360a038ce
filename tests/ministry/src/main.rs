//! The reference ministry as a program: `ministry --data DIR`.
//!
//! Prints what a host's `Config` needs and the address of the desk, and runs
//! until Ctrl-C. Exit code 2: wrong arguments; 1: it cannot run, and why.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use homeline::packs::PackName;
use ministry::{DatagramPublic, Former, Ministry, Publication, Rotation, Settings};

const HELP: &str = "\
The reference ministry service of Homeline.

usage: ministry --data DIR [--listen ADDR:PORT] [--desk ADDR:PORT] [--json]
       ministry --data DIR --rotate-keys KIND [--revoke]
       ministry --data DIR [--publish NAME=FILE] [--publish-alert FILE] [--write-packs DIR]
       ministry --openapi
       ministry --read-cap FILE...

  --data DIR          keys and cases; made at the first start
  --listen ADDR:PORT  the API for phones, HTTPS (default 127.0.0.1:8443)
  --desk ADDR:PORT    the desk for officers, loopback only (default 127.0.0.1:8444)
  --sms-number NUMBER takes sealed text messages (E.164); may come more than once
  --sms-token-file FILE  the token of the SMS gateway
  --datagram ADDR:PORT  takes reports in single packets, UDP (default as --listen)
  --datagram-public HOST:PORT  where phones are told to send them (default the same)
  --capacity N        requests of phones a second; more are asked to stand by
  --json              print the start values as one line of JSON
  --rotate-keys KIND  make keys anew while the service does not run, and end; KIND is
                      sealing, receipts or both
  --revoke            with it: what was made with the keys before is refused
  --publish NAME=FILE publish FILE as the newest version of a pack while the service does
                      not run, and end; NAME is missions, numbers, levels, alerts, guides
                      or boundaries; may come more than once
  --publish-alert FILE  publish a message of CAP (XML) or travel advice of GOV.UK (JSON)
                      beside the alerts that are; may come more than once
  --write-packs DIR   write all packs as files, for a host app to ship
  --openapi           print the OpenAPI 3.1 document of the API
  --read-cap FILE...  read messages of CAP (XML) and travel advice of GOV.UK (JSON); print
                      what each became, or why it was refused, as one line of JSON
  --help              this text
";

/// What the arguments ask for.
enum Wish {
    Help,
    OpenApi,
    ReadCap(Vec<PathBuf>),
    Rotate(PathBuf, Rotation, Former),
    Publish(PathBuf, Publication),
    Serve(Settings, Form),
}

/// Form of the start text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    Json,
}

fn main() -> ExitCode {
    match wish() {
        Ok(Wish::Help) => print(HELP),
        Ok(Wish::OpenApi) => match ministry::openapi() {
            Ok(text) => print(&text),
            Err(error) => failure(&error.to_string(), 1),
        },
        Ok(Wish::ReadCap(files)) => read_cap(&files),
        Ok(Wish::Rotate(data, rotation, former)) => {
            match ministry::rotate_keys(&data, rotation, former) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => failure(&error.to_string(), 1),
            }
        }
        Ok(Wish::Publish(data, publication)) => match ministry::publish(&data, &publication) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failure(&error.to_string(), 1),
        },
        Ok(Wish::Serve(settings, form)) => match serve(settings, form) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failure(&error.to_string(), 1),
        },
        Err(error) => failure(&format!("{error}; see --help"), 2),
    }
}

fn wish() -> Result<Wish, lexopt::Error> {
    use lexopt::prelude::*;
    let mut data: Option<PathBuf> = None;
    let mut listen = SocketAddr::from(([127, 0, 0, 1], 8443));
    let mut desk_listen = SocketAddr::from(([127, 0, 0, 1], 8444));
    let mut form = Form::Text;
    let mut rotation = None;
    let mut former = None;
    let mut sms_numbers = Vec::new();
    let mut sms_token = None;
    let mut datagram: Option<SocketAddr> = None;
    let mut datagram_public = DatagramPublic::WhereTaken;
    let mut capacity = None;
    let mut publication = Publication::default();
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("data") => data = Some(arguments.value()?.into()),
            Long("listen") => listen = arguments.value()?.parse()?,
            Long("desk") => desk_listen = arguments.value()?.parse()?,
            Long("sms-number") => sms_numbers.push(arguments.value()?.string()?),
            Long("sms-token-file") => {
                let text = std::fs::read_to_string(arguments.value()?)
                    .map_err(|error| format!("--sms-token-file: {error}"))?;
                sms_token = Some(text.trim().to_owned());
            }
            Long("json") => form = Form::Json,
            Long("rotate-keys") => {
                rotation = Some(match arguments.value()?.string()?.as_str() {
                    "sealing" => Rotation::Sealing,
                    "receipts" => Rotation::Receipts,
                    "both" => Rotation::Both,
                    _ => return Err("--rotate-keys takes sealing, receipts or both".into()),
                });
            }
            Long("revoke") => former = Some(Former::Revoked),
            Long("datagram") => datagram = Some(arguments.value()?.parse()?),
            Long("datagram-public") => {
                datagram_public = DatagramPublic::At(arguments.value()?.string()?);
            }
            Long("capacity") => capacity = Some(arguments.value()?.parse()?),
            Long("publish") => publication.packs.push(pack(&arguments.value()?.string()?)?),
            Long("publish-alert") => publication.alerts.push(arguments.value()?.into()),
            Long("write-packs") => publication.files = Some(arguments.value()?.into()),
            Long("openapi") => return Ok(Wish::OpenApi),
            Long("read-cap") => {
                let files = arguments.values()?.map(Into::into).collect();
                return Ok(Wish::ReadCap(files));
            }
            Long("help") | Short('h') => return Ok(Wish::Help),
            _ => return Err(argument.unexpected()),
        }
    }
    let data = data.ok_or("--data is missing")?;
    if publication != Publication::default() {
        return Ok(Wish::Publish(data, publication));
    }
    match (rotation, former) {
        (Some(rotation), former) => {
            let former = former.unwrap_or(Former::Kept);
            return Ok(Wish::Rotate(data, rotation, former));
        }
        (None, Some(_)) => return Err("--revoke goes with --rotate-keys".into()),
        (None, None) => {}
    }
    if !desk_listen.ip().is_loopback() {
        return Err("--desk takes a loopback address only, such as 127.0.0.1:8444".into());
    }
    let settings = Settings {
        listen,
        desk_listen,
        data,
        sms_numbers,
        sms_token,
        // A port that nobody knows beforehand is of no use to a phone.
        datagram_listen: datagram.or((listen.port() != 0).then_some(listen)),
        datagram_public,
        capacity,
    };
    Ok(Wish::Serve(settings, form))
}

/// A pack and the file of its content.
fn pack(argument: &str) -> Result<(PackName, PathBuf), String> {
    argument
        .split_once('=')
        .and_then(|(name, file)| Some((PackName::of(name)?, file.into())))
        .ok_or_else(|| format!("--publish takes NAME=FILE, not {argument}"))
}

/// One line for each file. The exit code is 1 where one cannot be read; a refusal is an
/// answer.
fn read_cap(files: &[PathBuf]) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for file in files {
        let bytes = match std::fs::read(file) {
            Ok(bytes) => bytes,
            Err(error) => {
                code = failure(&format!("{}: {error}", file.display()), 1);
                continue;
            }
        };
        let file = file.display().to_string();
        let line = match ministry::cap::read_file(&bytes) {
            Ok(alert) => serde_json::json!({ "file": file, "alert": alert }),
            Err(refusal) => serde_json::json!({
                "file": file,
                "refused": { "element": refusal.element, "reason": refusal.reason.to_string() },
            }),
        };
        print(&format!("{line}\n"));
    }
    code
}

fn serve(settings: Settings, form: Form) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    // Before the start text: whoever reads it may stop us at once.
    let stop = {
        let _inside = runtime.enter();
        stop_signal()?
    };
    let ministry = Ministry::start(settings)?;
    print(&match form {
        Form::Text => start_text(&ministry),
        Form::Json => start_json(&ministry),
    });
    runtime.block_on(stop);
    ministry.stop();
    Ok(())
}

/// Waits for Ctrl-C or a polite kill.
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

fn start_text(ministry: &Ministry) -> String {
    let values = ministry.host_values();
    format!(
        "The ministry is running; Ctrl-C stops it.\n\
         \n\
         For the host's Config (nothing here is secret):\n\
         \x20 ministry_url         {url}\n\
         \x20 anchors              {anchor}   (hex, Ed25519)\n\
         \x20 sealing_key          {sealing}   (hex, X25519)\n\
         \x20 hotline.from_home    {home}\n\
         \x20 hotline.from_abroad  {abroad}\n\
         \x20 tls_roots            (hex, DER)\n\
         {root}\n\
         \n\
         For the duty officer, on this machine only (keep the token to yourself):\n\
         \x20 {desk}/desk?token={token}\n",
        url = values.ministry_url,
        anchor = homeline::seal::hex(&values.anchor),
        sealing = homeline::seal::hex(&values.sealing_key),
        home = values.hotline_from_home,
        abroad = values.hotline_from_abroad,
        root = homeline::seal::hex(&values.tls_root),
        desk = ministry.desk_url(),
        token = ministry.desk_token(),
    )
}

fn start_json(ministry: &Ministry) -> String {
    let start = serde_json::json!({
        "host": ministry.host_values(),
        "desk_url": ministry.desk_url(),
        "desk_token": ministry.desk_token(),
    });
    format!("{start}\n")
}

/// A reader that has gone away is no reason to stop.
fn print(text: &str) -> ExitCode {
    let mut out = std::io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    ExitCode::SUCCESS
}

#[expect(clippy::print_stderr, reason = "a program's error")]
fn failure(text: &str, code: u8) -> ExitCode {
    eprintln!("ministry: {text}");
    ExitCode::from(code)
}
