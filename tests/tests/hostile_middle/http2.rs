//! HTTP/2, frame by frame.

use std::io;
use std::time::Duration;

use homeline::sos::AttemptResult;

use super::raw::{
    Act, CONTINUATION, Conn, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, Http, NO_ANSWER, PING,
    RST_STREAM, SETTINGS, UNUSABLE, act, field, frame, kept_field, status, stories,
};
use super::story::{LONG_MS, SHORT_MS};

/// See `http1`.
const BODY: &[u8] = br#"{"results":[]}"#;

const BAD_RECEIPT: &[AttemptResult] = &[AttemptResult::BadReceipt];

// Codes of errors (RFC 9113, section 7).
const NO_ERROR: u32 = 0;
const REFUSED_STREAM: u32 = 7;
const CANCEL: u32 = 8;

fn ok() -> Vec<u8> {
    [status("200"), field("content-type", "application/json")].concat()
}

impl Conn {
    /// A head in as many frames as it takes.
    async fn head(&mut self, block: &[u8]) -> io::Result<()> {
        let mut pieces = block.chunks(16_384).peekable();
        let mut kind = HEADERS;
        while let Some(piece) = pieces.next() {
            let flags = if pieces.peek().is_none() {
                END_HEADERS
            } else {
                0
            };
            self.send(&frame(kind, flags, self.stream, piece)).await?;
            kind = CONTINUATION;
        }
        Ok(())
    }

    async fn answer(&mut self, block: &[u8], body: &[u8]) -> io::Result<()> {
        self.head(block).await?;
        self.send(&frame(DATA, END_STREAM, self.stream, body))
            .await?;
        self.hold().await;
        Ok(())
    }

    async fn goes_away(&mut self, last: u32, error: u32) -> io::Result<()> {
        let payload = [last.to_be_bytes(), error.to_be_bytes()].concat();
        self.send(&frame(GOAWAY, 0, 0, &payload)).await
    }
}

/// Answers with this head.
fn heads(block: Vec<u8>) -> Act {
    act(move |mut conn| {
        let block = block.clone();
        async move { conn.answer(&block, BODY).await }
    })
}

#[test]
fn heads_are_bounded() {
    let fields = |count: usize, bytes: usize| {
        let value = "x".repeat(bytes);
        let more = (0..count).flat_map(|n| field(&format!("x-{n}"), &value));
        heads(ok().into_iter().chain(more).collect())
    };
    // 4 KB once, and then a byte for each time it is meant again.
    let bomb = [
        ok(),
        kept_field("x-a", &"x".repeat(4_000)),
        vec![0x80 | 62; 10_000],
    ];
    stories(
        Http::Two,
        LONG_MS,
        vec![
            ("10,000 fields", fields(10_000, 20), NO_ANSWER),
            ("one of 1 MB", fields(1, 1_000_000), NO_ANSWER),
            ("one of 100 KB", fields(1, 100_000), NO_ANSWER),
            ("80 fields", fields(80, 20), UNUSABLE),
            ("a bomb of 40 MB", heads(bomb.concat()), NO_ANSWER),
            ("40 fields", fields(40, 100), BAD_RECEIPT),
        ],
    );
}

#[test]
fn an_answer_that_is_not_whole_is_none() {
    let partly = |ends: fn(Conn) -> super::raw::Doing| {
        act(move |mut conn: Conn| async move {
            conn.head(&ok()).await?;
            conn.send(&frame(DATA, 0, conn.stream, BODY)).await?;
            ends(conn).await
        })
    };
    let length = |length: &str| heads([ok(), field("content-length", length)].concat());
    stories(
        Http::Two,
        LONG_MS,
        vec![
            ("whole", heads(ok()), BAD_RECEIPT),
            (
                "closed in good order, without its end",
                partly(|conn| Box::pin(conn.close())),
                NO_ANSWER,
            ),
            (
                "cut by somebody without a key",
                partly(|conn| {
                    Box::pin(async {
                        conn.cut().await;
                        Ok(())
                    })
                }),
                NO_ANSWER,
            ),
            (
                "reset in the middle",
                partly(|mut conn| {
                    Box::pin(async move {
                        let code = CANCEL.to_be_bytes();
                        conn.send(&frame(RST_STREAM, 0, conn.stream, &code)).await?;
                        conn.hold().await;
                        Ok(())
                    })
                }),
                NO_ANSWER,
            ),
            (
                // RFC 9113, section 8.1 lets a server end so what it has said; only
                // whoever holds the key of the TLS can.
                "ended without an error",
                partly(|mut conn| {
                    Box::pin(async move {
                        let code = NO_ERROR.to_be_bytes();
                        conn.send(&frame(RST_STREAM, 0, conn.stream, &code)).await?;
                        conn.hold().await;
                        Ok(())
                    })
                }),
                BAD_RECEIPT,
            ),
            (
                "gone away in the middle",
                partly(|mut conn| {
                    Box::pin(async move {
                        conn.goes_away(conn.stream, NO_ERROR).await?;
                        conn.close().await
                    })
                }),
                NO_ANSWER,
            ),
            ("shorter than it says", length("15"), NO_ANSWER),
            ("longer than it says", length("13"), NO_ANSWER),
        ],
    );
}

