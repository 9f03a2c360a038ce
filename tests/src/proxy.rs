//! The network between the phone and the ministry, as a TCP proxy on 127.0.0.1
//! whose behaviour a test changes at any time.
//!
//! A [`Link`] is one state of that network. [`FaultProxy::set`] returns when the
//! new state is in force, for new connections and for open ones:
//!
//! * Between the links that forward (`Up`, `SwallowAnswers`, `CutAfter`) open
//!   connections live on under the new rule; their bytes are counted from their
//!   beginning, not from the change.
//! * From one of these to `BlackHole` they stay open and fall silent, as they do
//!   when a phone leaves its cell.
//! * `Through` and `Faulty` are told to each connection when it is accepted.
//! * Every other change resets them: bytes were lost, or the other end is
//!   another one.
//!
//! `Down` closes the listening socket, so that a connect is refused by the
//! kernel. A bound socket that never listens keeps the port meanwhile: nobody
//! else gets it, and no connect can meet itself on it.

mod carry;
mod fault;

pub use fault::{Fault, Faults, Then, Way};

use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc as blocking,
    },
    time::Duration,
};

use rustls::ServerConfig;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::background::Background;

/// A limit for [`Link::SwallowAnswers`] that the opening of a connection stays
/// below. Measured with reqwest and rustls: TLS 1.3 and a request without a body
/// are 407 bytes in HTTP/1.1 and 531 in h2. The rest is room for long headers; a
/// session ticket or a post-quantum key share, 1.2 KB, would not fit. A request
/// whose answer is to be swallowed has to bring about 200 bytes of its own: a
/// signed one with one envelope has more than 600, compressed as it is.
pub const PAST_THE_HANDSHAKE: usize = 700;

/// How long [`Link::Up`] tries to get its port back where the system does not
/// let us hold it.
const PORT_WITHIN: Duration = Duration::from_secs(2);

/// One state of the network.
#[derive(Clone, Debug)]
pub enum Link {
    /// Forwards both ways.
    Up,
    /// Nobody listens: connects are refused, open connections are reset.
    Down,
    /// The ministry hears, the phone does not. Forwards up. Once a connection's
    /// client has sent more than this many bytes, forwards nothing down any more
    /// and closes the connection 300 ms after the last byte of the answer. A
    /// handler that takes longer than that is not cancelled, the ministry's side
    /// stays open for five seconds more, but the phone sees the end first.
    ///
    /// TLS and h2 need answers of their own before the request's. The limit has
    /// to be above what the client sends until then, see [`PAST_THE_HANDSHAKE`],
    /// and less than 64 KB before the end of a request, which is what h2 sends
    /// without hearing from the server.
    SwallowAnswers {
        /// The limit, in bytes of a connection from its beginning.
        after_upstream_bytes: usize,
    },
    /// The worst captive portal: a TLS server of its own, whose certificate the
    /// client accepts, that answers every request with `200 OK` and a login page
    /// in HTML, in HTTP/1.1 and h2. Nothing reaches the ministry.
    Portal(Arc<ServerConfig>),
    /// Accepts, reads, never answers, never closes.
    BlackHole,
    /// Forwards both ways until this many bytes of a connection went down, then
    /// resets it, at both ends.
    CutAfter {
        /// The limit, in bytes of a connection from its beginning, TLS included.
        down_bytes: usize,
    },
    /// Forwards to another server: a middle box, an impostor.
    Through(SocketAddr),
    /// Each new connection takes the next of these faults; when there is none left,
    /// forwards.
    Faulty(Arc<Faults>),
}

/// What happened so far. The bytes are those between the client and the proxy,
/// TLS included, whether they came through or not: what the phone paid for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Connections accepted.
    pub connections: usize,
    /// Bytes received from clients.
    pub bytes_up: usize,
    /// Bytes sent to clients.
    pub bytes_down: usize,
    /// Connections reset at once because the ministry did not accept one. What
    /// the kernel refuses during [`Link::Down`] nobody can count.
    pub refused: usize,
    /// Connections that a fault of [`Link::Faulty`] has struck.
    pub struck: usize,
}

#[derive(Debug, Default)]
struct Counts {
    connections: AtomicUsize,
    up: AtomicUsize,
    down: AtomicUsize,
    refused: AtomicUsize,
    struck: AtomicUsize,
}

/// A proxy in front of one server; begins with [`Link::Up`], stops when dropped.
pub struct FaultProxy {
    addr: SocketAddr,
    orders: mpsc::UnboundedSender<Order>,
    counts: Arc<Counts>,
    _background: Background,
}

struct Order {
    link: Link,
    done: blocking::Sender<io::Result<()>>,
}

