//! Settings that a host passes to `Homeline::open`, and the limits of the
//! library. No secret is in here: the keys are the ministry's public ones.

mod policy;

pub(crate) use policy::{Policy, Thinning};

use crate::error::{HomelineError, Problem, Result};

/// Everything Homeline must know of its host and its ministry.
///
/// `cargo run -p ministry` prints these values for the reference ministry.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Config {
    /// A private directory of the host app, on the phone's internal storage
    /// and excluded from backups; on Android before the first unlock, one of
    /// device-protected storage. It is made when it does not exist.
    pub directory: String,
    /// Origin of the ministry's API, `https://host[:port]`.
    pub ministry_url: String,
    /// Ed25519 public keys (32 bytes each) that may sign the ministry's service
    /// document. The document carries the keys that sign receipts.
    pub anchors: Vec<Vec<u8>>,
    /// X25519 public key (32 bytes) that reports are sealed to until a service
    /// document brings a newer one.
    pub sealing_key: Vec<u8>,
    /// Certificates (DER) that the ministry's TLS certificate must chain to.
    /// Empty: the public web's (Mozilla's list).
    #[uniffi(default = [])]
    pub tls_roots: Vec<Vec<u8>>,
    /// The ministry's consular hotline.
    pub hotline: Hotline,
}

/// A hotline in both of its forms.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Hotline {
    /// As dialled at home, for example `12308`.
    pub from_home: String,
    /// As dialled from abroad, E.164, for example `+861012308`.
    pub from_abroad: String,
}

impl Config {
    /// Checks the form of all values.
    pub(crate) fn validate(&self) -> Result<()> {
        if self.directory.is_empty() {
            return Err(HomelineError::invalid(
                "config.directory",
                Problem::Empty,
                "a path",
            ));
        }
        if !self.ministry_url.starts_with("https://") {
            return Err(HomelineError::invalid(
                "config.ministry_url",
                Problem::Malformed,
                "https://host[:port]",
            ));
        }
        if self.anchors.is_empty() {
            return Err(HomelineError::invalid(
                "config.anchors",
                Problem::Empty,
                "at least one Ed25519 public key",
            ));
        }
        for key in self.anchors.iter().chain([&self.sealing_key]) {
            if key.len() != 32 {
                return Err(HomelineError::invalid(
                    "config.anchors or config.sealing_key",
                    Problem::Malformed,
                    "keys of 32 bytes",
                ));
            }
        }
        Ok(())
    }

    /// The ministry's origin without a slash at its end.
    pub(crate) fn origin(&self) -> &str {
        self.ministry_url.trim_end_matches('/')
    }

    /// What to call when nothing can be stored: from abroad first.
    pub(crate) fn numbers_to_call(&self) -> Vec<String> {
        vec![
            self.hotline.from_abroad.clone(),
            self.hotline.from_home.clone(),
        ]
    }
}
