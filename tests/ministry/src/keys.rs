//! The ministry's keys: made at the first start, kept in one file, some of them
//! changed from time to time.
//!
//! ```text
//! DIR/keys.json, mode 0600
//!   anchor         Ed25519 seed: signs the service document; its public key is in
//!                  the `Config` of each host app
//!   receipt        Ed25519 seed: signs receipts, case news and cards; its public key
//!                  is in the service document
//!   old_receipts   public keys of those before: what they signed is still believed,
//!                  so they stay in the service document
//!   sealing        X25519 key: opens what the phones seal
//!   retired        those before: still opened, for phones that do not know of the new
//!                  one, but no longer in the service document
//!   revoked        public keys of those that open nothing any more: who seals to one is
//!                  told so, and seals anew
//!   ca_key, ca_certificate   the root that the TLS certificate chains to
//! ```
//!
//! The file appears whole or not at all. A directory that has cases but no keys
//! is refused: new keys would make every phone distrust this ministry.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use homeline::seal::envelope::{self, RecipientKey};
use homeline::seal::key_id;
use homeline::seal::signed::{Context, Signed};
use homeline::sync::protocol::Base64;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::intake::Refusal;
use crate::store::now_ms;
use crate::tls::{self, Authority};

const FILE: &str = "keys.json";

/// A retired sealing key opens for half a year: by then a phone that comes back has
/// read a service document, and a longer life would serve a thief of the key only.
const RETIRED_MS: i64 = 180 * 24 * 3_600_000;

/// Which keys are made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// The key that phones seal to.
    Sealing,
    /// The key that signs receipts, news and cards.
    Receipts,
    /// Both.
    Both,
}

/// What becomes of the keys before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Former {
    /// A sealing key opens for half a year more; what a receipt key signed is
    /// believed for ever.
    Kept,
    /// They may be known to somebody: all before are refused from now on.
    Revoked,
}

/// All private keys, in memory.
pub(crate) struct Keys {
    pub(crate) anchor: Signer,
    pub(crate) authority: Authority,
    path: PathBuf,
    changing: RwLock<Changing>,
}

/// Those that change.
struct Changing {
    receipt: Arc<Signer>,
    /// Public keys of the receipts that are to be believed, today's first.
    receipts: Vec<Vec<u8>>,
    sealing: Arc<Sealing>,
}

/// What opens envelopes.
pub(crate) struct Sealing {
    /// Today's, then the retired ones, the newest first.
    pub(crate) keys: Vec<RecipientKey>,
    revoked: Vec<Vec<u8>>,
}

impl Sealing {
    #[cfg(test)]
    pub(crate) fn of(key: RecipientKey) -> Self {
        Self {
            keys: vec![key],
            revoked: Vec::new(),
        }
    }

    /// Says of an envelope that was refused for its key what its sender can do.
    pub(crate) fn explained(&self, refusal: Refusal, sealed: &[u8]) -> Refusal {
        let revoked = |key: &Vec<u8>| envelope::is_sealed_to(sealed, key);
        match refusal {
            Refusal::UnknownKey if self.revoked.iter().any(revoked) => Refusal::RetiredKey,
            other => other,
        }
    }
}

/// One Ed25519 key pair.
pub(crate) struct Signer(Ed25519KeyPair);

impl Signer {
    fn from_seed(seed: &[u8]) -> io::Result<Self> {
        Ed25519KeyPair::from_seed_unchecked(seed)
            .map(Self)
            .map_err(|_| damaged())
    }

    pub(crate) fn public(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    /// Ed25519 signature (RFC 8032) over `bytes`.
    pub(crate) fn sign_bytes(&self, bytes: &[u8]) -> [u8; 64] {
        let mut out = [0; 64];
        for (to, from) in out.iter_mut().zip(self.0.sign(bytes).as_ref()) {
            *to = *from;
        }
        out
    }

    pub(crate) fn sign<T: Serialize>(
        &self,
        context: Context,
        body: &T,
    ) -> serde_json::Result<Signed> {
        Signed::sign(context, body, self.public(), |bytes| {
            self.0.sign(bytes).as_ref().to_vec()
        })
    }
}

#[derive(Serialize, Deserialize)]
struct KeyFile {
    anchor: Base64,
    receipt: Base64,
    #[serde(default)]
    old_receipts: Vec<Base64>,
    sealing: Base64,
    #[serde(default)]
    retired: Vec<Retired>,
    #[serde(default)]
    revoked: Vec<Base64>,
    ca_key: Base64,
    ca_certificate: Base64,
}

/// A sealing key that is no longer sealed to.
#[derive(Serialize, Deserialize)]
struct Retired {
    key: Base64,
    /// Since when, milliseconds UTC.
    at_ms: i64,
}

impl KeyFile {
    fn make() -> io::Result<Self> {
        let (ca_key, ca_certificate) = tls::make_authority()?;
        Ok(Self {
            anchor: secret()?,
            receipt: secret()?,
            old_receipts: Vec::new(),
            sealing: secret()?,
            retired: Vec::new(),
            revoked: Vec::new(),
            ca_key: Base64(ca_key),
            ca_certificate: Base64(ca_certificate),
        })
    }

    fn read(path: &Path) -> io::Result<Self> {
        let bytes = Zeroizing::new(fs::read(path)?);
        serde_json::from_slice(&bytes).map_err(|_| damaged())
    }

