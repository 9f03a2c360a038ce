//! What a response means. One pure function, tested over every status code.

use super::backoff::retry_after_ms;
use super::protocol::{JSON, PACK_PIECE, PROBLEM_JSON, RESULTS_BINARY};

/// What a response means for the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// 2xx with JSON, results in binary or a piece of a pack: perhaps the ministry's answer. Its content decides.
    Answer,
    /// The ministry cannot take it now; it may say for how long.
    Busy { after_ms: Option<i64> },
    /// The ministry does not accept the signature: pause, keep everything.
    NotAuthorized,
    /// The ministry refuses this request for good.
    Refused,
    /// Not the ministry: a portal, a proxy, a redirect. Nothing is proved.
    NotTheMinistry,
}

/// Classifies a response by its status and headers.
///
/// A refusal needs the ministry's own form, problem+json: a portal that answers
/// 404 with a page must not park a report.
pub(super) fn classify(
    status: u16,
    content_type: Option<&str>,
    retry_after: Option<&str>,
    date: Option<&str>,
) -> Verdict {
    let is = |kind: &str| content_type.is_some_and(|value| is_media(value, kind));
    match status {
        200..=299 if is(JSON) || is(RESULTS_BINARY) || is(PACK_PIECE) => Verdict::Answer,
        // Network Authentication Required (RFC 6585) is a portal's, 407 a proxy's.
        407 | 511 => Verdict::NotTheMinistry,
        408 | 425 | 429 | 500..=599 => Verdict::Busy {
            after_ms: retry_after_ms(retry_after, date),
        },
        401 | 403 if is(PROBLEM_JSON) => Verdict::NotAuthorized,
        400..=499 if is(PROBLEM_JSON) => Verdict::Refused,
        _ => Verdict::NotTheMinistry,
    }
}

/// Whether a `Content-Type` says that the answer holds results in binary.
pub(super) fn is_results(content_type: &str) -> bool {
    is_media(content_type, RESULTS_BINARY)
}

/// Without its parameters; the case does not matter (RFC 9110, section 8.3.1).
fn is_media(content_type: &str, kind: &str) -> bool {
    let media = content_type.split(';').next().unwrap_or_default();
    media.trim().eq_ignore_ascii_case(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_code_has_its_meaning() {
        for status in 0..=u16::MAX {
            let expected = |json: bool| match status {
                200..=299 if json => Verdict::Answer,
                408 | 425 | 429 => Verdict::Busy { after_ms: None },
                500..=510 | 512..=599 => Verdict::Busy { after_ms: None },
                _ => Verdict::NotTheMinistry,
            };
            let html = classify(status, Some("text/html"), None, None);
            assert_eq!(html, expected(false), "{status} with a page");
            assert_eq!(
                classify(status, None, None, None),
                expected(false),
                "{status}"
            );
            let json = classify(status, Some("application/json"), None, None);
            assert_eq!(json, expected(true), "{status} with JSON");
            let problem = classify(status, Some("application/problem+json"), None, None);
            let expected = match status {
                401 | 403 => Verdict::NotAuthorized,
                407 | 408 | 425 | 429 => expected(false),
                400..=499 => Verdict::Refused,
                _ => expected(false),
            };
            assert_eq!(problem, expected, "{status} with a problem");
        }
    }

    #[test]
    fn parameters_and_case_of_the_media_type_do_not_matter() {
        for kind in [
            "application/json; charset=utf-8",
            "Application/JSON",
            " application/json ",
            "application/vnd.homeline.results",
            "application/vnd.homeline.pack",
        ] {
            assert_eq!(classify(200, Some(kind), None, None), Verdict::Answer);
        }
        assert_eq!(
            classify(200, Some("application/json5"), None, None),
            Verdict::NotTheMinistry
        );
    }

    #[test]
    fn a_wait_that_is_asked_for_is_kept() {
        assert_eq!(
            classify(503, None, Some("7"), None),
            Verdict::Busy {
                after_ms: Some(7_000)
            }
        );
    }
}
