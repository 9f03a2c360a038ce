//! Files that travelers have attached, handed out to the officer.
//!
//! Always as a download of unknown bytes, whatever the phone says that it is: a page
//! or a picture with a script in it is never shown under the desk's own address.

use std::fs::File;
use std::io::Read as _;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderValue, Response};
use hyper::body::{Bytes, Frame};
use tokio::task::spawn_blocking;
use uuid::Uuid;

use super::Desk;
use crate::api::Answer;
use crate::problem::Fault;

/// Bytes read at a time: a local disk gives them in less time than a thread costs.
const PIECE: usize = 64 * 1024;

/// The file of a complete attachment.
pub(super) async fn download(
    State(desk): State<Desk>,
    id: Result<Path<Uuid>, PathRejection>,
) -> Answer {
    let id = id.map_err(|_| Fault::not_found())?.0;
    let found = spawn_blocking(move || desk.app.store.download(&id))
        .await
        .map_err(|_| Fault::internal())??;
    let download = found.ok_or(Fault::not_found())?;
    let disposition = disposition(download.name.as_deref().unwrap_or("attachment"));
    let mut response = Response::new(Body::new(Pieces(download.file)));
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/octet-stream"),
    );
    headers.insert(CONTENT_LENGTH, HeaderValue::from(download.bytes));
    headers.insert(
        CONTENT_DISPOSITION,
        HeaderValue::from_str(&disposition).map_err(|_| Fault::internal())?,
    );
    headers.insert(
        "content-security-policy",
        HeaderValue::from_static("default-src 'none'; sandbox"),
    );
    Ok(response)
}

/// RFC 6266 with a name in UTF-8 (RFC 8187): each byte but letters, digits, `.`, `-`
/// and `_` is escaped, so no name ends the header or leaves its folder.
fn disposition(name: &str) -> String {
    let mut escaped = String::new();
    for byte in name.trim_start_matches('.').bytes().take(600) {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("attachment; filename=\"attachment\"; filename*=UTF-8''{escaped}")
}

/// A file, piece by piece.
struct Pieces(File);

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        let mut piece = vec![0; PIECE];
        Poll::Ready(match self.0.read(&mut piece) {
            Ok(0) => None,
            Ok(length) => {
                piece.truncate(length);
                Some(Ok(Frame::data(Bytes::from(piece))))
            }
            Err(error) => Some(Err(error)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_ends_the_header_or_leaves_its_folder() {
        let plain = "attachment; filename=\"attachment\"; filename*=UTF-8''";
        for (name, escaped) in [
            ("photo 1.jpg", "photo%201.jpg"),
            ("照片.jpg", "%E7%85%A7%E7%89%87.jpg"),
            ("../../etc/passwd", "%2F..%2Fetc%2Fpasswd"),
            (
                "a\"; filename=b.exe\r\nX: y",
                "a%22%3B%20filename%3Db.exe%0D%0AX%3A%20y",
            ),
        ] {
            assert_eq!(disposition(name), format!("{plain}{escaped}"));
        }
    }
}
