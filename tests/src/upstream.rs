//! The ministry as it is reached by what is no phone: by a middle box that passes
//! requests on, and by the gateway of a text message service.

use std::io;
use std::time::Duration;

use homeline::sync::protocol::{SmsDelivery, SmsTaken};
use reqwest::blocking::Client;
use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::CertificateDer};

use crate::hostile::{Request, Response};

/// Where the ministry is, and a client that trusts it.
#[derive(Clone)]
pub struct Upstream {
    origin: String,
    client: Client,
}

impl Upstream {
    /// # Errors
    /// The root is not a certificate.
    pub fn new(origin: &str, tls_root: &[u8]) -> io::Result<Self> {
        let mut anchors = RootCertStore::empty();
        anchors
            .add(CertificateDer::from(tls_root.to_vec()))
            .map_err(io::Error::other)?;
        let tls = ClientConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(anchors)
            .with_no_client_auth();
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(5))
            .no_proxy()
            .build()
            .map_err(io::Error::other)?;
        Ok(Self {
            origin: origin.to_owned(),
            client,
        })
    }

    /// The ministry's answer to a request; none where it has none.
    pub fn pass(&self, request: &Request) -> Option<Response> {
        let method = request.method.parse().ok()?;
        let url = format!("{}{}", self.origin, request.path);
        let mut passed = self.client.request(method, url);
        for (name, value) in &request.headers {
            let hop = ["host", "content-length", "connection", "accept-encoding"];
            if !hop.contains(&name.as_str()) {
                passed = passed.header(name, value);
            }
        }
        let answer = passed.body(request.body.clone()).send().ok()?;
        let status = answer.status().as_u16();
        let headers = ["content-type", "retry-after", "date"]
            .iter()
            .filter_map(|name| {
                let value = answer.headers().get(*name)?.to_str().ok()?;
                Some(((*name).to_owned(), value.to_owned()))
            })
            .collect();
        Some(Response {
            status,
            headers,
            body: answer.bytes().ok()?.to_vec(),
        })
    }

    /// Gives the ministry a text message, as its gateway; returns the text that goes
    /// back to the phone, where there is one.
    ///
    /// # Errors
    /// The ministry cannot be reached, or does not take the text.
    pub(crate) fn deliver_text(&self, token: &str, text: &str) -> io::Result<Option<String>> {
        let delivery = SmsDelivery {
            id: "1".into(),
            from: "+905551234567".into(),
            text: text.to_owned(),
            received_ms: 1,
        };
        let answer = self
            .client
            .post(format!("{}/v1/sms", self.origin))
            .header("content-type", "application/json")
            .bearer_auth(token)
            .body(serde_json::to_vec(&delivery)?)
            .send()
            .and_then(reqwest::blocking::Response::error_for_status)
            .map_err(io::Error::other)?;
        let taken: SmsTaken = serde_json::from_slice(&answer.bytes().map_err(io::Error::other)?)?;
        Ok(taken.reply)
    }
}

/// A page with a status: what a proxy says in the ministry's place.
pub(crate) fn page(status: u16, headers: &[(String, String)]) -> Response {
    let html = ("content-type".to_owned(), "text/html".to_owned());
    Response {
        status,
        headers: [&[html], headers].concat(),
        body: b"<html><body>a page</body></html>".to_vec(),
    }
}