impl FaultProxy {
    /// Starts a proxy for the server at `upstream`, which need not run yet.
    ///
    /// # Errors
    /// When there is no port or no thread to be had.
    pub fn start(upstream: SocketAddr) -> io::Result<Self> {
        let held = bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let addr = held
            .local_addr()?
            .as_socket()
            .ok_or(io::ErrorKind::AddrNotAvailable)?;
        // Elsewhere a bound socket would keep us out, too.
        let held = cfg!(target_os = "linux").then_some(held);
        let listener = listen(addr)?;
        let counts = Arc::new(Counts::default());
        let (orders, inbox) = mpsc::unbounded_channel();
        let work = {
            let counts = Arc::clone(&counts);
            async move {
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
                    return;
                };
                let switch = Switch {
                    addr,
                    upstream,
                    _held: held,
                    listener: Some(listener),
                    link: watch::Sender::new(Link::Up),
                    connections: JoinSet::new(),
                    counts,
                };
                switch.run(inbox).await;
            }
        };
        Ok(Self {
            addr,
            orders,
            counts,
            _background: Background::start("fault proxy", work)?,
        })
    }

    /// Where the client connects to. The same for the life of the proxy.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Changes the network; returns when the change is in force.
    ///
    /// # Panics
    /// When the port cannot be listened on again: without a network as it wants
    /// it, a test has to end.
    #[track_caller]
    pub fn set(&self, link: Link) {
        let (done, outcome) = blocking::channel();
        let _ = self.orders.send(Order { link, done });
        let outcome = outcome
            .recv()
            .unwrap_or_else(|gone| Err(io::Error::other(gone)));
        #[expect(clippy::panic, reason = "it ends the test, see above")]
        if let Err(error) = outcome {
            panic!("the network cannot be changed: {error}");
        }
    }

    /// What happened so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        Counters {
            connections: self.counts.connections.load(SeqCst),
            bytes_up: self.counts.up.load(SeqCst),
            bytes_down: self.counts.down.load(SeqCst),
            refused: self.counts.refused.load(SeqCst),
            struck: self.counts.struck.load(SeqCst),
        }
    }
}

impl fmt::Debug for FaultProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultProxy")
            .field("addr", &self.addr)
            .field("counters", &self.counters())
            .finish()
    }
}

/// The proxy's thread: accepts connections, carries out orders.
struct Switch {
    addr: SocketAddr,
    upstream: SocketAddr,
    _held: Option<Socket>,
    listener: Option<tokio::net::TcpListener>,
    link: watch::Sender<Link>,
    connections: JoinSet<()>,
    counts: Arc<Counts>,
}

impl Switch {
    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Order>) {
        loop {
            tokio::select! {
                order = inbox.recv() => {
                    let Some(Order { link, done }) = order else { return };
                    let _ = done.send(self.change(link).await);
                }
                client = accept(self.listener.as_ref()) => {
                    self.counts.connections.fetch_add(1, SeqCst);
                    self.connections.spawn(carry::carry(
                        client,
                        self.upstream,
                        self.link.subscribe(),
                        Arc::clone(&self.counts),
                    ));
                }
                Some(_) = self.connections.join_next() => {}
            }
        }
    }

    async fn change(&mut self, link: Link) -> io::Result<()> {
        let survives = survives(&self.link.borrow(), &link);
        if matches!(link, Link::Down) {
            self.listener = None;
        } else if self.listener.is_none() {
            let listener = listen_again(self.addr).await?;
            self.listener = Some(tokio::net::TcpListener::from_std(listener)?);
        }
        self.link.send_replace(link);
        if !survives {
            self.connections.shutdown().await;
        }
        Ok(())
    }
}

/// Whether open connections live through a change; the module says why.
fn survives(old: &Link, new: &Link) -> bool {
    let forwards = |link: &Link| {
        matches!(
            link,
            Link::Up | Link::SwallowAnswers { .. } | Link::CutAfter { .. }
        )
    };
    forwards(old) && (forwards(new) || matches!(new, Link::BlackHole))
}

/// The next client; never, when nobody listens.
async fn accept(listener: Option<&tokio::net::TcpListener>) -> tokio::net::TcpStream {
    let Some(listener) = listener else {
        return std::future::pending().await;
    };
    loop {
        match listener.accept().await {
            Ok((client, _)) => return client,
            // Out of file descriptors, or a client that left at once.
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
}

fn bind(addr: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.bind(&addr.into())?;
    Ok(socket)
}

fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = bind(addr)?;
    socket.listen(128)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

async fn listen_again(addr: SocketAddr) -> io::Result<TcpListener> {
    let end = Instant::now() + PORT_WITHIN;
    loop {
        match listen(addr) {
            Err(_) if Instant::now() < end => sleep(Duration::from_millis(20)).await,
            outcome => return outcome,
        }
    }
}

#[cfg(test)]
mod tests;
