//! The network between the phone and the ministry's datagrams: a UDP relay on
//! 127.0.0.1 that loses, doubles, delays, changes and reorders what a test tells it to.
//!
//! The test gives a *weather*: a function that is asked for each packet, and says what
//! of it comes out, and when. The relay knows nothing of what the packets hold.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::sync::mpsc;

use crate::background::Background;

/// Which way a packet goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the phone to the ministry.
    Up,
    /// From the ministry to the phone.
    Down,
}

/// A packet that passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// Which way.
    pub way: Way,
    /// What was in it when it came to the relay.
    pub bytes: Vec<u8>,
}

/// What comes out of the relay for one packet: bytes, each after a time.
pub type Out = Vec<(Duration, Vec<u8>)>;
type Weather = dyn FnMut(Way, &[u8]) -> Out + Send;

/// Forwards at once.
pub fn fair(bytes: &[u8]) -> Out {
    vec![(Duration::ZERO, bytes.to_vec())]
}

struct Shared {
    weather: Mutex<Box<Weather>>,
    passed: Mutex<Vec<Passed>>,
    up: AtomicUsize,
    down: AtomicUsize,
    to: Mutex<Option<SocketAddr>>,
}

/// The relay; it stops when it is dropped.
pub struct PacketRelay {
    address: SocketAddr,
    shared: Arc<Shared>,
    _background: Background,
}

impl PacketRelay {
    /// Starts it with fair weather. It leads nowhere until [`PacketRelay::lead_to`].
    pub fn start() -> io::Result<Self> {
        let socket = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_nonblocking(true)?;
        let address = socket.local_addr()?;
        let shared = Arc::new(Shared {
            weather: Mutex::new(Box::new(|_, bytes: &[u8]| fair(bytes))),
            passed: Mutex::default(),
            up: AtomicUsize::new(0),
            down: AtomicUsize::new(0),
            to: Mutex::default(),
        });
        let work = Arc::clone(&shared);
        Ok(Self {
            address,
            shared,
            _background: Background::start("packets", async move {
                let _ = carry(socket, work).await;
            })?,
        })
    }

    /// Where phones send to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where their packets go.
    pub fn lead_to(&self, ministry: SocketAddr) {
        *lock(&self.shared.to) = Some(ministry);
    }

    /// Changes the weather for the packets to come.
    pub fn weather(&self, weather: impl FnMut(Way, &[u8]) -> Out + Send + 'static) {
        *lock(&self.shared.weather) = Box::new(weather);
    }

    /// How many packets have come to the relay on this way.
    pub fn seen(&self, way: Way) -> usize {
        self.shared.count(way).load(Ordering::SeqCst)
    }

    /// The packets that have come to the relay since the last call, in order.
    pub fn passed(&self) -> Vec<Passed> {
        std::mem::take(&mut *lock(&self.shared.passed))
    }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn count(&self, way: Way) -> &AtomicUsize {
        match way {
            Way::Up => &self.up,
            Way::Down => &self.down,
        }
    }

    fn pass(&self, way: Way, bytes: &[u8]) -> Out {
        self.count(way).fetch_add(1, Ordering::SeqCst);
        lock(&self.passed).push(Passed {
            way,
            bytes: bytes.to_vec(),
        });
        (lock(&self.weather))(way, bytes)
    }
}

/// A phone's packets go out of a socket of its own, so that answers find back.
async fn carry(socket: std::net::UdpSocket, shared: Arc<Shared>) -> io::Result<()> {
    let socket = Arc::new(UdpSocket::from_std(socket)?);
    let mut phones: HashMap<SocketAddr, mpsc::UnboundedSender<Vec<u8>>> = HashMap::new();
    let mut buffer = vec![0; 65_536];
    loop {
        let (length, phone) = socket.recv_from(&mut buffer).await?;
        let Some(ministry) = *lock(&shared.to) else {
            continue;
        };
        let bytes = buffer.get(..length).unwrap_or_default();
        let line = match phones.get(&phone) {
            Some(line) => line.clone(),
            None => {
                let line = open(phone, ministry, Arc::clone(&socket), Arc::clone(&shared)).await?;
                phones.insert(phone, line.clone());
                line
            }
        };
        for (after, bytes) in shared.pass(Way::Up, bytes) {
            let line = line.clone();
            tokio::spawn(async move {
                tokio::time::sleep(after).await;
                let _ = line.send(bytes);
            });
        }
    }
}

async fn open(
    phone: SocketAddr,
    ministry: SocketAddr,
    to_phones: Arc<UdpSocket>,
    shared: Arc<Shared>,
) -> io::Result<mpsc::UnboundedSender<Vec<u8>>> {
    let up = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    up.connect(ministry).await?;
    let (sender, mut waiting) = mpsc::unbounded_channel::<Vec<u8>>();
    tokio::spawn(async move {
        let mut buffer = vec![0; 65_536];
        loop {
            tokio::select! {
                bytes = waiting.recv() => match bytes {
                    Some(bytes) => { let _ = up.send(&bytes).await; }
                    None => break,
                },
                got = up.recv(&mut buffer) => {
                    // A refusal of the kernel is the ministry's silence.
                    let Ok(length) = got else { continue };
                    let bytes = buffer.get(..length).unwrap_or_default();
                    for (after, bytes) in shared.pass(Way::Down, bytes) {
                        let to_phones = Arc::clone(&to_phones);
                        tokio::spawn(async move {
                            tokio::time::sleep(after).await;
                            let _ = to_phones.send_to(&bytes, phone).await;
                        });
                    }
                }
            }
        }
    });
    Ok(sender)
}
