//! A host's own transport: it notes what it is given, in order, lets the test act
//! before the bytes leave, and sends them over HTTPS to the real ministry.

use std::sync::{Arc, Mutex};

use homeline::sync::protocol::{ENVELOPES_PATH, read_batch};
use homeline::transport::{HttpHeader, HttpRequest, HttpResponse, Transport, TransportError};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use uuid::Uuid;

/// What a test does before a request leaves; it is told the batch's number.
type Before = Box<dyn Fn(usize) + Send + Sync>;

pub(crate) struct Recorder {
    client: reqwest::Client,
    runtime: tokio::runtime::Runtime,
    batches: Mutex<Vec<Vec<Uuid>>>,
    before: Mutex<Option<Before>>,
}

impl Recorder {
    pub(crate) fn new(tls_root: Vec<u8>) -> Arc<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(tls_root.into()).unwrap();
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        Arc::new(Self {
            client: reqwest::Client::builder()
                .tls_backend_preconfigured(tls)
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                .build()
                .unwrap(),
            runtime,
            batches: Mutex::default(),
            before: Mutex::default(),
        })
    }

    pub(crate) fn before_each_batch(&self, act: impl Fn(usize) + Send + Sync + 'static) {
        *self.before.lock().unwrap() = Some(Box::new(act));
    }

    /// The ids of each request that carried envelopes, in order.
    pub(crate) fn batches(&self) -> Vec<Vec<Uuid>> {
        self.batches.lock().unwrap().clone()
    }

    fn note(&self, request: &HttpRequest) {
        if !request.url.ends_with(ENVELOPES_PATH) {
            return;
        }
        let batch = read_batch(&request.body, usize::MAX).unwrap();
        let number = {
            let mut batches = self.batches.lock().unwrap();
            batches.push(batch.iter().map(|one| one.id).collect());
            batches.len()
        };
        if let Some(before) = &*self.before.lock().unwrap() {
            before(number);
        }
    }
}

impl Transport for Recorder {
    fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        self.note(&request);
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

    fn cancel(&self) -> Result<bool, TransportError> {
        Ok(false)
    }
}
