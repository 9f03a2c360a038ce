//! What is sealed is compressed first: sealed bytes no longer can be.
//!
//! The first byte of a content tells its form:
//!
//! | first byte | form |
//! | --- | --- |
//! | `{` (0x7b) | JSON in UTF-8, as version 1 sealed it |
//! | 0x01 | a Zstandard frame (RFC 8878) of that JSON, without its magic number, made with [`DICTIONARY_1`]; the frame names no dictionary and has no checksum: the seal proves its bytes. Before it was made, the first mention of the envelope's id was replaced by a byte 0x01, which JSON cannot have |
//!
//! A reader takes both, for ever. A writer takes the shorter one.
//!
//! The length of what is sealed tells a listener how well it compressed, as it
//! told its length before. That is no oracle here: nobody else's text is ever
//! mixed with the traveler's in one envelope, and one content is sealed once.

use std::borrow::Cow;
use std::sync::OnceLock;

use uuid::Uuid;
use zstd_safe::{CCtx, CDict, CParameter, DCtx, DDict};

/// The dictionary of form 1, as `zstd --train` made it of the samples that
/// `tests/dictionary.py` writes. Both sides need the very same bytes: it never
/// changes; a better one is another form.
pub const DICTIONARY_1: &[u8] = include_bytes!("dictionary_1");

/// Form 1.
const ZSTD_1: u8 = 1;

/// In place of the envelope's id.
const THE_ID: u8 = 1;

/// What a Zstandard frame begins with, and form 1 leaves out.
const MAGIC: [u8; 4] = 0xfd2f_b528_u32.to_le_bytes();

/// A report of 1 KiB takes a tenth of a millisecond; the highest level makes it 2 %
/// shorter in ten times as long, and a press waits for it.
const LEVEL: i32 = 9;

/// A reader expands a content to so much and no more: a registration is 1.2 MB
/// at most, and every reader may keep one in memory.
const EXPANDED_BYTES: usize = 2 * 1024 * 1024;

/// Nor to more than this for each of its bytes, a start of [`EXPANDED_START`] set
/// aside: a phone whose content would go beyond sends it as it is.
const EXPANDED_RATIO: usize = 50;

/// Expanded bytes that any content may have, however short it is.
const EXPANDED_START: usize = 16 * 1024;

/// The content in its shorter form.
pub(crate) fn compress(json: Vec<u8>, id: Uuid) -> Vec<u8> {
    let short = replace_first(&json, id.to_string().as_bytes(), &[THE_ID]);
    match deflated(short.as_deref().unwrap_or(&json)) {
        // A reader would not expand it: it stays as it is.
        Some(small) if small.len() < json.len() && json.len() <= most(small.len()) => small,
        _ => json,
    }
}

/// The JSON of a content that was in the envelope `id`; `None` where the form is not
/// known, or it is damaged or longer than [`EXPANDED_BYTES`] and [`EXPANDED_RATIO`] allow.
pub fn expand(content: &[u8], id: Uuid) -> Option<Cow<'_, [u8]>> {
    match content.split_first() {
        Some((b'{', _)) => Some(Cow::Borrowed(content)),
        Some((&ZSTD_1, frame)) => {
            let json = inflated(frame, most(content.len()))?;
            let whole = replace_first(&json, &[THE_ID], id.to_string().as_bytes());
            Some(Cow::Owned(whole.unwrap_or(json)))
        }
        _ => None,
    }
}

/// `None` where `what` is not in it.
fn replace_first(text: &[u8], what: &[u8], with: &[u8]) -> Option<Vec<u8>> {
    let at = text.windows(what.len()).position(|part| part == what)?;
    let (before, rest) = text.split_at_checked(at)?;
    Some([before, with, rest.get(what.len()..)?].concat())
}

/// The longest JSON that a content of so many bytes may stand for.
fn most(bytes: usize) -> usize {
    bytes
        .saturating_mul(EXPANDED_RATIO)
        .saturating_add(EXPANDED_START)
        .min(EXPANDED_BYTES)
}

