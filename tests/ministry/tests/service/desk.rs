//! The desk: who is let in, what it shows, what it changes.

use crate::phone::{Phone, Post, id, problem, sos};
use homeline::sync::protocol::{Content, SosReport};
use reqwest::blocking::{Client, RequestBuilder};
use reqwest::redirect::Policy;
use serde_json::Value;

const HOSTILE: &str = "</td><script>alert(1)</script>\u{202e}<img src=x onerror=alert(2)>\"'&";

struct Officer {
    client: Client,
    url: String,
    token: String,
}

impl Officer {
    fn at(post: &Post) -> Self {
        Self {
            client: Client::builder()
                .no_proxy()
                .redirect(Policy::none())
                .tls_backend_preconfigured(tls())
                .build()
                .unwrap(),
            url: post.ministry.desk_url(),
            token: post.ministry.desk_token().to_owned(),
        }
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.url))
    }

    fn post(&self, path: &str, body: &str) -> RequestBuilder {
        self.client
            .post(format!("{}{path}", self.url))
            .header("content-type", "application/json")
            .body(body.to_owned())
    }

    fn cases(&self) -> Vec<Value> {
        let answer = self
            .get("/desk/api/cases")
            .bearer_auth(&self.token)
            .send()
            .unwrap();
        let list: Value = crate::phone::read(answer);
        list["cases"].as_array().unwrap().clone()
    }
}

/// The desk is plain HTTP; the client wants a TLS configuration all the same.
fn tls() -> rustls::ClientConfig {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth()
}

fn pressed(post: &Post) -> (Phone, String) {
    let phone = Phone::enrolled(1, post);
    let report = SosReport {
        note: HOSTILE.into(),
        ..sos(id(1))
    };
    let sealed = phone.seal(post, id(1), &Content::Sos(report));
    let outcome = phone.send_one(post, &sealed);
    let case = post.receipt(&outcome).case.unwrap();
    (phone, case)
}

