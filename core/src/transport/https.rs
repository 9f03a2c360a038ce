//! HTTPS by reqwest with a rustls configuration of our own.
//!
//! ring for the primitives, and either the roots of the `Config` or Mozilla's
//! list: no platform verifier, which must be initialised over JNI on Android. The
//! client is built anew for each pass, because pooled connections go stale when
//! the network changes. Its runtime runs on the caller's thread and lives as
//! long as the pass: no thread is left behind, and `cancel` takes effect in the
//! middle of an exchange.
//!
//! Several exchanges may be in flight, each on the TCP connection of its slot: one
//! connection that loses 5 % of its packets over 600 ms carries 13 KB/s, whatever
//! the link could (Mathis et al. 1997), and four of them four times as much.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::Poll;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::{Arrived, Exchanged, HttpHeader, HttpRequest, HttpResponse, Transport, TransportError};
use crate::config::{Config, Policy};
use crate::error::{HomelineError, Problem, Result};

/// Limits of the header fields of a response.
#[derive(Debug, Clone, Copy)]
struct Head {
    fields: usize,
    /// As RFC 9113, section 6.5.2 counts them.
    bytes: u32,
}

impl Head {
    /// Whether the fields of a response are within the limits. The HTTP library
    /// holds most of them by itself while it reads; a header of HTTP/1.1 it lets
    /// grow to 400 KB.
    fn holds(self, headers: &reqwest::header::HeaderMap) -> bool {
        let size = headers.iter().fold(0_usize, |sum, (name, value)| {
            let field = name.as_str().len().saturating_add(value.len());
            sum.saturating_add(field).saturating_add(32)
        });
        headers.len() <= self.fields && u32::try_from(size).is_ok_and(|size| size <= self.bytes)
    }
}

/// The built-in transport, for one pass.
pub(crate) struct HttpsTransport {
    runtime: Option<Runtime>,
    tls: rustls::ClientConfig,
    connect: Duration,
    head: Head,
    /// One connection each, made at its first use.
    clients: Vec<OnceLock<Option<reqwest::Client>>>,
    flying: Mutex<JoinSet<(u64, Exchanged)>>,
    cancelled: AtomicBool,
    cancel: Notify,
}

impl HttpsTransport {
    /// Errors: `Invalid` when a root of the `Config` is not a certificate.
    pub(crate) fn new(config: &Config, policy: &Policy) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        Ok(Self {
            runtime: Some(runtime),
            tls: tls(config)?,
            connect: policy.connect,
            head: Head {
                fields: policy.response_headers,
                bytes: policy.response_header_bytes,
            },
            clients: vec![OnceLock::new(); policy.in_flight.max(1)],
            flying: Mutex::new(JoinSet::new()),
            cancelled: AtomicBool::new(false),
            cancel: Notify::new(),
        })
    }

    /// Starts an exchange on the connection of `slot`; it goes on whenever this
    /// transport is waited for.
    pub(super) fn start(&self, ticket: u64, slot: usize, request: HttpRequest) {
        let client = self.client(slot);
        let head = self.head;
        let send = async move { (ticket, send(client, request, head).await) };
        if let Some(runtime) = &self.runtime {
            let mut flying = self.flying.lock().unwrap_or_else(PoisonError::into_inner);
            flying.spawn_on(send, runtime.handle());
        }
    }

    /// Waits for the first answer, or for `urgent`.
    pub(super) fn next(&self, urgent: &Notify) -> Arrived {
        let Some(runtime) = &self.runtime else {
            return Arrived::Nothing;
        };
        let mut flying = self.flying.lock().unwrap_or_else(PoisonError::into_inner);
        runtime.block_on(async {
            let mut cancelled = pin!(self.cancelled());
            let mut urgent = pin!(urgent.notified());
            std::future::poll_fn(|context| {
                if cancelled.as_mut().poll(context).is_ready() {
                    return Poll::Ready(Arrived::Cancelled);
                }
                if urgent.as_mut().poll(context).is_ready() {
                    return Poll::Ready(Arrived::Urgent);
                }
                flying.poll_join_next(context).map(|joined| match joined {
                    Some(Ok((ticket, answer))) => Arrived::Answer(ticket, answer),
                    Some(Err(_)) | None => Arrived::Nothing,
                })
            })
            .await
        })
    }

    fn client(&self, slot: usize) -> Option<reqwest::Client> {
        let make = || {
            reqwest::Client::builder()
                .tls_backend_preconfigured(self.tls.clone())
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(self.connect)
                .https_only(true)
                .http1_max_headers(self.head.fields)
                .http2_max_header_list_size(self.head.bytes)
                .no_proxy()
                .build()
                .ok()
        };
        let slot = slot.checked_rem(self.clients.len()).unwrap_or_default();
        self.clients.get(slot)?.get_or_init(make).clone()
    }

    async fn cancelled(&self) {
        loop {
            let notified = self.cancel.notified();
            if self.cancelled.load(Ordering::SeqCst) {
                return;
            }
            notified.await;
        }
    }
}

