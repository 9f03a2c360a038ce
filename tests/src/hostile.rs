//! A server that answers as a test scripts it: wrongly, endlessly, slowly, in
//! bytes that are not HTTP.
//!
//! It speaks HTTPS with HTTP/1.1 and h2, as the client chooses, and stands where
//! the ministry should be: a portal with a good certificate, a ministry with a
//! bug, an attacker. The test asserts that the core gives up in time, keeps its
//! outbox, and follows nothing. What the server saw is in its counters.

use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use http_body_util::BodyExt;
use hyper::body::Incoming;
use rustls::ServerConfig;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::{JoinSet, spawn_blocking},
};
use tokio_util::io::InspectWriter;

use crate::{
    background::Background,
    https::{self, Script, script_error},
};

/// Where an [`Answer::Endless`] ends: far beyond any limit a client may have,
/// and near enough that a client without one fails its test and not the machine.
pub const ENDLESS_BYTES: usize = 100 * 1024 * 1024;

/// What [`Answer::Garbage`] sends: neither HTTP/1.1 nor a frame of h2.
const GARBAGE: &[u8] =
    b"\x00\xff\x13\x37 this is not the protocol you are looking for \xfe\r\n\r\n";

/// What the server answers to each request.
#[derive(Clone)]
pub enum Answer {
    /// Always the same.
    Fixed {
        /// The HTTP status.
        status: u16,
        /// Name and value of each header. The content length is added.
        headers: Vec<(String, String)>,
        /// The body.
        body: Vec<u8>,
    },
    /// 200 and a body of [`ENDLESS_BYTES`], without a content length.
    Endless {
        /// The value of its `content-type` header.
        content_type: String,
    },
    /// 200 and a JSON content type at once; then a byte of white space at each
    /// interval, for ever.
    Drip {
        /// The interval, at least a millisecond.
        byte_every: Duration,
    },
    /// 200 and `{}` with this many headers of about 50 bytes each.
    ManyHeaders(usize),
    /// A redirect with an empty body.
    Redirect {
        /// The value of its `location` header.
        to: String,
        /// The HTTP status.
        status: u16,
    },
    /// After the TLS handshake and the first bytes of the client: bytes that are
    /// not HTTP, then the end of the connection.
    Garbage,
    /// What this function says. It may block; a panic in it becomes a 500.
    ByFunction(Arc<Function>),
}

/// A script that looks at the request.
pub type Function = dyn Fn(Request) -> Response + Send + Sync;

impl Answer {
    /// An [`Answer::ByFunction`].
    pub fn by(function: impl Fn(Request) -> Response + Send + Sync + 'static) -> Self {
        Self::ByFunction(Arc::new(function))
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fixed { .. } => "Fixed",
            Self::Endless { .. } => "Endless",
            Self::Drip { .. } => "Drip",
            Self::ManyHeaders(_) => "ManyHeaders",
            Self::Redirect { .. } => "Redirect",
            Self::Garbage => "Garbage",
            Self::ByFunction(_) => "ByFunction",
        })
    }
}

/// A request as the server received it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method, in capitals.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Name, in small letters, and value of each header.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

/// What a function answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Name and value of each header. The content length is added.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// An HTTPS server on 127.0.0.1 with scripted answers; stops when dropped.
#[derive(Debug)]
pub struct HostileServer {
    addr: SocketAddr,
    seen: Arc<Seen>,
    _background: Background,
}

#[derive(Debug, Default)]
struct Seen {
    connections: AtomicUsize,
    requests: AtomicUsize,
    sent: AtomicUsize,
    paths: Mutex<Vec<String>>,
}

impl HostileServer {
    /// Starts a server with this certificate; see [`crate::certs`].
    ///
    /// # Errors
    /// When there is no port or no thread to be had.
    pub fn start(tls: Arc<ServerConfig>, answer: Answer) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let addr = listener.local_addr()?;
        let seen = Arc::new(Seen::default());
        let work = listen(listener, tls, answer, Arc::clone(&seen));
        Ok(Self {
            addr,
            seen,
            _background: Background::start("hostile server", work)?,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its address as a client writes it, `https://127.0.0.1:<port>`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://{}", self.addr)
    }

    /// How many TCP connections it accepted, those included that ended in the
    /// TLS handshake.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.seen.connections.load(SeqCst)
    }

