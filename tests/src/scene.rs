//! One phone, its vault and a ministry, with their files below one folder.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use homeline::Homeline;
use tempfile::TempDir;

use crate::stage::Stage;
use crate::vault::LockableVault;

/// A phone and its ministry. The files go when it is dropped.
pub struct Scene {
    /// The ministry and the network to it.
    pub stage: Stage,
    /// The phone's vault, not locked.
    pub vault: Arc<LockableVault>,
    /// The folder of it all.
    pub base: TempDir,
}

impl Scene {
    /// Starts the ministry; the phone has no files yet.
    pub fn new() -> Result<Self, Box<dyn Error>> {
        let base = tempfile::tempdir()?;
        Ok(Self {
            stage: Stage::start(&base.path().join("ministry"))?,
            vault: LockableVault::open(&base.path().join("vault.key"), false)?,
            base,
        })
    }

    /// The directory of the phone's files.
    pub fn files(&self) -> PathBuf {
        self.base.path().join("phone")
    }

    /// Opens the phone, as a start of its app does.
    pub fn open(&self) -> homeline::Result<Arc<Homeline>> {
        let vault = Arc::<LockableVault>::clone(&self.vault);
        Homeline::open(self.stage.config(&self.files()), vault, None, None)
    }
}
