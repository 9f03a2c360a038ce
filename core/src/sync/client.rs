//! One request of the protocol: signed, bounded, sent, classified.

use serde::de::DeserializeOwned;

use super::classify::{Verdict, classify, is_results};
use super::protocol::{JSON, Problem, RESULTS_BINARY, UNKNOWN_DEVICE};
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

    /// What answers is not the ministry.
    pub(super) fn not_the_ministry(status: u16) -> Self {
        Self::attempt(AttemptResult::NotTheMinistry { status })
    }

    fn attempt(result: AttemptResult) -> Self {
        Self::Attempt {
            result,
            after_ms: None,
        }
    }
}

/// The client of one pass.
pub(super) struct Client<'a> {
    pub(super) carrier: &'a Carrier,
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

    /// Sends a request of JSON, signed by `device` unless it is `None`, and waits
    /// for its answer.
    pub(super) fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        target: &str,
        body: Vec<u8>,
        device: Option<&DeviceKeys>,
    ) -> Result<T, Failure> {
        let request = self.request(method, target, (JSON, body), device)?;
        read_json(&judge(self.carrier.exchange(request))?)
    }

    /// A request, ready to be sent; `body` with its media type.
    pub(super) fn request(
        &self,
        method: &str,
        target: &str,
        (media, body): (&str, Vec<u8>),
        device: Option<&DeviceKeys>,
    ) -> Result<HttpRequest, Failure> {
        let left = u64::try_from(self.left_ms()).unwrap_or(0);
        if left == 0 {
            return Err(Failure::Deadline);
        }
        let longest = u64::try_from(self.policy.request.as_millis()).unwrap_or(u64::MAX);
        Ok(HttpRequest {
            method: method.to_owned(),
            url: format!("{}{target}", self.origin),
            headers: self.headers(method, target, (media, &body), device),
            body,
            timeout_ms: longest.min(left),
            max_response_bytes: u64::try_from(self.policy.response_bytes).unwrap_or(u64::MAX),
        })
    }

    fn headers(
        &self,
        method: &str,
        target: &str,
        (media, body): (&str, &[u8]),
        device: Option<&DeviceKeys>,
    ) -> Vec<HttpHeader> {
        let header = |name: &str, value: String| HttpHeader {
            name: name.to_owned(),
            value,
        };
        let accept = match media {
            JSON => JSON.to_owned(),
            _ => format!("{RESULTS_BINARY}, {JSON};q=0.5"),
        };
        let mut headers = vec![header("accept", accept)];
        if !body.is_empty() {
            headers.push(header("content-type", media.to_owned()));
        }
        if let Some(device) = device {
            let created_s = self.time.now().wall_ms.div_euclid(1_000);
            let signed = sign_request(method, target, body, created_s, device.id(), |base| {
                device.sign(base)
            });
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
            after_ms,
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
