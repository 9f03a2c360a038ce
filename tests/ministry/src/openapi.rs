//! The OpenAPI 3.1 document, generated from the handlers and the protocol types.
//!
//! What is sealed inside an envelope is not a body of any call, so its schemas
//! are added by hand, and the sealing is described in words: a ministry that
//! implements the document works with every host app.

use homeline::seal::signed::Signed;
use homeline::sync::protocol;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::api::{self, attachments, packs};
use crate::{parcels, sms};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Homeline ministry API",
        version = "1",
        description = include_str!("openapi.md"),
        license(name = "MIT OR Apache-2.0"),
    ),
    tags(
        (name = "phone", description = "What a phone calls, over HTTPS only."),
        (name = "gateway", description = "What an SMS gateway calls, over HTTPS only."),
    ),
    modifiers(&Gateway),
    paths(
        api::service,
        api::enrol,
        api::envelopes,
        parcels::parcels,
        api::changes,
        attachments::standing,
        attachments::chunk,
        packs::list,
        packs::piece,
        sms::sms,
    ),
    components(schemas(
        Signed,
        protocol::ServiceDocument,
        protocol::Receipt,
        protocol::CaseNews,
        protocol::ProfileNews,
        protocol::CardNews,
        protocol::AttachmentReceipt,
        protocol::PackHeader,
        protocol::ParcelsTaken,
        protocol::CarriedAnswer,
        protocol::Content,
        homeline::alerts::Alert,
        homeline::alerts::Level,
        homeline::missions::Mission,
        homeline::missions::EmergencyNumbers,
        homeline::guides::Guide,
    ))
)]
struct Document;

/// How a gateway shows who it is.
struct Gateway;

impl Modify for Gateway {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme =
            SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
        if let Some(components) = document.components.as_mut() {
            components.add_security_scheme("gateway", scheme);
        }
    }
}

/// The document as pretty JSON with a line end, as it is checked in.
///
/// # Errors
/// None in practice: the document is built from types.
pub fn openapi() -> serde_json::Result<String> {
    let mut text = Document::openapi().to_pretty_json()?;
    text.push('\n');
    Ok(text)
}
