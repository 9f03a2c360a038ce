//! The stage of a test: the real ministry, and in front of it a network that a
//! test can break.

use std::io;
use std::path::Path;
use std::sync::Arc;

use homeline::config::{Config, Hotline};
use ministry::{Ministry, Settings};
use rustls::ServerConfig;
use serde::{Deserialize, Serialize};

use crate::proxy::{FaultProxy, Link, PAST_THE_HANDSHAKE};

/// A ministry behind a breakable network.
pub struct Stage {
    /// The ministry itself, for what its desk sees.
    pub ministry: Ministry,
    /// The network between phone and ministry.
    pub proxy: FaultProxy,
    portal: Arc<ServerConfig>,
    values: Values,
}

/// What a host is told of its ministry, to be passed to another process.
#[derive(Clone, Serialize, Deserialize)]
pub struct Values {
    /// Origin of the API.
    pub ministry_url: String,
    /// Ed25519 public key that signs the service document.
    pub anchor: Vec<u8>,
    /// X25519 public key to seal to.
    pub sealing_key: Vec<u8>,
    /// Root of the TLS certificate, DER.
    pub tls_root: Vec<u8>,
    /// Further roots that the phone trusts: a middle box's.
    #[serde(default)]
    pub more_tls_roots: Vec<Vec<u8>>,
    /// The hotline as dialled at home, and from abroad.
    pub hotline: (String, String),
}

impl Values {
    /// Those of `ministry`, reached at `url`: its own, or that of what is between.
    pub fn of(ministry: &Ministry, url: String) -> Self {
        let told = ministry.host_values();
        Self {
            ministry_url: url,
            anchor: told.anchor,
            sealing_key: told.sealing_key,
            tls_root: told.tls_root,
            more_tls_roots: Vec::new(),
            hotline: (told.hotline_from_home, told.hotline_from_abroad),
        }
    }
}

/// The networks that stories are told with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// Works.
    Up,
    /// Is not there: connects are refused.
    Down,
    /// A captive portal answers everything with 200 and a page.
    Portal,
    /// The ministry hears the phone, the phone does not hear the ministry.
    Swallow,
    /// Everything is taken, nothing is answered.
    Blackhole,
}

impl Stage {
    /// Starts a ministry with its files in `data`, and the network, up.
    pub fn start(data: &Path) -> io::Result<Self> {
        Self::start_with(Settings::new(data))
    }

    /// Starts a ministry with other settings, and the network, up.
    pub fn start_with(settings: Settings) -> io::Result<Self> {
        let ministry = Ministry::start(settings)?;
        let address = ministry
            .url()
            .trim_start_matches("https://")
            .parse()
            .map_err(io::Error::other)?;
        let proxy = FaultProxy::start(address)?;
        proxy.set(Link::Up);
        Ok(Self {
            portal: ministry.tls_config(),
            values: Values::of(&ministry, format!("https://{}", proxy.addr())),
            ministry,
            proxy,
        })
    }

    /// What a host is told, with the address of the breakable network.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// The config of a phone that keeps its files in `directory`.
    pub fn config(&self, directory: &Path) -> Config {
        config(&self.values, directory)
    }

    /// Changes the network; in force when this returns.
    pub fn network(&self, network: Network) {
        self.proxy.set(match network {
            Network::Up => Link::Up,
            Network::Down => Link::Down,
            Network::Portal => Link::Portal(Arc::clone(&self.portal)),
            Network::Swallow => Link::SwallowAnswers {
                after_upstream_bytes: PAST_THE_HANDSHAKE,
            },
            Network::Blackhole => Link::BlackHole,
        });
    }
}

/// The config that a ministry's values stand for.
pub fn config(values: &Values, directory: &Path) -> Config {
    Config {
        directory: directory.to_string_lossy().into_owned(),
        ministry_url: values.ministry_url.clone(),
        anchors: vec![values.anchor.clone()],
        sealing_key: values.sealing_key.clone(),
        tls_roots: [
            std::slice::from_ref(&values.tls_root),
            &values.more_tls_roots,
        ]
        .concat(),
        hotline: Hotline {
            from_home: values.hotline.0.clone(),
            from_abroad: values.hotline.1.clone(),
        },
        home_country: "CN".into(),
        sms_numbers: vec![],
        datagram: None,
        receipt_keys: Vec::new(),
    }
}
