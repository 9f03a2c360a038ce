//! The program: its arguments, its start text, its end.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Output, Stdio};

fn ministry(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ministry"))
        .args(arguments)
        .output()
        .unwrap()
}

#[test]
fn wrong_arguments_are_code_2_and_help_is_none() {
    let help = ministry(&["--help"]);
    assert!(help.status.success());
    assert!(
        String::from_utf8(help.stdout)
            .unwrap()
            .contains("--data DIR")
    );
    for arguments in [
        &[][..],
        &["--data"],
        &["--data", "x", "--listen", "nowhere"],
        &["--data", "x", "--desk", "0.0.0.0:1"],
        &["--surprise"],
        &["extra"],
    ] {
        let output = ministry(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty());
    }
}

#[test]
fn what_cannot_run_is_code_1_with_the_reason() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().to_str().unwrap();
    let output = ministry(&[
        "--data",
        data,
        "--listen",
        &address,
        "--desk",
        "127.0.0.1:0",
    ]);
    assert_eq!(output.status.code(), Some(1));
    let reason = String::from_utf8(output.stderr).unwrap();
    assert!(
        reason.contains(&format!("cannot listen on {address}")),
        "{reason}"
    );

    let output = ministry(&["--data", "/proc/nothing", "--listen", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn it_prints_what_a_host_needs_and_ends_on_an_interrupt() {
    let directory = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_ministry"))
        .args([
            "--listen",
            "127.0.0.1:0",
            "--desk",
            "127.0.0.1:0",
            "--json",
            "--data",
        ])
        .arg(directory.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let start: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert!(
        start["host"]["ministry_url"]
            .as_str()
            .unwrap()
            .starts_with("https://127.0.0.1:")
    );
    assert_eq!(start["host"]["anchor"].as_str().unwrap().len(), 64);
    assert_eq!(start["host"]["hotline_from_abroad"], "+861012308");
    assert_eq!(start["desk_token"].as_str().unwrap().len(), 64);
    let killed = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    assert!(child.wait().unwrap().success());
}
