//! A phone made by hand, and the ministry that it calls.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use homeline::clock::ClockReading;
use homeline::seal::envelope::{RecipientKey, open};
use homeline::seal::signed::{Context, Signed};
use homeline::seal::{hex, sha256_hex};
use homeline::sos::{Ground, SosKind};
use homeline::sync::protocol::{
    AgedFix, Base64, BatchAnswer, CaseNews, Change, ChangePage, Content, EnvelopeBatch,
    EnvelopeOutcome, Receipt, SealedEnvelope, SosCancel, SosReport, SosUpdate, Standing,
};
use homeline::whereabouts::{Fix, FixSource, Position};
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256 as Kem;
use hpke::{Deserializable as _, Kem as _, OpModeS, Serializable as _};
use ministry::{Ministry, Settings};
use reqwest::blocking::{Client, Response};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use rustls::pki_types::CertificateDer;
use serde::Serialize;
use uuid::Uuid;

/// A ministry in a directory of its own.
pub struct Post {
    pub ministry: Ministry,
    pub directory: tempfile::TempDir,
}

impl Post {
    pub fn open() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let ministry = Ministry::start(Settings::new(directory.path())).unwrap();
        Self {
            ministry,
            directory,
        }
    }

    /// Stops the ministry and starts it again on the same directory.
    pub fn restart(self) -> Self {
        let Self {
            ministry,
            directory,
        } = self;
        ministry.stop();
        let ministry = Ministry::start(Settings::new(directory.path())).unwrap();
        Self {
            ministry,
            directory,
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.ministry.url())
    }

    pub fn client(&self) -> Client {
        client(&self.ministry)
    }

    pub fn receipt_keys(&self) -> Vec<Vec<u8>> {
        let signed: Signed = read(self.client().get(self.url("/v1/service")).send().unwrap());
        let document: homeline::sync::protocol::ServiceDocument = signed
            .verify(Context::Service, &[self.ministry.host_values().anchor])
            .unwrap();
        document.receipt_keys.into_iter().map(|key| key.0).collect()
    }

    /// The receipt of an accepted or repeated envelope, verified.
    pub fn receipt(&self, outcome: &EnvelopeOutcome) -> Receipt {
        signed_of(outcome)
            .verify(Context::Receipt, &self.receipt_keys())
            .unwrap()
    }
}

pub fn client(ministry: &Ministry) -> Client {
    client_of(ministry, &[b"h2", b"http/1.1"])
}

/// A client that offers these versions of HTTP (ALPN).
pub fn client_of(ministry: &Ministry, versions: &[&[u8]]) -> Client {
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from(ministry.host_values().tls_root))
        .unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = versions.iter().map(|it| it.to_vec()).collect();
    Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .build()
        .unwrap()
}

pub fn read<T: serde::de::DeserializeOwned>(response: Response) -> T {
    let status = response.status();
    let bytes = response.bytes().unwrap();
    assert!(
        status.is_success(),
        "{status} {}",
        String::from_utf8_lossy(&bytes)
    );
    serde_json::from_slice(&bytes).unwrap()
}

/// Status and type of a problem answer.
pub fn problem(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    let body: serde_json::Value = serde_json::from_slice(&response.bytes().unwrap()).unwrap();
    assert_eq!(body["status"], status);
    assert!(!body["title"].as_str().unwrap().is_empty());
    (status, body["type"].as_str().unwrap().to_owned())
}

pub fn signed_of(outcome: &EnvelopeOutcome) -> &Signed {
    match outcome {
        EnvelopeOutcome::Accepted { receipt } | EnvelopeOutcome::Duplicate { receipt } => receipt,
        EnvelopeOutcome::Refused { problem } => panic!("refused: {}", problem.kind),
    }
}

/// A device, from one byte.
pub struct Phone {
    signing: Ed25519KeyPair,
    private: [u8; 32],
    pub agreement: [u8; 32],
}

impl Phone {
    pub fn new(byte: u8) -> Self {
        let private = [byte; 32];
        let secret = <Kem as hpke::Kem>::PrivateKey::from_bytes(&private).unwrap();
        Self {
            signing: Ed25519KeyPair::from_seed_unchecked(&[byte; 32]).unwrap(),
            agreement: Kem::sk_to_pk(&secret)
                .to_bytes()
                .as_slice()
                .try_into()
                .unwrap(),
            private,
        }
    }

    pub fn signing_key(&self) -> [u8; 32] {
        self.signing.public_key().as_ref().try_into().unwrap()
    }

