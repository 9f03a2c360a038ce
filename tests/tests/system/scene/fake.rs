//! A ministry with keys of its own, which signs whatever a test wants.

use homeline::seal::sha256_hex;
use homeline::seal::signed::{Context, Signed};
use homeline::sync::protocol::{
    Base64, BatchAnswer, CHANGES_PATH, ChangePage, DEVICES_PATH, ENVELOPES_PATH, Enrolled,
    EnvelopeOutcome, EnvelopeResult, Limits, Receipt, SERVICE_PATH, SealedEnvelope,
    ServiceDocument, read_batch,
};
use homeline::sync::signature::key_id_of;
use homeline_tests::hostile::{Request, Response};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde::Serialize;

/// The keys of a fake ministry.
pub(crate) struct Fake {
    anchor: Ed25519KeyPair,
    receipt: Ed25519KeyPair,
    sealing_key: Vec<u8>,
    serial: u64,
}

impl Fake {
    /// A ministry whose service document has `serial`. The same seed is the
    /// same key.
    pub(crate) fn new(anchor: u8, receipt: u8, serial: u64, sealing_key: &[u8]) -> Self {
        let pair = |n| Ed25519KeyPair::from_seed_unchecked(&[n; 32]).unwrap();
        Self {
            anchor: pair(anchor),
            receipt: pair(receipt),
            sealing_key: sealing_key.to_vec(),
            serial,
        }
    }

    pub(crate) fn anchor(&self) -> Vec<u8> {
        self.anchor.public_key().as_ref().to_vec()
    }

    fn service(&self) -> Signed {
        let document = ServiceDocument {
            serial: self.serial,
            issued_ms: 0,
            versions: vec![1],
            sealing_keys: vec![Base64(self.sealing_key.clone())],
            receipt_keys: vec![Base64(self.receipt.public_key().as_ref().to_vec())],
            sms_numbers: vec![],
            datagram: None,
            limits: Limits {
                batch_envelopes: 64,
                request_bytes: 1 << 20,
            },
            crises: vec![],
        };
        sign(&self.anchor, Context::Service, &document)
    }

    pub(crate) fn sign_receipt(&self, receipt: &Receipt) -> Signed {
        sign(&self.receipt, Context::Receipt, receipt)
    }

    /// Signs a receipt as if it were news of a case.
    pub(crate) fn sign_as_news(&self, receipt: &Receipt) -> Signed {
        sign(&self.receipt, Context::Case, receipt)
    }

    /// An honest receipt, before it is signed.
    pub(crate) fn receipt(envelope: &SealedEnvelope) -> Receipt {
        Receipt {
            envelope: envelope.id,
            sha256: sha256_hex(&envelope.sealed.0),
            received_ms: 1_700_000_000_000,
            case: Some("C-0000-0001".into()),
        }
    }

    /// Accepts an envelope as an honest ministry does.
    pub(crate) fn accept(&self, envelope: &SealedEnvelope) -> EnvelopeOutcome {
        EnvelopeOutcome::Accepted {
            receipt: self.sign_receipt(&Self::receipt(envelope)),
        }
    }

    /// Answers as a ministry whose results are those of `judge`.
    pub(crate) fn answer(
        &self,
        request: &Request,
        judge: impl Fn(&SealedEnvelope) -> EnvelopeOutcome,
    ) -> Response {
        match request.path.split('?').next() {
            Some(SERVICE_PATH) => json(&self.service()),
            Some(DEVICES_PATH) => enrolled(request),
            Some(ENVELOPES_PATH) => json(&BatchAnswer {
                results: batch(request)
                    .iter()
                    .map(|envelope| EnvelopeResult {
                        id: envelope.id,
                        outcome: judge(envelope),
                    })
                    .collect(),
            }),
            Some(CHANGES_PATH) => json(&ChangePage {
                changes: vec![],
                more: false,
                newest: None,
                packs: None,
            }),
            _ => fixed(404, &[], ""),
        }
    }
}

/// The envelopes of a request; none where it brings none.
pub(crate) fn batch(request: &Request) -> Vec<SealedEnvelope> {
    read_batch(&request.body, usize::MAX).unwrap_or_default()
}

fn enrolled(request: &Request) -> Response {
    let input = request.headers.iter().find(|h| h.0 == "signature-input");
    let device = input.and_then(|h| key_id_of(&h.1)).unwrap_or_default();
    json(&Enrolled {
        device: device.to_owned(),
    })
}

pub(crate) fn fixed(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
    Response {
        status,
        headers: headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        body: body.as_bytes().to_vec(),
    }
}

pub(crate) fn problem(status: u16) -> Response {
    fixed(
        status,
        &[("content-type", "application/problem+json")],
        &format!(r#"{{"type":"urn:homeline:problem:test","title":"No.","status":{status}}}"#),
    )
}

fn json<T: Serialize>(value: &T) -> Response {
    fixed(
        200,
        &[("content-type", "application/json")],
        &serde_json::to_string(value).unwrap(),
    )
}

fn sign<T: Serialize>(pair: &Ed25519KeyPair, context: Context, body: &T) -> Signed {
    let public = pair.public_key();
    Signed::sign(context, body, public.as_ref(), |bytes| {
        pair.sign(bytes).as_ref().to_vec()
    })
    .unwrap()
}
