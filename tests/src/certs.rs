//! Throw-away certificates: an authority that a test tells its client to trust,
//! and servers with certificates from it, good and bad.
//!
//! A foreign certificate is one from a second [`Authority`] that the client was
//! not told about ([`foreign_server`]). All keys live in memory only.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};

/// The names under which the tests reach a server on this machine.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// A certificate authority that exists for one test.
#[derive(Debug)]
pub struct Authority {
    der: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Makes an authority with a new key.
    ///
    /// # Errors
    /// When no key can be made.
    pub fn new() -> io::Result<Self> {
        // No two have the same name: a client would take the second for the
        // first with a wrong signature, which is not how a foreign one looks.
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let name = format!("Homeline test authority {}", MADE.fetch_add(1, SeqCst));
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let der = params
            .self_signed(&key)
            .map_err(io::Error::other)?
            .der()
            .clone();
        Ok(Self {
            der,
            issuer: Issuer::new(params, key),
        })
    }

    /// The authority's own certificate: the anchor that a client has to trust.
    #[must_use]
    pub fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// A server with a good certificate for `localhost`, `127.0.0.1` and `::1`,
    /// which offers h2 and HTTP/1.1.
    ///
    /// # Errors
    /// When the certificate cannot be made.
    pub fn server(&self) -> io::Result<Arc<ServerConfig>> {
        self.issue(params(&LOOPBACK)?)
    }

    /// As [`Authority::server`], for other names: with a name that is not the
    /// one in the address, a client must refuse it.
    ///
    /// # Errors
    /// When a name is not one, or the certificate cannot be made.
    pub fn server_for(&self, names: &[&str]) -> io::Result<Arc<ServerConfig>> {
        self.issue(params(names)?)
    }

    /// As [`Authority::server`], but valid only in the year 2000.
    ///
    /// # Errors
    /// When the certificate cannot be made.
    pub fn expired_server(&self) -> io::Result<Arc<ServerConfig>> {
        let mut params = params(&LOOPBACK)?;
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(2001, 1, 1);
        self.issue(params)
    }

    fn issue(&self, params: CertificateParams) -> io::Result<Arc<ServerConfig>> {
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let certificate = params
            .signed_by(&key, &self.issuer)
            .map_err(io::Error::other)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .map_err(io::Error::other)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

/// A server whose certificate is good in all but its issuer: an authority that
/// nobody trusts and that is gone when this returns.
///
/// # Errors
/// When a certificate cannot be made.
pub fn foreign_server() -> io::Result<Arc<ServerConfig>> {
    Authority::new()?.server()
}

fn params(names: &[&str]) -> io::Result<CertificateParams> {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    CertificateParams::new(names).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        hostile::{Answer, HostileServer},
        testing::{Http, client, everything, run},
    };

    fn get(tls: Arc<ServerConfig>, ca: &Authority) -> (Result<u16, String>, HostileServer) {
        let fixed = Answer::Fixed {
            status: 204,
            headers: vec![],
            body: vec![],
        };
        let server = HostileServer::start(tls, fixed).unwrap();
        let answer = run(client(ca, Http::Both).get(server.url()).send());
        let answer = answer
            .map(|a| a.status().as_u16())
            .map_err(|e| everything(&e));
        (answer, server)
    }

    #[test]
    fn a_client_that_trusts_the_authority_accepts_its_server() {
        let ca = Authority::new().unwrap();
        assert_eq!(get(ca.server().unwrap(), &ca).0, Ok(204));
    }

    #[test]
    fn bad_certificates_are_refused_before_any_request() {
        let ca = Authority::new().unwrap();
        let table = [
            (foreign_server().unwrap(), "UnknownIssuer"),
            (ca.expired_server().unwrap(), "expired"),
            (
                ca.server_for(&["elsewhere.example"]).unwrap(),
                "not valid for name",
            ),
        ];
        for (tls, reason) in table {
            let (answer, server) = get(tls, &ca);
            let error = answer.unwrap_err();
            assert!(error.contains(reason), "{reason}: {error}");
            assert_eq!((server.connections(), server.requests()), (1, 0));
        }
    }
}
