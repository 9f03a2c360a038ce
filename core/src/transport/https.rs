//! HTTPS by reqwest with a rustls configuration of our own.
//!
//! ring for the primitives, and either the roots of the `Config` or Mozilla's
//! list: no platform verifier, which must be initialised over JNI on Android. The
//! client is built anew for each pass, because pooled connections go stale when
//! the network changes. Its runtime runs on the caller's thread and lives as
//! long as the pass: no thread is left behind, and `cancel` takes effect in the
//! middle of an exchange.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use tokio::runtime::Runtime;
use tokio::sync::Notify;

use super::{HttpHeader, HttpRequest, HttpResponse, Transport, TransportError};
use crate::config::{Config, Policy};
use crate::error::{HomelineError, Problem, Result};

/// The built-in transport, for one pass.
pub(crate) struct HttpsTransport {
    runtime: Option<Runtime>,
    client: reqwest::Client,
    cancelled: AtomicBool,
    cancel: Notify,
}

impl HttpsTransport {
    /// Errors: `Invalid` when a root of the `Config` is not a certificate.
    pub(crate) fn new(config: &Config, policy: &Policy) -> Result<Self> {
        let bug = |_| HomelineError::bug("transport::https");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls(config)?)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(policy.connect)
            .https_only(true)
            .no_proxy()
            .build()
            .map_err(|_| bug(()))?;
        Ok(Self {
            runtime: Some(runtime),
            client,
            cancelled: AtomicBool::new(false),
            cancel: Notify::new(),
        })
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let method = reqwest::Method::from_bytes(request.method.as_bytes())
            .map_err(|_| TransportError::Failed)?;
        let mut builder = self
            .client
            .request(method, &request.url)
            .timeout(Duration::from_millis(request.timeout_ms))
            .body(request.body);
        for header in &request.headers {
            builder = builder.header(&header.name, &header.value);
        }
        let mut response = builder.send().await.map_err(|error| fault(&error))?;
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
        runtime.block_on(async {
            let mut send = std::pin::pin!(self.send(request));
            let mut cancelled = std::pin::pin!(self.cancelled());
            std::future::poll_fn(|context| {
                if cancelled.as_mut().poll(context).is_ready() {
                    return std::task::Poll::Ready(Err(TransportError::Cancelled));
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
