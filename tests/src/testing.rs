//! The HTTPS client of this package's own tests.

use std::{error::Error, future::Future, sync::Arc};

use rustls::{ClientConfig, RootCertStore, crypto::ring};

use crate::certs::Authority;

/// Which HTTP versions a client offers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Http {
    One,
    Both,
}

/// A client that trusts `ca` alone and follows no redirects, as the core's.
pub(crate) fn client(ca: &Authority, http: Http) -> reqwest::Client {
    let mut anchors = RootCertStore::empty();
    anchors.add(ca.der().clone()).unwrap();
    let mut tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(anchors)
        .with_no_client_auth();
    tls.alpn_protocols = match http {
        Http::One => vec![b"http/1.1".to_vec()],
        Http::Both => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
    };
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap()
}

/// Runs `work` to its end, on a runtime made for it.
pub(crate) fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

/// An error with all its causes.
pub(crate) fn everything(error: &(dyn Error + 'static)) -> String {
    std::iter::successors(Some(error), |&e| e.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
