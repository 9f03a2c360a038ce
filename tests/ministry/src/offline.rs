//! What is done to a ministry that does not run: new keys, and what it publishes.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use homeline::packs::PackName;

use crate::api::App;
use crate::keys::{Former, InUse, Keys, Rotation};
use crate::meter::Meter;
use crate::sms::Gateway;
use crate::store::Store;
use crate::{cap, in_use, lock, of};

/// Makes keys of a ministry that does not run anew; in force from its next start.
///
/// # Errors
/// It runs, has no keys yet, or its files cannot be written.
pub fn rotate_keys(data: &Path, rotation: Rotation, former: Former) -> io::Result<()> {
    stopped(data, InUse::Yes)?
        .1
        .rotate(rotation, former)
        .map_err(of)
}

/// What a ministry that does not run is to publish.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Publication {
    /// Packs, and the file with the content of each.
    pub packs: Vec<(PackName, PathBuf)>,
    /// Messages of CAP and travel advice, see [`cap`]: they go into the pack of alerts,
    /// beside those that are in it.
    pub alerts: Vec<PathBuf>,
    /// A folder that each pack there is then is written into, as `NAME.pack`.
    pub files: Option<PathBuf>,
}

/// Publishes.
///
/// # Errors
/// It runs, files cannot be read or written, or a message is refused; the text says why.
/// What stands before it in the list is published then.
pub fn publish(data: &Path, publication: &Publication) -> io::Result<()> {
    let (_lock, app) = stopped(data, in_use(data)?)?;
    for (name, content) in &publication.packs {
        let content = fs::read(content)?;
        app.store.publish_pack(name.text(), &content).map_err(of)?;
    }
    for file in &publication.alerts {
        let refused = |why: cap::Refusal| {
            let text = format!("{}: {why}", file.display());
            io::Error::new(io::ErrorKind::InvalidData, text)
        };
        let alert = cap::read_file(&fs::read(file)?).map_err(refused)?;
        app.add_alert(&alert).map_err(of)?;
    }
    for name in PackName::ALL {
        if let (Some(files), Some(file)) = (&publication.files, app.pack_file(name).map_err(of)?) {
            fs::create_dir_all(files)?;
            fs::write(files.join(name.text()).with_extension("pack"), file)?;
        }
    }
    Ok(())
}

/// A ministry that does not listen.
fn stopped(data: &Path, in_use: InUse) -> io::Result<(File, App)> {
    let lock = lock(data)?;
    let keys = Arc::new(Keys::load_or_make(data, in_use)?);
    let store = Store::open(data, Arc::clone(&keys)).map_err(of)?;
    // The document that this signs is signed anew at the next start, with its numbers.
    let gateway = Arc::new(Gateway::new(None, Vec::new())?);
    let app = App::new(
        Arc::new(store),
        keys,
        Arc::new(Meter::default()),
        gateway,
        None,
    )
    .map_err(of)?;
    Ok((lock, app))
}