/// The library for HTTP may try again what was surely not processed; not for ever.
#[test]
fn a_request_that_is_turned_away_is_no_loop() {
    let resets = |code: u32| {
        act(move |mut conn: Conn| async move {
            conn.send(&frame(RST_STREAM, 0, conn.stream, &code.to_be_bytes()))
                .await?;
            conn.hold().await;
            Ok(())
        })
    };
    let goes_away = |last: u32, code: u32| {
        act(move |mut conn: Conn| async move {
            conn.goes_away(last, code).await?;
            conn.close().await
        })
    };
    stories(
        Http::Two,
        LONG_MS,
        vec![
            ("refused", resets(REFUSED_STREAM), NO_ANSWER),
            ("cancelled", resets(CANCEL), NO_ANSWER),
            ("gone away", goes_away(0, NO_ERROR), NO_ANSWER),
            (
                "gone away from all",
                goes_away(u32::MAX >> 1, CANCEL),
                NO_ANSWER,
            ),
        ],
    );
}

#[test]
fn a_status_that_does_not_exist_is_not_the_ministry() {
    let says =
        |code: &str| heads([status(code), field("content-type", "application/json")].concat());
    let other = &[AttemptResult::NotTheMinistry { status: 999 }];
    stories(
        Http::Two,
        LONG_MS,
        vec![
            ("999", says("999"), other),
            ("000", says("000"), NO_ANSWER),
            (
                "no status",
                heads(field("content-type", "application/json")),
                NO_ANSWER,
            ),
        ],
    );
}

#[test]
fn what_never_ends_ends_with_the_pass() {
    let floods = |first: fn(&Conn) -> Vec<u8>, then: fn(&Conn) -> Vec<u8>| {
        act(move |mut conn: Conn| async move {
            let (first, then) = (first(&conn), then(&conn));
            conn.send(&first).await?;
            conn.flood(&then).await
        })
    };
    let nothing = |_: &Conn| Vec::new();
    let head: fn(&Conn) -> Vec<u8> = |conn| frame(HEADERS, END_HEADERS, conn.stream, &ok());
    stories(
        Http::Two,
        SHORT_MS,
        vec![
            (
                "a head, byte by byte",
                act(|mut conn: Conn| async move {
                    let head = frame(HEADERS, 0, conn.stream, &ok());
                    conn.drip(&head).await
                }),
                NO_ANSWER,
            ),
            (
                "a body, byte by byte",
                act(|mut conn: Conn| async move {
                    conn.head(&ok()).await?;
                    loop {
                        conn.send(&frame(DATA, 0, conn.stream, b" ")).await?;
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                }),
                NO_ANSWER,
            ),
            (
                "CONTINUATION for ever",
                floods(
                    |conn| frame(HEADERS, 0, conn.stream, &ok()),
                    |conn| frame(CONTINUATION, 0, conn.stream, b""),
                ),
                NO_ANSWER,
            ),
            (
                "PING for ever",
                floods(nothing, |_| frame(PING, 0, 0, &[7; 8])),
                NO_ANSWER,
            ),
            (
                "SETTINGS for ever",
                floods(nothing, |_| frame(SETTINGS, 0, 0, b"")),
                NO_ANSWER,
            ),
            (
                "1xx for ever",
                floods(nothing, |conn| {
                    frame(HEADERS, END_HEADERS, conn.stream, &status("103"))
                }),
                NO_ANSWER,
            ),
            (
                "empty DATA for ever",
                floods(head, |conn| frame(DATA, 0, conn.stream, b"")),
                NO_ANSWER,
            ),
            (
                "frames of no known kind for ever",
                floods(nothing, |_| frame(0xbb, 0, 0, &[0; 100])),
                NO_ANSWER,
            ),
        ],
    );
    stories(
        Http::Two,
        LONG_MS,
        vec![(
            "a body for ever",
            act(|mut conn: Conn| async move {
                conn.head(&ok()).await?;
                // Within what the phone lets a server send unasked: 2 MB.
                for _ in 0..100 {
                    let piece = frame(DATA, 0, conn.stream, &[b' '; 16_384]);
                    conn.send(&piece).await?;
                }
                conn.hold().await;
                Ok(())
            }),
            UNUSABLE,
        )],
    );
}
