//! The desk: where a duty officer reads the cases and takes them.
//!
//! Plain HTTP on a listener of its own that only this machine can reach; see
//! [`guard`] for who is let in. The page is one HTML file, one script and no
//! more; what travelers wrote is put into it as text, never as markup.

mod download;
mod guard;

use std::io;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse as _;
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use homeline::seal::hex;
use ring::digest::{SHA256, digest};
use ring::hmac;
use serde::Deserialize;

use crate::api::{Answer, App, blocking, json};
use crate::keys::random;
use crate::problem::Fault;
use crate::request::Received;
use crate::store::{CaseView, SHOWN};

const PAGE: &str = include_str!("page.html");
const SCRIPT: &str = include_str!("desk.js");

/// What the desk's handlers share.
#[derive(Clone)]
pub(crate) struct Desk {
    app: App,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// What an officer shows first; new at each start, never on disk.
    pub(crate) token: String,
    /// What the browser shows after that.
    cookie: String,
    /// For comparing in constant time.
    compare: hmac::Key,
}

impl Desk {
    pub(crate) fn new(app: App, address: SocketAddr) -> io::Result<Self> {
        Ok(Self {
            app,
            address,
            token: hex(&random::<32>()?),
            cookie: hex(&random::<32>()?),
            compare: hmac::Key::new(hmac::HMAC_SHA256, &random::<32>()?),
        })
    }
}

/// The desk's routes, all behind the guard.
pub(crate) fn router(desk: Desk) -> Router {
    Router::new()
        .route("/desk", get(page))
        .route("/desk/desk.js", get(script))
        .route("/desk/api/cases", get(cases))
        .route("/desk/api/cases/{id}/acknowledge", post(acknowledge))
        .route("/desk/api/cases/{id}/close", post(close))
        .route("/desk/api/attachments/{id}", get(download::download))
        .route("/desk/api/counters", get(counters))
        .route("/desk/api/groups", get(groups))
        .fallback(async || Fault::not_found())
        .method_not_allowed_fallback(async || Fault::method_not_allowed())
        .layer(from_fn_with_state(desk.clone(), guard::guard))
        .with_state(desk)
}

async fn page() -> Answer {
    let mut headers = HeaderMap::new();
    let policy = HeaderValue::from_str(&content_policy()).map_err(|_| Fault::internal())?;
    headers.insert("content-security-policy", policy);
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    Ok((headers, PAGE).into_response())
}

async fn script() -> Answer {
    let media = HeaderValue::from_static("text/javascript; charset=utf-8");
    Ok(([(CONTENT_TYPE, media)], SCRIPT).into_response())
}

/// Nothing but our own script, our own style (by its hash) and our own API.
fn content_policy() -> String {
    let style = PAGE
        .split_once("<style>")
        .and_then(|(_, rest)| rest.split_once("</style>"))
        .map_or("", |(style, _)| style);
    format!(
        "default-src 'none'; script-src 'self'; style-src 'sha256-{}'; connect-src 'self'; \
         img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        STANDARD.encode(digest(&SHA256, style.as_bytes()))
    )
}

async fn cases(State(desk): State<Desk>) -> Answer {
    blocking(move || json(&desk.app.store.cases(SHOWN)?)).await
}

async fn groups(State(desk): State<Desk>) -> Answer {
    blocking(move || json(&desk.app.store.groups()?)).await
}

async fn counters(State(desk): State<Desk>) -> Answer {
    json(&desk.app.meter.read())
}

/// Body of an acknowledgement: shown to the traveler as it is given here.
#[derive(Deserialize)]
struct Acknowledgement {
    officer: String,
    mission: String,
}

async fn acknowledge(
    State(desk): State<Desk>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Answer {
    let id = id.map_err(|_| Fault::not_found())?.0;
    let body: Acknowledgement = Received::read(request).await?.json()?;
    let (officer, mission) = (name(&body.officer)?, name(&body.mission)?);
    blocking(move || found(desk.app.store.acknowledge(&id, &officer, &mission)?)).await
}

async fn close(State(desk): State<Desk>, id: Result<Path<String>, PathRejection>) -> Answer {
    let id = id.map_err(|_| Fault::not_found())?.0;
    blocking(move || found(desk.app.store.close(&id)?)).await
}

fn found(case: Option<CaseView>) -> Answer {
    json(&case.ok_or(Fault::not_found())?)
}

/// A name that a phone can show: one line, not empty, not endless.
fn name(text: &str) -> Result<String, Fault> {
    let text = text.trim();
    let right = (1..=200).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if right {
        Ok(text.to_owned())
    } else {
        Err(Fault::invalid_name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_nothing_inline_but_its_style() {
        assert_eq!(PAGE.matches("<style>").count(), 1);
        assert_eq!(PAGE.matches("<script").count(), 1);
        assert!(PAGE.contains("<script src=\"/desk/desk.js\" defer></script>"));
        for forbidden in [" style=", " onclick", " onload", "javascript:"] {
            assert!(!PAGE.contains(forbidden), "{forbidden}");
        }
    }

    #[test]
    fn the_script_inserts_text_and_never_markup() {
        for forbidden in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "Function(",
            "DOMParser",
            "setAttribute('on",
        ] {
            assert!(!SCRIPT.contains(forbidden), "{forbidden}");
        }
    }

    #[test]
    fn a_name_is_one_line() {
        assert_eq!(name("  王芳 "), Ok("王芳".to_owned()));
        for bad in ["", "  ", "a\nb", "a\0b", &"x".repeat(201)] {
            assert_eq!(name(bad), Err(Fault::invalid_name()));
        }
    }
}
