//! A host's own transport: it notes each request, lets the test act before one
//! leaves, answer in the ministry's place or change what it says, and sends the rest
//! over HTTPS to the real ministry.

use std::sync::{Arc, Mutex};

use homeline::transport::{HttpHeader, HttpRequest, HttpResponse, Transport, TransportError};
use rustls::{ClientConfig, RootCertStore, crypto::ring};

/// Called before a request leaves; an answer here is in the ministry's place.
type Before = Box<dyn Fn(&HttpRequest) -> Option<HttpResponse> + Send + Sync>;
/// Called with each answer.
type After = Box<dyn Fn(&str, HttpResponse) -> HttpResponse + Send + Sync>;

pub(crate) struct Spy {
    client: reqwest::Client,
    runtime: tokio::runtime::Runtime,
    seen: Mutex<Vec<String>>,
    before: Mutex<Option<Before>>,
    after: Mutex<Option<After>>,
}

impl Spy {
    pub(crate) fn new(tls_root: Vec<u8>) -> Arc<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(tls_root.into()).unwrap();
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Arc::new(Self {
            client: reqwest::Client::builder()
                .tls_backend_preconfigured(tls)
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                .build()
                .unwrap(),
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap(),
            seen: Mutex::default(),
            before: Mutex::default(),
            after: Mutex::default(),
        })
    }

    pub(crate) fn before(
        &self,
        act: impl Fn(&HttpRequest) -> Option<HttpResponse> + Send + Sync + 'static,
    ) {
        *self.before.lock().unwrap() = Some(Box::new(act));
    }

    pub(crate) fn after(
        &self,
        act: impl Fn(&str, HttpResponse) -> HttpResponse + Send + Sync + 'static,
    ) {
        *self.after.lock().unwrap() = Some(Box::new(act));
    }

    /// From here on only the real ministry speaks.
    pub(crate) fn be_honest(&self) {
        *self.before.lock().unwrap() = None;
        *self.after.lock().unwrap() = None;
    }

    /// The paths so far, in order.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    /// How many of them brought a chunk.
    pub(crate) fn chunks(&self) -> usize {
        let seen = self.seen();
        seen.iter().filter(|path| is_chunk(path)).count()
    }

    /// Sends it to the real ministry.
    pub(crate) fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let method = reqwest::Method::from_bytes(request.method.as_bytes()).unwrap();
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
            let status = answer.status().as_u16();
            let body = answer.bytes().await;
            Ok(HttpResponse {
                status,
                headers,
                body: body.map_err(|_| TransportError::NoAnswer)?.to_vec(),
            })
        })
    }
}

pub(crate) fn is_chunk(path: &str) -> bool {
    path.starts_with("/v1/chunks/")
}

/// An answer in JSON.
pub(crate) fn json(body: &serde_json::Value) -> HttpResponse {
    HttpResponse {
        status: 200,
        headers: vec![HttpHeader {
            name: "content-type".into(),
            value: "application/json".into(),
        }],
        body: body.to_string().into_bytes(),
    }
}

pub(crate) fn path_of(request: &HttpRequest) -> String {
    let rest = request.url.trim_start_matches("https://");
    rest.split_once('/')
        .map_or_else(String::new, |(_, path)| format!("/{path}"))
}

impl Transport for Spy {
    fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let path = path_of(&request);
        self.seen.lock().unwrap().push(path.clone());
        let instead = match &*self.before.lock().unwrap() {
            Some(before) => before(&request),
            None => None,
        };
        if let Some(instead) = instead {
            return Ok(instead);
        }
        let answer = self.send(request)?;
        Ok(match &*self.after.lock().unwrap() {
            Some(after) => after(&path, answer),
            None => answer,
        })
    }

    fn cancel(&self) -> Result<bool, TransportError> {
        Ok(false)
    }
}
