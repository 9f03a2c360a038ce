//! One request of the protocol: signed, bounded, sent, classified.

use std::sync::atomic::{AtomicBool, Ordering};

use serde::de::DeserializeOwned;

use super::backoff::Asked;
use super::classify::{Verdict, classify, is_results};
use super::protocol::{ENVELOPES_BINARY, JSON, Problem, RESULTS_BINARY, StandBy, UNKNOWN_DEVICE};
use super::signature::sign_request;
use crate::clock::{ClockReading, Time, elapsed_ms};
use crate::config::Policy;
use crate::keys::DeviceKeys;
use crate::sos::AttemptResult;
use crate::transport::{Carrier, Exchanged, HttpHeader, HttpRequest, HttpResponse, TransportError};

/// Why a request brought no answer of the ministry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// As an attempt ends that brought no receipt; with a wait, if one was asked for.
    Attempt { result: AttemptResult, asked: Asked },
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

    /// What answers is not the ministry.
    pub(super) fn not_the_ministry(status: u16) -> Self {
        Self::attempt(AttemptResult::NotTheMinistry { status })
    }

    /// An attempt that ended with nothing asked for.
    pub(super) fn attempt(result: AttemptResult) -> Self {
        Self::Attempt {
            result,
            asked: Asked::default(),
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
    pub(super) carrier: &'a Carrier,
    pub(super) origin: &'a str,
    pub(super) policy: &'a Policy,
    pub(super) time: &'a Time,
    pub(super) started: &'a ClockReading,
    pub(super) deadline_ms: i64,
    /// What this pass has learnt of the line.
    pub(super) line: Heard,
}

/// What a pass has learnt of the line.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// There is no connection: nothing more is tried in this pass.
    gone: AtomicBool,
    /// The ministry answered, in its own form: the line is there.
    answered: AtomicBool,
}

impl Heard {
    /// Whether the ministry has answered anything in this pass.
    pub(super) fn answered(&self) -> bool {
        self.answered.load(Ordering::SeqCst)
    }
}

impl Client<'_> {
    /// Milliseconds that the pass may still take.
    pub(super) fn left_ms(&self) -> i64 {
        let spent = elapsed_ms(self.started, &self.time.now()).unwrap_or(0);
        self.deadline_ms.saturating_sub(spent)
    }

    /// Sends a request in JSON, signed by `device` unless it is `None`, and waits
    /// for its answer.
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
        let request = self.request(method, target, body, device)?;
        let answer = judge(self.carrier.exchange(request));
        self.heard(answer.and_then(|response| read_json(&response)))
    }

    /// Notes what an exchange tells of the line.
    pub(super) fn heard<T>(&self, answer: Result<T, Failure>) -> Result<T, Failure> {
        let result = match &answer {
            Err(Failure::Attempt { result, .. }) => Some(*result),
            _ => None,
        };
        match (&answer, result) {
            (_, Some(AttemptResult::NoConnection)) => {
                self.line.gone.store(true, Ordering::SeqCst);
            }
            (Ok(_) | Err(Failure::UnknownDevice | Failure::Refused { .. }), _)
            | (_, Some(AttemptResult::Busy { .. } | AttemptResult::NotAuthorized { .. })) => {
                self.line.answered.store(true, Ordering::SeqCst);
            }
            _ => {}
        }
        answer
    }

    /// A request, ready to be sent.
    pub(super) fn request(
        &self,
        method: &str,
        target: &str,
        body: Body,
        device: Option<&DeviceKeys>,
    ) -> Result<HttpRequest, Failure> {
        let left = u64::try_from(self.left_ms()).unwrap_or(0);
        if left == 0 {
            return Err(Failure::Deadline);
        }
        // Each attempt costs the radio seconds, and a crowd its ministry.
        if self.line.gone.load(Ordering::SeqCst) {
            return Err(Failure::attempt(AttemptResult::NoConnection));
        }
        let longest = u64::try_from(self.policy.request.as_millis()).unwrap_or(u64::MAX);
        Ok(HttpRequest {
            method: method.to_owned(),
            url: format!("{}{target}", self.origin),
            headers: self.headers(method, target, &body, device),
            body: body.bytes,
            timeout_ms: longest.min(left),
            max_response_bytes: u64::try_from(self.policy.response_bytes).unwrap_or(u64::MAX),
        })
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
        let accept = match body.media_type {
            ENVELOPES_BINARY => format!("{RESULTS_BINARY}, {JSON};q=0.5"),
            _ => JSON.to_owned(),
        };
        let mut headers = vec![header("accept", accept)];
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

/// What an exchange came to: an answer of the ministry, as far as status and
/// headers tell, or why it is none.
pub(super) fn judge(exchanged: Exchanged) -> Result<HttpResponse, Failure> {
    let response = exchanged.map_err(|error| match error {
        TransportError::Cancelled => Failure::Cancelled,
        TransportError::NoConnection => Failure::attempt(AttemptResult::NoConnection),
        TransportError::NotTrusted => Failure::attempt(AttemptResult::NotTrusted),
        TransportError::BadAnswer => Failure::not_the_ministry(0),
        TransportError::NoAnswer | TransportError::Failed => {
            Failure::attempt(AttemptResult::NoAnswer)
        }
    })?;
    let status = response.status;
    let verdict = classify(
        status,
        response.header("content-type"),
        response.header("retry-after"),
        response.header("date"),
    );
    let problem = || serde_json::from_slice::<Problem>(&response.body).ok();
    Err(match verdict {
        Verdict::Answer => return Ok(response),
        Verdict::Busy { after_ms } => Failure::Attempt {
            result: AttemptResult::Busy { status },
            asked: Asked {
                after_ms,
                spread_ms: StandBy::of(response.header("content-type"), &response.body),
            },
        },
        Verdict::NotAuthorized => match problem() {
            Some(problem) if problem.kind == UNKNOWN_DEVICE => Failure::UnknownDevice,
            _ => Failure::attempt(AttemptResult::NotAuthorized { status }),
        },
        Verdict::Refused => match problem() {
            Some(problem) => Failure::Refused {
                status,
                kind: problem.kind,
            },
            None => Failure::not_the_ministry(status),
        },
        Verdict::NotTheMinistry => Failure::not_the_ministry(status),
    })
}

/// The body of an answer, in JSON.
pub(super) fn read_json<T: DeserializeOwned>(response: &HttpResponse) -> Result<T, Failure> {
    serde_json::from_slice(&response.body).map_err(|_| Failure::not_the_ministry(response.status))
}

/// Whether the answer is in binary.
pub(super) fn is_binary(response: &HttpResponse) -> bool {
    response.header("content-type").is_some_and(is_results)
}
