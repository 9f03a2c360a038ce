//! A line between the library and a ministry, as a host's own transport: real HTTPS
//! to a real ministry, with the fault of the moment.

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use homeline::transport::{HttpHeader, HttpRequest, HttpResponse, Transport, TransportError};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

/// What a line does to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: it arrives, and the answer comes back.
    None,
    /// There is no network.
    Offline,
    /// It arrives, and the answer is lost.
    LostAnswer,
    /// Nothing arrives, and no answer comes.
    Swallowed,
    /// It does not arrive: this answers in the ministry's place, or is the
    /// ministry's own in a bad hour.
    Answer(Answer),
}

/// An answer that a test makes up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Name, in lower case, and value of each header.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

impl Answer {
    /// The ministry's own refusal or complaint: problem+json.
    pub fn problem(status: u16) -> Self {
        Self {
            status,
            headers: vec![("content-type", "application/problem+json".into())],
            body: format!(
                r#"{{"type":"urn:homeline:problem:test","title":"No.","status":{status}}}"#
            ),
        }
    }

    /// A captive portal's page.
    pub fn portal() -> Self {
        Self {
            status: 200,
            headers: vec![("content-type", "text/html".into())],
            body: "<html>Welcome. Please pay.</html>".into(),
        }
    }

    /// The ministry has more than it can take: wait `after_s` seconds, then come back
    /// within `spread_s`.
    pub fn stand_by(after_s: u32, spread_s: u32) -> Self {
        let mut answer = Self::problem(503);
        answer.headers.push(("retry-after", after_s.to_string()));
        answer.body = format!(r#"{{"title":"Stand by.","status":503,"spread_s":{spread_s}}}"#);
        answer
    }
}

/// What happens to one request: the path that it goes to decides.
pub type Script = dyn Fn(&HttpRequest) -> Fault + Send + Sync;

/// The line. Counts what goes over it.
pub struct Line {
    client: reqwest::Client,
    runtime: tokio::runtime::Runtime,
    script: Mutex<Arc<Script>>,
    exchanges: AtomicU64,
}

impl Line {
    /// A line without a fault, to a server with a certificate of `tls_root` (DER).
    pub fn new(tls_root: Vec<u8>) -> Result<Arc<Self>, Box<dyn Error>> {
        let mut roots = RootCertStore::empty();
        roots.add(tls_root.into())?;
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Arc::new(Self {
            client: reqwest::Client::builder()
                .tls_backend_preconfigured(tls)
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                .build()?,
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?,
            script: Mutex::new(Arc::new(|_: &HttpRequest| Fault::None)),
            exchanges: AtomicU64::new(0),
        }))
    }

    /// From now on every request meets `fault`.
    pub fn set(&self, fault: Fault) {
        self.by(move |_| fault.clone());
    }

    /// From now on a request meets what `script` says.
    pub fn by(&self, script: impl Fn(&HttpRequest) -> Fault + Send + Sync + 'static) {
        *self.script.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(script);
    }

    /// How many requests the library has made.
    pub fn exchanges(&self) -> u64 {
        self.exchanges.load(Ordering::SeqCst)
    }

    fn carry(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let method = reqwest::Method::from_bytes(request.method.as_bytes())
            .map_err(|_| TransportError::Failed)?;
        let mut builder = self.client.request(method, &request.url).body(request.body);
        for header in &request.headers {
            builder = builder.header(&header.name, &header.value);
        }
        self.runtime.block_on(async {
            let answer = builder
                .send()
                .await
                .map_err(|_| TransportError::NoConnection)?;
            let headers = answer
                .headers()
                .iter()
                .map(|(name, value)| HttpHeader {
                    name: name.as_str().to_owned(),
                    value: value.to_str().unwrap_or_default().to_owned(),
                })
                .collect();
            Ok(HttpResponse {
                status: answer.status().as_u16(),
                headers,
                body: answer
                    .bytes()
                    .await
                    .map_err(|_| TransportError::NoAnswer)?
                    .to_vec(),
            })
        })
    }
}

impl Transport for Line {
    fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        self.exchanges.fetch_add(1, Ordering::SeqCst);
        let script = Arc::clone(&self.script.lock().unwrap_or_else(PoisonError::into_inner));
        match script(&request) {
            Fault::None => self.carry(request),
            Fault::Offline => Err(TransportError::NoConnection),
            Fault::Swallowed => Err(TransportError::NoAnswer),
            Fault::LostAnswer => {
                self.carry(request)?;
                Err(TransportError::NoAnswer)
            }
            Fault::Answer(answer) => Ok(HttpResponse {
                status: answer.status,
                headers: answer
                    .headers
                    .into_iter()
                    .map(|(name, value)| HttpHeader {
                        name: name.to_owned(),
                        value,
                    })
                    .collect(),
                body: answer.body.into_bytes(),
            }),
        }
    }

    fn cancel(&self) -> Result<bool, TransportError> {
        Ok(false)
    }
}
