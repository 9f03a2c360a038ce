//! Problems (RFC 9457): the one form of every error that the service answers.
//!
//! A [`Fault`] is what a handler returns; it becomes `application/problem+json`
//! with the right status. Texts are fixed and written for engineers, so none of
//! them can carry what a traveler wrote.

use axum::body::Body;
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use homeline::sync::protocol::{self, PROBLEM_JSON, Problem, StandBy};
use serde::Serialize;

use crate::capacity::TurnedAway;

/// `type` of a problem that its status says all about.
pub(crate) const BLANK: &str = "about:blank";

/// An error answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    status: StatusCode,
    kind: &'static str,
    title: &'static str,
}

impl Fault {
    const fn new(status: StatusCode, kind: &'static str, title: &'static str) -> Self {
        Self {
            status,
            kind,
            title,
        }
    }

    fn problem(&self) -> Problem {
        Problem {
            kind: self.kind.into(),
            title: self.title.into(),
            status: self.status.as_u16(),
        }
    }

    pub(crate) const fn bad_json() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "urn:homeline:problem:malformed-body",
            "The body is not the JSON that this call takes.",
        )
    }

    pub(crate) const fn bad_batch() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "urn:homeline:problem:malformed-body",
            "The body is not a batch of envelopes.",
        )
    }

    pub(crate) const fn bad_query() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "urn:homeline:problem:malformed-query",
            "`after` is a number that an earlier page ended with, or absent.",
        )
    }

    pub(crate) const fn broken_body() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            BLANK,
            "The body ended before its end.",
        )
    }

    pub(crate) const fn invalid_key() -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "urn:homeline:problem:invalid-key",
            "Both keys of an enrolment have 32 bytes.",
        )
    }

    pub(crate) const fn unknown_device() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            protocol::UNKNOWN_DEVICE,
            "This device is not enrolled.",
        )
    }

    pub(crate) const fn bad_signature() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "urn:homeline:problem:bad-signature",
            "The request is not signed by the device that it names.",
        )
    }

    pub(crate) const fn no_token() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "urn:homeline:problem:no-token",
            "The desk needs the token that was printed when the service started.",
        )
    }

    pub(crate) const fn other_origin() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "urn:homeline:problem:other-origin",
            "The desk answers only its own page on this machine.",
        )
    }

    pub(crate) const fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, BLANK, "Not Found")
    }

    pub(crate) const fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, BLANK, "Method Not Allowed")
    }

    pub(crate) const fn too_slow() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, BLANK, "Request Timeout")
    }

    pub(crate) const fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, BLANK, "Content Too Large")
    }

    pub(crate) const fn wrong_hash() -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "urn:homeline:problem:wrong-hash",
            "The chunk does not have the SHA-256 of its path.",
        )
    }

    pub(crate) const fn unexpected_chunk() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            protocol::UNEXPECTED_CHUNK,
            "No attachment that is announced and incomplete has this chunk.",
        )
    }

    pub(crate) const fn too_many_envelopes() -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "urn:homeline:problem:too-many-envelopes",
            "More envelopes than the service document allows in one request.",
        )
    }

    pub(crate) const fn too_many_parcels() -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "urn:homeline:problem:too-many-parcels",
            "More parcels than are taken in one request.",
        )
    }

    pub(crate) const fn carried_enough() -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "urn:homeline:problem:carried-enough",
            "This device has brought as many parcels as are taken in a day.",
        )
    }

    pub(crate) const fn not_json() -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            BLANK,
            "Unsupported Media Type",
        )
    }

    pub(crate) const fn invalid_name() -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "urn:homeline:problem:invalid-name",
            "Officer and mission are one line of 1 to 200 characters each.",
        )
    }

    pub(crate) const fn unreadable_text() -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "urn:homeline:problem:unreadable-text",
            "Not a text message that this ministry can open; a person should read it.",
        )
    }

    pub(crate) const fn other_sender() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "urn:homeline:problem:other-sender",
            "This report belongs to another device.",
        )
    }

    pub(crate) const fn too_many_texts() -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "urn:homeline:problem:too-many-texts",
            "Too many text messages of one number.",
        )
    }

    pub(crate) const fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            BLANK,
            "Internal Server Error",
        )
    }

    pub(crate) const fn busy() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "urn:homeline:problem:stand-by",
            "More than can be taken just now; come back within the spread.",
        )
    }

    pub(crate) const fn unavailable() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "urn:homeline:problem:storage-unavailable",
            "Nothing can be stored just now; repeat the request.",
        )
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response<Body> {
        let problem = serde_json::to_vec(&self.problem()).unwrap_or_default();
        let mut response = Response::new(Body::from(problem));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match self.status {
            // RFC 9110 asks for both of these headers.
            StatusCode::UNAUTHORIZED => {
                let scheme = if self == Self::no_token() {
                    "Bearer"
                } else {
                    "Signature"
                };
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(scheme));
            }
            StatusCode::METHOD_NOT_ALLOWED => {
                headers.insert(ALLOW, HeaderValue::from_static("GET, POST, PUT"));
            }
            StatusCode::TOO_MANY_REQUESTS => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("600"));
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
            }
            _ => {}
        }
        response
    }
}

/// The problem of whoever is asked to stand by.
#[derive(Serialize)]
struct StandByProblem {
    #[serde(flatten)]
    problem: Problem,
    #[serde(flatten)]
    stand_by: StandBy,
}

impl IntoResponse for TurnedAway {
    fn into_response(self) -> Response<Body> {
        let problem = StandByProblem {
            problem: Fault::busy().problem(),
            stand_by: self.stand_by,
        };
        let mut response = Fault::busy().into_response();
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(self.after_s));
        *response.body_mut() = Body::from(serde_json::to_vec(&problem).unwrap_or_default());
        response
    }
}

/// What a panic in a handler becomes; what it said is not passed on.
pub(crate) fn from_panic(_: Box<dyn std::any::Any + Send>) -> Response<Body> {
    Fault::internal().into_response()
}
