//! How the story is shown: text with colour on a terminal, or a JSON object a
//! step.

use std::io::Write as _;

use console::style;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value};

/// Shows the steps of the story.
pub(crate) struct Show {
    json: bool,
    step: u32,
}

impl Show {
    pub(crate) fn new(json: bool) -> Self {
        Self { json, step: 0 }
    }

    /// A step: its name and facts for machines, its title for people.
    pub(crate) fn step(&mut self, name: &str, title: &str, facts: Value) {
        self.step += 1;
        if self.json {
            let mut object = Map::new();
            object.insert("step".into(), name.into());
            if let Value::Object(facts) = facts {
                object.extend(facts);
            }
            line(&Value::Object(object).to_string());
        } else {
            line("");
            let number = style(format!("{:>2}", self.step)).cyan().bold();
            line(&format!("{number}  {}", style(title).bold()));
        }
    }

    /// A line under the step, for people.
    pub(crate) fn say(&self, text: &str) {
        if !self.json {
            line(&format!("    {text}"));
        }
    }

    /// The traveler's status line with its evidence, for people.
    pub(crate) fn status(&self, state: &str, evidence: &[String]) {
        if self.json {
            return;
        }
        let (name, rest) = state.split_once(':').unwrap_or((state, ""));
        let name = match name {
            "received" | "acknowledged" => style(name).green().bold(),
            "stored" | "handed" => style(name).yellow().bold(),
            _ => style(name).bold(),
        };
        line(&format!(
            "    status  {name}{}{rest}",
            if rest.is_empty() { "" } else { ":" }
        ));
        for event in evidence {
            line(&format!("            {}", style(event).dim()));
        }
    }

    /// A progress bar for `length` things; hidden where nobody watches.
    pub(crate) fn progress(&self, length: u64) -> ProgressBar {
        if self.json || !console::user_attended() {
            return ProgressBar::hidden();
        }
        let template = "    {bar:40.cyan/blue} {pos:>4}/{len} {msg}";
        let bar = ProgressBar::new(length);
        match ProgressStyle::with_template(template) {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        }
    }

    /// The table at the end, for people.
    pub(crate) fn table(&self, rows: &[(&str, String)]) {
        if self.json {
            return;
        }
        let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, value) in rows {
            line(&format!("    {name:<width$}  {}", style(value).bold()));
        }
        line("");
    }
}

/// A line to standard output; a reader that has gone away ends the story.
fn line(text: &str) {
    if writeln!(std::io::stdout(), "{text}").is_err() {
        std::process::exit(1);
    }
}
