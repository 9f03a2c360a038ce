//! One connection of the proxy, from its accept to its end.
//!
//! Both sockets are told to reset when they are dropped, so a connection that is
//! cut or aborted, or that fails, ends as a reset whatever its task was doing.
//! Only an end that is meant to be an orderly one takes that back.

use std::{
    future::pending,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use rustls::ServerConfig;
use socket2::SockRef;
use tokio::{
    io::{
        AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, copy, duplex, sink, split,
    },
    net::TcpStream,
    sync::watch,
    time::timeout,
};

use super::fault::{Fault, Then, Way};
use super::{Counts, Link};
use crate::https::{self, Script};

/// Quiet of both sides after which a swallowed answer is taken to be whole.
const ANSWERED: Duration = Duration::from_millis(300);

/// How long the ministry may go on after the phone was cut off from its answer.
const SLOW_HANDLER: Duration = Duration::from_secs(5);

/// Bytes moved at once, and held between the portal and its client.
const PIECE: usize = 16 * 1024;

const LOGIN_PAGE: &str = "<!DOCTYPE html><html><head><title>Welcome to Airport Wi-Fi</title></head>\
    <body><h1>Log in to use the internet</h1><form method=\"post\" action=\"/login\">\
    <input name=\"room\"><button>Accept the terms</button></form></body></html>";

/// Carries one connection under the rules of `link`, as they change.
pub(super) async fn carry(
    mut client: TcpStream,
    upstream: SocketAddr,
    link: watch::Receiver<Link>,
    counts: Arc<Counts>,
) {
    if prepare(&client).is_err() {
        return;
    }
    let accepted_under = link.borrow().clone();
    let flow = Flow {
        fault: match &accepted_under {
            Link::Faulty(faults) => faults.next(),
            _ => None,
        },
        link,
        counts,
        up: AtomicUsize::new(0),
        down: AtomicUsize::new(0),
    };
    match accepted_under {
        Link::Down => {}
        Link::BlackHole => {
            // An upstream that is there and silent.
            let (mut near, _far) = duplex(1);
            flow.run(&mut client, &mut near).await.close(client);
        }
        Link::Portal(tls) => {
            let (mut near, far) = duplex(PIECE);
            let visit = async move {
                flow.run(&mut client, &mut near).await.close(client);
            };
            tokio::join!(portal(far, tls), visit);
        }
        Link::Up
        | Link::SwallowAnswers { .. }
        | Link::CutAfter { .. }
        | Link::Through(_)
        | Link::Faulty(_) => {
            let upstream = match accepted_under {
                Link::Through(other) => other,
                _ => upstream,
            };
            let ministry = TcpStream::connect(upstream).await;
            let Ok(mut ministry) = ministry.and_then(|m| prepare(&m).map(|()| m)) else {
                flow.counts.refused.fetch_add(1, SeqCst);
                return;
            };
            let end = flow.run(&mut client, &mut ministry).await;
            end.close(client);
            if end == End::Swallowed {
                let _ = timeout(SLOW_HANDLER, copy(&mut ministry, &mut sink())).await;
            }
            end.close(ministry);
        }
    }
}

/// No delay between small writes, and a reset when dropped.
fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_zero_linger()
}

async fn portal(io: DuplexStream, tls: Arc<ServerConfig>) {
    let Ok(io) = https::accept(io, tls).await else {
        return;
    };
    https::serve(io, |_request| async {
        let html = ("content-type".into(), "text/html; charset=utf-8".into());
        https::response(200, &[html], Script::whole(LOGIN_PAGE))
    })
    .await;
}

/// How a connection came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Both sides had said all they wanted.
    Closed,
    /// The ministry answered and the client is not to know.
    Swallowed,
    /// It was cut, or it failed.
    Reset,
}

impl End {
    fn close(self, stream: TcpStream) {
        if self != Self::Reset {
            let _ = SockRef::from(&stream).set_linger(None);
        }
        drop(stream);
    }
}