    fn keys(self, path: PathBuf, now_ms: i64) -> io::Result<Keys> {
        Ok(Keys {
            anchor: Signer::from_seed(&self.anchor.0)?,
            changing: RwLock::new(self.changing(now_ms)?),
            authority: Authority::load(self.ca_key.0, self.ca_certificate.0)?,
            path,
        })
    }

    fn changing(&self, now_ms: i64) -> io::Result<Changing> {
        let receipt = Signer::from_seed(&self.receipt.0)?;
        let old = self.old_receipts.iter().map(|key| key.0.clone());
        let receipts = std::iter::once(receipt.public().to_vec())
            .chain(old)
            .collect();
        let mut keys = vec![recipient(&self.sealing)?];
        let mut revoked: Vec<Vec<u8>> = self.revoked.iter().map(|key| key.0.clone()).collect();
        for retired in self.retired.iter().rev() {
            let key = recipient(&retired.key)?;
            if now_ms.saturating_sub(retired.at_ms) < RETIRED_MS {
                keys.push(key);
            } else {
                revoked.push(key.public().to_vec());
            }
        }
        Ok(Changing {
            receipt: Arc::new(receipt),
            receipts,
            sealing: Arc::new(Sealing { keys, revoked }),
        })
    }

    fn rotate(&mut self, rotation: Rotation, former: Former, now_ms: i64) -> io::Result<()> {
        if rotation != Rotation::Sealing {
            let before = Signer::from_seed(&self.receipt.0)?;
            self.receipt = secret()?;
            match former {
                Former::Kept => self
                    .old_receipts
                    .insert(0, Base64(before.public().to_vec())),
                Former::Revoked => self.old_receipts.clear(),
            }
        }
        if rotation != Rotation::Receipts {
            let key = std::mem::replace(&mut self.sealing, secret()?);
            self.retired.push(Retired { key, at_ms: now_ms });
            if former == Former::Revoked {
                for retired in std::mem::take(&mut self.retired) {
                    let public = recipient(&retired.key)?.public().to_vec();
                    self.revoked.push(Base64(public));
                }
            }
        }
        Ok(())
    }
}

fn secret() -> io::Result<Base64> {
    Ok(Base64(random::<32>()?.to_vec()))
}

fn recipient(key: &Base64) -> io::Result<RecipientKey> {
    RecipientKey::from_bytes(&key.0).map_err(|_| damaged())
}

impl Keys {
    /// Reads the keys of `directory`, or makes them where there are none yet.
    ///
    /// # Errors
    /// The file cannot be read or written, is damaged, or is missing from a
    /// directory that was in use.
    pub(crate) fn load_or_make(directory: &Path, in_use: InUse) -> io::Result<Self> {
        let path = directory.join(FILE);
        match KeyFile::read(&path) {
            Ok(file) => file.keys(path, now_ms()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => match in_use {
                InUse::Yes => Err(io::Error::new(
                    io::ErrorKind::NotFound,
                    "the directory holds a ministry.db but no keys.json; put the file back",
                )),
                InUse::No => {
                    let file = KeyFile::make()?;
                    write(&path, &file)?;
                    file.keys(path, now_ms())
                }
            },
            Err(error) => Err(error),
        }
    }

    /// Makes keys anew; on disk when this returns, and in force.
    ///
    /// # Errors
    /// The file cannot be read or written: the keys are as they were.
    pub(crate) fn rotate(&self, rotation: Rotation, former: Former) -> io::Result<()> {
        let mut changing = self
            .changing
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let mut file = KeyFile::read(&self.path)?;
        file.rotate(rotation, former, now_ms())?;
        let next = file.changing(now_ms())?;
        write(&self.path, &file)?;
        *changing = next;
        Ok(())
    }

    /// What signs receipts, news and cards now.
    pub(crate) fn receipt(&self) -> Arc<Signer> {
        Arc::clone(&self.changing().receipt)
    }

    /// What opens envelopes now.
    pub(crate) fn sealing(&self) -> Arc<Sealing> {
        Arc::clone(&self.changing().sealing)
    }

    /// The public key to seal to.
    pub(crate) fn sealed_to(&self) -> Vec<u8> {
        let sealing = self.sealing();
        let first = sealing.keys.first();
        first.map(|key| key.public().to_vec()).unwrap_or_default()
    }

    /// The public keys whose signatures are to be believed, today's first.
    pub(crate) fn receipts(&self) -> Vec<Vec<u8>> {
        self.changing().receipts.clone()
    }

    /// Whether what was signed by the key of this id is still to be believed.
    pub(crate) fn is_believed(&self, id: &str) -> bool {
        self.changing()
            .receipts
            .iter()
            .any(|public| key_id(public) == id)
    }

    fn changing(&self) -> std::sync::RwLockReadGuard<'_, Changing> {
        self.changing.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a data directory was in use before this start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InUse {
    Yes,
    No,
}

fn write(path: &Path, keys: &KeyFile) -> io::Result<()> {
    let bytes = Zeroizing::new(serde_json::to_vec(keys)?);
    let draft = path.with_extension("json.new");
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = private_file(&draft)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    match path.parent() {
        Some(directory) => File::open(directory)?.sync_all(),
        None => Ok(()),
    }
}

/// Creates a file that only its owner may read, or opens it.
pub(crate) fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}

/// Fills an array from the operating system's random source.
pub(crate) fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut out = [0; N];
    SystemRandom::new()
        .fill(&mut out)
        .map_err(|_| io::Error::other("the system's random source failed"))?;
    Ok(out)
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "keys.json is damaged")
}
