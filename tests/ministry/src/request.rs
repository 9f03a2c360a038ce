//! A request of the API: its body within bounds, its signature, its JSON.
//!
//! The checks come in this order, each with its own problem: media type (415),
//! size (413), time (408), device (401 unknown), signature (401), JSON (400).

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use homeline::sync::signature;
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;

use crate::problem::Fault;

/// Bytes of one request body, at most.
pub(crate) const BODY_BYTES: usize = 2 * 1024 * 1024;
/// A body that is too long is read on to here before it is refused, so that a
/// client that sends it all before it reads gets the answer.
const DRAIN_BYTES: usize = 8 * 1024 * 1024;
/// Time for one body: 256 KB, the longest that Homeline sends, at 35 kbit/s.
const BODY_TIME: Duration = Duration::from_secs(60);

/// A request with its whole body.
pub(crate) struct Received {
    parts: Parts,
    body: Vec<u8>,
}

impl Received {
    /// Reads a request.
    pub(crate) async fn read(request: Request) -> Result<Self, Fault> {
        let (parts, body) = request.into_parts();
        if parts.method == Method::POST && !is_json(&parts.headers) {
            return Err(Fault::not_json());
        }
        let body = tokio::time::timeout(BODY_TIME, read_body(body))
            .await
            .map_err(|_| Fault::too_slow())??;
        Ok(Self { parts, body })
    }

    /// Length of the body in bytes.
    pub(crate) fn len(&self) -> usize {
        self.body.len()
    }

    /// The `keyid` that the request names.
    pub(crate) fn key_id(&self) -> Option<&str> {
        signature::key_id_of(self.header("signature-input")?)
    }

    /// Whether `public` has signed the request as it came.
    pub(crate) fn is_signed_by(&self, public: &[u8]) -> bool {
        let target = self
            .parts
            .uri
            .path_and_query()
            .map_or("/", |it| it.as_str());
        let headers = (
            self.header("content-digest"),
            self.header("signature-input"),
            self.header("signature"),
        );
        let (Some(digest), Some(input), Some(signature)) = headers else {
            return false;
        };
        signature::verify_request(
            self.parts.method.as_str(),
            target,
            &self.body,
            digest,
            input,
            signature,
            public,
        )
    }

    /// The body as it is.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// The body as JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        serde_json::from_slice(&self.body).map_err(|_| Fault::bad_json())
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.parts.headers.get_all(name).iter();
        // A header that comes twice can be read in two ways: no header.
        match (values.next(), values.next()) {
            (Some(only), None) => only.to_str().ok(),
            _ => None,
        }
    }
}

/// Whether the body says that it is JSON.
fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|media| media.trim().eq_ignore_ascii_case("application/json"))
}

async fn read_body(mut body: Body) -> Result<Vec<u8>, Fault> {
    let mut kept = Vec::new();
    let mut seen = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Fault::broken_body())?;
        let Some(data) = frame.data_ref() else {
            continue;
        };
        seen = seen.saturating_add(data.len());
        if seen <= BODY_BYTES {
            kept.extend_from_slice(data);
        } else if seen > DRAIN_BYTES {
            break;
        }
    }
    if seen > BODY_BYTES {
        return Err(Fault::too_large());
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    /// A body that never comes.
    struct Silence;

    impl hyper::body::Body for Silence {
        type Data = hyper::body::Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
            Poll::Pending
        }
    }

    fn post(content_type: &str, body: Body) -> Request {
        Request::post("/v1/envelopes")
            .header(CONTENT_TYPE, content_type)
            .body(body)
            .unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_is_a_timeout() {
        let request = post("application/json", Body::new(Silence));
        assert_eq!(Received::read(request).await.err(), Some(Fault::too_slow()));
    }

    #[tokio::test]
    async fn media_types_are_read_as_the_standard_has_them() {
        for right in ["application/json", "Application/JSON; charset=utf-8"] {
            assert!(Received::read(post(right, Body::empty())).await.is_ok());
        }
        for wrong in ["text/plain", "application/json-seq", ""] {
            let refused = Received::read(post(wrong, Body::empty())).await.err();
            assert_eq!(refused, Some(Fault::not_json()), "{wrong}");
        }
    }

    #[tokio::test]
    async fn a_header_that_comes_twice_is_none() {
        let mut request = post("application/json", Body::empty());
        let keyid = "sig=();keyid=\"a\"".parse().unwrap();
        request.headers_mut().append("signature-input", keyid);
        let received = Received::read(request).await.ok().unwrap();
        assert_eq!(received.key_id(), Some("a"));

        let mut request = post("application/json", Body::empty());
        for value in ["sig=();keyid=\"a\"", "sig=();keyid=\"b\""] {
            let value = value.parse().unwrap();
            request.headers_mut().append("signature-input", value);
        }
        let received = Received::read(request).await.ok().unwrap();
        assert_eq!(received.key_id(), None);
    }
}
