//! The example of each class, out of a file of tests that run it:
//!
//! ```text
//! // Example: Sos
//! …
//! // End
//! ```

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};
use camino::Utf8Path;

/// Examples by the name of their class.
pub(super) struct Examples(BTreeMap<String, String>);

impl Examples {
    pub(super) fn read(path: &Utf8Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("reading {path}"))?;
        let mut found = BTreeMap::new();
        for part in text.split("// Example: ").skip(1) {
            let (name, rest) = part.split_once('\n').context("an example without a name")?;
            let (body, _) = rest
                .split_once("// End")
                .context("an example without an end")?;
            found.insert(name.trim().to_owned(), unindented(body));
        }
        Ok(Self(found))
    }

    /// The example of a class; each must have one.
    pub(super) fn of(&self, class: &str) -> Result<&str> {
        let found = self.0.get(class);
        Ok(found.with_context(|| format!("{class} has no example"))?)
    }
}

/// The lines without the indentation that all of them have.
fn unindented(body: &str) -> String {
    let lines: Vec<&str> = body.lines().map(str::trim_end).collect();
    let depth = lines
        .iter()
        .filter(|line| !line.is_empty())
        .map(|line| line.len() - line.trim_start().len())
        .min()
        .unwrap_or(0);
    let cut = lines.iter().map(|line| line.get(depth..).unwrap_or(""));
    cut.collect::<Vec<_>>().join("\n").trim_end().to_owned()
}
