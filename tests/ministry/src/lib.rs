//! The reference ministry: takes sealed reports from phones, answers with
//! signed receipts, and shows the cases to a duty officer.
//!
//! ```text
//! phone ──HTTPS──▶ server ─▶ api ─▶ request (bounds, signature)
//!                              └──▶ intake (open, classify) ─▶ store (one commit) ─▶ receipt
//! officer ─loopback─▶ server ─▶ desk ─▶ store ─▶ news, sealed to the sender
//! ```
//!
//! [`Ministry`] runs inside a test or behind the `ministry` binary. It owns one
//! thread; its handlers are asynchronous, its store and its cryptography run on
//! a few helper threads of the same runtime. Everything it has said stays true
//! after it is killed: a receipt leaves only after the commit is on disk.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::panic,
        reason = "a test may fail"
    )
)]

mod api;
pub mod cap;
pub mod capacity;
mod datagram;
mod desk;
mod intake;
mod keys;
mod manifest;
mod meter;
mod offline;
mod openapi;
mod parcels;
mod problem;
mod request;
mod roster;
pub mod sample;
mod server;
mod sms;
mod store;
mod tls;

use std::fs::{self, File, TryLockError};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use homeline::alerts::Alert;
use homeline::packs::PackName;
use homeline::sync::protocol::Crisis;
use rustls::ServerConfig;
use serde::{Serialize, Serializer};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use api::App;
use desk::Desk;
use keys::{InUse, Keys};
use meter::Meter;
use server::{Limits, Speech};
use sms::Gateway;
use store::{Store, StoreError};

pub use keys::{Former, Rotation};
pub use meter::Counters;
pub use offline::{Publication, publish, rotate_keys};
pub use openapi::openapi;
pub use store::{
    AttachmentView, CaseView, CompactView, DependentView, DeskState, DocumentView, GroupMemberView,
    GroupView, Holdings, MedicalView, PositionView, StayView, TextView, TravelerView,
};

/// What a ministry is started with.
#[derive(Clone)]
pub struct Settings {
    /// Where the API listens; port 0: any free port.
    pub listen: SocketAddr,
    /// Where the desk listens: a loopback address.
    pub desk_listen: SocketAddr,
    /// Directory of keys and cases; made when it does not exist.
    pub data: PathBuf,
    /// Numbers that take sealed text messages, E.164, for the service document.
    pub sms_numbers: Vec<String>,
    /// The bearer token of the SMS gateway; without one, no gateway is let in.
    pub sms_token: Option<String>,
    /// Where datagrams are taken (UDP); port 0: any free port; `None`: nowhere.
    pub datagram_listen: Option<SocketAddr>,
    /// Where the service document tells phones to send them.
    pub datagram_public: DatagramPublic,
    /// Requests of phones that are taken in a second; `None`: as many as come.
    pub capacity: Option<u32>,
}

/// What the service document says of datagrams, where they are taken at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum DatagramPublic {
    /// They go to where they are taken.
    #[default]
    WhereTaken,
    /// They go there, `host:port`: the ministry is behind something.
    At(String),
    /// Nothing: only phones whose `Config` says where can send them.
    Untold,
}

impl DatagramPublic {
    fn told(&self, listens: SocketAddr) -> Option<String> {
        match self {
            Self::WhereTaken if listens.ip().is_unspecified() => {
                Some(format!("localhost:{}", listens.port()))
            }
            Self::WhereTaken => Some(listens.to_string()),
            Self::At(public) => Some(public.clone()),
            Self::Untold => None,
        }
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("listen", &self.listen)
            .field("desk_listen", &self.desk_listen)
            .field("data", &self.data)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// Both listeners on free ports of 127.0.0.1.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            listen: any,
            desk_listen: any,
            data: data.into(),
            sms_numbers: Vec::new(),
            sms_token: None,
            datagram_listen: None,
            datagram_public: DatagramPublic::default(),
            capacity: None,
        }
    }
}

/// What a host app's `Config` takes from its ministry. Nothing of it is secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HostValues {
    /// Origin of the API.
    pub ministry_url: String,
    /// Ed25519 public key that signs the service document; in JSON as hex.
    #[serde(serialize_with = "as_hex")]
    pub anchor: Vec<u8>,
    /// X25519 public key to seal to; in JSON as hex.
    #[serde(serialize_with = "as_hex")]
    pub sealing_key: Vec<u8>,
    /// Root of the TLS certificate, DER; in JSON as base64.
    #[serde(serialize_with = "as_base64")]
    pub tls_root: Vec<u8>,
    /// The hotline as dialled at home.
    pub hotline_from_home: String,
    /// The hotline as dialled from abroad.
    pub hotline_from_abroad: String,
}

fn as_hex<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&homeline::seal::hex(bytes))
}

fn as_base64<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    use base64::Engine as _;
    serializer.serialize_str(&base64::engine::general_purpose::STANDARD.encode(bytes))
}

