//! The checked-in OpenAPI document is the one that the code describes.

use serde_json::Value;

#[test]
fn the_openapi_document_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let checked_in = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        checked_in == ministry::openapi().unwrap(),
        "tests/ministry/openapi.json is not current; renew it with\n\
         cargo run -p ministry -- --openapi > tests/ministry/openapi.json"
    );
}

#[test]
fn it_has_every_call_and_every_sealed_content_and_no_dangling_reference() {
    let text = ministry::openapi().unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    for (path, method) in [
        ("/v1/service", "get"),
        ("/v1/devices", "post"),
        ("/v1/envelopes", "post"),
        ("/v1/changes", "get"),
        ("/v1/sms", "post"),
    ] {
        assert!(document["paths"][path][method].is_object(), "{path}");
    }
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for name in [
        "Content",
        "SosReport",
        "AgedFix",
        "Traveler",
        "Receipt",
        "CaseNews",
        "Problem",
    ] {
        assert!(schemas.contains_key(name), "{name}");
    }
    for reference in text.split("#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name}");
    }
}
