//! The API that phones call: a few paths, each a thin step from a request to the
//! store and back. The OpenAPI document is generated from these handlers.

pub(crate) mod attachments;
pub(crate) mod packs;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, Request, State, rejection::QueryRejection};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, Response};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::IntoResponse as _;
use axum::routing::{get, post, put};
use homeline::seal::hex;
use homeline::seal::signed::{Context, Signed};
use homeline::sync::protocol::{
    ATTACHMENTS_PATH, Base64, BatchAnswer, CHANGES_PATH, CHUNKS_PATH, ChangePage, DEVICES_PATH,
    ENVELOPES_PATH, Enrolled, Enrolment, EnvelopeBatch, JSON, Limits, PACKS_PATH, PARCELS_PATH,
    Problem, RESULTS_BINARY, SERVICE_PATH, SMS_PATH, ServiceDocument, write_results,
};
use serde::{Deserialize, Serialize};

use crate::capacity::{Capacity, TurnedAway};
use crate::intake;
use crate::keys::{Former, Keys, Rotation};
use crate::meter::Meter;
use crate::problem::Fault;
use crate::request::{BODY_BYTES, Received};
use crate::sms::{self, Gateway};
use crate::store::{Store, StoreError};

/// Envelopes in one request: more than a phone sends, few enough that a batch
/// takes milliseconds.
const BATCH_ENVELOPES: usize = 256;

pub(crate) type Answer = Result<Response<Body>, Fault>;

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) store: Arc<Store>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) meter: Arc<Meter>,
    pub(crate) gateway: Arc<Gateway>,
    /// Where datagrams are taken, as the service document says.
    pub(crate) datagram: Option<String>,
    service: Arc<RwLock<Arc<Signed>>>,
    /// How much is taken; `None`: as much as comes.
    capacity: Arc<Mutex<Option<Capacity>>>,
    /// What the capacity counts its time from.
    started: Instant,
}

impl App {
    /// Signs the service document.
    pub(crate) fn new(
        store: Arc<Store>,
        keys: Arc<Keys>,
        meter: Arc<Meter>,
        gateway: Arc<Gateway>,
        datagram: Option<String>,
    ) -> Result<Self, StoreError> {
        let service = sign_service(&store, &keys, &gateway, datagram.clone())?;
        Ok(Self {
            store,
            keys,
            meter,
            gateway,
            datagram,
            service: Arc::new(RwLock::new(service)),
            capacity: Arc::default(),
            started: Instant::now(),
        })
    }

    /// From now on so many requests a second are taken; `None`: as many as come.
    pub(crate) fn limit(&self, per_second: Option<u32>) {
        *self.capacity() = per_second.map(Capacity::new);
    }

    fn turns_away(&self) -> Option<TurnedAway> {
        let now_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.capacity().as_mut()?.ask(now_ms).err()
    }

    fn capacity(&self) -> MutexGuard<'_, Option<Capacity>> {
        self.capacity.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The service document, as it is served.
    pub(crate) fn service(&self) -> Arc<Signed> {
        let service = self.service.read().map(|served| Arc::clone(&served));
        service.unwrap_or_else(|poisoned| Arc::clone(&poisoned.into_inner()))
    }

    /// Signs the service document anew: something in it has changed.
    pub(crate) fn renew_service(&self) -> Result<(), StoreError> {
        // Locked first: the later of two changes is served at the end.
        let mut served = self.service.write().unwrap_or_else(PoisonError::into_inner);
        *served = sign_service(
            &self.store,
            &self.keys,
            &self.gateway,
            self.datagram.clone(),
        )?;
        Ok(())
    }

    /// Makes keys anew, and signs the service document and all news anew.
    pub(crate) fn rotate(&self, rotation: Rotation, former: Former) -> Result<(), StoreError> {
        // Held all the while: who meets a signature by the new key, and asks for the
        // document, shall find the key in it.
        let mut served = self.service.write().unwrap_or_else(PoisonError::into_inner);
        self.keys.rotate(rotation, former)?;
        *served = sign_service(
            &self.store,
            &self.keys,
            &self.gateway,
            self.datagram.clone(),
        )?;
        drop(served);
        match (rotation, former) {
            (Rotation::Sealing, _) | (_, Former::Kept) => Ok(()),
            (_, Former::Revoked) => self.store.sign_news_anew(),
        }
    }
}

fn sign_service(
    store: &Store,
    keys: &Keys,
    gateway: &Gateway,
    datagram: Option<String>,
) -> Result<Arc<Signed>, StoreError> {
    let document = ServiceDocument {
        crises: store.crises()?,
        datagram,
        ..service_document(keys, gateway)
    };
    let document = store.number_service(document)?;
    Ok(Arc::new(keys.anchor.sign(Context::Service, &document)?))
}

