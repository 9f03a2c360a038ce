//! The ministry's keys: made at the first start, the same ever after.
//!
//! ```text
//! DIR/keys.json, mode 0600
//!   anchor    Ed25519 seed: signs the service document; its public key is in
//!             the `Config` of each host app
//!   receipt   Ed25519 seed: signs receipts, case news and cards; its public key is in
//!             the service document
//!   sealing   X25519 key: opens what the phones seal
//!   ca_key, ca_certificate   the root that the TLS certificate chains to
//! ```
//!
//! The file appears whole or not at all. A directory that has cases but no keys
//! is refused: new keys would make every phone distrust this ministry.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use homeline::seal::envelope::RecipientKey;
use homeline::seal::signed::{Context, Signed};
use homeline::sync::protocol::Base64;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::tls::{self, Authority};

const FILE: &str = "keys.json";

/// All private keys, in memory.
pub(crate) struct Keys {
    pub(crate) anchor: Signer,
    pub(crate) receipt: Signer,
    pub(crate) sealing: [RecipientKey; 1],
    pub(crate) authority: Authority,
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
    sealing: Base64,
    ca_key: Base64,
    ca_certificate: Base64,
}

impl KeyFile {
    fn make() -> io::Result<Self> {
        let (ca_key, ca_certificate) = tls::make_authority()?;
        Ok(Self {
            anchor: Base64(random::<32>()?.to_vec()),
            receipt: Base64(random::<32>()?.to_vec()),
            sealing: Base64(random::<32>()?.to_vec()),
            ca_key: Base64(ca_key),
            ca_certificate: Base64(ca_certificate),
        })
    }

    fn keys(self) -> io::Result<Keys> {
        Ok(Keys {
            anchor: Signer::from_seed(&self.anchor.0)?,
            receipt: Signer::from_seed(&self.receipt.0)?,
            sealing: [RecipientKey::from_bytes(&self.sealing.0).map_err(|_| damaged())?],
            authority: Authority::load(self.ca_key.0, self.ca_certificate.0)?,
        })
    }
}

impl Keys {
    /// Reads the keys of `directory`, or makes them where there are none yet.
    ///
    /// # Errors
    /// The file cannot be read or written, is damaged, or is missing from a
    /// directory that was in use.
    pub(crate) fn load_or_make(directory: &Path, in_use: InUse) -> io::Result<Self> {
        let path = directory.join(FILE);
        match fs::read(&path).map(Zeroizing::new) {
            Ok(bytes) => serde_json::from_slice::<KeyFile>(&bytes)
                .map_err(|_| damaged())?
                .keys(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => match in_use {
                InUse::Yes => Err(io::Error::new(
                    io::ErrorKind::NotFound,
                    "the directory holds a ministry.db but no keys.json; put the file back",
                )),
                InUse::No => {
                    let file = KeyFile::make()?;
                    write(directory, &path, &file)?;
                    file.keys()
                }
            },
            Err(error) => Err(error),
        }
    }
}

/// Whether a data directory was in use before this start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InUse {
    Yes,
    No,
}

fn write(directory: &Path, path: &Path, keys: &KeyFile) -> io::Result<()> {
    let bytes = Zeroizing::new(serde_json::to_vec(keys)?);
    let draft = directory.join("keys.json.new");
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = private_file(&draft)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    File::open(directory)?.sync_all()
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