impl Transport for HttpsTransport {
    fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let runtime = self.runtime.as_ref().ok_or(TransportError::Failed)?;
        let client = self.client(0);
        runtime.block_on(async {
            let mut send = pin!(send(client, request, self.head));
            let mut cancelled = pin!(self.cancelled());
            std::future::poll_fn(|context| {
                if cancelled.as_mut().poll(context).is_ready() {
                    return Poll::Ready(Err(TransportError::Cancelled));
                }
                send.as_mut().poll(context)
            })
            .await
        })
    }

    fn cancel(&self) -> Result<bool, TransportError> {
        self.cancelled.store(true, Ordering::SeqCst);
        self.cancel.notify_one();
        Ok(true)
    }
}

impl Drop for HttpsTransport {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // A name look-up that hangs must not keep the caller.
            runtime.shutdown_background();
        }
    }
}

async fn send(client: Option<reqwest::Client>, request: HttpRequest, head: Head) -> Exchanged {
    let client = client.ok_or(TransportError::Failed)?;
    let method = reqwest::Method::from_bytes(request.method.as_bytes())
        .map_err(|_| TransportError::Failed)?;
    let mut builder = client
        .request(method, &request.url)
        .timeout(Duration::from_millis(request.timeout_ms))
        .body(request.body);
    for header in &request.headers {
        builder = builder.header(&header.name, &header.value);
    }
    let mut response = builder.send().await.map_err(|error| fault(&error))?;
    if !head.holds(response.headers()) {
        return Err(TransportError::BadAnswer);
    }
    let limit = usize::try_from(request.max_response_bytes).unwrap_or(usize::MAX);
    let headers = response
        .headers()
        .iter()
        .filter_map(|(name, value)| {
            Some(HttpHeader {
                name: name.as_str().to_owned(),
                value: value.to_str().ok()?.to_owned(),
            })
        })
        .collect();
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| fault(&error))? {
        if body.len().saturating_add(chunk.len()) > limit {
            return Err(TransportError::BadAnswer);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(HttpResponse {
        status,
        headers,
        body,
    })
}

fn tls(config: &Config) -> Result<rustls::ClientConfig> {
    let mut roots = rustls::RootCertStore::empty();
    if config.tls_roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    for der in &config.tls_roots {
        roots.add(CertificateDer::from(der.clone())).map_err(|_| {
            HomelineError::invalid(
                "config.tls_roots",
                Problem::Malformed,
                "X.509 certificates in DER",
            )
        })?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| HomelineError::bug("transport::tls"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(tls)
}

/// What a failure of reqwest means for the report: above all, whether anything
/// can have left the phone.
fn fault(error: &reqwest::Error) -> TransportError {
    if error.is_connect() {
        let mut source = std::error::Error::source(error);
        while let Some(inner) = source {
            if is_of_tls(inner) {
                return TransportError::NotTrusted;
            }
            source = inner.source();
        }
        TransportError::NoConnection
    } else {
        // Also a body that is cut off: half an answer is none.
        TransportError::NoAnswer
    }
}

/// Whether an error is one of rustls, or an I/O error around one. An I/O error
/// keeps what it wraps from `source`, and here one wraps another.
fn is_of_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    error.is::<rustls::Error>()
        || error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref)
            .is_some_and(|wrapped| is_of_tls(wrapped))
}