fn deflated(json: &[u8]) -> Option<Vec<u8>> {
    // Made once: its tables take longer than a report.
    static DICTIONARY: OnceLock<CDict<'static>> = OnceLock::new();
    let dictionary = DICTIONARY.get_or_init(|| CDict::create(DICTIONARY_1, LEVEL));
    let mut context = CCtx::try_create()?;
    context
        .set_parameter(CParameter::ContentSizeFlag(false))
        .ok()?;
    context.set_parameter(CParameter::DictIdFlag(false)).ok()?;
    context.ref_cdict(dictionary).ok()?;
    let mut frame = Vec::with_capacity(zstd_safe::compress_bound(json.len()));
    context.compress2(&mut frame, json).ok()?;
    let body = frame.strip_prefix(&MAGIC)?;
    let mut content = Vec::with_capacity(body.len().saturating_add(1));
    content.push(ZSTD_1);
    content.extend_from_slice(body);
    Some(content)
}

fn inflated(body: &[u8], most: usize) -> Option<Vec<u8>> {
    static DICTIONARY: OnceLock<DDict<'static>> = OnceLock::new();
    let dictionary = DICTIONARY.get_or_init(|| DDict::create(DICTIONARY_1));
    let frame = [MAGIC.as_slice(), body].concat();
    // The room is the limit: zstd stops where it ends.
    let mut json = Vec::with_capacity(most);
    DCtx::try_create()?
        .decompress_using_ddict(&mut json, &frame, dictionary)
        .ok()?;
    json.shrink_to_fit();
    Some(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"{"type":"sos","report":"0193a7c2-2d7e-7c4b-9d38-6c1f7a0e52b1","sequence":3,"pressed":{"wall_ms":1764088000123,"monotonic_ms":81234567,"boot_id":"5f0c1e7a-93d2-4b8e-a1f6-2c7d90e4b358"},"kind":"medical","note":"胸口疼，左手发麻。We are on the ninth floor.","note_cut":false,"people":2,"position":{"fix":{"position":{"datum":"wgs84","latitude":41.00823,"longitude":28.97836},"time_ms":1764087990000,"accuracy_m":12.5,"source":"gnss"},"age_ms":10123},"recent":[],"ground":"vital_interest"}"#;

    fn id() -> Uuid {
        Uuid::parse_str("0193a7c2-2d7e-7c4b-9d38-6c1f7a0e52b1").unwrap()
    }

    fn again(content: &[u8]) -> Option<Vec<u8>> {
        expand(content, id()).map(Cow::into_owned)
    }

    #[test]
    fn a_report_becomes_a_third_and_is_read_again() {
        let content = compress(REPORT.into(), id());
        assert!(content.len() * 3 < REPORT.len(), "{} bytes", content.len());
        assert_eq!(again(&content).as_deref(), Some(REPORT.as_bytes()));
        // Without the id in it.
        let other = compress(REPORT.into(), Uuid::nil());
        assert_eq!(again(&other).as_deref(), Some(REPORT.as_bytes()));
        assert!(content.len() + 15 < other.len());
    }

    #[test]
    fn what_version_1_sealed_and_what_does_not_shrink_stays_as_it_is() {
        assert_eq!(again(b"{\"a\":1}").as_deref(), Some(&b"{\"a\":1}"[..]));
        assert_eq!(compress(b"{".to_vec(), id()), b"{");
        assert_eq!(again(b""), None);
        assert_eq!(again(b"[1]"), None);
    }

    #[test]
    fn a_bomb_is_not_expanded_and_no_phone_sends_what_looks_like_one() {
        let long = format!("{{\"note\":\"{}\"}}", "a".repeat(1_000_000));
        let bomb = deflated(long.as_bytes()).unwrap();
        assert!(bomb.len() < 1_000, "{} bytes", bomb.len());
        assert_eq!(again(&bomb), None);
        assert_eq!(compress(long.clone().into_bytes(), id()), long.as_bytes());
        // Within the ratio, and still too long.
        let bytes = |n: u32| format!("{:08x}", n.wrapping_mul(2_654_435_769));
        let huge: String = (0..400_000).map(bytes).collect();
        assert!(huge.len() > EXPANDED_BYTES);
        assert_eq!(again(&deflated(huge.as_bytes()).unwrap()), None);
    }

    #[test]
    fn damaged_bytes_are_refused_and_never_panic() {
        let good = compress(REPORT.into(), id());
        for at in 0..good.len() {
            let _ = again(good.get(..at).unwrap());
            let mut changed = good.clone();
            *changed.get_mut(at).unwrap() ^= 0x55;
            let _ = again(&changed);
        }
    }
}
