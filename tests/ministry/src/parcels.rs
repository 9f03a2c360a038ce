//! `POST /v1/parcels`: what a phone brings that it carried for others.
//!
//! The carrier learns which parcels it may let go of, and nothing else: not whether
//! one held a report, whether that was known, or to whom it belongs. What is inside
//! goes the way of every other envelope, see [`crate::intake`]. Receipts for the
//! senders go into the carrier's feed, sealed to them, as parcels to be handed on.

use axum::extract::{Request, State};
use homeline::seal::letters::{self, Inside};
use homeline::seal::parcel::{Parcel, Way};
use homeline::seal::sha256_hex;
use homeline::seal::signed::{Context, Signed};
use homeline::sync::protocol::{ParcelBatch, ParcelOutcome, ParcelResult, ParcelsTaken, Problem};

use crate::api::{Answer, App, SignatureHeaders, blocking, device_of, json, receive};
use crate::keys::Sealing;
use crate::problem::Fault;
use crate::store::Carrier;

/// Parcels in one request: 175 KB.
const BATCH_PARCELS: usize = 64;

/// Takes parcels that a phone has carried for others. Idempotent.
#[utoipa::path(
    post,
    path = "/v1/parcels",
    operation_id = "parcels",
    tag = "phone",
    params(SignatureHeaders),
    request_body = ParcelBatch,
    responses(
        (status = 200, description = "A signed `ParcelsTaken`: context `homeline/parcels/v1`, \
            key: a receipt key of the service document.", body = Signed),
        (status = 401, description = "As for envelopes.",
            body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "More than 64 parcels.",
            body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "This device has brought as many as are taken in a day.",
            body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Any other error.",
            body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn parcels(State(app): State<App>, request: Request) -> Answer {
    let received = receive(&app, request).await?;
    blocking(move || {
        let agreement = device_of(&app, &received)?;
        let batch: ParcelBatch = received.json()?;
        if batch.parcels.len() > BATCH_PARCELS {
            return Err(Fault::too_many_parcels());
        }
        let carrier = Carrier {
            device: received.key_id().unwrap_or_default().to_owned(),
            agreement: agreement.try_into().unwrap_or_default(),
        };
        let sealing = app.keys.sealing();
        let opened: Vec<Option<Inside>> = batch
            .parcels
            .iter()
            .map(|parcel| open(&sealing, &parcel.0))
            .collect();
        let parcels = batch
            .parcels
            .iter()
            .zip(&opened)
            .map(|(parcel, opened)| ParcelResult {
                sha256: sha256_hex(&parcel.0),
                outcome: match opened {
                    Some(_) => ParcelOutcome::Taken,
                    None => ParcelOutcome::Refused,
                },
            })
            .collect();
        if !app.store.take_parcels(&carrier, opened, &app.service())? {
            return Err(Fault::carried_enough());
        }
        let taken = ParcelsTaken { parcels };
        let signed: Signed = app
            .keys
            .receipt()
            .sign(Context::Parcels, &taken)
            .map_err(|_| Fault::internal())?;
        json(&signed)
    })
    .await
}

/// What is in a parcel to this ministry. One that opens and holds nothing that is
/// known is taken all the same: it says nothing to its carrier.
fn open(sealing: &Sealing, bytes: &[u8]) -> Option<Inside> {
    let parcel = Parcel::read(bytes).filter(|parcel| parcel.way == Way::ToMinistry)?;
    let plain = parcel.open(&sealing.keys)?;
    Some(letters::read(&plain).unwrap_or(Inside::Whole(Vec::new())))
}
