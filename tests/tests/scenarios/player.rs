//! Who plays a scenario: the phones in it, and what it has given a name to.

use std::collections::HashMap;
use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use homeline::{Homeline, RecordState};
use homeline_tests::stage::Stage;
use homeline_tests::vault::LockableVault;
use tempfile::TempDir;

pub(crate) struct Player<'a> {
    pub(crate) stage: &'a Stage,
    phones: HashMap<String, Phone>,
    current: String,
    /// Ids and texts by the names that the scenario gave them.
    names: HashMap<String, String>,
}

/// A phone: a directory, a vault that can be locked, and Homeline in it.
struct Phone {
    directory: TempDir,
    vault: Arc<LockableVault>,
    home: Option<Arc<Homeline>>,
}

impl<'a> Player<'a> {
    pub(crate) fn new(stage: &'a Stage) -> Self {
        let mut player = Self {
            stage,
            phones: HashMap::new(),
            current: String::new(),
            names: HashMap::new(),
        };
        player.take(String::new());
        player
    }

    /// Takes the phone of that name in hand; the others stay as they are.
    pub(crate) fn take(&mut self, name: String) {
        self.phones.entry(name.clone()).or_insert_with(|| {
            let directory = tempfile::tempdir().unwrap();
            Phone {
                vault: LockableVault::open(&directory.path().join("vault.key"), false).unwrap(),
                directory,
                home: None,
            }
        });
        self.current = name;
    }

    pub(crate) fn home(&self) -> &Homeline {
        self.phones[&self.current].home.as_deref().expect("opened")
    }

    pub(crate) fn vault(&self) -> &LockableVault {
        &self.phones[&self.current].vault
    }

    /// A file in the phone in hand, beside those of Homeline.
    pub(crate) fn file(&self) -> PathBuf {
        self.phones[&self.current].directory.path().join("file")
    }

    /// Opens Homeline, as a new process would; `channels`: in an app that knows
    /// all channels of the ministry from the beginning; `languages`: those of the phone.
    pub(crate) fn open(
        &mut self,
        record: &str,
        channels: bool,
        languages: Vec<String>,
    ) -> homeline::Result<()> {
        let phone = self.phones.get_mut(&self.current).unwrap();
        phone.home = None;
        let files = phone.directory.path().join("files");
        let mut config = match channels {
            true => self.stage.config_with_channels(&files),
            false => self.stage.config(&files),
        };
        config.languages = languages;
        let vault = Arc::<LockableVault>::clone(&phone.vault);
        phone.home = Some(Homeline::open(config, vault, None, None)?);
        check_record(&self.home().state()?.record, record);
        Ok(())
    }

    /// Keeps an id or a text under the name that the step has for it, if any.
    pub(crate) fn keep(&mut self, name: Option<String>, value: String) {
        if let Some(name) = name {
            self.names.insert(name, value);
        }
    }

    pub(crate) fn named(&self, name: &str) -> String {
        self.names[name].clone()
    }
}

#[track_caller]
pub(crate) fn check_record(state: &RecordState, expected: &str) {
    assert_eq!(snake(state), expected);
}

/// Milliseconds UTC.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

/// The name of an enum's case, as the scenarios write it: `NotTheMinistry { .. }`
/// is `not_the_ministry`.
pub(crate) fn snake(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    let mut out = String::new();
    for c in text.chars().take_while(|c| c.is_alphanumeric()) {
        if c.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

/// The case that the scenarios call `name`.
pub(crate) fn case_of<T: Debug + Copy>(all: &[T], name: &str) -> T {
    let found = all.iter().find(|case| snake(*case) == name);
    *found.unwrap_or_else(|| panic!("no case is called {name}"))
}
