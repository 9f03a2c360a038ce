//! HTTP/1.1 that no server would write.

use homeline::sos::AttemptResult;
use homeline_tests::hostile::{Answer, HostileServer, Response};

use super::raw::{Act, Conn, Http, NO_ANSWER, UNUSABLE, act, stories};
use super::story::{LONG_MS, SHORT_MS, Story};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
/// A batch answer without results: where it is taken as whole, the phone misses a
/// receipt in it, and says `BadReceipt`; where it is not, there was no answer.
const BODY: &str = r#"{"results":[]}"#;

/// Sends this, then ends the connection in good order.
fn says(answer: String) -> Act {
    act(move |mut conn| {
        let answer = answer.clone();
        async move {
            conn.send(answer.as_bytes()).await?;
            conn.close().await
        }
    })
}

/// Sends this, and then the other again and again.
fn floods(first: &'static str, then: String) -> Act {
    act(move |mut conn: Conn| {
        let then = then.clone();
        async move {
            conn.send(first.as_bytes()).await?;
            conn.flood(then.as_bytes()).await
        }
    })
}

const BAD_RECEIPT: &[AttemptResult] = &[AttemptResult::BadReceipt];
const NOT_JSON: &[AttemptResult] = &[AttemptResult::NotTheMinistry { status: 200 }];

#[test]
fn heads_are_bounded() {
    let fields = |count: usize, bytes: usize| {
        let value = "x".repeat(bytes);
        let fields: String = (0..count).map(|n| format!("x-{n}: {value}\r\n")).collect();
        let length = BODY.len();
        says(format!(
            "{OK}{fields}content-length: {length}\r\n\r\n{BODY}"
        ))
    };
    stories(
        Http::One,
        LONG_MS,
        vec![
            ("10,000 fields", fields(10_000, 20), NO_ANSWER),
            ("one of 1 MB", fields(1, 1_000_000), NO_ANSWER),
            // Less than the HTTP library by itself lets pass.
            ("one of 100 KB", fields(1, 100_000), UNUSABLE),
            ("80 fields", fields(80, 20), NO_ANSWER),
            // The control: what is fair is read, and then its content counts.
            ("40 fields", fields(40, 100), BAD_RECEIPT),
        ],
    );
}

#[test]
fn an_answer_that_is_not_whole_is_none() {
    let length = |length: usize| says(format!("{OK}content-length: {length}\r\n\r\n{BODY}"));
    // Without a length the end of the TLS is the end of the body.
    let until_the_end = format!("{OK}connection: close\r\n\r\n{BODY}");
    let cut = until_the_end.clone();
    let chunk = format!("{OK}transfer-encoding: chunked\r\n\r\ne\r\n{BODY}\r\n");
    stories(
        Http::One,
        LONG_MS,
        vec![
            ("to its end", says(until_the_end), BAD_RECEIPT),
            (
                "cut by somebody without a key",
                act(move |mut conn: Conn| {
                    let cut = cut.clone();
                    async move {
                        conn.send(cut.as_bytes()).await?;
                        conn.cut().await;
                        Ok(())
                    }
                }),
                NO_ANSWER,
            ),
            ("as long as it says", length(BODY.len()), BAD_RECEIPT),
            ("shorter than it says", length(BODY.len() + 1), NO_ANSWER),
            ("longer than it says", length(5), NOT_JSON),
            (
                "much longer than allowed",
                length(10_000_000_000_000),
                NO_ANSWER,
            ),
            ("without the last chunk", says(chunk), NO_ANSWER),
            (
                "two lengths",
                says(format!(
                    "{OK}content-length: 14\r\ncontent-length: 5\r\n\r\n{BODY}"
                )),
                NO_ANSWER,
            ),
        ],
    );
}

