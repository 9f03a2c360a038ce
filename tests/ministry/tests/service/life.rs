//! Start, stop, and what survives.

use std::os::unix::fs::PermissionsExt as _;

use crate::phone::{Phone, Post, client_of, id, read};
use homeline::seal::signed::{Context, Signed};
use homeline::sync::protocol::ServiceDocument;
use ministry::{Ministry, Settings};

#[test]
fn keys_devices_and_cases_survive_a_restart() {
    let post = Post::open();
    let phone = Phone::enrolled(1, &post);
    phone.send_one(&post, &phone.sos(&post, id(1)));
    let before = post.ministry.host_values();
    let serial = service(&post).serial;
    let post = post.restart();
    let after = post.ministry.host_values();
    assert_eq!(
        (before.anchor, before.sealing_key, before.tls_root),
        (after.anchor, after.sealing_key, after.tls_root)
    );
    assert_eq!(service(&post).serial, serial);
    // Still enrolled, still one case.
    phone.send_one(&post, &phone.sos(&post, id(1)));
    assert_eq!(post.ministry.cases().unwrap().len(), 1);
}

#[test]
fn the_service_document_names_the_keys() {
    let post = Post::open();
    let document = service(&post);
    assert_eq!(document.versions, [1]);
    assert_eq!(
        document.sealing_keys[0].0,
        post.ministry.host_values().sealing_key
    );
    assert_eq!(document.limits.request_bytes, 2 * 1024 * 1024);
}

#[test]
fn both_http_versions_are_spoken() {
    let post = Post::open();
    let answer = post.client().get(post.url("/v1/service")).send().unwrap();
    assert_eq!(answer.version(), reqwest::Version::HTTP_2);
    // The phone learns the time of day from it.
    assert!(answer.headers().contains_key("date"));
    let old = client_of(&post.ministry, &[b"http/1.1"]);
    let answer = old.get(post.url("/v1/service")).send().unwrap();
    assert_eq!(answer.version(), reqwest::Version::HTTP_11);
    assert!(answer.status().is_success());
    assert_eq!(
        post.ministry.tls_config().alpn_protocols,
        [b"h2".to_vec(), b"http/1.1".to_vec()]
    );
}

#[test]
fn several_run_in_one_process_and_one_in_a_directory() {
    let (first, second) = (Post::open(), Post::open());
    assert_ne!(
        first.ministry.host_values().anchor,
        second.ministry.host_values().anchor
    );
    let error = Ministry::start(Settings::new(first.directory.path())).unwrap_err();
    assert!(error.to_string().contains("another ministry"), "{error}");
}

#[test]
fn what_cannot_run_says_why() {
    let post = Post::open();
    let directory = tempfile::tempdir().unwrap();
    let mut settings = Settings::new(directory.path());
    settings.listen = post.ministry.url().replace("https://", "").parse().unwrap();
    let error = Ministry::start(settings).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    assert!(error.to_string().contains("cannot listen on"), "{error}");

    let mut settings = Settings::new(directory.path());
    settings.desk_listen = "0.0.0.0:0".parse().unwrap();
    let error = Ministry::start(settings).unwrap_err();
    assert!(error.to_string().contains("loopback"), "{error}");

    let file = directory.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let error = Ministry::start(Settings::new(file)).unwrap_err();
    assert!(error.to_string().contains("file"), "{error}");
}

#[test]
fn cases_without_their_keys_are_not_given_new_ones() {
    let post = Post::open();
    let Post {
        ministry,
        directory,
    } = post;
    ministry.stop();
    std::fs::remove_file(directory.path().join("keys.json")).unwrap();
    let error = Ministry::start(Settings::new(directory.path())).unwrap_err();
    assert!(error.to_string().contains("keys.json"), "{error}");
}

#[test]
fn private_files_are_private_and_hold_no_desk_token() {
    let post = Post::open();
    Phone::enrolled(1, &post);
    for entry in std::fs::read_dir(post.directory.path()).unwrap() {
        let path = entry.unwrap().path();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", path.display());
        if path.is_dir() {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let token = post.ministry.desk_token().as_bytes();
        assert!(!bytes.windows(token.len()).any(|part| part == token));
    }
}

fn service(post: &Post) -> ServiceDocument {
    let signed: Signed = read(post.client().get(post.url("/v1/service")).send().unwrap());
    signed
        .verify(Context::Service, &[post.ministry.host_values().anchor])
        .unwrap()
}
