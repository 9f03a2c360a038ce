//! A stream with the delay of a long link: a TCP relay on 127.0.0.1 that holds every
//! byte back for a time, each way.
//!
//! The kernels here shake hands at once, whatever the relay does. A connection's first
//! bytes are therefore held back for a round trip more, which is what its handshake
//! would have taken. Loss and rate are not played.

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep_until};

use crate::background::Background;

/// The relay; it stops when it is dropped.
pub struct SlowStream {
    address: SocketAddr,
    _background: Background,
}

impl SlowStream {
    /// Starts it in front of `to`; a byte takes `one_way` to the other side.
    pub fn start(to: SocketAddr, one_way: Duration) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Self {
            address,
            _background: Background::start("slow", async move {
                let Ok(listener) = TcpListener::from_std(listener) else {
                    return;
                };
                while let Ok((phone, _)) = listener.accept().await {
                    tokio::spawn(async move {
                        let _ = connect(phone, to, one_way).await;
                    });
                }
            })?,
        })
    }

    /// Where clients connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn connect(phone: TcpStream, to: SocketAddr, one_way: Duration) -> io::Result<()> {
    let open_at = Instant::now() + 2 * one_way;
    let ministry = TcpStream::connect(to).await?;
    phone.set_nodelay(true)?;
    ministry.set_nodelay(true)?;
    let (mut from_phone, mut to_phone) = phone.into_split();
    let (mut from_ministry, mut to_ministry) = ministry.into_split();
    tokio::try_join!(
        hold(&mut from_phone, &mut to_ministry, open_at, one_way),
        hold(&mut from_ministry, &mut to_phone, open_at, one_way),
    )?;
    Ok(())
}

/// Bytes in order, each `one_way` after it came, none before a phone that waits for
/// its handshake could have sent it.
async fn hold(
    from: &mut (impl tokio::io::AsyncRead + Unpin),
    to: &mut (impl tokio::io::AsyncWrite + Unpin),
    open_at: Instant,
    one_way: Duration,
) -> io::Result<()> {
    let mut held: VecDeque<(Instant, Vec<u8>)> = VecDeque::new();
    let mut buffer = vec![0; 65_536];
    let mut open = true;
    while open || !held.is_empty() {
        let next = held.front().map(|(at, _)| *at);
        tokio::select! {
            read = from.read(&mut buffer), if open => {
                let length = read?;
                open = length > 0;
                let came = Instant::now().max(open_at);
                held.push_back((came + one_way, buffer.get(..length).unwrap_or_default().to_vec()));
            }
            () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {
                if let Some((_, bytes)) = held.pop_front() {
                    match bytes.is_empty() {
                        true => to.shutdown().await?,
                        false => to.write_all(&bytes).await?,
                    }
                }
            }
        }
    }
    Ok(())
}
