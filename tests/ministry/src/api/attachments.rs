//! The two calls of attachments: where one stands, and a chunk of it.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use homeline::seal::sha256_hex;
use homeline::sync::protocol::{AttachmentAnswer, ChunkStored, Problem};
use uuid::Uuid;

use super::{Answer, App, SignatureHeaders, blocking, device_of, json, receive};
use crate::manifest::SEALED_CHUNK_BYTES;
use crate::problem::Fault;
use crate::store::{Chunk, unhex};

/// Where an attachment stands: what is missing, or the receipt.
///
/// Any enrolled device may ask: before its first unlock a phone has other keys than
/// after it.
#[utoipa::path(
    get,
    path = "/v1/attachments/{id}",
    operation_id = "attachment",
    tag = "phone",
    params(
        SignatureHeaders,
        ("id" = Uuid, Path, description = "Id of the manifest's envelope."),
    ),
    responses(
        (status = 200, description = "`complete` carries a signed `AttachmentReceipt`: \
            context `homeline/attachment/v1`, key: a receipt key of the service document. At \
            most 256 runs of missing chunks are named.", body = AttachmentAnswer),
        (status = 401, description = "As for envelopes.",
            body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Any other error.",
            body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn standing(
    State(app): State<App>,
    id: Result<Path<Uuid>, PathRejection>,
    request: Request,
) -> Answer {
    let received = receive(&app, request).await?;
    let id = id.map_err(|_| Fault::not_found())?.0;
    blocking(move || {
        device_of(&app, &received)?;
        json(&app.store.attachment(&id)?)
    })
    .await
}

/// Takes a sealed chunk of an announced attachment. Idempotent.
#[utoipa::path(
    put,
    path = "/v1/chunks/{sha256}",
    operation_id = "chunk",
    tag = "phone",
    params(
        SignatureHeaders,
        ("sha256" = String, Path, description = "SHA-256 of the body, lower-case hex."),
    ),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = 200, description = "It is on disk, now or before.", body = ChunkStored),
        (status = 401, description = "As for envelopes.",
            body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`urn:homeline:problem:unexpected-chunk`: no announced \
            and incomplete attachment names it.",
            body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "More than 1 MB and 16 bytes.",
            body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The body has another hash.",
            body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Any other error.",
            body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn chunk(
    State(app): State<App>,
    sha256: Result<Path<String>, PathRejection>,
    request: Request,
) -> Answer {
    let received = receive(&app, request).await?;
    let sha256 = sha256.map_err(|_| Fault::not_found())?.0;
    blocking(move || {
        device_of(&app, &received)?;
        let hash = unhex(&sha256).ok_or(Fault::wrong_hash())?;
        if received.len() > SEALED_CHUNK_BYTES {
            return Err(Fault::too_large());
        }
        if sha256_hex(received.bytes()) != sha256 {
            return Err(Fault::wrong_hash());
        }
        match app.store.put_chunk(&hash, received.bytes())? {
            Chunk::Stored => json(&ChunkStored { sha256 }),
            Chunk::Unexpected => Err(Fault::unexpected_chunk()),
        }
    })
    .await
}