fn service_document(keys: &Keys, gateway: &Gateway) -> ServiceDocument {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    ServiceDocument {
        serial: 0,
        issued_ms: 0,
        versions: vec![1],
        sealing_keys: vec![Base64(keys.sealed_to())],
        receipt_keys: keys.receipts().into_iter().map(Base64).collect(),
        sms_numbers: gateway.numbers.clone(),
        datagram: None,
        limits: Limits {
            batch_envelopes: count(BATCH_ENVELOPES),
            request_bytes: count(BODY_BYTES),
        },
        crises: Vec::new(),
    }
}

/// The API's routes.
pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route(SERVICE_PATH, get(service))
        .route(DEVICES_PATH, post(enrol))
        .route(ENVELOPES_PATH, post(envelopes))
        .route(CHANGES_PATH, get(changes))
        .route(SMS_PATH, post(sms::sms))
        .route(
            &format!("{ATTACHMENTS_PATH}/{{id}}"),
            get(attachments::standing),
        )
        .route(
            &format!("{CHUNKS_PATH}/{{sha256}}"),
            put(attachments::chunk),
        )
        .route(PACKS_PATH, get(packs::list))
        .route(&format!("{PACKS_PATH}/{{sha256}}"), get(packs::piece))
        .route(PARCELS_PATH, post(crate::parcels::parcels))
        .fallback(async || Fault::not_found())
        .method_not_allowed_fallback(async || Fault::method_not_allowed())
        .layer(from_fn_with_state(app.clone(), count))
        .with_state(app)
}

async fn count(State(app): State<App>, request: Request, next: Next) -> Response<Body> {
    app.meter.request(request.uri().path());
    if let Some(away) = app.turns_away() {
        app.meter.turned_away();
        return away.into_response();
    }
    let response = next.run(request).await;
    if response.status().is_server_error() {
        app.meter.failure();
    }
    response
}

