//! `POST /v1/sms`: what an SMS gateway delivers.
//!
//! A gateway is no phone: it signs nothing, it shows the token that both were given.
//! What it brings is believed for what is sealed in it and for nothing else: the
//! number that a text comes from can be forged by anybody, so it is used only to
//! bound how much one number may send, and is not stored.
//!
//! A text that is not one of ours, the plain sentence of a traveler included, is
//! refused with a problem and not stored: it proves nobody, and a case is for proved
//! senders. The gateway, which has it, hands it to the people behind the hotline.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use homeline::seal::compact::{from_text, to_text};
use homeline::sync::protocol::{Problem, SmsDelivery, SmsTaken};
use ring::hmac;

use crate::api::{Answer, App, blocking, json, receive};
use crate::intake::{self, Refusal};
use crate::problem::Fault;
use crate::store::{CompactChannel, now_ms};

/// Characters of a text: four times the longest part of a note.
const TEXT_CHARS: usize = 2_000;
/// Characters of a number (E.164 has 15 digits) or of a gateway's id.
const ID_CHARS: usize = 200;
/// Texts of one number within [`WINDOW_MS`]: a report, its note in parts, and all of
/// it again; each may be answered by a text that costs money.
const TEXTS: u32 = 30;
const WINDOW_MS: i64 = 10 * 60_000;
/// Numbers that are counted at a time. Beyond, new ones are taken uncounted: those
/// who forge numbers by the thousand must not shut others out.
const NUMBERS: usize = 20_000;

/// What a ministry is told of its SMS gateway.
pub(crate) struct Gateway {
    token: Option<String>,
    /// Numbers that take sealed texts, E.164.
    pub(crate) numbers: Vec<String>,
    key: hmac::Key,
    counts: Mutex<HashMap<Vec<u8>, Window>>,
}

/// Texts of one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Window {
    since_ms: i64,
    texts: u32,
}

impl Gateway {
    /// # Errors
    /// No random numbers.
    pub(crate) fn new(token: Option<String>, numbers: Vec<String>) -> std::io::Result<Self> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &crate::keys::random::<32>()?);
        Ok(Self {
            token: token.filter(|token| !token.is_empty()),
            numbers,
            key,
            counts: Mutex::default(),
        })
    }

    fn lets_in(&self, request: &Request) -> bool {
        let shown = request
            .headers()
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "));
        match (&self.token, shown) {
            // Two tags of one key are compared in constant time.
            (Some(token), Some(shown)) => {
                let tag = hmac::sign(&self.key, token.as_bytes());
                hmac::verify(&self.key, shown.as_bytes(), tag.as_ref()).is_ok()
            }
            _ => false,
        }
    }

    /// Counts a text; `false`: this number has sent too many.
    fn counts(&self, number: &str, now_ms: i64) -> bool {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let number = hmac::sign(&self.key, number.as_bytes()).as_ref().to_vec();
        if counts.len() >= NUMBERS && !counts.contains_key(&number) {
            counts.retain(|_, window| window.is_open(now_ms));
            if counts.len() >= NUMBERS {
                return true;
            }
        }
        let window = counts.entry(number).or_insert(Window {
            since_ms: now_ms,
            texts: 0,
        });
        window.count(now_ms)
    }
}

impl Window {
    fn is_open(self, now_ms: i64) -> bool {
        (0..WINDOW_MS).contains(&now_ms.saturating_sub(self.since_ms))
    }

    fn count(&mut self, now_ms: i64) -> bool {
        if !self.is_open(now_ms) {
            *self = Self {
                since_ms: now_ms,
                texts: 0,
            };
        }
        self.texts = self.texts.saturating_add(1);
        self.texts <= TEXTS
    }
}

/// Takes a text message from an SMS gateway. Idempotent: the same text again is
/// answered by the same receipt.
///
/// Texts come in any order, with parts missing. The answer holds the text to be sent
/// back to the number, where there is one.
#[utoipa::path(
    post,
    path = "/v1/sms",
    operation_id = "sms",
    tag = "gateway",
    security(("gateway" = [])),
    request_body = SmsDelivery,
    responses(
        (status = 200, description = "Stored and synced. `reply`, where it is there, is a \
            compact receipt to be sent back as one text message.", body = SmsTaken),
        (status = 401, description = "Not the gateway's token.",
            body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`urn:homeline:problem:other-sender`: the report is \
            of another device; kept for the desk, no receipt.",
            body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`urn:homeline:problem:unreadable-text`: not a \
            message that this ministry can open; nothing is stored. A person should read it.",
            body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many texts of one number.",
            body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Any other error.",
            body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn sms(State(app): State<App>, request: Request) -> Answer {
    if !app.gateway.lets_in(&request) {
        return Err(Fault::no_token());
    }
    let received = receive(&app, request).await?;
    let delivery: SmsDelivery = received.json()?;
    if delivery.text.len() > TEXT_CHARS
        || delivery.from.len() > ID_CHARS
        || delivery.id.len() > ID_CHARS
    {
        return Err(Fault::unreadable_text());
    }
    if !app.gateway.counts(&delivery.from, now_ms()) {
        return Err(Fault::too_many_texts());
    }
    blocking(move || {
        let message = from_text(&delivery.text).ok_or(Fault::unreadable_text())?;
        let letter = intake::read_compact(&message, &app.keys.sealing())
            .map_err(|_| Fault::unreadable_text())?;
        let taken = app
            .store
            .take_compact(&message, &letter, CompactChannel::Sms)?;
        match taken {
            Ok(taken) => json(&SmsTaken {
                reply: taken.receipt.as_deref().map(to_text),
            }),
            Err(Refusal::OtherSender) => Err(Fault::other_sender()),
            Err(_) => Err(Fault::unreadable_text()),
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_is_bounded_and_others_are_not() {
        let gateway = Gateway::new(None, Vec::new()).unwrap();
        for _ in 0..TEXTS {
            assert!(gateway.counts("+8613800000000", 1_000));
        }
        assert!(!gateway.counts("+8613800000000", 2_000));
        assert!(gateway.counts("+8613800000001", 2_000));
        assert!(gateway.counts("+8613800000000", 1_000 + WINDOW_MS));
        assert!(
            gateway.counts("+8613800000000", 0),
            "a clock that went back"
        );
    }

    #[test]
    fn forged_numbers_neither_fill_the_memory_nor_shut_others_out() {
        let gateway = Gateway::new(None, Vec::new()).unwrap();
        for n in 0..NUMBERS + 100 {
            assert!(gateway.counts(&n.to_string(), 1_000));
        }
        assert!(gateway.counts.lock().unwrap().len() <= NUMBERS);
        assert!(gateway.counts("new", 1_000 + WINDOW_MS));
        assert!(
            gateway.counts.lock().unwrap().len() < 10,
            "the old ones are forgotten"
        );
    }

    #[test]
    fn without_a_token_nobody_is_a_gateway() {
        let shown = |value: &str| {
            let request = Request::post("/v1/sms").header(AUTHORIZATION, value);
            request.body(axum::body::Body::empty()).unwrap()
        };
        let closed = Gateway::new(Some(String::new()), Vec::new()).unwrap();
        assert!(!closed.lets_in(&shown("Bearer ")));
        let open = Gateway::new(Some("secret".into()), Vec::new()).unwrap();
        assert!(open.lets_in(&shown("Bearer secret")));
        for wrong in ["Bearer secre", "Bearer secret2", "secret", "Basic secret"] {
            assert!(!open.lets_in(&shown(wrong)), "{wrong}");
        }
    }
}
