//! TLS and HTTP for the servers of this crate: the captive portal of the proxy
//! and the hostile server.

use std::{
    convert::Infallible,
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use hyper::{
    Request, Response, StatusCode,
    body::{Body, Bytes, Frame, Incoming, SizeHint},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, Interval, MissedTickBehavior, interval_at},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// The server's side of a TLS handshake.
pub(crate) async fn accept<Io>(io: Io, tls: Arc<ServerConfig>) -> io::Result<TlsStream<Io>>
where
    Io: AsyncRead + AsyncWrite + Unpin,
{
    TlsAcceptor::from(tls).accept(io).await
}

/// Answers each request on `io`, HTTP/1.1 or h2 as the client begins, until the
/// connection ends. How it ends is the client's business.
pub(crate) async fn serve<Io, Fut>(io: Io, answer: impl Fn(Request<Incoming>) -> Fut)
where
    Io: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    Fut: Future<Output = Response<Script>> + Send + 'static,
{
    let service = service_fn(|request| {
        let answer = answer(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let _ = auto::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(io), service)
        .await;
}

/// A response, or the reason why the test's script is not one: a test that sees
/// a 500 reads it in the body.
pub(crate) fn response(
    status: u16,
    headers: &[(String, String)],
    body: Script,
) -> Response<Script> {
    let start = Response::builder().status(status);
    headers
        .iter()
        .fold(start, |response, (name, value)| {
            response.header(name, value)
        })
        .body(body)
        .unwrap_or_else(|error| script_error(&error.to_string()))
}

/// What a client sees of a mistake in a test's script.
pub(crate) fn script_error(reason: &str) -> Response<Script> {
    let mut response = Response::new(Script::whole(format!("mistake in the script: {reason}")));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

/// The body of a scripted answer. Bytes nobody chose are spaces, which a JSON
/// reader has to read on after.
#[derive(Debug)]
pub(crate) enum Script {
    /// These bytes, in one piece.
    Whole(Bytes),
    /// This many bytes more, as fast as the client takes them.
    Endless { left: usize },
    /// One byte at each tick, for ever.
    Drip(Interval),
}

/// The size of each piece of an endless body.
const PIECE: &[u8] = &[b' '; 16 * 1024];

impl Script {
    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self::Whole(bytes.into())
    }

    pub(crate) fn drip(every: Duration) -> Self {
        let every = every.max(Duration::from_millis(1));
        let mut ticks = interval_at(Instant::now() + every, every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self::Drip(ticks)
    }
}

impl Body for Script {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = match self.get_mut() {
            Self::Whole(bytes) => std::mem::take(bytes),
            Self::Endless { left } => {
                let piece = PIECE.get(..*left).unwrap_or(PIECE);
                *left -= piece.len();
                Bytes::from_static(piece)
            }
            Self::Drip(ticks) => {
                ready!(ticks.poll_tick(context));
                Bytes::from_static(b" ")
            }
        };
        Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_empty(),
            Self::Endless { left } => *left == 0,
            Self::Drip(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => {
                SizeHint::with_exact(u64::try_from(bytes.len()).unwrap_or(u64::MAX))
            }
            Self::Endless { .. } | Self::Drip(_) => SizeHint::default(),
        }
    }
}