/// A running ministry. It stops when it is dropped.
pub struct Ministry {
    app: App,
    desk: Desk,
    address: SocketAddr,
    datagram: Option<SocketAddr>,
    tls: Arc<ServerConfig>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
    /// Held while it runs: two processes on one directory would not know of
    /// each other's keys at the first start. Freed last.
    _lock: File,
}

impl std::fmt::Debug for Ministry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ministry")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Ministry {
    /// Starts a ministry; it answers when this returns.
    ///
    /// # Errors
    /// A port in use, a desk that would listen to other machines, a directory
    /// that cannot be written, is in use or is damaged; the text says which.
    pub fn start(settings: Settings) -> io::Result<Self> {
        if !settings.desk_listen.ip().is_loopback() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the desk listens to loopback addresses only",
            ));
        }
        let data = settings.data.as_path();
        let within =
            |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", data.display()));
        let lock = lock(data).map_err(within)?;
        let keys = in_use(data).and_then(|in_use| Keys::load_or_make(data, in_use));
        let keys = Arc::new(keys.map_err(within)?);
        let store = Store::open(data, Arc::clone(&keys)).map_err(|error| within(of(error)))?;
        let listener = listen(settings.listen)?;
        let desk_listener = listen(settings.desk_listen)?;
        let address = listener.local_addr()?;
        let datagrams = settings.datagram_listen.map(datagram::listen).transpose()?;
        let datagram = datagrams
            .as_ref()
            .map(std::net::UdpSocket::local_addr)
            .transpose()?;
        let told = datagram.and_then(|listens| settings.datagram_public.told(listens));
        let tls = keys.authority.server_config(address.ip())?;
        let gateway = Arc::new(Gateway::new(
            settings.sms_token.clone(),
            settings.sms_numbers.clone(),
        )?);
        let app = App::new(
            Arc::new(store),
            keys,
            Arc::new(Meter::default()),
            gateway,
            told,
        )
        .map_err(|error| within(of(error)))?;
        app.limit(settings.capacity);
        let desk = Desk::new(app.clone(), desk_listener.local_addr()?)?;
        let (stop, stopped) = watch::channel(false);
        let thread = spawn(
            stopped,
            (
                listener,
                Speech::Tls(TlsAcceptor::from(Arc::clone(&tls)), Arc::clone(&app.meter)),
                api::router(app.clone()),
            ),
            (desk_listener, Speech::Plain, desk::router(desk.clone())),
            datagrams.map(|socket| (socket, app.clone())),
        )?;
        Ok(Self {
            app,
            desk,
            address,
            datagram,
            tls,
            stop,
            thread: Some(thread),
            _lock: lock,
        })
    }

    /// Origin of the API.
    pub fn url(&self) -> String {
        let ip = self.address.ip();
        let port = self.address.port();
        if ip.is_unspecified() {
            format!("https://localhost:{port}")
        } else {
            format!("https://{}", self.address)
        }
    }

    /// Where datagrams are taken; `None`: nowhere.
    pub fn datagram_address(&self) -> Option<SocketAddr> {
        self.datagram
    }

    /// Origin of the desk; its page is `/desk`.
    pub fn desk_url(&self) -> String {
        format!("http://{}", self.desk.address)
    }

    /// The desk's bearer token, new at each start.
    pub fn desk_token(&self) -> &str {
        &self.desk.token
    }

    /// What a host app's `Config` needs.
    pub fn host_values(&self) -> HostValues {
        let keys = &self.app.keys;
        HostValues {
            ministry_url: self.url(),
            anchor: keys.anchor.public().to_vec(),
            sealing_key: keys.sealed_to(),
            tls_root: keys.authority.certificate().to_vec(),
            hotline_from_home: "12308".into(),
            hotline_from_abroad: "+861012308".into(),
        }
    }

    /// The Ed25519 public key that signs receipts and registration cards, as the
    /// service document carries it: what an officer's app verifies cards with.
    pub fn receipt_key(&self) -> Vec<u8> {
        self.app.keys.receipt().public().to_vec()
    }

    /// Makes keys anew while the service runs. When this returns, the service
    /// document has them under a new serial, and a restart finds them.
    ///
    /// # Errors
    /// The keys or the database cannot be written.
    pub fn rotate_keys(&self, rotation: Rotation, former: Former) -> io::Result<()> {
        self.app.rotate(rotation, former).map_err(of)
    }

    /// The TLS configuration of the API, for a test that puts a portal with a
    /// valid certificate in its place.
    pub fn tls_config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.tls)
    }

    /// From now on so many requests of phones a second are taken, and whoever comes on
    /// top is asked to stand by (0: everybody); `None`: as many as come.
    pub fn limit(&self, requests_per_second: Option<u32>) {
        self.app.limit(requests_per_second);
    }

    /// What the service has seen since it was started.
    pub fn counters(&self) -> Counters {
        self.app.meter.read()
    }

    /// All cases, in the order of the desk: those that nobody has taken first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn cases(&self) -> io::Result<Vec<CaseView>> {
        Ok(self.app.store.cases(usize::MAX).map_err(of)?.cases)
    }

    /// The file of an attachment, as the desk hands it out; `None`: there is none of
    /// this id that is whole.
    ///
    /// # Errors
    /// The database or the file cannot be read.
    pub fn attachment(&self, id: &str) -> io::Result<Option<Vec<u8>>> {
        let Ok(id) = uuid::Uuid::parse_str(id) else {
            return Ok(None);
        };
        let Some(mut download) = self.app.store.download(&id).map_err(of)? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut download.file, &mut bytes)?;
        Ok(Some(bytes))
    }

    /// What the desk's Acknowledge button does; `None`: no such case.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn acknowledge(
        &self,
        case: &str,
        officer: &str,
        mission: &str,
    ) -> io::Result<Option<CaseView>> {
        self.app
            .store
            .acknowledge(case, officer, mission)
            .map_err(of)
    }

    /// What the desk's Close button does; `None`: no such case.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn close(&self, case: &str) -> io::Result<Option<CaseView>> {
        self.app.store.close(case).map_err(of)
    }

    /// Declares a crisis, or changes the one of the same id: the service document
    /// has it under a new serial when this returns.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn declare_crisis(&self, crisis: &Crisis) -> io::Result<()> {
        self.app.store.declare_crisis(crisis).map_err(of)?;
        self.app.renew_service().map_err(of)
    }

    /// Publishes `content` as the newest version of a pack, see `homeline::packs`; the
    /// same again changes nothing. Returns its version.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn publish(&self, name: PackName, content: &[u8]) -> io::Result<u64> {
        self.app
            .store
            .publish_pack(name.text(), content)
            .map_err(of)
    }

    /// Publishes an alert beside those that are published; the same again changes nothing.
    /// Returns the version of the pack.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn publish_alert(&self, alert: &Alert) -> io::Result<u64> {
        self.app.add_alert(alert).map_err(of)
    }

    /// The newest version of a pack as a file, signed by the anchor, for a host app to
    /// ship; `None`: none was published.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn pack_file(&self, name: PackName) -> io::Result<Option<Vec<u8>>> {
        self.app.pack_file(name).map_err(of)
    }

    /// Ends a crisis; `false`: there is none of that id.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn end_crisis(&self, id: &str) -> io::Result<bool> {
        let ended = self.app.store.end_crisis(id).map_err(of)?;
        self.app.renew_service().map_err(of)?;
        Ok(ended)
    }

    /// How much the ministry holds of all senders together, cases apart.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn holdings(&self) -> io::Result<Holdings> {
        self.app.store.holdings().map_err(of)
    }

    /// All groups, in order of their first arrival.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn groups(&self) -> io::Result<Vec<GroupView>> {
        self.app.store.groups().map_err(of)
    }

    /// Stops listening, ends all connections and waits until that is done.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Ministry {
    fn drop(&mut self) {
        self.end();
    }
}