    /// How many requests arrived whole. With [`Answer::Garbage`], which reads
    /// none: how many connections got as far as sending one.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.seen.requests.load(SeqCst)
    }

    /// Path and query of each request, in the order of their arrival.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        let paths = self.seen.paths.lock();
        paths.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many bytes it gave to the kernel for its clients, TLS included. The
    /// buffers of the two kernels hold some megabytes that a client never read.
    #[must_use]
    pub fn bytes_sent(&self) -> usize {
        self.seen.sent.load(SeqCst)
    }
}

async fn listen(listener: TcpListener, tls: Arc<ServerConfig>, answer: Answer, seen: Arc<Seen>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((client, _)) = accepted {
                seen.connections.fetch_add(1, SeqCst);
                connections.spawn(connection(
                    client,
                    Arc::clone(&tls),
                    answer.clone(),
                    Arc::clone(&seen),
                ));
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(client: TcpStream, tls: Arc<ServerConfig>, answer: Answer, seen: Arc<Seen>) {
    // A slow drip must not wait for the acknowledgement of the last byte.
    let _ = client.set_nodelay(true);
    let counter = Arc::clone(&seen);
    let client = InspectWriter::new(client, move |bytes: &[u8]| {
        counter.sent.fetch_add(bytes.len(), SeqCst);
    });
    let Ok(mut client) = https::accept(client, tls).await else {
        return;
    };
    if matches!(answer, Answer::Garbage) {
        if matches!(client.read(&mut [0; 1024]).await, Ok(1..)) {
            seen.requests.fetch_add(1, SeqCst);
            let _ = client.write_all(GARBAGE).await;
            let _ = client.shutdown().await;
        }
        return;
    }
    https::serve(client, move |request| {
        respond(request, answer.clone(), Arc::clone(&seen))
    })
    .await;
}

async fn respond(
    request: hyper::Request<Incoming>,
    answer: Answer,
    seen: Arc<Seen>,
) -> hyper::Response<Script> {
    let request = match receive(request).await {
        Ok(request) => request,
        Err(error) => return script_error(&error.to_string()),
    };
    // The path first: who waits for the count then finds the path.
    let paths = seen.paths.lock();
    paths
        .unwrap_or_else(PoisonError::into_inner)
        .push(request.path.clone());
    seen.requests.fetch_add(1, SeqCst);

    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    match answer {
        Answer::Fixed {
            status,
            headers,
            body,
        } => https::response(status, &headers, Script::whole(body)),
        Answer::Endless { content_type } => https::response(
            200,
            &[header("content-type", &content_type)],
            Script::Endless {
                left: ENDLESS_BYTES,
            },
        ),
        Answer::Drip { byte_every } => https::response(
            200,
            &[header("content-type", "application/json")],
            Script::drip(byte_every),
        ),
        Answer::ManyHeaders(count) => {
            let headers: Vec<_> = (0..count)
                .map(|n| {
                    header(
                        &format!("x-noise-{n}"),
                        "a value that is of no use to anybody",
                    )
                })
                .collect();
            https::response(200, &headers, Script::whole("{}"))
        }
        Answer::Redirect { to, status } => {
            https::response(status, &[header("location", &to)], Script::whole(""))
        }
        Answer::Garbage => script_error("garbage is sent before HTTP begins"),
        Answer::ByFunction(function) => match spawn_blocking(move || function(request)).await {
            Ok(response) => https::response(
                response.status,
                &response.headers,
                Script::whole(response.body),
            ),
            Err(_) => script_error("the function panicked"),
        },
    }
}

async fn receive(request: hyper::Request<Incoming>) -> Result<Request, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes().to_vec();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Request {
        method: head.method.to_string(),
        path: head
            .uri
            .path_and_query()
            .map_or_else(String::new, ToString::to_string),
        headers: head
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), text(value.as_bytes())))
            .collect(),
        body,
    })
}

#[cfg(test)]
mod tests;
