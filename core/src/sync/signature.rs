//! HTTP message signatures (RFC 9421, Ed25519) with Content-Digest (RFC 9530).
//!
//! A device signs `"@method" "@path" "@query" "content-digest"` of each request.
//! Neither host nor scheme is covered: a ministry may stand behind a gateway
//! of another name. `created` is the phone's own clock and is never a reason to
//! refuse; a request that is sent twice is the same request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use ring::signature::{ED25519, UnparsedPublicKey};

/// The components that a device signs, in this order.
pub const COMPONENTS: [&str; 4] = ["@method", "@path", "@query", "content-digest"];

/// Value of `Content-Digest` for a body.
pub fn content_digest(body: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(digest(&SHA256, body)))
}

/// The signature base of RFC 9421, section 2.5: each component on a line, then
/// the parameters.
pub fn signature_base(components: &[(&str, &str)], parameters: &str) -> String {
    let mut base = String::new();
    for (name, value) in components {
        base.push_str(&format!("\"{name}\": {value}\n"));
    }
    base.push_str(&format!("\"@signature-params\": {parameters}"));
    base
}

/// The three header values of a signed request.
pub(crate) struct SignedHeaders {
    pub(crate) content_digest: String,
    pub(crate) signature_input: String,
    pub(crate) signature: String,
}

/// Signs a request; `path_and_query` starts with `/`.
pub(crate) fn sign_request(
    method: &str,
    path_and_query: &str,
    body: &[u8],
    created_s: i64,
    key_id: &str,
    sign: impl FnOnce(&[u8]) -> [u8; 64],
) -> SignedHeaders {
    let content_digest = content_digest(body);
    let parameters = format!(
        "({});created={created_s};keyid=\"{key_id}\";alg=\"ed25519\"",
        COMPONENTS.map(|name| format!("\"{name}\"")).join(" ")
    );
    let base = request_base(method, path_and_query, &content_digest, &parameters);
    SignedHeaders {
        signature: format!("sig=:{}:", STANDARD.encode(sign(base.as_bytes()))),
        signature_input: format!("sig={parameters}"),
        content_digest,
    }
}

fn request_base(method: &str, target: &str, content_digest: &str, parameters: &str) -> String {
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, format!("?{query}")),
        // An absent query is a lone `?` (RFC 9421, section 2.2.7).
        None => (target, "?".to_owned()),
    };
    let components = [
        ("@method", method),
        ("@path", path),
        ("@query", query.as_str()),
        ("content-digest", content_digest),
    ];
    signature_base(&components, parameters)
}

/// The `keyid` of a `Signature-Input` value, for the ministry to find the key.
pub fn key_id_of(signature_input: &str) -> Option<&str> {
    let (_, rest) = signature_input.split_once("keyid=\"")?;
    rest.split_once('"').map(|(id, _)| id)
}

/// Whether a request was signed by `public` over exactly [`COMPONENTS`].
pub fn verify_request(
    method: &str,
    path_and_query: &str,
    body: &[u8],
    digest_header: &str,
    signature_input: &str,
    signature: &str,
    public: &[u8],
) -> bool {
    let covered = format!(
        "({});",
        COMPONENTS.map(|name| format!("\"{name}\"")).join(" ")
    );
    let Some(parameters) = signature_input
        .strip_prefix("sig=")
        .filter(|parameters| parameters.starts_with(&covered))
    else {
        return false;
    };
    let Some(signature) = signature
        .strip_prefix("sig=:")
        .and_then(|value| value.strip_suffix(':'))
        .and_then(|value| STANDARD.decode(value).ok())
    else {
        return false;
    };
    let base = request_base(method, path_and_query, digest_header, parameters);
    content_digest(body) == digest_header
        && UnparsedPublicKey::new(&ED25519, public)
            .verify(base.as_bytes(), &signature)
            .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::{Ed25519KeyPair, KeyPair as _};

    fn signed() -> (SignedHeaders, Vec<u8>) {
        let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let headers = sign_request("POST", "/v1/envelopes?a=b", b"{}", -5, "dev", |bytes| {
            key.sign(bytes).as_ref().try_into().unwrap()
        });
        (headers, key.public_key().as_ref().to_vec())
    }

    fn verify(h: &SignedHeaders, method: &str, target: &str, body: &[u8], key: &[u8]) -> bool {
        verify_request(
            method,
            target,
            body,
            &h.content_digest,
            &h.signature_input,
            &h.signature,
            key,
        )
    }

    #[test]
    fn a_signed_request_verifies_and_each_change_is_seen() {
        let (h, key) = signed();
        assert_eq!(key_id_of(&h.signature_input), Some("dev"));
        assert!(verify(&h, "POST", "/v1/envelopes?a=b", b"{}", &key));
        assert!(!verify(&h, "PUT", "/v1/envelopes?a=b", b"{}", &key));
        assert!(!verify(&h, "POST", "/v1/envelopes", b"{}", &key));
        assert!(!verify(&h, "POST", "/v1/envelopes?a=b", b"{ }", &key));
        assert!(!verify(&h, "POST", "/v1/envelopes?a=b", b"{}", &[1; 32]));
    }

    #[test]
    fn rfc_9421_b_2_6() {
        let Some(v) = crate::testing::shared("crypto/rfc9421_B_2_6.json") else {
            return;
        };
        let url_safe = base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let text = |name: &str| v[name].as_str().unwrap().to_owned();
        let header = |name: &str| v["request"]["headers"][name].as_str().unwrap();
        let base = signature_base(
            &[
                ("date", header("Date")),
                ("@method", v["request"]["method"].as_str().unwrap()),
                ("@path", "/foo"),
                ("@authority", header("Host")),
                ("content-type", header("Content-Type")),
                ("content-length", header("Content-Length")),
            ],
            &text("signature_params"),
        );
        assert_eq!(base, text("signature_base"));
        let seed = url_safe.decode(text("private_seed_b64url")).unwrap();
        let key = Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
        assert_eq!(url_safe.encode(key.public_key()), text("public_b64url"));
        assert_eq!(
            STANDARD.encode(key.sign(base.as_bytes())),
            text("signature_b64")
        );
    }

    #[test]
    fn a_signature_over_fewer_components_is_refused() {
        let (mut h, key) = signed();
        h.signature_input = h.signature_input.replace(" \"content-digest\"", "");
        assert!(!verify(&h, "POST", "/v1/envelopes?a=b", b"{}", &key));
    }
}