    /// A token of version 1 by its table in the OpenAPI document.
    pub fn token(&self, context: &str, body: &[u8]) -> Base64 {
        let message = [context.as_bytes(), b"\0", body].concat();
        let key = ring::digest::digest(&ring::digest::SHA256, &self.signing_key());
        let mut out = vec![1];
        out.extend_from_slice(&key.as_ref()[..8]);
        out.extend_from_slice(self.signing.sign(&message).as_ref());
        out.extend_from_slice(body);
        Base64(out)
    }

    pub fn id(&self) -> String {
        let both = [self.signing.public_key().as_ref(), &self.agreement].concat();
        sha256_hex(&both).chars().take(32).collect()
    }

    pub fn enrolment(&self) -> String {
        serde_json::json!({
            "signing_key": STANDARD.encode(self.signing.public_key().as_ref()),
            "agreement_key": STANDARD.encode(self.agreement),
        })
        .to_string()
    }

    pub fn enrolled(byte: u8, post: &Post) -> Self {
        let phone = Self::new(byte);
        let response = phone.post(post, "/v1/devices", phone.enrolment().into_bytes());
        let answer: serde_json::Value = read(response);
        assert_eq!(answer["device"], phone.id());
        phone
    }

    /// The three headers of RFC 9421 for a request.
    pub fn headers(&self, method: &str, target: &str, body: &[u8]) -> [(&'static str, String); 3] {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let hash = ring::digest::digest(&ring::digest::SHA256, body);
        let digest = format!("sha-256=:{}:", STANDARD.encode(hash));
        let parameters = format!(
            "(\"@method\" \"@path\" \"@query\" \"content-digest\");created=1;keyid=\"{}\";alg=\"ed25519\"",
            self.id()
        );
        let base = format!(
            "\"@method\": {method}\n\"@path\": {path}\n\"@query\": ?{query}\n\
             \"content-digest\": {digest}\n\"@signature-params\": {parameters}"
        );
        let signature = STANDARD.encode(self.signing.sign(base.as_bytes()));
        [
            ("content-digest", digest),
            ("signature-input", format!("sig={parameters}")),
            ("signature", format!("sig=:{signature}:")),
        ]
    }

    pub fn post(&self, post: &Post, target: &str, body: Vec<u8>) -> Response {
        self.post_with(&post.client(), post, target, body)
    }

    pub fn post_with(&self, client: &Client, post: &Post, target: &str, body: Vec<u8>) -> Response {
        let mut request = client
            .post(post.url(target))
            .header("content-type", "application/json");
        for (name, value) in self.headers("POST", target, &body) {
            request = request.header(name, value);
        }
        request.body(body).send().unwrap()
    }

    pub fn send(&self, post: &Post, envelopes: &[SealedEnvelope]) -> Vec<EnvelopeOutcome> {
        let response = self.post(post, "/v1/envelopes", batch(envelopes));
        let answer: BatchAnswer = read(response);
        let ids: Vec<Uuid> = answer.results.iter().map(|result| result.id).collect();
        let sent: Vec<Uuid> = envelopes.iter().map(|envelope| envelope.id).collect();
        assert_eq!(ids, sent, "one result an envelope, in order");
        answer.results.into_iter().map(|it| it.outcome).collect()
    }

    pub fn send_one(&self, post: &Post, envelope: &SealedEnvelope) -> EnvelopeOutcome {
        self.send(post, std::slice::from_ref(envelope)).remove(0)
    }

    pub fn changes(&self, post: &Post, after: u64) -> ChangePage {
        let target = format!("/v1/changes?after={after}");
        let mut request = post.client().get(post.url(&target));
        for (name, value) in self.headers("GET", &target, b"") {
            request = request.header(name, value);
        }
        read(request.send().unwrap())
    }

    /// Opens a change that was sealed to this phone and verifies its news.
    pub fn news(&self, post: &Post, change: &Change) -> CaseNews {
        let key = RecipientKey::from_bytes(&self.private).unwrap();
        let opened = open(&change.sealed.0, &[key]).unwrap();
        assert_eq!(opened.sender, None);
        let signed: Signed = serde_json::from_slice(&opened.content).unwrap();
        signed.verify(Context::Case, &post.receipt_keys()).unwrap()
    }

    /// Seals by the table of the OpenAPI document.
    pub fn seal(&self, post: &Post, id: Uuid, content: &impl Serialize) -> SealedEnvelope {
        let recipient = post.ministry.host_values().sealing_key;
        self.seal_bytes(&recipient, id, &serde_json::to_vec(content).unwrap())
    }

    pub fn seal_bytes(&self, recipient: &[u8], id: Uuid, content: &[u8]) -> SealedEnvelope {
        let mut out = vec![1, 2];
        let hash = ring::digest::digest(&ring::digest::SHA256, recipient);
        out.extend_from_slice(&hash.as_ref()[..8]);
        out.extend_from_slice(id.as_bytes());
        out.extend_from_slice(&self.agreement);
        let private = <Kem as hpke::Kem>::PrivateKey::from_bytes(&self.private).unwrap();
        let public = Kem::sk_to_pk(&private);
        let recipient = <Kem as hpke::Kem>::PublicKey::from_bytes(recipient).unwrap();
        let (encapsulated, ciphertext) =
            hpke::single_shot_seal::<ChaCha20Poly1305, HkdfSha256, Kem>(
                &OpModeS::Auth((private, public)),
                &recipient,
                b"homeline/envelope/v1",
                content,
                &out,
            )
            .unwrap();
        out.extend_from_slice(&encapsulated.to_bytes());
        out.extend_from_slice(&ciphertext);
        SealedEnvelope {
            id,
            sealed: Base64(out),
        }
    }

    pub fn sos(&self, post: &Post, report: Uuid) -> SealedEnvelope {
        self.seal(post, report, &Content::Sos(sos(report)))
    }

    pub fn update(&self, post: &Post, id: Uuid, update: SosUpdate) -> SealedEnvelope {
        self.seal(post, id, &Content::SosUpdate(update))
    }

    pub fn cancel(&self, post: &Post, id: Uuid, report: Uuid) -> SealedEnvelope {
        let at = clock(90_000);
        self.seal(post, id, &Content::SosCancel(SosCancel { report, at }))
    }

    pub fn standing(&self, post: &Post, id: Uuid, name: &str) -> SealedEnvelope {
        self.seal(post, id, &Content::Standing(standing(name)))
    }
}

pub fn batch(envelopes: &[SealedEnvelope]) -> Vec<u8> {
    serde_json::to_vec(&EnvelopeBatch {
        envelopes: envelopes.to_vec(),
    })
    .unwrap()
}

pub fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// The phone's clocks, `monotonic_ms` after its start.
pub fn clock(monotonic_ms: i64) -> ClockReading {
    ClockReading {
        wall_ms: 1_790_000_000_000 + monotonic_ms,
        monotonic_ms,
        boot_id: "boot".into(),
    }
}

pub fn aged_fix(latitude: f64, age_ms: i64) -> AgedFix {
    AgedFix {
        fix: Fix {
            accuracy_m: Some(12.0),
            ..Fix::new(
                Position::Wgs84 {
                    latitude,
                    longitude: 28.97,
                },
                1_790_000_000_000,
                FixSource::Gnss,
            )
        },
        age_ms: Some(age_ms),
        flags: Vec::new(),
    }
}

pub fn sos(report: Uuid) -> SosReport {
    SosReport {
        report,
        sequence: 1,
        pressed: clock(60_000),
        kind: SosKind::Medical,
        note: "腿断了 broken leg".into(),
        note_cut: false,
        people: Some(2),
        battery_percent: Some(41),
        position: Some(aged_fix(41.01, 5_000)),
        recent: Vec::new(),
        standing: None,
        medical: None,
        ground: Ground::VitalInterest,
    }
}

pub fn update_at(report: Uuid, monotonic_ms: i64, latitude: f64) -> SosUpdate {
    SosUpdate {
        report,
        at: clock(monotonic_ms),
        position: aged_fix(latitude, 1_000),
    }
}

pub(crate) fn standing(name: &str) -> Standing {
    serde_json::from_value(serde_json::json!({
        "as_of": {"wall_ms": 1, "monotonic_ms": 1, "boot_id": "boot"},
        "traveler": {
            "name": name, "kind": {"kind": "student", "school": "ITU"},
            "phone": "+8613800138000", "documents": [{"number": "E12345678"}],
        },
        "contacts": [{"name": "李母", "phone": "+8613900139000", "relation": "parent"}],
    }))
    .unwrap()
}

pub fn key_of(bytes: &[u8]) -> String {
    hex(ring::digest::digest(&ring::digest::SHA256, bytes)
        .as_ref()
        .iter()
        .take(8))
}
