//! Packs: what the ministry publishes for everybody, kept on the phone.
//!
//! ```text
//! the library's first packs ─▶ serve until …
//! file of the host, or list of the ministry ─▶ signed? newer? small enough?
//!      ─▶ delta or whole, piece by piece ─▶ the whole has its hash ─▶ in one commit it
//!         takes the place of the one before
//! ```
//!
//! * **Signed**: [`PackHeader`] names the hash of the content, and is signed by a
//!   receipt key of the ministry or an anchor of the `Config`.
//! * **Versioned**: a version below the one at hand is refused, so nobody can bring back
//!   an alert that was lifted. The same version with other bytes is refused as well.
//! * **Resumable**: what has come of a file stays beside `packs.db` when a pass ends, and
//!   the next one goes on. It is invisible until the whole has its hash.
//! * **Bounded**: `Policy::pack_bytes` each.
//! * **Private**: the same list and the same files for all, asked for without a
//!   signature; which alert concerns whom is decided on the phone.
//!
//! What is in a pack is its reader's business: `missions`, `alerts`, `guides`, `geo`.
//!
//! [`PackHeader`]: crate::sync::protocol::PackHeader

mod content;
mod file;
pub mod first;
mod offer;
mod part;
mod shelf;

pub(crate) use content::{apply, read};
pub use content::{delta, items, write};
pub(crate) use file::read_file;
pub use file::write_file;
pub(crate) use offer::{PackRefusal, Step, step};
pub(crate) use shelf::{Asked, Made, Shelf};

use std::sync::Arc;

use crate::config::Policy;
use crate::error::{HomelineError, Problem, Result, guard};
use crate::geo::country::Boundaries;
use crate::homeline::{Listeners, Topic};
use crate::sync::Sealer;

/// The packs that there are. Later versions of the library may know more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, uniffi::Enum)]
pub enum PackName {
    /// Embassies and consulates, with the districts that they serve.
    Missions,
    /// Emergency numbers by country.
    Numbers,
    /// The scale of alert levels.
    Levels,
    /// Alerts.
    Alerts,
    /// Guides.
    Guides,
    /// Borders of countries.
    Boundaries,
}

impl PackName {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Missions,
        Self::Numbers,
        Self::Levels,
        Self::Alerts,
        Self::Guides,
        Self::Boundaries,
    ];

    /// The name in the protocol.
    pub fn text(self) -> &'static str {
        match self {
            Self::Missions => "missions",
            Self::Numbers => "numbers",
            Self::Levels => "levels",
            Self::Alerts => "alerts",
            Self::Guides => "guides",
            Self::Boundaries => "boundaries",
        }
    }

    /// The pack of that name.
    pub fn of(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.text() == text)
    }
}

/// Whose pack serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum PackOrigin {
    /// The one that the library carries.
    Library,
    /// The ministry's.
    Ministry,
}

/// A pack that serves now.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PackInfo {
    /// Which one.
    pub name: PackName,
    /// Whose it is.
    pub origin: PackOrigin,
    /// Its version; 0 is the library's.
    pub version: u64,
    /// When it was made, milliseconds UTC.
    pub issued_ms: i64,
    /// When the ministry said last that there is none newer, milliseconds UTC; absent:
    /// never yet.
    pub checked_ms: Option<i64>,
    /// Bytes of its content.
    pub bytes: u64,
}

/// The packs on this phone. Reached through `Homeline::packs`.
#[derive(uniffi::Object)]
pub struct Packs {
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) sealer: Arc<Sealer>,
    pub(crate) listeners: Arc<Listeners>,
    pub(crate) policy: Policy,
}

#[uniffi::export]
impl Packs {
    /// The packs that serve now, each with its age.
    pub fn list(&self) -> Result<Vec<PackInfo>> {
        guard("Packs::list", || {
            Ok(PackName::ALL.map(|name| self.info(name)).into())
        })
    }

    /// Takes a pack from a file that the ministry made (`ministry --write-packs`): what a
    /// host app ships with it, so that its first start in flight mode knows the missions,
    /// or what comes by a friend's phone. One that is here already changes nothing.
    ///
    /// Errors: `Invalid` for `pack`: `Malformed`, `NotAuthentic` (not signed by an anchor or
    /// a receipt key), `TooLong`, `Stale` (older than the one at hand); `Storage`.
    pub fn add(&self, file: Vec<u8>) -> Result<PackInfo> {
        guard("Packs::add", || {
            let (name, header, content) = read_file(&file, &self.sealer.pack_keys())?;
            let held = self.shelf.held(name)?;
            match step(held.as_ref(), &header, &[], &self.policy) {
                Step::Have => return Ok(self.info(name)),
                Step::Delta(_) | Step::Whole => {}
                Step::Refused(refusal) => return Err(refused(refusal)),
            }
            if !is_usable(name, content) {
                return Err(refused(PackRefusal::Malformed));
            }
            self.shelf.install(name, &header, content, None)?;
            self.listeners.notify(Topic::Packs);
            Ok(self.info(name))
        })
    }
}

impl Packs {
    fn info(&self, name: PackName) -> PackInfo {
        let held = self.shelf.served(name).held;
        PackInfo {
            name,
            origin: match held.version {
                0 => PackOrigin::Library,
                _ => PackOrigin::Ministry,
            },
            version: held.version,
            issued_ms: held.issued_ms,
            checked_ms: held.checked_ms,
            bytes: held.bytes,
        }
    }
}

/// Whether the bytes are what such a pack has: signed nonsense must not take the place
/// of what serves.
pub(crate) fn is_usable(name: PackName, content: &[u8]) -> bool {
    match name {
        PackName::Boundaries => Boundaries::parse(content.to_vec()).is_ok(),
        _ => content::split_items(content).is_some(),
    }
}

fn refused(refusal: PackRefusal) -> HomelineError {
    let problem = match refusal {
        PackRefusal::Older => Problem::Stale,
        PackRefusal::Conflict => Problem::Mismatch,
        PackRefusal::TooLarge => Problem::TooLong,
        PackRefusal::UnknownName | PackRefusal::Malformed => Problem::Malformed,
    };
    HomelineError::invalid("pack", problem, "a newer pack of the ministry")
}
