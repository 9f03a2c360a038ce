//! Runs a [`Stage`] for tests in other languages: prints one line of JSON that
//! says where everything is, and stops when its standard input closes. Between the two
//! it takes on a loopback port:
//!
//! | request | what it does |
//! | --- | --- |
//! | `POST /link/{network}` | changes the network |
//! | `POST /sms` | a text message for the ministry, answered by the text that comes back |
//! | `POST /packs/{name}` | the ministry publishes a list of items, in JSON |
//! | `GET /packs/{name}` | the newest version of a pack, as the file for a host app |

use std::io::{Read as _, Write as _};
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use homeline::packs::PackName;
use homeline_tests::stage::{Network, Stage};

fn main() -> std::io::Result<()> {
    let data = tempfile::tempdir()?;
    let stage = Arc::new(Stage::with_channels(data.path())?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))?;
    let values = stage.values();
    let channels = stage.config_with_channels(data.path());
    let hex = |bytes: &[u8]| homeline::seal::hex(bytes);
    let line = serde_json::json!({
        "ministry_url": values.ministry_url,
        "anchor": hex(&values.anchor),
        "sealing_key": hex(&values.sealing_key),
        "tls_root": hex(&values.tls_root),
        "hotline_from_home": values.hotline.0,
        "hotline_from_abroad": values.hotline.1,
        "control": format!("http://{}", listener.local_addr()?),
        "sms_numbers": channels.sms_numbers,
        "datagram": channels.datagram,
        "receipt_keys": channels.receipt_keys.iter().map(|key| hex(key)).collect::<Vec<_>>(),
        "desk": stage.ministry.desk_url(),
        "desk_token": stage.ministry.desk_token(),
    });
    let router = Router::new()
        .route("/link/{network}", post(link))
        .route("/sms", post(sms))
        .route("/packs/{name}", get(pack_file).post(publish))
        // Kept here too: what it holds must not end on the runtime's thread.
        .with_state(Arc::clone(&stage));
    runtime.spawn(async move { axum::serve(listener, router).await });
    let mut out = std::io::stdout();
    writeln!(out, "{line}")?;
    out.flush()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

async fn link(State(stage): State<Arc<Stage>>, Path(network): Path<Network>) -> StatusCode {
    // Waits for sockets to close: not on the runtime's own thread.
    let done = tokio::task::spawn_blocking(move || stage.network(network)).await;
    match done {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

async fn sms(State(stage): State<Arc<Stage>>, text: String) -> (StatusCode, String) {
    let done = tokio::task::spawn_blocking(move || stage.deliver_text(&text)).await;
    match done.map_err(std::io::Error::other).flatten() {
        Ok(reply) => (StatusCode::OK, reply.unwrap_or_default()),
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()),
    }
}

async fn publish(
    State(stage): State<Arc<Stage>>,
    Path(name): Path<String>,
    items: String,
) -> (StatusCode, String) {
    let publish = || {
        let items: Vec<serde_json::Value> = serde_json::from_str(&items)?;
        stage.publish(pack(&name)?, &items)
    };
    match publish() {
        Ok(version) => (StatusCode::OK, version.to_string()),
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()),
    }
}

async fn pack_file(
    State(stage): State<Arc<Stage>>,
    Path(name): Path<String>,
) -> Result<Vec<u8>, StatusCode> {
    let file = pack(&name).and_then(|name| stage.ministry.pack_file(name));
    file.ok().flatten().ok_or(StatusCode::NOT_FOUND)
}

fn pack(name: &str) -> std::io::Result<PackName> {
    PackName::of(name).ok_or_else(|| std::io::Error::other("no pack is called so"))
}
