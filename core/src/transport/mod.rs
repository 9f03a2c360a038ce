//! Transport: how bytes leave the phone.
//!
//! [`Transport`] is one exchange of HTTP. The built-in one is [`HttpsTransport`];
//! a host can bring its own (URLSession, a satellite modem). A transport moves
//! bytes and reports faults; it decides nothing, follows no redirect, and
//! stores nothing.

mod datagram;
mod https;

pub(crate) use datagram::UdpTransport;
pub use datagram::{DatagramPacket, DatagramTransport};
pub(crate) use https::HttpsTransport;

/// A header of a request or a response.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct HttpHeader {
    /// Name, in lower case.
    pub name: String,
    /// Value.
    pub value: String,
}

/// One request.
#[derive(Clone, uniffi::Record)]
pub struct HttpRequest {
    /// `GET`, `POST` or `PUT`.
    pub method: String,
    /// Absolute `https` URL.
    pub url: String,
    /// Headers, to be sent as they are.
    pub headers: Vec<HttpHeader>,
    /// Body; empty for `GET`.
    pub body: Vec<u8>,
    /// Milliseconds that the whole exchange may take.
    pub timeout_ms: u64,
    /// Largest response body to read; a larger one is `TooLarge`.
    pub max_response_bytes: u64,
}

/// One response.
#[derive(Clone, uniffi::Record)]
pub struct HttpResponse {
    /// Status code.
    pub status: u16,
    /// Headers.
    pub headers: Vec<HttpHeader>,
    /// Body.
    pub body: Vec<u8>,
}

/// A fault of an exchange.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum TransportError {
    /// Nothing of the request left the phone: no network, name or route.
    #[error("no connection")]
    NoConnection,
    /// The server's certificate was refused: nothing of the request was sent.
    #[error("certificate refused")]
    NotTrusted,
    /// The request may have arrived, but no answer came.
    #[error("no answer")]
    NoAnswer,
    /// The answer is not HTTP, or larger than allowed.
    #[error("unusable answer")]
    BadAnswer,
    /// `cancel` was called.
    #[error("cancelled")]
    Cancelled,
    /// An unexpected failure of the host's transport: as `NoAnswer`.
    #[error("transport failed")]
    Failed,
}

impl From<uniffi::UnexpectedUniFFICallbackError> for TransportError {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        // The reason holds a stack trace of the host: it is not kept.
        Self::Failed
    }
}

/// How bytes leave the phone. Implementations must not follow redirects, must
/// check the server's certificate, and must return by the request's time-out.
#[uniffi::export(with_foreign)]
pub trait Transport: Send + Sync {
    /// Sends a request and reads the response.
    fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, TransportError>;

    /// Ends a running exchange from another thread, as soon as it can; returns
    /// whether there was one.
    fn cancel(&self) -> Result<bool, TransportError>;
}

impl HttpResponse {
    /// Value of a header by its lower-case name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name))
            .map(|header| header.value.as_str())
    }
}

// Neither shows a body, a URL's query or a signature in a log.
redacted_debug!(HttpRequest, HttpResponse);
