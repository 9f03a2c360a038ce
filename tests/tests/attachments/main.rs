//! Attachments: voice and photos that follow a report, from a file on the phone to a
//! file on the officer's desk, over every fault on the way.
//!
//! * [`arrive`]: offline, broken links, kills, a locked phone, metered links.
//! * [`last`]: everything else goes first, and nothing is left when it shall not be.
//! * [`lies`]: a ministry, or a phone's disk, that says what is not so.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a failure ends the test it happens in; a seed is printed"
)]

mod arrive;
mod last;
mod lies;
mod spy;

use std::path::Path;
use std::sync::Arc;

use homeline::Homeline;
use homeline::sos::{
    AttachmentInfo, AttachmentState, AttachmentStatus, SendOver, SosKind, SosRequest,
};
use homeline::sync::SyncOutcome;
use homeline_tests::scene::Scene;

/// Of a chunk, as the phone cuts a file.
pub(crate) const CHUNK: usize = 64 * 1024;

/// Bytes that no compression and no chance makes equal to others.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[0]
        })
        .collect()
}

pub(crate) fn press(home: &Homeline) -> String {
    home.sos().press(SosRequest::new(SosKind::Crime)).unwrap()
}

pub(crate) fn info(media_type: &str) -> AttachmentInfo {
    AttachmentInfo {
        media_type: media_type.into(),
        name: None,
        send_over: None,
    }
}

pub(crate) fn over(send_over: SendOver) -> AttachmentInfo {
    AttachmentInfo {
        send_over: Some(send_over),
        ..info("video/mp4")
    }
}

/// Attaches bytes as a file that is deleted at once.
pub(crate) fn attach(
    scene: &Scene,
    home: &Homeline,
    report: &str,
    bytes: &[u8],
    info: AttachmentInfo,
) -> homeline::Result<String> {
    let path = scene.base.path().join("source");
    std::fs::write(&path, bytes).unwrap();
    let id =
        home.attachments()
            .attach_file(report.into(), path.to_string_lossy().into_owned(), info);
    std::fs::remove_file(path).unwrap();
    id
}

/// A pass after the network has changed, so that no back-off is waited for.
pub(crate) fn sync(home: &Homeline) -> SyncOutcome {
    home.network_changed().unwrap();
    home.sync(60_000).unwrap()
}

pub(crate) fn status(home: &Homeline, report: &str, id: &str) -> AttachmentStatus {
    let list = home.attachments().list(report.into()).unwrap();
    list.into_iter().find(|one| one.attachment == id).unwrap()
}

pub(crate) fn is_received(home: &Homeline, report: &str, id: &str) -> bool {
    matches!(
        status(home, report, id).state,
        AttachmentState::Received { .. }
    )
}

/// The state in words: `Debug` of it shows nothing.
pub(crate) fn words(state: &AttachmentState) -> String {
    match state {
        AttachmentState::Waiting => "waiting".into(),
        AttachmentState::Sending { handed, of } => format!("sending {handed} of {of}"),
        AttachmentState::Paused { why, handed, of } => format!("{why:?}, {handed} of {of}"),
        AttachmentState::Received { .. } => "received".into(),
        AttachmentState::Parked { status, reason } => format!("parked: {status} {reason}"),
    }
}

/// The file that the desk hands out, `None` while it is not whole.
pub(crate) fn at_the_desk(scene: &Scene, report: &str, id: &str) -> Option<Vec<u8>> {
    let cases = scene.stage.ministry.cases().unwrap();
    let mut cases = cases
        .iter()
        .filter(|case| case.report.to_string() == report);
    let case = cases.next().unwrap();
    assert!(cases.next().is_none(), "one case");
    let found = case
        .attachments
        .iter()
        .find(|one| one.id.to_string() == id)?;
    found.complete_ms?;
    Some(scene.stage.ministry.attachment(id).unwrap().unwrap())
}

/// The files of sealed bytes that a phone holds.
pub(crate) fn sealed_files(files: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(files.join("attachments")) else {
        return Vec::new();
    };
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// A phone whose requests are watched.
pub(crate) fn watched(scene: &Scene) -> (Arc<Homeline>, Arc<spy::Spy>) {
    let spy = spy::Spy::new(scene.stage.values().tls_root.clone());
    let config = scene.stage.config(&scene.files());
    let transport = Arc::<spy::Spy>::clone(&spy);
    let vault = Arc::clone(&scene.vault);
    let home = Homeline::open(config, vault, Some(transport), None).unwrap();
    (home, spy)
}
