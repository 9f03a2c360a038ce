//! The listeners: accepts connections, bounds how long each may take, and ends
//! them all when the service stops.
//!
//! A task that is cut off harms nobody: a batch is one transaction, and a phone
//! that has no receipt sends it again.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tower_http::catch_panic::CatchPanicLayer;

use crate::meter::{Meter, Metered};
use crate::problem;

/// Times and sizes of a connection, each with its reason.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// TLS handshake: three round trips on a satellite link, with losses.
    pub(crate) handshake: Duration,
    /// The headers of a request over HTTP/1.1, waiting for them included.
    pub(crate) headers: Duration,
    /// An HTTP/2 connection is asked for a sign of life this often, and closed
    /// when none comes in as long again.
    pub(crate) ping: Duration,
    /// No connection lives longer, whatever its client does: a phone's sync
    /// takes seconds, and a client that never reads must not stay for ever.
    pub(crate) life: Duration,
    /// Connections at a time; more wait in the system's queue.
    pub(crate) connections: usize,
}

impl Limits {
    pub(crate) const STANDARD: Self = Self {
        handshake: Duration::from_secs(10),
        headers: Duration::from_secs(20),
        ping: Duration::from_secs(20),
        life: Duration::from_secs(600),
        connections: 512,
    };
}

/// How a listener speaks: the API behind TLS, the desk without.
#[derive(Clone)]
pub(crate) enum Speech {
    Tls(TlsAcceptor, Arc<Meter>),
    Plain,
}

/// Serves `app` until `stop` says true or its sender is gone.
pub(crate) async fn serve(
    listener: TcpListener,
    speech: Speech,
    app: Router,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
) {
    // Outermost, so that a panic in a layer is answered too.
    let app = app.layer(CatchPanicLayer::custom(problem::from_panic));
    let places = Arc::new(Semaphore::new(limits.connections));
    let mut connections = JoinSet::new();
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await.ok()?;
            Some((place, listener.accept().await.ok()?.0))
        };
        let next = tokio::select! {
            next = next => next,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        while connections.try_join_next().is_some() {}
        let Some((place, stream)) = next else {
            // Out of file descriptors, most likely: let some connections end.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let (speech, app) = (speech.clone(), app.clone());
        connections.spawn(async move {
            let _place = place;
            // A client that goes away or speaks nonsense ends its own
            // connection; there is nobody to tell.
            let _ = timeout(limits.life, connection(stream, speech, app, limits)).await;
        });
    }
    connections.shutdown().await;
}

async fn connection(stream: TcpStream, speech: Speech, app: Router, limits: Limits) {
    // A receipt is one small packet; it must not wait for a second one.
    let _ = stream.set_nodelay(true);
    match speech {
        Speech::Plain => http1(stream, app, limits).await,
        Speech::Tls(acceptor, meter) => {
            let accept = acceptor.accept(Metered::new(stream, meter));
            let Ok(Ok(stream)) = timeout(limits.handshake, accept).await else {
                return;
            };
            if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                http2(stream, app, limits).await;
            } else {
                http1(stream, app, limits).await;
            }
        }
    }
}

async fn http1(stream: impl AsyncRead + AsyncWrite + Unpin, app: Router, limits: Limits) {
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.headers)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(app))
        .await;
}

async fn http2(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    app: Router,
    limits: Limits,
) {
    let _ = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(limits.ping)
        .keep_alive_timeout(limits.ping)
        .max_concurrent_streams(64)
        .max_header_list_size(16 * 1024)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(app))
        .await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{InUse, Keys};
    use axum::routing::get;
    use std::time::Instant;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    const SHORT: Limits = Limits {
        handshake: Duration::from_millis(100),
        headers: Duration::from_millis(100),
        life: Duration::from_millis(600),
        ..Limits::STANDARD
    };

    /// Serves with short limits; the server ends with the returned sender.
    async fn server(speech: Speech) -> (std::net::SocketAddr, watch::Sender<bool>) {
        async fn broken() {
            panic!("on purpose");
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let app = Router::new()
            .route("/broken", get(broken))
            .route("/slow", get(std::future::pending::<()>));
        tokio::spawn(serve(listener, speech, app, SHORT, stopped));
        (address, stop)
    }

    async fn talk(address: std::net::SocketAddr, words: &[u8]) -> (Vec<u8>, Duration) {
        let start = Instant::now();
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(words).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        (answer, start.elapsed())
    }

    #[tokio::test]
    async fn a_panic_in_a_handler_is_a_500_problem() {
        let (address, _stop) = server(Speech::Plain).await;
        let (answer, _) = talk(address, b"GET /broken HTTP/1.1\r\nHost: x\r\n\r\n").await;
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
        assert!(answer.contains("application/problem+json"), "{answer}");
        assert!(!answer.contains("on purpose"), "{answer}");
    }

    #[tokio::test]
    async fn slow_clients_are_cut_off() {
        let (plain, _stop) = server(Speech::Plain).await;
        let directory = tempfile::tempdir().unwrap();
        let keys = Keys::load_or_make(directory.path(), InUse::No).unwrap();
        let config = keys.authority.server_config(plain.ip()).unwrap();
        let speech = Speech::Tls(TlsAcceptor::from(config), Arc::default());
        let (tls, _stop_too) = server(speech).await;
        for (address, words) in [
            (plain, &b""[..]),
            (plain, b"GET / HTTP/1.1\r\nHost:"),
            (plain, b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"),
            (tls, b""),
            (tls, b"\x16\x03\x01"),
        ] {
            let (_, time) = talk(address, words).await;
            assert!(time < Duration::from_secs(3), "{time:?}");
        }
    }
}
