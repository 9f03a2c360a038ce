//! The facades: for each service of the library a class whose calls do not block the caller, with the
//! library's own documentation and an example that the tests run.
//!
//! They are made from the description that UniFFI puts into the library, so that neither language
//! can lack a call or its words. What a platform does its own way (opening, a pass with its
//! deadline, changes as a stream, closing) is written by hand in the class `Homeline` of each.

mod examples;
mod kotlin;
mod model;
mod swift;

use std::fs;

use anyhow::{Context, Result, bail};
use camino::Utf8Path;
use heck::ToLowerCamelCase;

use examples::Examples;
use model::Interface;

/// Writes the facade of a language to the file `out`.
pub(crate) fn write(
    language: &str,
    library: &Utf8Path,
    examples: &Utf8Path,
    out: &Utf8Path,
) -> Result<()> {
    let interface = Interface::load(library)?;
    let examples = Examples::read(examples)?;
    let text = match language {
        "kotlin" => kotlin::render(&interface, &examples)?,
        "swift" => swift::render(&interface, &examples)?,
        other => bail!("no facade for {other}"),
    };
    fs::write(out, text).with_context(|| format!("writing {out}"))
}

/// The lines of a documentation comment, each after `prefix`.
fn comment(prefix: &str, text: &str) -> String {
    let lines = text.trim().lines();
    let lines = lines.map(|line| format!("{prefix}{}", hosts_names(line)));
    lines.map(|line| format!("{}\n", line.trim_end())).collect()
}

/// A line of Rust's documentation with its names as the host writes them: `Help::as_of` is `Help.asOf`.
fn hosts_names(line: &str) -> String {
    let parts = line.split('`').enumerate().map(|(index, part)| {
        if index % 2 == 0
            || !part
                .chars()
                .all(|it| it.is_alphanumeric() || "_:".contains(it))
        {
            return part.to_owned();
        }
        let names = part.split("::").map(|name| match name.contains('_') {
            true if !name.contains(char::is_uppercase) => name.to_lower_camel_case(),
            _ => name.to_owned(),
        });
        names.collect::<Vec<_>>().join(".")
    });
    parts.collect::<Vec<_>>().join("`")
}