/// What the ministry says of its service: keys, limits.
#[utoipa::path(
    get,
    path = "/v1/service",
    operation_id = "service",
    tag = "phone",
    responses(
        (status = 200, description = "A signed `ServiceDocument`: context \
            `homeline/service/v1`, key: an anchor of the host's `Config`.",
            body = Signed),
        (status = "default", description = "Any error.",
            body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn service(State(app): State<App>) -> Answer {
    json(&*app.service())
}

/// Enrols a device. Idempotent.
///
/// The request is signed by the key in it, under the id that the answer repeats.
#[utoipa::path(
    post,
    path = "/v1/devices",
    operation_id = "enrol",
    tag = "phone",
    params(SignatureHeaders),
    request_body = Enrolment,
    responses(
        (status = 200, description = "The device is enrolled, now or before.", body = Enrolled),
        (status = 401, description = "Not signed by the key in the body, or `keyid` is not \
            the id of the keys.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A key has not 32 bytes.",
            body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Any other error.",
            body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn enrol(State(app): State<App>, request: Request) -> Answer {
    let received = receive(&app, request).await?;
    let keys: Enrolment = received.json()?;
    if keys.signing_key.0.len() != 32 || keys.agreement_key.0.len() != 32 {
        return Err(Fault::invalid_key());
    }
    let device = device_id(&keys);
    if received.key_id() != Some(&device) || !received.is_signed_by(&keys.signing_key.0) {
        return Err(Fault::bad_signature());
    }
    blocking(move || {
        app.store.enrol(&device, &keys)?;
        json(&Enrolled { device })
    })
    .await
}

/// Takes sealed envelopes, of this device or carried for others. Idempotent.
///
/// Phones send `application/vnd.homeline.envelopes` and ask for
/// `application/vnd.homeline.results`, binary forms of the same that save a third:
/// `core/src/sync/protocol/batch.rs` lays out their bytes. JSON is taken and given
/// as well. What is sealed in an envelope is JSON, or that JSON compressed:
/// `core/src/sync/compress.rs`.
#[utoipa::path(
    post,
    path = "/v1/envelopes",
    operation_id = "envelopes",
    tag = "phone",
    params(SignatureHeaders),
    request_body(content(
        (EnvelopeBatch = "application/json"),
        (Binary = "application/vnd.homeline.envelopes"),
    )),
    responses(
        (status = 200, description = "One result an envelope, in the order of the batch. \
            Accepted and duplicate carry a signed `Receipt`: context `homeline/receipt/v1`, \
            key: a receipt key of the service document.", content(
            (BatchAnswer = "application/json"),
            (Binary = "application/vnd.homeline.results"),
        )),
        (status = 401, description = "`urn:homeline:problem:unknown-device`: enrol and \
            repeat. `urn:homeline:problem:bad-signature`: not signed by that device.",
            body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "More bytes or envelopes than the service document \
            allows.", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Any other error.",
            body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn envelopes(State(app): State<App>, request: Request) -> Answer {
    let received = receive(&app, request).await?;
    blocking(move || {
        device_of(&app, &received)?;
        let envelopes = received.envelopes(BATCH_ENVELOPES)?;
        if envelopes.len() > BATCH_ENVELOPES {
            return Err(Fault::too_many_envelopes());
        }
        let sealing = app.keys.sealing();
        let letters: Vec<_> = envelopes
            .iter()
            .map(|given| (given.id, intake::read(given, &sealing)))
            .collect();
        let results = app.store.take(&letters)?;
        app.meter.results(&results);
        if received.takes_binary()
            && let Some(bytes) = write_results(&envelopes, &results)
        {
            return Ok(answer(RESULTS_BINARY, bytes));
        }
        json(&BatchAnswer { results })
    })
    .await
}

/// The changes for this device, in order.
#[utoipa::path(
    get,
    path = "/v1/changes",
    operation_id = "changes",
    tag = "phone",
    params(
        SignatureHeaders,
        ("after" = Option<u64>, Query, description = "`seq` of the last change that the \
            device has stored; absent or 0: from the first."),
    ),
    responses(
        (status = 200, description = "At most 100 changes. A change of kind `case` opens at \
            the device to a signed `CaseNews`: context `homeline/case/v1`, key: a receipt \
            key of the service document. One of kind `profile` opens to a signed \
            `ProfileNews`: context `homeline/profile/v1`, the same keys; one of kind `card` to a \
            signed `CardNews`: context `homeline/card-news/v1`. One of kind `parcel` is for \
            another phone.", body = ChangePage),
        (status = 401, description = "As for envelopes.",
            body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Any other error.",
            body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn changes(
    State(app): State<App>,
    after: Result<Query<After>, QueryRejection>,
    request: Request,
) -> Answer {
    let received = receive(&app, request).await?;
    let after = after.map(|Query(After { after })| after.unwrap_or_default());
    blocking(move || {
        let agreement = device_of(&app, &received)?;
        let after = after.map_err(|_| Fault::bad_query())?;
        json(&app.store.changes(&agreement, after)?)
    })
    .await
}

/// Bytes that are no JSON.
#[derive(utoipa::ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "only described here")]
pub(crate) struct Binary(Vec<u8>);

/// The query of the change feed.
#[derive(Deserialize)]
pub(crate) struct After {
    after: Option<u64>,
}

/// Headers of a signed request (RFC 9421).
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only described here; `Received` reads them")]
pub(crate) struct SignatureHeaders {
    /// SHA-256 of the body (RFC 9530), for example `sha-256=:…:`.
    #[param(rename = "Content-Digest")]
    content_digest: String,
    /// `sig=("@method" "@path" "@query" "content-digest");created=…;keyid="…";alg="ed25519"`.
    #[param(rename = "Signature-Input")]
    signature_input: String,
    /// `sig=:…:`, Ed25519 by the device's signing key.
    #[param(rename = "Signature")]
    signature: String,
}

pub(crate) async fn receive(app: &App, request: Request) -> Result<Received, Fault> {
    let received = Received::read(request).await?;
    app.meter.body(received.len());
    Ok(received)
}

/// Hex of the first 16 bytes of SHA-256 over both public keys.
fn device_id(keys: &Enrolment) -> String {
    let both = [
        keys.signing_key.0.as_slice(),
        keys.agreement_key.0.as_slice(),
    ]
    .concat();
    let hash = ring::digest::digest(&ring::digest::SHA256, &both);
    hex(hash.as_ref().iter().take(16))
}

/// The agreement key of the enrolled device that signed the request.
pub(crate) fn device_of(app: &App, received: &Received) -> Result<Vec<u8>, Fault> {
    let id = received.key_id().ok_or(Fault::bad_signature())?;
    let device = app.store.device(id)?.ok_or(Fault::unknown_device())?;
    if received.is_signed_by(&device.signing) {
        Ok(device.agreement)
    } else {
        Err(Fault::bad_signature())
    }
}

/// Runs what computes or touches the disk beside the runtime's own thread.
pub(crate) async fn blocking(work: impl FnOnce() -> Answer + Send + 'static) -> Answer {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(Fault::internal()))
}

/// A JSON answer that no cache keeps.
pub(crate) fn json<T: Serialize>(body: &T) -> Answer {
    let bytes = serde_json::to_vec(body).map_err(|_| Fault::internal())?;
    Ok(answer(JSON, bytes))
}

fn answer(media: &'static str, bytes: Vec<u8>) -> Response<Body> {
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        "x-content-type-options",
        HeaderValue::from_static("nosniff"),
    );
    response
}