fn of(error: StoreError) -> io::Error {
    match error {
        StoreError::Random(error) => error,
        other => io::Error::other(format!("{}: {other}", store::FILE)),
    }
}

/// Makes the directory and takes it for this process alone.
fn lock(data: &Path) -> io::Result<File> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(data)?;
    let file = keys::private_file(&data.join("lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(io::Error::new(
            io::ErrorKind::ResourceBusy,
            "another ministry runs in this directory",
        )),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn in_use(data: &Path) -> io::Result<InUse> {
    Ok(match data.join(store::FILE).try_exists()? {
        true => InUse::Yes,
        false => InUse::No,
    })
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address).map_err(|error| {
        io::Error::new(error.kind(), format!("cannot listen on {address}: {error}"))
    })?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

type Service = (TcpListener, Speech, axum::Router);

/// Starts the one thread, which ends when `stopped` says so.
fn spawn(
    stopped: watch::Receiver<bool>,
    api: Service,
    desk: Service,
    datagrams: Option<(std::net::UdpSocket, App)>,
) -> io::Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        // The store is one connection: more helpers would only wait for it.
        .max_blocking_threads(4)
        .thread_name("ministry-store")
        .build()?;
    let serve = |service: Service| {
        let (listener, speech, router) = service;
        let _inside = runtime.enter();
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let stopped = stopped.clone();
        Ok::<_, io::Error>(server::serve(
            listener,
            speech,
            router,
            Limits::STANDARD,
            stopped,
        ))
    };
    let (api, desk) = (serve(api)?, serve(desk)?);
    let datagrams = async move {
        if let Some((socket, app)) = datagrams {
            let _ = datagram::serve(socket, app, stopped).await;
        }
    };
    std::thread::Builder::new()
        .name("ministry".into())
        .spawn(move || {
            runtime.block_on(async { tokio::join!(api, desk, datagrams) });
            // A commit that is under way is let finish.
            runtime.shutdown_timeout(Duration::from_secs(10));
        })
}