#[test]
fn a_status_that_does_not_exist_is_not_the_ministry() {
    let status = |line: &str| {
        let length = BODY.len();
        says(format!(
            "{line}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{BODY}"
        ))
    };
    let other = &[AttemptResult::NotTheMinistry { status: 999 }];
    stories(
        Http::One,
        LONG_MS,
        vec![
            ("999", status("HTTP/1.1 999 Perhaps"), other),
            ("000", status("HTTP/1.1 000 Never"), NO_ANSWER),
            ("20", status("HTTP/1.1 20 OK"), NO_ANSWER),
            ("70000", status("HTTP/1.1 70000 OK"), NO_ANSWER),
            ("HTTP/9", status("HTTP/9.9 200 OK"), NO_ANSWER),
        ],
    );
}

#[test]
fn what_never_ends_ends_with_the_pass() {
    let drips = |first: String, then: &'static str| {
        act(move |mut conn: Conn| {
            let first = first.clone();
            async move {
                conn.send(first.as_bytes()).await?;
                conn.drip(then.as_bytes()).await
            }
        })
    };
    let body = format!("{OK}content-length: 100000\r\n\r\n");
    let early = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n".to_owned();
    stories(
        Http::One,
        SHORT_MS,
        vec![
            (
                "a head, byte by byte",
                drips(OK.to_owned(), "x-a: "),
                NO_ANSWER,
            ),
            ("a body, byte by byte", drips(body, BODY), NO_ANSWER),
            ("1xx for ever", floods("", early), NO_ANSWER),
        ],
    );
    stories(
        Http::One,
        LONG_MS,
        vec![
            (
                "a body for ever",
                floods(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n",
                    " ".into(),
                ),
                UNUSABLE,
            ),
            (
                "a head for ever",
                floods("HTTP/1.1 200 OK\r\nx-a: ", "x".into()),
                NO_ANSWER,
            ),
            (
                "the extension of a chunk for ever",
                floods(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n1;",
                    "x".into(),
                ),
                NO_ANSWER,
            ),
            (
                "trailers for ever",
                floods(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n0\r\n",
                    "x-a: b\r\n".into(),
                ),
                NO_ANSWER,
            ),
        ],
    );
}

/// The phone asks for no compression and undoes none: there is nothing to blow up. A
/// body is read as it is, whatever its head calls it.
#[test]
fn nothing_is_decompressed() {
    // `BODY`, by gzip and by zlib.
    let gzip: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\x2a\x4a\x2d\x2e\xcd\x29\x29\x56\xb2\x8a\x8e\xad\x05\x00\x0a\x27\x7c\x9e\x0e\x00\x00\x00";
    let zlib: &[u8] =
        b"\x78\x9c\xab\x56\x2a\x4a\x2d\x2e\xcd\x29\x29\x56\xb2\x8a\x8e\xad\x05\x00\x27\xe4\x05\x41";
    let mut story = Story::new();
    let table = [
        ("gzip", gzip, NOT_JSON),
        ("deflate", zlib, NOT_JSON),
        ("gzip", BODY.as_bytes(), BAD_RECEIPT),
        ("br", BODY.as_bytes(), BAD_RECEIPT),
        ("zstd", BODY.as_bytes(), BAD_RECEIPT),
    ];
    for (coding, body, expected) in table {
        let answer = Answer::by(move |request| {
            let asks = request.headers.iter().any(|it| it.0 == "accept-encoding");
            let headers = [
                ("content-type", "application/json"),
                ("content-encoding", coding),
            ];
            Response {
                status: if asks { 404 } else { 200 },
                headers: headers.map(|(a, b)| (a.into(), b.into())).to_vec(),
                body: body.to_vec(),
            }
        });
        let server = HostileServer::start(story.ca.server().unwrap(), answer).unwrap();
        story.is_open_to(&server.url());
        let met = story.meet_a_liar(coding, LONG_MS);
        let attempt = met.attempt();
        assert!(expected.contains(&attempt), "{coding}: {attempt:?}");
        story.arrives(coding, &met.report);
    }
}
