//! One request of the protocol: signed, bounded, sent, classified.

use serde::de::DeserializeOwned;

use super::classify::{Verdict, classify};
use super::protocol::{JSON, Problem, UNKNOWN_DEVICE};
use super::signature::sign_request;
use crate::clock::{ClockReading, Time, elapsed_ms};
use crate::config::Policy;
use crate::keys::DeviceKeys;
use crate::sos::AttemptResult;
use crate::transport::{HttpHeader, HttpRequest, HttpResponse, Transport, TransportError};

/// Why a request brought no answer of the ministry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// As an attempt ends that brought no receipt; with a wait, if one was asked for.
    Attempt {
        result: AttemptResult,
        after_ms: Option<i64>,
    },
    /// The ministry does not know this device.
    UnknownDevice,
    /// The ministry refuses the request for good.
    Refused { status: u16, kind: String },
    /// The deadline of the pass has come.
    Deadline,
    /// The pass was cancelled.
    Cancelled,
}

impl Failure {
    /// Whether one bad envelope may be the cause: a refusal, or a defect that it
    /// lays bare. 503 and 429 speak of the service.
    pub(super) fn may_be_one_envelopes(&self) -> bool {
        match self {
            Self::Refused { .. } => true,
            Self::Attempt {
                result: AttemptResult::Busy { status },
                ..
            } => *status == 500,
            _ => false,
        }
    }

    fn attempt(result: AttemptResult) -> Self {
        Self::Attempt {
            result,
            after_ms: None,
        }
    }
}

/// The body of a request.
pub(super) struct Body {
    pub(super) media_type: &'static str,
    pub(super) bytes: Vec<u8>,
}

/// The client of one pass.
pub(super) struct Client<'a> {
    pub(super) transport: &'a dyn Transport,
    pub(super) origin: &'a str,
    pub(super) policy: &'a Policy,
    pub(super) time: &'a Time,
    pub(super) started: &'a ClockReading,
    pub(super) deadline_ms: i64,
}

impl Client<'_> {
    /// Milliseconds that the pass may still take.
    pub(super) fn left_ms(&self) -> i64 {
        let spent = elapsed_ms(self.started, &self.time.now()).unwrap_or(0);
        self.deadline_ms.saturating_sub(spent)
    }

    /// Sends a request in JSON, signed by `device` unless it is `None`.
    pub(super) fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        target: &str,
        bytes: Vec<u8>,
        device: Option<&DeviceKeys>,
    ) -> Result<T, Failure> {
        let media_type = JSON;
        self.call_with(method, target, Body { media_type, bytes }, device)
    }

    /// Sends a request, signed by `device` unless it is `None`.
    pub(super) fn call_with<T: DeserializeOwned>(
        &self,
        method: &str,
        target: &str,
        body: Body,
        device: Option<&DeviceKeys>,
    ) -> Result<T, Failure> {
        let left = u64::try_from(self.left_ms()).unwrap_or(0);
        if left == 0 {
            return Err(Failure::Deadline);
        }
        let longest = u64::try_from(self.policy.request.as_millis()).unwrap_or(u64::MAX);
        let request = HttpRequest {
            method: method.to_owned(),
            url: format!("{}{target}", self.origin),
            headers: self.headers(method, target, &body, device),
            body: body.bytes,
            timeout_ms: longest.min(left),
            max_response_bytes: u64::try_from(self.policy.response_bytes).unwrap_or(u64::MAX),
        };
        match self.transport.exchange(request) {
            Ok(response) => read(&response),
            Err(TransportError::Cancelled) => Err(Failure::Cancelled),
            Err(error) => Err(Failure::attempt(match error {
                TransportError::NoConnection => AttemptResult::NoConnection,
                TransportError::NotTrusted => AttemptResult::NotTrusted,
                TransportError::BadAnswer => AttemptResult::NotTheMinistry { status: 0 },
                TransportError::NoAnswer | TransportError::Failed | TransportError::Cancelled => {
                    AttemptResult::NoAnswer
                }
            })),
        }
    }

    fn headers(
        &self,
        method: &str,
        target: &str,
        body: &Body,
        device: Option<&DeviceKeys>,
    ) -> Vec<HttpHeader> {
        let header = |name: &str, value: String| HttpHeader {
            name: name.to_owned(),
            value,
        };
        let mut headers = vec![header("accept", JSON.to_owned())];
        if !body.bytes.is_empty() {
            headers.push(header("content-type", body.media_type.to_owned()));
        }
        if let Some(device) = device {
            let created_s = self.time.now().wall_ms.div_euclid(1_000);
            let signed = sign_request(
                method,
                target,
                &body.bytes,
                created_s,
                device.id(),
                |base| device.sign(base),
            );
            headers.push(header("content-digest", signed.content_digest));
            headers.push(header("signature-input", signed.signature_input));
            headers.push(header("signature", signed.signature));
        }
        headers
    }
}

fn read<T: DeserializeOwned>(response: &HttpResponse) -> Result<T, Failure> {
    let status = response.status;
    let verdict = classify(
        status,
        response.header("content-type"),
        response.header("retry-after"),
        response.header("date"),
    );
    let problem = || serde_json::from_slice::<Problem>(&response.body).ok();
    match verdict {
        Verdict::Answer => serde_json::from_slice(&response.body)
            .map_err(|_| Failure::attempt(AttemptResult::NotTheMinistry { status })),
        Verdict::Busy { after_ms } => Err(Failure::Attempt {
            result: AttemptResult::Busy { status },
            after_ms,
        }),
        Verdict::NotAuthorized => Err(match problem() {
            Some(problem) if problem.kind == UNKNOWN_DEVICE => Failure::UnknownDevice,
            _ => Failure::attempt(AttemptResult::NotAuthorized { status }),
        }),
        Verdict::Refused => Err(match problem() {
            Some(problem) => Failure::Refused {
                status,
                kind: problem.kind,
            },
            None => Failure::attempt(AttemptResult::NotTheMinistry { status }),
        }),
        Verdict::NotTheMinistry => Err(Failure::attempt(AttemptResult::NotTheMinistry { status })),
    }
}
