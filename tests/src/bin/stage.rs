//! Runs a [`Stage`] for tests in other languages: prints one line of JSON that
//! says where everything is, takes `POST /link/{network}` on a loopback port,
//! and stops when its standard input closes.

use std::io::{Read as _, Write as _};
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use homeline_tests::stage::{Network, Stage};

fn main() -> std::io::Result<()> {
    let data = tempfile::tempdir()?;
    let stage = Arc::new(Stage::start(data.path())?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))?;
    let values = stage.values();
    let hex = |bytes: &[u8]| homeline::seal::hex(bytes);
    let line = serde_json::json!({
        "ministry_url": values.ministry_url,
        "anchor": hex(&values.anchor),
        "sealing_key": hex(&values.sealing_key),
        "tls_root": hex(&values.tls_root),
        "hotline_from_home": values.hotline.0,
        "hotline_from_abroad": values.hotline.1,
        "control": format!("http://{}", listener.local_addr()?),
        "desk": stage.ministry.desk_url(),
        "desk_token": stage.ministry.desk_token(),
    });
    let router = Router::new()
        .route("/link/{network}", post(link))
        .with_state(stage);
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
