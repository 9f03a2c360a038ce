//! A student's story, from the first registration to the duty officer's answer and
//! the day she takes everything with her; and beside it that of a student without data,
//! a family's and a tour group's. With the real library, the real ministry, real kills
//! and a network that really goes away.
//!
//! `cargo run --example journey [-- --gpx FILE] [--format json] [--keep DIR]`

mod abroad;
mod channels;
mod people;
mod show;
mod story;
mod student;

use std::path::PathBuf;

use show::Show;

const USAGE: &str = "\
Tells a student's story: she registers, walks into a valley, loses the network,
presses SOS, is killed, and is heard all the same. Then that of a student without
data, a family's, and that of a tour group that is made with no network. In the end she takes her data and erases
everything.

Usage: cargo run --example journey [-- OPTIONS]

  --gpx FILE       replay this GPX track instead of the one that comes along
  --format FORMAT  text (default) or json: one object a step, for machines
  --keep DIR       keep the files of the phones and the ministry in DIR
  --help           print this
";

/// What the caller wants.
pub(crate) struct Options {
    gpx: Option<PathBuf>,
    keep: Option<PathBuf>,
    json: bool,
}

enum Mode {
    Tell(Options),
    BeTheTraveler,
    Help,
}

fn main() -> std::process::ExitCode {
    let outcome = match parse() {
        Ok(Mode::Help) => {
            print(USAGE);
            return std::process::ExitCode::SUCCESS;
        }
        // The story starts this same program again as the traveler's phone.
        Ok(Mode::BeTheTraveler) => homeline_tests::traveler::serve(),
        Ok(Mode::Tell(options)) => story::tell(&options, &mut Show::new(options.json)),
        Err(error) => {
            eprint(&format!("journey: {error}\n\n{USAGE}"));
            return std::process::ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprint(&format!("journey: {error}\n"));
            std::process::ExitCode::FAILURE
        }
    }
}

fn parse() -> Result<Mode, lexopt::Error> {
    use lexopt::prelude::{Long, ValueExt as _};
    let mut options = Options {
        gpx: None,
        keep: None,
        json: false,
    };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("gpx") => options.gpx = Some(parser.value()?.into()),
            Long("keep") => options.keep = Some(parser.value()?.into()),
            Long("format") => {
                options.json = match parser.value()?.string()?.as_str() {
                    "json" => true,
                    "text" => false,
                    other => return Err(format!("unknown format {other}").into()),
                }
            }
            Long("traveler") => return Ok(Mode::BeTheTraveler),
            Long("help") => return Ok(Mode::Help),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Mode::Tell(options))
}

#[expect(clippy::print_stdout, reason = "a program that prints")]
fn print(text: &str) {
    print!("{text}");
}

#[expect(clippy::print_stderr, reason = "a program that prints")]
fn eprint(text: &str) {
    eprint!("{text}");
}
