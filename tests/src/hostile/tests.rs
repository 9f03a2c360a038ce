use std::time::Instant;

use super::*;
use crate::{
    certs::Authority,
    testing::{Http, client, run},
};

const BOTH: [Http; 2] = [Http::One, Http::Both];

fn start(answer: Answer) -> (HostileServer, Authority) {
    let ca = Authority::new().unwrap();
    let server = HostileServer::start(ca.server().unwrap(), answer).unwrap();
    (server, ca)
}

#[test]
fn a_fixed_answer_arrives_as_it_was_scripted_in_both_versions() {
    let (server, ca) = start(Answer::Fixed {
        status: 418,
        headers: vec![("retry-after".into(), "7".into())],
        body: b"short and stout".to_vec(),
    });
    for (http, version) in [
        (Http::One, reqwest::Version::HTTP_11),
        (Http::Both, reqwest::Version::HTTP_2),
    ] {
        run(async {
            let request = client(&ca, http).get(format!("{}/a?b=c", server.url()));
            let answer = request.send().await.unwrap();
            assert_eq!((answer.status().as_u16(), answer.version()), (418, version));
            assert_eq!(answer.headers()["retry-after"], "7");
            assert_eq!(answer.bytes().await.unwrap(), "short and stout");
        });
    }
    assert_eq!(server.requests(), 2);
    assert_eq!(server.paths(), ["/a?b=c", "/a?b=c"]);
}

#[test]
fn an_endless_answer_is_as_long_as_promised() {
    let (server, ca) = start(Answer::Endless {
        content_type: "application/json".into(),
    });
    for http in BOTH {
        let length = run(async {
            let mut answer = client(&ca, http).get(server.url()).send().await.unwrap();
            assert_eq!(answer.headers()["content-type"], "application/json");
            assert_eq!(answer.content_length(), None);
            let mut length = 0;
            while let Some(piece) = answer.chunk().await.unwrap() {
                length += piece.len();
            }
            length
        });
        assert_eq!(length, ENDLESS_BYTES);
    }
    assert!(server.bytes_sent() > 2 * ENDLESS_BYTES);
}

#[test]
fn an_endless_answer_ends_when_the_client_leaves() {
    let (server, ca) = start(Answer::Endless {
        content_type: "application/json".into(),
    });
    for http in BOTH {
        run(async {
            let mut answer = client(&ca, http).get(server.url()).send().await.unwrap();
            assert!(answer.chunk().await.unwrap().is_some());
        });
    }
    assert!(server.bytes_sent() < ENDLESS_BYTES / 2);
}

#[test]
fn a_drip_comes_byte_by_byte() {
    let byte_every = Duration::from_millis(30);
    let (server, ca) = start(Answer::Drip { byte_every });
    for http in BOTH {
        run(async {
            let mut answer = client(&ca, http).get(server.url()).send().await.unwrap();
            let start = Instant::now();
            for _ in 0..4 {
                assert_eq!(answer.chunk().await.unwrap().unwrap(), " ");
            }
            assert!(start.elapsed() >= byte_every * 3, "{:?}", start.elapsed());
        });
    }
}

#[test]
fn many_headers_are_more_than_a_client_takes() {
    let (few, ca) = start(Answer::ManyHeaders(50));
    let (many, other) = start(Answer::ManyHeaders(5_000));
    for http in BOTH {
        let answer = run(client(&ca, http).get(few.url()).send()).unwrap();
        assert_eq!(answer.headers()["x-noise-49"].len(), 36);
        run(client(&other, http).get(many.url()).send()).unwrap_err();
    }
    assert_eq!(many.requests(), 2);
}

#[test]
fn a_redirect_names_its_target() {
    let (server, ca) = start(Answer::Redirect {
        to: "http://elsewhere.example/".into(),
        status: 307,
    });
    let answer = run(client(&ca, Http::Both).get(server.url()).send()).unwrap();
    assert_eq!(answer.status().as_u16(), 307);
    assert_eq!(answer.headers()["location"], "http://elsewhere.example/");
}

#[test]
fn garbage_is_not_http() {
    let (server, ca) = start(Answer::Garbage);
    for http in BOTH {
        let error = run(client(&ca, http).get(server.url()).send()).unwrap_err();
        assert!(!error.is_timeout(), "{error:?}");
    }
    assert!(server.requests() >= 2, "{}", server.requests());
    assert!(server.paths().is_empty());
}

#[test]
fn a_function_sees_the_whole_request_and_may_block() {
    let (server, ca) = start(Answer::by(|request| {
        std::thread::sleep(Duration::from_millis(10));
        Response {
            status: 201,
            headers: vec![("x-method".into(), request.method)],
            body: [request.path.as_bytes(), b" ", &request.body].concat(),
        }
    }));
    run(async {
        let client = client(&ca, Http::Both);
        let request = client.post(format!("{}/echo", server.url())).body("help");
        let answer = request.send().await.unwrap();
        assert_eq!(answer.headers()["x-method"], "POST");
        assert_eq!(answer.bytes().await.unwrap(), "/echo help");
    });
}

#[test]
fn a_mistake_in_a_script_is_told_to_the_client() {
    let (server, ca) = start(Answer::Fixed {
        status: 200,
        headers: vec![("not a name".into(), String::new())],
        body: vec![],
    });
    let answer = run(async {
        let answer = client(&ca, Http::Both).get(server.url()).send().await;
        answer.unwrap().text().await.unwrap()
    });
    assert!(answer.starts_with("mistake in the script"), "{answer}");
}

#[test]
fn a_dropped_server_is_gone() {
    let (server, _) = start(Answer::Garbage);
    let addr = server.addr();
    drop(server);
    let error = std::net::TcpStream::connect(addr).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
}
