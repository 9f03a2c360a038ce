//! Who is let in to the desk.
//!
//! 1. `Host` must be this listener under a loopback name: a page that points its
//!    own name at 127.0.0.1 (DNS rebinding) is refused.
//! 2. `Origin`, where the browser sends one, must be that same host. A cookie is
//!    shared by all ports of a host, so `SameSite` alone does not stop a page
//!    that another program of this machine serves.
//! 3. The token: in `Authorization: Bearer`, or in the cookie for which
//!    `/desk?token=…` exchanges it. A call that changes something and shows only
//!    the cookie must have an `Origin`.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, COOKIE, HOST, LOCATION, ORIGIN, REFERRER_POLICY, SET_COOKIE,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use axum::middleware::Next;
use axum::response::IntoResponse as _;
use ring::hmac;

use super::Desk;
use crate::problem::Fault;

/// How a request has shown that it comes from the officer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    Bearer,
    Cookie,
}

/// The middleware before every route of the desk.
pub(super) async fn guard(
    State(desk): State<Desk>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let mut response = match let_in(&desk, &request) {
        Ok(Entry::Pass) => next.run(request).await,
        Ok(Entry::Exchange) => exchange(&desk),
        Err(fault) => fault.into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// What a request that is let in gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    /// What it asked for.
    Pass,
    /// A cookie for its token.
    Exchange,
}

fn let_in(desk: &Desk, request: &Request) -> Result<Entry, Fault> {
    let headers = request.headers();
    check_origin(headers, desk.address.port())?;
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if let Some(token) = token_of(request.uri().query())
        && reads
        && request.uri().path() == "/desk"
    {
        return if is(desk, token, &desk.token) {
            Ok(Entry::Exchange)
        } else {
            Err(Fault::no_token())
        };
    }
    match shown(desk, headers) {
        None => Err(Fault::no_token()),
        Some(Shown::Cookie) if !reads && !headers.contains_key(ORIGIN) => {
            Err(Fault::other_origin())
        }
        Some(_) => Ok(Entry::Pass),
    }
}

fn check_origin(headers: &HeaderMap, port: u16) -> Result<(), Fault> {
    let host = only(headers, &HOST).ok_or(Fault::other_origin())?;
    let ours = ["127.0.0.1", "localhost", "[::1]"]
        .iter()
        .any(|name| host.eq_ignore_ascii_case(&format!("{name}:{port}")));
    let same_origin = match headers.get(ORIGIN) {
        None => true,
        Some(origin) => origin.as_bytes() == format!("http://{host}").as_bytes(),
    };
    if ours && same_origin {
        Ok(())
    } else {
        Err(Fault::other_origin())
    }
}

fn only<'h>(headers: &'h HeaderMap, name: &axum::http::HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

fn token_of(query: Option<&str>) -> Option<&str> {
    query?
        .split('&')
        .find_map(|pair| pair.strip_prefix("token="))
}

fn shown(desk: &Desk, headers: &HeaderMap) -> Option<Shown> {
    if let Some(value) = only(headers, &AUTHORIZATION) {
        let (scheme, token) = value.split_once(' ')?;
        let right = scheme.eq_ignore_ascii_case("bearer") && is(desk, token.trim(), &desk.token);
        return right.then_some(Shown::Bearer);
    }
    let name = cookie_name(desk);
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .any(|(key, value)| key == name && is(desk, value, &desk.cookie))
        .then_some(Shown::Cookie)
}

/// Compares in constant time, whatever the length.
fn is(desk: &Desk, given: &str, wanted: &str) -> bool {
    let wanted = hmac::sign(&desk.compare, wanted.as_bytes());
    hmac::verify(&desk.compare, given.as_bytes(), wanted.as_ref()).is_ok()
}

/// With the port, since all ports of a host share their cookies.
fn cookie_name(desk: &Desk) -> String {
    format!("homeline_desk_{}", desk.address.port())
}

fn exchange(desk: &Desk) -> Response<Body> {
    let cookie = format!(
        "{}={}; HttpOnly; SameSite=Strict; Path=/desk",
        cookie_name(desk),
        desk.cookie
    );
    let Ok(cookie) = HeaderValue::from_str(&cookie) else {
        return Fault::internal().into_response();
    };
    let headers = [
        (SET_COOKIE, cookie),
        (LOCATION, HeaderValue::from_static("/desk")),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}