/// What becomes of bytes on their way down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Pass,
    /// This many pass, then the connection is reset.
    Cut(usize),
    /// They are dropped, and all that follow; then the connection is closed.
    Swallow,
    /// They are dropped, and the client hears nothing of it.
    Lose,
}

/// The fate of the next `size` bytes of a connection that moved `up` bytes from
/// its client and `down` bytes to it.
fn fate(link: &Link, up: usize, down: usize, size: usize) -> Fate {
    match link {
        Link::Up | Link::Portal(_) | Link::Through(_) | Link::Faulty(_) => Fate::Pass,
        Link::SwallowAnswers {
            after_upstream_bytes,
        } if up > *after_upstream_bytes => Fate::Swallow,
        Link::SwallowAnswers { .. } => Fate::Pass,
        Link::CutAfter { down_bytes } if down + size >= *down_bytes => {
            Fate::Cut(down_bytes.saturating_sub(down))
        }
        Link::CutAfter { .. } => Fate::Pass,
        Link::BlackHole | Link::Down => Fate::Lose,
    }
}

/// The rules of one connection, and what it moved so far.
struct Flow {
    fault: Option<Fault>,
    link: watch::Receiver<Link>,
    counts: Arc<Counts>,
    up: AtomicUsize,
    down: AtomicUsize,
}

impl Flow {
    /// Moves bytes both ways until the connection is at its end.
    async fn run<Io>(&self, client: &mut TcpStream, upstream: &mut Io) -> End
    where
        Io: AsyncRead + AsyncWrite + Unpin,
    {
        let (from_client, to_client) = client.split();
        let (from_upstream, to_upstream) = split(upstream);
        // Together, not in turns: a side that waits until its bytes are taken
        // must not keep the other from reading.
        let both = tokio::try_join!(
            self.up(from_client, to_upstream),
            self.down(from_upstream, to_client)
        );
        both.err().unwrap_or(End::Closed)
    }

    async fn up<R, W>(&self, mut client: R, mut upstream: W) -> Result<(), End>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let mut piece = Vec::with_capacity(PIECE);
        loop {
            piece.clear();
            let size = client.read_buf(&mut piece).await.map_err(reset)?;
            let lost = matches!(*self.link.borrow(), Link::BlackHole);
            if size == 0 && lost {
                return Err(End::Closed);
            }
            if size == 0 {
                // The ministry may have closed first: then this says nothing new.
                let _ = upstream.shutdown().await;
                return Ok(());
            }
            // Counted before the ministry has them, so that no answer can
            // overtake the count it depends on.
            let moved = self.up.fetch_add(size, SeqCst);
            self.counts.up.fetch_add(size, SeqCst);
            if let Some((fault, at)) = self.struck(Way::Up, moved, size) {
                let rest = strike(fault, at, &mut piece, &mut upstream).await?;
                if rest == Rest::Nowhere {
                    copy(&mut client, &mut sink()).await.map_err(reset)?;
                    return Err(End::Closed);
                }
            } else if !lost {
                upstream.write_all(&piece).await.map_err(reset)?;
            }
        }
    }

    async fn down<R, W>(&self, mut upstream: R, mut client: W) -> Result<(), End>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let mut piece = Vec::with_capacity(PIECE);
        loop {
            piece.clear();
            let read = upstream.read_buf(&mut piece).await;
            if matches!(*self.link.borrow(), Link::BlackHole) && !matches!(read, Ok(1..)) {
                // The ministry left, and a black hole tells nobody.
                return pending().await;
            }
            if read.map_err(reset)? == 0 {
                let _ = client.shutdown().await;
                return Ok(());
            }
            let fate = {
                let (up, down) = (self.up.load(SeqCst), self.down.load(SeqCst));
                fate(&self.link.borrow(), up, down, piece.len())
            };
            let moved = self.down.load(SeqCst);
            if let Some((fault, at)) = self.struck(Way::Down, moved, piece.len()) {
                let rest = strike(fault, at, &mut piece, &mut client).await?;
                self.down.fetch_add(piece.len(), SeqCst);
                if rest == Rest::Nowhere {
                    copy(&mut upstream, &mut sink()).await.map_err(reset)?;
                    // The phone is not told that the ministry left.
                    return pending().await;
                }
                continue;
            }
            match fate {
                Fate::Pass => self.give(&mut client, &piece).await?,
                Fate::Cut(pass) => {
                    piece.truncate(pass);
                    self.give(&mut client, &piece).await?;
                    return Err(End::Reset);
                }
                Fate::Swallow => return Err(self.swallow(&mut upstream).await),
                Fate::Lose => {}
            }
        }
    }

    /// The fault of this connection, if it strikes among the next `size` bytes, and
    /// at which of them.
    fn struck(&self, way: Way, moved: usize, size: usize) -> Option<(&Fault, usize)> {
        let fault = self.fault.as_ref()?;
        let at = fault.strikes(way, moved, size)?;
        self.counts.struck.fetch_add(1, SeqCst);
        Some((fault, at))
    }

    async fn give(&self, client: &mut (impl AsyncWrite + Unpin), piece: &[u8]) -> Result<(), End> {
        client.write_all(piece).await.map_err(reset)?;
        self.down.fetch_add(piece.len(), SeqCst);
        self.counts.down.fetch_add(piece.len(), SeqCst);
        Ok(())
    }

    /// Takes the rest of an answer. The first bytes may be h2's own business, so
    /// the answer counts as given when neither side says more.
    async fn swallow(&self, upstream: &mut (impl AsyncRead + Unpin)) -> End {
        let mut piece = Vec::with_capacity(PIECE);
        loop {
            piece.clear();
            let up = self.up.load(SeqCst);
            match timeout(ANSWERED, upstream.read_buf(&mut piece)).await {
                Ok(Ok(1..)) => {}
                Err(_) if up != self.up.load(SeqCst) => {}
                Ok(Ok(_) | Err(_)) | Err(_) => return End::Swallowed,
            }
        }
    }
}

