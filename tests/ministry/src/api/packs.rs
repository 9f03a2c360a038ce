//! The two calls of packs. Nobody signs them, and all get the same answers.

use std::collections::BTreeMap;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use homeline::alerts::Alert;
use homeline::packs::{self, PackName, write_file};
use homeline::seal::sha256_hex;
use homeline::seal::signed::Context;
use homeline::sync::protocol::{PACK_PIECE, PACK_PIECE_BYTES, PackList, PackOffer, Problem};
use serde::Deserialize;

use super::{Answer, App, Binary, answer, blocking, json};
use crate::problem::Fault;
use crate::store::StoreError;

/// The packs that are published: missions, numbers, levels, alerts, guides, borders.
#[utoipa::path(
    get,
    path = "/v1/packs",
    operation_id = "packs",
    tag = "phone",
    responses(
        (status = 200, description = "One offer a pack. Each carries a signed `PackHeader`: \
            context `homeline/pack/v1`, key: a receipt key of the service document.",
            body = PackList),
        (status = "default", description = "Any error.",
            body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(State(app): State<App>) -> Answer {
    blocking(move || json(&app.pack_list()?)).await
}

/// A piece of a pack, or of a delta, from the byte `from` on.
///
/// At most 256 KiB; a file that is longer comes in several. The content of a pack is
/// one item a line, `ID TAB JSON LF`, in order of the ids; that of `boundaries` is binary.
#[utoipa::path(
    get,
    path = "/v1/packs/{sha256}",
    operation_id = "packPiece",
    tag = "phone",
    params(
        ("sha256" = String, Path, description = "Of the whole file, lower-case hex."),
        ("from" = Option<u64>, Query, description = "First byte; absent: 0."),
    ),
    responses(
        (status = 200, description = "The bytes.",
            body = Binary, content_type = "application/vnd.homeline.pack"),
        (status = 404, description = "There is no such file, or no longer.",
            body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Any other error.",
            body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn piece(
    State(app): State<App>,
    sha256: Result<Path<String>, PathRejection>,
    from: Result<Query<From>, QueryRejection>,
) -> Answer {
    let sha256 = sha256.map_err(|_| Fault::not_found())?.0;
    let from = from.map_err(|_| Fault::bad_query())?.0.from.unwrap_or(0);
    blocking(move || {
        let piece = app.store.pack_piece(&sha256, from, PACK_PIECE_BYTES)?;
        Ok(answer(PACK_PIECE, piece.ok_or(Fault::not_found())?))
    })
    .await
}

/// The query of a piece.
#[derive(Deserialize)]
pub(crate) struct From {
    from: Option<u64>,
}

impl App {
    /// Publishes an alert beside those that are published; the same again changes nothing.
    pub(crate) fn add_alert(&self, alert: &Alert) -> Result<u64, StoreError> {
        let name = PackName::Alerts.text();
        let held = self.store.pack(name)?.unwrap_or_default();
        let mut items: BTreeMap<String, Vec<u8>> = packs::items(&held)
            .unwrap_or_default()
            .into_iter()
            .collect();
        // Identifiers of strangers may be long, or have line ends.
        let id = (&alert.sender, &alert.identifier, alert.sent_ms);
        let id = sha256_hex(&serde_json::to_vec(&id)?);
        items.insert(id, serde_json::to_vec(alert)?);
        self.store.publish_pack(name, &packs::write(&items))
    }

    /// The newest version of a pack as a file, signed by the anchor.
    pub(crate) fn pack_file(&self, name: PackName) -> Result<Option<Vec<u8>>, StoreError> {
        let (_, offered) = self.store.packs()?;
        let header = offered
            .into_iter()
            .map(|offered| offered.header)
            .find(|header| header.name == name.text());
        let (Some(header), Some(content)) = (header, self.store.pack(name.text())?) else {
            return Ok(None);
        };
        let signed = self.keys.anchor.sign(Context::Pack, &header)?;
        Ok(Some(write_file(&signed, &content)?))
    }

    /// The list as it is served: each header signed by today's key.
    pub(crate) fn pack_list(&self) -> Result<PackList, StoreError> {
        let (serial, offered) = self.store.packs()?;
        let packs = offered.into_iter().map(|offered| {
            Ok(PackOffer {
                pack: self.keys.receipt().sign(Context::Pack, &offered.header)?,
                deltas: offered.deltas,
            })
        });
        Ok(PackList {
            serial,
            packs: packs.collect::<Result<_, StoreError>>()?,
        })
    }
}
