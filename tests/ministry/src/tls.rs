//! TLS: a root of our own, kept with the keys, and a server certificate that is
//! made anew at each start for the addresses it listens on.
//!
//! Both are valid from 1975 to 4096, on purpose: a phone's clock may be off by
//! years, and a report must leave all the same. A host trusts exactly this root
//! for exactly this ministry (`Config::tls_roots`), so no short life protects it.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// Names of every server certificate. 10.0.2.2 is this machine as an Android
/// emulator sees it.
const NAMES: [&str; 4] = ["localhost", "127.0.0.1", "::1", "10.0.2.2"];

/// The root that signs the server certificate.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: Vec<u8>,
}

impl Authority {
    /// From a key in PKCS#8 and its certificate in DER.
    pub(crate) fn load(key: Vec<u8>, certificate: Vec<u8>) -> io::Result<Self> {
        let key = KeyPair::try_from(key).map_err(io::Error::other)?;
        Ok(Self {
            issuer: Issuer::new(authority_params(), key),
            certificate,
        })
    }

    /// The root certificate in DER.
    pub(crate) fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// A TLS configuration with a certificate for the standing names and `listen`.
    pub(crate) fn server_config(&self, listen: IpAddr) -> io::Result<Arc<ServerConfig>> {
        let mut names: Vec<String> = NAMES.map(str::to_owned).to_vec();
        if !listen.is_unspecified() && !names.contains(&listen.to_string()) {
            names.push(listen.to_string());
        }
        let mut params = CertificateParams::new(names).map_err(io::Error::other)?;
        params
            .distinguished_name
            .push(DnType::CommonName, "Homeline reference ministry");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let certificate = params
            .signed_by(&key, &self.issuer)
            .map_err(io::Error::other)?;
        let chain = vec![CertificateDer::from(certificate.der().to_vec())];
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(io::Error::other)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

/// Makes a root: its key in PKCS#8 and its certificate in DER.
pub(crate) fn make_authority() -> io::Result<(Vec<u8>, Vec<u8>)> {
    let key = KeyPair::generate().map_err(io::Error::other)?;
    let certificate = authority_params()
        .self_signed(&key)
        .map_err(io::Error::other)?;
    Ok((key.serialize_der(), certificate.der().to_vec()))
}

fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, "Homeline reference ministry root");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}
