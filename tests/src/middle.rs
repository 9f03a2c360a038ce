//! A middle box that the phone trusts: it ends the TLS, reads and changes what
//! passes, and speaks to the ministry itself.
//!
//! What TLS makes impossible on the wire is possible here: a request that arrives
//! twice, the answer of another request, a receipt with a flipped letter, a page
//! in place of an answer that the ministry did give.

use std::collections::VecDeque;
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::certs::Authority;
use crate::hostile::{Answer, HostileServer, Request, Response};
use crate::upstream::{Upstream, page};

/// What it does with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Passes it on, and the answer back.
    Pass,
    /// Passes it on twice; the second answer goes back.
    Twice,
    /// Passes it on, and loses the answer: 502 and a page.
    LoseAnswer,
    /// Does not pass it on: 503 with `Retry-After`.
    Busy,
    /// Does not pass it on: 200 and a page.
    Page,
    /// Does not pass it on: 404 and a page.
    NotFound,
    /// The answer ends in the middle.
    Truncate,
    /// One letter of the answer is another one.
    FlipAnswer(usize),
    /// One letter of the request is another one.
    FlipRequest(usize),
    /// The results in the answer come in the opposite order.
    Reorder,
    /// The answer to an earlier request comes back again.
    Stale,
}

impl Act {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Pass,
        Self::Twice,
        Self::LoseAnswer,
        Self::Busy,
        Self::Page,
        Self::NotFound,
        Self::Truncate,
        Self::FlipAnswer(0),
        Self::FlipRequest(0),
        Self::Reorder,
        Self::Stale,
    ];

    /// With another place for what is flipped.
    #[must_use]
    pub fn at(self, place: usize) -> Self {
        match self {
            Self::FlipAnswer(_) => Self::FlipAnswer(place),
            Self::FlipRequest(_) => Self::FlipRequest(place),
            other => other,
        }
    }
}

/// What a middle box answers by itself; `None`: it passes the request on.
pub type Instead = dyn Fn(&Request) -> Option<Response> + Send + Sync;

/// A running middle box; stops when dropped.
pub struct Middle {
    server: HostileServer,
    state: Arc<State>,
}

struct State {
    instead: Box<Instead>,
    /// The ministry, once it is known where it is.
    ministry: Mutex<Option<Upstream>>,
    acts: Mutex<VecDeque<Act>>,
    earlier: Mutex<Option<Response>>,
}

impl Middle {
    /// Starts one with a certificate of `authority`.
    ///
    /// # Errors
    /// No port, no thread or no certificate to be had.
    pub fn start(authority: &Authority) -> io::Result<Self> {
        Self::start_with(authority, |_| None)
    }

    /// Starts one that is asked about each request before its acts are.
    ///
    /// # Errors
    /// As [`Middle::start`].
    pub fn start_with(
        authority: &Authority,
        instead: impl Fn(&Request) -> Option<Response> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let state = Arc::new(State {
            instead: Box::new(instead),
            ministry: Mutex::new(None),
            acts: Mutex::default(),
            earlier: Mutex::default(),
        });
        let answering = Arc::clone(&state);
        let answer = Answer::by(move |request| answering.answer(&request));
        Ok(Self {
            server: HostileServer::start(authority.server()?, answer)?,
            state,
        })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// From now on it stands before this ministry, and does these things to the
    /// requests to come, then nothing.
    ///
    /// # Errors
    /// The root is not a certificate.
    pub fn stand_before(
        &self,
        origin: &str,
        tls_root: &[u8],
        acts: impl IntoIterator<Item = Act>,
    ) -> Result<(), Box<dyn Error>> {
        *lock(&self.state.ministry) = Some(Upstream::new(origin, tls_root)?);
        *lock(&self.state.acts) = acts.into_iter().collect();
        *lock(&self.state.earlier) = None;
        Ok(())
    }
}

impl State {
    fn answer(&self, request: &Request) -> Response {
        if let Some(instead) = (self.instead)(request) {
            return instead;
        }
        let act = lock(&self.acts).pop_front().unwrap_or(Act::Pass);
        match act {
            Act::Busy => {
                return page(503, &[("retry-after".into(), "1".into())]);
            }
            Act::Page => return page(200, &[]),
            Act::NotFound => return page(404, &[]),
            Act::Stale => {
                if let Some(earlier) = lock(&self.earlier).clone() {
                    return earlier;
                }
            }
            _ => {}
        }
        let mut request = request.clone();
        if let Act::FlipRequest(place) = act {
            flip(&mut request.body, place);
        }
        if act == Act::Twice {
            self.pass(&request);
        }
        let Some(mut response) = self.pass(&request) else {
            return page(502, &[]);
        };
        *lock(&self.earlier) = Some(response.clone());
        match act {
            Act::LoseAnswer => return page(502, &[]),
            Act::Truncate => response.body.truncate(response.body.len() / 2),
            Act::FlipAnswer(place) => flip(&mut response.body, place),
            Act::Reorder => reorder(&mut response.body),
            _ => {}
        }
        response
    }

    /// The ministry's answer; none where it has none.
    fn pass(&self, request: &Request) -> Option<Response> {
        let ministry = lock(&self.ministry).clone()?;
        ministry.pass(request)
    }
}

/// Changes one letter or digit at or behind a place, so that the text may stay
/// JSON and means something else.
fn flip(body: &mut [u8], place: usize) {
    let start = place % body.len().max(1);
    let (before, after) = body.split_at_mut(start);
    let found = after
        .iter_mut()
        .chain(before)
        .find(|byte| byte.is_ascii_alphanumeric());
    if let Some(byte) = found {
        *byte = match *byte {
            b'9' | b'z' | b'Z' => *byte - 1,
            other => other + 1,
        };
    }
}

fn reorder(body: &mut Vec<u8>) {
    let Ok(mut json) = serde_json::from_slice::<serde_json::Value>(body) else {
        return;
    };
    if let Some(results) = json.get_mut("results").and_then(|it| it.as_array_mut()) {
        results.reverse();
        *body = json.to_string().into_bytes();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
