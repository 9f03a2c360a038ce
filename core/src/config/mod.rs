//! Settings that a host passes to `Homeline::open`, and the limits of the
//! library. No secret is in here: the keys are the ministry's public ones.

mod policy;

pub(crate) use policy::{Keep, Policy, Thinning};

use crate::error::{HomelineError, Problem, Result};
use crate::registration::country;
use crate::validate::{languages, phone};

/// Everything Homeline must know of its host and its ministry.
///
/// `cargo run -p ministry` prints these values for the reference ministry.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Config {
    /// A private directory of the host app, on the phone's internal storage, for
    /// Homeline alone: `erase` deletes in it. On Android before the first unlock,
    /// one of device-protected storage. It is made when it does not exist.
    ///
    /// Backups take nothing of it. A restored copy could not be read, since its
    /// keys are wrapped by a vault that stays on the old phone, and an erased
    /// record would come back as a file. On Android exclude it in both
    /// `android:dataExtractionRules` (cloud-backup and device-transfer, API 31 and
    /// later) and `android:fullBackupContent`; on iOS set `isExcludedFromBackup`
    /// on the directory after each `open`. Where a backup is restored all the
    /// same, `state` says `KeyLost`, nothing is deleted, and `start_new_record`
    /// or `erase` goes on.
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
    /// Where the traveler is at home: two letters (ISO 3166-1 alpha-2).
    #[uniffi(default = "CN")]
    pub home_country: String,
    /// Numbers that take sealed text messages, E.164, until a service document
    /// brings newer ones.
    #[uniffi(default = [])]
    pub sms_numbers: Vec<String>,
    /// Where the ministry takes datagrams, `host:port`, until a service document
    /// says; absent: none are sent before.
    #[uniffi(default = None)]
    pub datagram: Option<String>,
    /// Ed25519 public keys (32 bytes each) that sign receipts, until a service
    /// document brings them. Empty: a receipt that comes before is not believed.
    #[uniffi(default = [])]
    pub receipt_keys: Vec<Vec<u8>>,
    /// Languages that the ministry's texts are shown in (BCP 47), the preferred one
    /// first: those of the phone, as the platform names them. What a text does not have is
    /// shown in English, or else in a language that it has.
    #[uniffi(default = [])]
    pub languages: Vec<String>,
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
        let keys = self.anchors.iter().chain(&self.receipt_keys);
        for key in keys.chain([&self.sealing_key]) {
            if key.len() != 32 {
                return Err(HomelineError::invalid(
                    "config.anchors, config.receipt_keys or config.sealing_key",
                    Problem::Malformed,
                    "keys of 32 bytes",
                ));
            }
        }
        for number in &self.sms_numbers {
            phone("config.sms_numbers", number)?;
        }
        country("config.home_country", &self.home_country)?;
        languages(
            "config.languages",
            self.languages.clone(),
            &Policy::STANDARD,
        )?;
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
