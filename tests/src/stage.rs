//! The stage of a test: the real ministry, and in front of it a network that a
//! test can break.

use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;

use homeline::config::{Config, Hotline};
use homeline::packs::{self, PackName};
use homeline::sync::protocol::ENVELOPES_PATH;
use ministry::{DatagramPublic, Ministry, Settings};
use rustls::ServerConfig;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::hostile::{Answer, HostileServer, Response};
use crate::packets::{PacketRelay, fair};
use crate::proxy::{FaultProxy, Link, PAST_THE_HANDSHAKE};
use crate::upstream::{Upstream, page};

/// What the gateway shows to the ministry of [`Stage::with_channels`].
const GATEWAY_TOKEN: &str = "gateway";

/// Its numbers for text messages.
const SMS_NUMBERS: [&str; 2] = ["+8613800000001", "+8613800000002"];

/// A ministry behind a breakable network.
pub struct Stage {
    /// The ministry itself, for what its desk sees.
    pub ministry: Ministry,
    /// The network between phone and ministry.
    pub proxy: FaultProxy,
    portal: Arc<ServerConfig>,
    values: Values,
    channels: Option<Channels>,
}

/// What leads to the ministry beside HTTPS, and what stands in its place.
struct Channels {
    packets: PacketRelay,
    /// Passes everything on but envelopes: those it refuses for good.
    refusing: HostileServer,
    /// Held here too: its client must not end on the server's own thread.
    gateway: Arc<Upstream>,
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
    /// Connects are refused; single packets get through, on a stage of
    /// [`Stage::with_channels`].
    Packets,
    /// The ministry refuses every envelope for good; on a stage without channels,
    /// as `Down`.
    Refusing,
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
            channels: None,
        })
    }

    /// Starts a ministry that takes text messages and single packets too, with its
    /// files in `data`, and the network, up.
    ///
    /// The service document says the numbers of the text messages, and not where
    /// packets are taken: that is in the `Config` of [`Stage::config_with_channels`]
    /// only, and holds until a phone has the service document. So the phones of
    /// other stories go by HTTPS alone.
    pub fn with_channels(data: &Path) -> io::Result<Self> {
        let mut settings = Settings::new(data);
        settings.sms_numbers = SMS_NUMBERS.map(Into::into).into();
        settings.sms_token = Some(GATEWAY_TOKEN.into());
        settings.datagram_listen = Some((Ipv4Addr::LOCALHOST, 0).into());
        settings.datagram_public = DatagramPublic::Untold;
        let mut stage = Self::start_with(settings)?;
        stage.channels = Some(Channels::start(&stage.ministry)?);
        Ok(stage)
    }

    /// What a host is told, with the address of the breakable network.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// The config of a phone that keeps its files in `directory`.
    pub fn config(&self, directory: &Path) -> Config {
        config(&self.values, directory)
    }

    /// The same of an app that knows all channels from the beginning, and whose
    /// receipts to believe.
    pub fn config_with_channels(&self, directory: &Path) -> Config {
        let channels = self.channels.as_ref();
        Config {
            sms_numbers: SMS_NUMBERS.map(Into::into).into(),
            datagram: channels.map(|it| it.packets.address().to_string()),
            receipt_keys: vec![self.ministry.receipt_key()],
            ..self.config(directory)
        }
    }

    /// Gives the ministry a text message, as its gateway; returns the text that goes
    /// back to the phone, where there is one.
    ///
    /// # Errors
    /// A stage without channels, or a text that the ministry does not take.
    pub fn deliver_text(&self, text: &str) -> io::Result<Option<String>> {
        let channels = self
            .channels
            .as_ref()
            .ok_or_else(|| io::Error::other("a stage without channels"))?;
        channels.gateway.deliver_text(GATEWAY_TOKEN, text)
    }

    /// The ministry publishes these items as the newest version of a pack, in place of
    /// those before. Returns its version.
    ///
    /// # Errors
    /// The ministry's database cannot be written.
    pub fn publish(&self, name: PackName, items: &[Value]) -> io::Result<u64> {
        let items: BTreeMap<String, Vec<u8>> = items
            .iter()
            .enumerate()
            .map(|(at, item)| (format!("{at:04}"), item.to_string().into_bytes()))
            .collect();
        self.ministry.publish(name, &packs::write(&items))
    }

    /// Changes the network; in force when this returns.
    pub fn network(&self, network: Network) {
        if let Some(channels) = &self.channels {
            channels.set(network);
        }
        self.proxy.set(match network {
            Network::Up => Link::Up,
            Network::Down => Link::Down,
            Network::Portal => Link::Portal(Arc::clone(&self.portal)),
            Network::Swallow => Link::SwallowAnswers {
                after_upstream_bytes: PAST_THE_HANDSHAKE,
            },
            Network::Blackhole => Link::BlackHole,
            Network::Packets => Link::Down,
            Network::Refusing => self.channels.as_ref().map_or(Link::Down, |channels| {
                Link::Through(channels.refusing.addr())
            }),
        });
    }
}

impl Channels {
    fn start(ministry: &Ministry) -> io::Result<Self> {
        let packets = PacketRelay::start()?;
        let address = ministry.datagram_address();
        packets.lead_to(address.ok_or_else(|| io::Error::other("no datagrams"))?);
        let root = ministry.host_values().tls_root;
        let gateway = Arc::new(Upstream::new(&ministry.url(), &root)?);
        let passing = Arc::clone(&gateway);
        let answer = Answer::by(move |request| match request.path.as_str() {
            ENVELOPES_PATH => refusal(),
            _ => passing.pass(&request).unwrap_or_else(|| page(502, &[])),
        });
        Ok(Self {
            packets,
            refusing: HostileServer::start(ministry.tls_config(), answer)?,
            gateway,
        })
    }

    fn set(&self, network: Network) {
        let pass = matches!(network, Network::Up | Network::Packets | Network::Refusing);
        self.packets.weather(move |_, bytes| match pass {
            true => fair(bytes),
            false => Vec::new(),
        });
    }
}

/// The ministry's own form of a refusal (RFC 9457).
fn refusal() -> Response {
    let problem = serde_json::json!({
        "type": "urn:homeline:problem:test", "title": "No.", "status": 422,
    });
    Response {
        status: 422,
        headers: vec![("content-type".into(), "application/problem+json".into())],
        body: problem.to_string().into_bytes(),
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
        languages: Vec::new(),
    }
}
