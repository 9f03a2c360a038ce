//! Servers that write bytes of their own choice after a whole request: what no
//! library for HTTP would send.

use std::io;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use homeline::sos::AttemptResult;
use homeline_tests::certs::Authority;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::story::Story;

/// Which protocol a server agrees to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Http {
    One,
    Two,
}

/// A connection whose first request has been read. What else the client says is read
/// and thrown away.
pub(crate) struct Conn {
    write: WriteHalf<TlsStream<TcpStream>>,
    reader: JoinHandle<()>,
    /// The stream of the request; 0 in HTTP/1.1.
    pub(crate) stream: u32,
}

impl Conn {
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write.write_all(bytes).await?;
        self.write.flush().await
    }

    /// One byte after the other, then spaces, for ever.
    pub(crate) async fn drip(&mut self, bytes: &[u8]) -> io::Result<()> {
        for byte in bytes.iter().chain(std::iter::repeat(&b' ')) {
            self.send(&[*byte]).await?;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// The same again and again, as fast as it is taken.
    pub(crate) async fn flood(&mut self, bytes: &[u8]) -> io::Result<()> {
        let many = bytes.repeat((16 * 1_024 / bytes.len()).max(1));
        loop {
            self.send(&many).await?;
        }
    }

    /// Ends the TLS in good order (close_notify), and then the connection.
    pub(crate) async fn close(mut self) -> io::Result<()> {
        self.write.shutdown().await
    }

    /// Ends the TCP connection in good order, but not the TLS in it: what somebody in
    /// between can do, who has no key.
    pub(crate) async fn cut(self) {
        self.reader.abort();
        let _ = self.reader.await;
        drop(self.write);
    }

    /// Keeps it open until the client leaves.
    pub(crate) async fn hold(&mut self) {
        let _ = (&mut self.reader).await;
    }
}

/// What a server does with a connection.
pub(crate) type Act = Box<dyn Fn(Conn) -> Doing + Send + Sync>;
pub(crate) type Doing = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

/// Makes an [`Act`] of a function.
pub(crate) fn act<Fut>(act: impl Fn(Conn) -> Fut + Send + Sync + 'static) -> Act
where
    Fut: Future<Output = io::Result<()>> + Send + 'static,
{
    Box::new(move |conn| Box::pin(act(conn)))
}

/// A running server; it stops when it is dropped.
pub(crate) struct Raw {
    url: String,
    requests: Arc<AtomicUsize>,
    runtime: Option<Runtime>,
}

impl Raw {
    pub(crate) fn start(ca: &Authority, http: Http, act: Act) -> Self {
        let mut tls = (*ca.server().unwrap()).clone();
        tls.alpn_protocols = match http {
            Http::One => vec![b"http/1.1".to_vec()],
            Http::Two => vec![b"h2".to_vec()],
        };
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
        let listener = listener.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&requests);
        let act = Arc::new(act);
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (acceptor, act, seen) = (acceptor.clone(), Arc::clone(&act), seen.clone());
                tokio::spawn(async move {
                    client.set_nodelay(true)?;
                    let conn = read(acceptor.accept(client).await?, http).await?;
                    seen.fetch_add(1, Ordering::SeqCst);
                    act(conn).await
                });
            }
        });
        Self {
            url,
            requests,
            runtime: Some(runtime),
        }
    }

    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    /// Connections on which a request came.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Reads one request.
async fn read(tls: TlsStream<TcpStream>, http: Http) -> io::Result<Conn> {
    let (mut read, mut write) = tokio::io::split(tls);
    let stream = match http {
        Http::One => {
            request_of_http1(&mut read).await?;
            0
        }
        Http::Two => {
            write.write_all(&frame(SETTINGS, 0, 0, b"")).await?;
            write.flush().await?;
            let stream = request_of_http2(&mut read).await?;
            // Only then what the client has set is in force.
            write.write_all(&frame(SETTINGS, ACK, 0, b"")).await?;
            stream
        }
    };
    let reader = tokio::spawn(throw_away(read));
    Ok(Conn {
        write,
        reader,
        stream,
    })
}

async fn throw_away(mut read: ReadHalf<TlsStream<TcpStream>>) {
    let mut buffer = vec![0; 16 * 1_024];
    while matches!(read.read(&mut buffer).await, Ok(1..)) {}
}

async fn request_of_http1(read: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(read.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"));
    let length = length.map_or(0, |length| length.trim().parse().unwrap());
    let mut body = vec![0; length];
    read.read_exact(&mut body).await?;
    Ok(())
}

/// Returns the stream of the first request that is whole.
async fn request_of_http2(read: &mut (impl AsyncRead + Unpin)) -> io::Result<u32> {
    let mut preface = [0; 24];
    read.read_exact(&mut preface).await?;
    loop {
        let mut head = [0; 9];
        read.read_exact(&mut head).await?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        read.read_exact(&mut payload).await?;
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        let is_of_a_request = [DATA, HEADERS].contains(&head[3]);
        if is_of_a_request && head[4] & END_STREAM != 0 {
            return Ok(stream);
        }
    }
}

// Frames of HTTP/2 (RFC 9113, section 6) and their flags.
pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const CONTINUATION: u8 = 9;
pub(crate) const ACK: u8 = 1;
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut out = length[1..].to_vec();
    out.extend([kind, flags]);
    out.extend(stream.to_be_bytes());
    out.extend(payload);
    out
}

/// `:status` of a response, as HPACK writes what is in no table (RFC 7541, 6.2.2).
pub(crate) fn status(code: &str) -> Vec<u8> {
    [&[0x08, 3], code.as_bytes()].concat()
}

/// A field that is in no table and is put into none.
pub(crate) fn field(name: &str, value: &str) -> Vec<u8> {
    [vec![0], text(name), text(value)].concat()
}

/// A field that is put into the dynamic table (RFC 7541, 6.2.1).
pub(crate) fn kept_field(name: &str, value: &str) -> Vec<u8> {
    [vec![0x40], text(name), text(value)].concat()
}

/// A text with its length in front (RFC 7541, 5.1 and 5.2).
fn text(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    if text.len() < 127 {
        out.push(u8::try_from(text.len()).unwrap());
    } else {
        out.push(127);
        let mut rest = text.len() - 127;
        while rest >= 128 {
            out.push(u8::try_from(rest % 128).unwrap() | 128);
            rest /= 128;
        }
        out.push(u8::try_from(rest).unwrap());
    }
    out.extend(text.as_bytes());
    out
}

/// No answer came.
pub(crate) const NO_ANSWER: &[AttemptResult] = &[AttemptResult::NoAnswer];
/// What came is no answer.
pub(crate) const UNUSABLE: &[AttemptResult] = &[AttemptResult::NotTheMinistry { status: 0 }];

/// Each of these is met in a pass, and then the real ministry.
pub(crate) fn stories(http: Http, deadline_ms: u64, table: Vec<(&str, Act, &[AttemptResult])>) {
    let mut story = Story::new();
    for (name, act, expected) in table {
        let server = Raw::start(&story.ca, http, act);
        story.is_open_to(&server.url());
        let mut met = story.meet_a_liar(name, deadline_ms);
        if server.requests() == 0 {
            // A busy machine: the pass was over before it had begun.
            met = story.meet_a_liar(name, 10 * deadline_ms);
        }
        let attempt = met.attempt();
        assert!(expected.contains(&attempt), "{name}: {attempt:?}");
        assert!(server.requests() > 0, "{name}");
        story.arrives(name, &met.report);
    }
}
