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

/// Names in many scripts, composed and not, right-to-left, with joiners and marks.
pub(crate) const NAMES: [&str; 18] = [
    "李伟",
    "欧阳娜娜·𠮷野",
    "ئابدۇرېھىم تۇراپ",
    "བཀྲ་ཤིས་ཕུན་ཚོགས",
    "ᠪᠠᠲᠤ\u{180e}",
    "O\u{2019}Brien-Smith",
    "Nguyễn Thị Minh",
    "Nguye\u{302}\u{303}n",
    "محمد بن عبد الله",
    "مریم می\u{200c}خواهد",
    "יוסף \u{200f}(יוסי)",
    "श्रीनिवास क\u{94d}\u{200d}ष",
    "สมชาย ใจดี",
    "Иван Ильич",
    "김수현",
    "ジョン・スミス",
    "Þórður Ægisson",
    "👩\u{200d}👩\u{200d}👧",
];

/// A config of a phone with its files in `directory`. Nobody listens there.
pub(crate) fn config(directory: &Path) -> crate::config::Config {
    crate::config::Config {
        directory: directory.to_string_lossy().into_owned(),
        ministry_url: "https://127.0.0.1:1".into(),
        anchors: vec![vec![1; 32]],
        sealing_key: vec![9; 32],
        tls_roots: vec![],
        hotline: crate::config::Hotline {
            from_home: "12308".into(),
            from_abroad: "+861012308".into(),
        },
        home_country: "CN".into(),
        sms_numbers: vec![],
        datagram: None,
        receipt_keys: Vec::new(),
        languages: Vec::new(),
    }
}