#[test]
fn an_officer_reads_acknowledges_and_closes() {
    let post = Post::open();
    let (phone, case) = pressed(&post);
    let officer = Officer::at(&post);
    let shown = officer.cases().remove(0);
    assert_eq!(shown["id"], case.as_str());
    assert_eq!(shown["report"], id(1).to_string());
    assert_eq!(
        (&shown["state"], &shown["kind"]),
        (&"new".into(), &"medical".into())
    );
    assert_eq!(shown["position"]["age_ms"], 5_000);
    assert_eq!(shown["position"]["datum"], "wgs84");
    let handover = &shown["position"]["handover"];
    assert_eq!(handover["handover"], "texts");
    let aml = handover["texts"]["aml_v1"].as_str().unwrap();
    assert!(aml.starts_with("A\"ML=1;lt=+"), "{aml}");
    assert!(aml.ends_with(&format!(";ml={}", aml.len())), "{aml}");
    assert_eq!(shown["device"], phone.id());

    let act = |action: &str, body: &str| {
        let path = format!("/desk/api/cases/{case}/{action}");
        officer
            .post(&path, body)
            .bearer_auth(&officer.token)
            .send()
            .unwrap()
    };
    let wanted = r#"{"officer":"王芳","mission":"驻伊斯坦布尔总领馆"}"#;
    for _ in 0..2 {
        let view: Value = crate::phone::read(act("acknowledge", wanted));
        assert_eq!(view["state"], "acknowledged");
    }
    let view: Value = crate::phone::read(act("close", ""));
    assert_eq!(
        (&view["state"], &view["officer"]),
        (&"closed".into(), &"王芳".into())
    );
    assert_eq!(phone.changes(&post, 0).changes.len(), 2);

    assert_eq!(
        problem(act("acknowledge", r#"{"officer":"","mission":"m"}"#)).0,
        422
    );
    assert_eq!(problem(act("acknowledge", "{")).0, 400);
    let missing = officer
        .post("/desk/api/cases/C-0000-0000/close", "")
        .bearer_auth(&officer.token);
    assert_eq!(problem(missing.send().unwrap()).0, 404);
    let counters: Value = crate::phone::read(
        officer
            .get("/desk/api/counters")
            .bearer_auth(&officer.token)
            .send()
            .unwrap(),
    );
    assert_eq!(counters["accepted"], 1);
}

#[test]
fn nobody_is_let_in_without_the_token() {
    let post = Post::open();
    let (_, case) = pressed(&post);
    let officer = Officer::at(&post);
    let acknowledge = format!("/desk/api/cases/{case}/acknowledge");
    for path in [
        "/desk",
        "/desk/desk.js",
        "/desk/api/cases",
        "/desk/api/counters",
        "/x",
    ] {
        assert_eq!(problem(officer.get(path).send().unwrap()).0, 401, "{path}");
        let wrong = officer.get(path).bearer_auth("0".repeat(64));
        assert_eq!(problem(wrong.send().unwrap()).0, 401, "{path}");
    }
    let wrong = officer.get("/desk?token=0").send().unwrap();
    assert_eq!(problem(wrong).0, 401);
    let posted = officer.post(&acknowledge, r#"{"officer":"a","mission":"b"}"#);
    assert_eq!(problem(posted.send().unwrap()).0, 401);
    let read_only = officer.get(&acknowledge).bearer_auth(&officer.token);
    assert_eq!(problem(read_only.send().unwrap()).0, 405);
    assert_eq!(officer.cases()[0]["state"], "new");
}

#[test]
fn other_hosts_and_origins_are_refused() {
    let post = Post::open();
    let (_, case) = pressed(&post);
    let officer = Officer::at(&post);
    let port = officer.url.rsplit(':').next().unwrap().to_owned();
    for host in [
        "evil.example".to_owned(),
        format!("evil.example:{port}"),
        "127.0.0.1:1".into(),
    ] {
        let request = officer
            .get("/desk/api/cases")
            .bearer_auth(&officer.token)
            .header("host", host);
        assert_eq!(problem(request.send().unwrap()).0, 403);
    }
    let path = format!("/desk/api/cases/{case}/close");
    for origin in [
        "http://evil.example",
        "null",
        "http://127.0.0.1:1",
        "https://127.0.0.1",
    ] {
        let request = officer
            .post(&path, "{}")
            .bearer_auth(&officer.token)
            .header("origin", origin);
        assert_eq!(problem(request.send().unwrap()).0, 403, "{origin}");
    }
    assert_eq!(officer.cases()[0]["state"], "new");
    let ours = officer
        .get("/desk/api/cases")
        .bearer_auth(&officer.token)
        .header("host", format!("localhost:{port}"));
    assert!(ours.send().unwrap().status().is_success());
}

#[test]
fn the_token_in_the_address_becomes_a_cookie_that_needs_an_origin_to_write() {
    let post = Post::open();
    let (_, case) = pressed(&post);
    let officer = Officer::at(&post);
    let answer = officer
        .get(&format!("/desk?token={}", officer.token))
        .send()
        .unwrap();
    assert_eq!(answer.status(), 303);
    assert_eq!(answer.headers()["location"], "/desk");
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"));
    assert!(!cookie.contains(&officer.token));
    let pair = cookie.split(';').next().unwrap().to_owned();

    let page = officer.get("/desk").header("cookie", &pair).send().unwrap();
    let policy = page.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"));
    let page = page.text().unwrap();
    assert!(page.contains("Duty desk") && !page.contains("alert("));
    let script = officer
        .get("/desk/desk.js")
        .header("cookie", &pair)
        .send()
        .unwrap();
    assert!(
        script.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/javascript")
    );

    let close = || {
        officer
            .post(&format!("/desk/api/cases/{case}/close"), "{}")
            .header("cookie", &pair)
    };
    assert_eq!(problem(close().send().unwrap()).0, 403);
    let ours = close().header("origin", &officer.url);
    assert!(ours.send().unwrap().status().is_success());
}

#[test]
fn a_hostile_note_stays_text() {
    let post = Post::open();
    pressed(&post);
    let officer = Officer::at(&post);
    let answer = officer
        .get("/desk/api/cases")
        .bearer_auth(&officer.token)
        .send()
        .unwrap();
    assert_eq!(answer.headers()["content-type"], "application/json");
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    let list: Value = answer.text().unwrap().parse().unwrap();
    assert_eq!(list["cases"][0]["note"], HOSTILE);
}

#[test]
fn groups_are_listed_for_officers_only() {
    let post = Post::open();
    let officer = Officer::at(&post);
    let answer = officer.get("/desk/api/groups").send().unwrap();
    assert_eq!(answer.status().as_u16(), 401);
    let answer = officer.get("/desk/api/groups").bearer_auth(&officer.token);
    let list: Value = crate::phone::read(answer.send().unwrap());
    assert_eq!(list, serde_json::json!([]));
}
