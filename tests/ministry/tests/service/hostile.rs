//! What no well-behaved client sends: each is a problem, none harms another.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::phone::{Phone, Post, batch, id, problem};

#[test]
fn a_body_that_is_too_long_is_a_413_problem() {
    let post = Post::open();
    let phone = Phone::enrolled(1, &post);
    let long = vec![b' '; 2 * 1024 * 1024 + 1];
    assert_eq!(problem(phone.post(&post, "/v1/envelopes", long)).0, 413);
    let many: Vec<_> = vec![phone.sos(&post, id(1)); 257];
    let answer = phone.post(&post, "/v1/envelopes", batch(&many));
    assert_eq!(
        problem(answer),
        (413, "urn:homeline:problem:too-many-envelopes".into())
    );
    assert!(
        phone
            .post(&post, "/v1/envelopes", batch(&[]))
            .status()
            .is_success()
    );
}

#[test]
fn garbage_is_a_400_problem() {
    let post = Post::open();
    let phone = Phone::enrolled(1, &post);
    let deep = "[".repeat(100_000).into_bytes();
    for body in [
        b"".to_vec(),
        b"{".to_vec(),
        vec![0xff; 64],
        b"{\"envelopes\":7}".to_vec(),
        deep,
    ] {
        assert_eq!(problem(phone.post(&post, "/v1/envelopes", body)).0, 400);
    }
}

#[test]
fn wrong_paths_methods_and_media_types_are_problems() {
    let post = Post::open();
    let client = post.client();
    let get = client.get(post.url("/v2/service")).send().unwrap();
    assert_eq!(problem(get).0, 404);
    let delete = client.delete(post.url("/v1/service")).send().unwrap();
    assert_eq!(problem(delete).0, 405);
    let text = client
        .post(post.url("/v1/envelopes"))
        .body("{}")
        .send()
        .unwrap();
    assert_eq!(problem(text).0, 415);
    let desk_is_elsewhere = client.get(post.url("/desk")).send().unwrap();
    assert_eq!(problem(desk_is_elsewhere).0, 404);
    assert_eq!(post.ministry.counters().requests["other"], 2);
}

#[test]
fn a_client_that_does_not_speak_tls_harms_nobody() {
    let post = Post::open();
    let address = post.ministry.url().replace("https://", "");
    let mut plain = TcpStream::connect(&address).unwrap();
    plain
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    plain
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"));
    Phone::enrolled(1, &post);
}

#[test]
fn stopping_waits_for_no_client() {
    let post = Post::open();
    let address = post.ministry.url().replace("https://", "");
    let silent: Vec<_> = (0..20)
        .map(|_| TcpStream::connect(&address).unwrap())
        .collect();
    let kept_alive = post.client();
    kept_alive.get(post.url("/v1/service")).send().unwrap();
    let start = Instant::now();
    post.ministry.stop();
    assert!(start.elapsed() < Duration::from_secs(2));
    drop((silent, kept_alive));
}
