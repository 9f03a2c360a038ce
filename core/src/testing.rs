//! What the unit tests share: published vectors from the folder beside the
//! checkout, where it is present.

use std::io::Write as _;
use std::path::Path;

use serde_json::Value;

/// A file of `../shared/data`. Where the folder is not there, says so and
/// returns `None`; under `CI=true` that is a failure.
pub(crate) fn shared(path: &str) -> Option<Value> {
    shared_bytes(path).map(|bytes| serde_json::from_slice(&bytes).unwrap())
}

/// As `shared`, a file that is not JSON.
pub(crate) fn shared_bytes(path: &str) -> Option<Vec<u8>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/data")
        .join(path);
    match std::fs::read(&file) {
        Ok(bytes) => Some(bytes),
        Err(_) => {
            assert!(std::env::var_os("CI").is_none(), "{path} is not there");
            // Past the capture of the test harness: a skip is said plainly.
            let _ = writeln!(std::io::stderr(), "SKIP {path}: no ../shared/data here");
            None
        }
    }
}

/// The bytes of a string of hex.
pub(crate) fn bytes(hex: &Value) -> Vec<u8> {
    let digits = hex.as_str().unwrap().as_bytes();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}