/// Where the bytes go that follow a fault.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    On,
    Nowhere,
}

/// Carries out a fault at byte `at` of a piece on its way to `to`.
async fn strike(
    fault: &Fault,
    at: usize,
    piece: &mut [u8],
    to: &mut (impl AsyncWrite + Unpin),
) -> Result<Rest, End> {
    if let (Then::Flip, Some(byte)) = (&fault.then, piece.get_mut(at)) {
        *byte ^= 0x20;
    }
    let (before, after) = piece.split_at(at.min(piece.len()));
    to.write_all(before).await.map_err(reset)?;
    match &fault.then {
        Then::Reset => return Err(End::Reset),
        Then::Close => return Err(End::Closed),
        Then::Silence => return Ok(Rest::Nowhere),
        Then::Flip => {}
        Then::Wait(time) => tokio::time::sleep(*time).await,
        Then::Do(act) => act(),
    }
    to.write_all(after).await.map_err(reset)?;
    Ok(Rest::On)
}

fn reset(_: io::Error) -> End {
    End::Reset
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fate_of_an_answer() {
        let swallow = Link::SwallowAnswers {
            after_upstream_bytes: 1_500,
        };
        let cut = Link::CutAfter { down_bytes: 100 };
        // link, up, down, size, fate
        let table = [
            (&Link::Up, 9_999, 9_999, 10, Fate::Pass),
            (&swallow, 1_500, 3_000, 10, Fate::Pass),
            (&swallow, 1_501, 3_000, 10, Fate::Swallow),
            (&cut, 0, 0, 99, Fate::Pass),
            (&cut, 0, 0, 100, Fate::Cut(100)),
            (&cut, 0, 90, 40, Fate::Cut(10)),
            (&cut, 0, 500, 40, Fate::Cut(0)),
            (&Link::BlackHole, 0, 0, 10, Fate::Lose),
            (&Link::Down, 0, 0, 10, Fate::Lose),
        ];
        for (link, up, down, size, expected) in table {
            assert_eq!(fate(link, up, down, size), expected, "{link:?} {up} {down}");
        }
    }
}
