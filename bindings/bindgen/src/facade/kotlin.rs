//! The Kotlin facade.

use anyhow::{Result, bail};
use heck::ToLowerCamelCase;
use uniffi_bindgen::interface::{Argument, AsType, DefaultValue, Literal, Type};

use super::comment;
use super::examples::Examples;
use super::model::{Call, Interface, Lane, Service};

const HEAD: &str = "\
// Generated from the library's description by bindings/generate.
package org.homeline
";

/// The whole file.
pub(super) fn render(interface: &Interface, examples: &Examples) -> Result<String> {
    let services = interface.services()?;
    let mut text = format!("{HEAD}\n{}", root(&interface.root()?, &services)?);
    for service in &services {
        text.push('\n');
        text.push_str(&class(service, examples)?);
    }
    Ok(text)
}

/// The calls of `Homeline` itself, and the services that it hands out.
fn root(root: &Service<'_>, services: &[Service<'_>]) -> Result<String> {
    let mut text = String::from(
        "/** The calls of [Homeline] that need nothing of the platform. */
public abstract class HomelineCalls internal constructor(
    /** The same calls without coroutines: for Java, and for threads of the host's own. */
    public val blocking: BlockingHomeline,
) {
    internal val runner = Runner(blocking)
",
    );
    for service in services {
        let name = service.name;
        let property = name.to_lower_camel_case();
        text.push_str(&format!(
            "\n    /** {} */\n    public val {property}: {name} = {name}(blocking.{property}(), runner)\n",
            sentence(service.doc)
        ));
    }
    for call in &root.calls {
        text.push_str(&function(call)?);
    }
    let names = services
        .iter()
        .map(|service| service.name.to_lower_camel_case());
    let all = names
        .map(|name| format!("{name}.blocking"))
        .collect::<Vec<_>>();
    text.push_str(&format!(
        "\n    internal val parts: List<AutoCloseable>\n        get() = listOf(\n            {},\n        )\n}}\n",
        all.join(",\n            ")
    ));
    Ok(text)
}

fn class(service: &Service<'_>, examples: &Examples) -> Result<String> {
    let name = service.name;
    let doc = format!(
        "{}\n\n```kotlin\n{}\n```",
        service.doc.trim(),
        examples.of(name)?
    );
    let mut text = format!(
        "/**\n{} */
public class {name} internal constructor(
    /** The same calls without coroutines. */
    public val blocking: Blocking{name},
    private val runner: Runner,
) {{
",
        comment(" * ", &doc)
    );
    let calls = service
        .calls
        .iter()
        .map(function)
        .collect::<Result<Vec<_>>>()?;
    text.push_str(calls.concat().trim_start_matches('\n'));
    text.push_str("}\n");
    Ok(text)
}

fn function(call: &Call<'_>) -> Result<String> {
    let name = call.name.to_lower_camel_case();
    let parameters = call
        .arguments
        .iter()
        .map(|it| parameter(it))
        .collect::<Result<Vec<_>>>()?;
    let passed = call
        .arguments
        .iter()
        .map(|it| it.name().to_lower_camel_case());
    let result = match call.result {
        Some(kind) => format!(": {}", type_name(kind)?),
        None => String::new(),
    };
    let lane = match call.lane {
        Lane::Local => "local",
        Lane::Network => "network",
    };
    Ok(format!(
        "\n    /**\n{}     */\n    public suspend fun {name}({}){result} =\n        runner.{lane} {{ blocking.{name}({}) }}\n",
        comment("     * ", call.doc),
        parameters.join(", "),
        passed.collect::<Vec<_>>().join(", "),
    ))
}

fn parameter(argument: &Argument) -> Result<String> {
    let name = argument.name().to_lower_camel_case();
    let kind = argument.as_type();
    let default = match argument.default_value() {
        Some(value) => format!(" = {}", literal(value, &kind)?),
        None => String::new(),
    };
    Ok(format!("{name}: {}{default}", type_name(&kind)?))
}

fn type_name(kind: &Type) -> Result<String> {
    Ok(match kind {
        Type::UInt8 => "UByte".into(),
        Type::UInt16 => "UShort".into(),
        Type::UInt32 => "UInt".into(),
        Type::UInt64 => "ULong".into(),
        Type::Int8 => "Byte".into(),
        Type::Int16 => "Short".into(),
        Type::Int32 => "Int".into(),
        Type::Int64 => "Long".into(),
        Type::Float32 => "Float".into(),
        Type::Float64 => "Double".into(),
        Type::Boolean => "Boolean".into(),
        Type::String => "String".into(),
        Type::Bytes => "ByteArray".into(),
        Type::Optional { inner_type } => format!("{}?", type_name(inner_type)?),
        Type::Sequence { inner_type } => format!("List<{}>", type_name(inner_type)?),
        Type::Map {
            key_type,
            value_type,
        } => {
            format!("Map<{}, {}>", type_name(key_type)?, type_name(value_type)?)
        }
        Type::Record { name, .. }
        | Type::Enum { name, .. }
        | Type::Object { name, .. }
        | Type::CallbackInterface { name, .. } => name.clone(),
        other => bail!("the Kotlin facade does not know {other:?}"),
    })
}

fn literal(value: &DefaultValue, kind: &Type) -> Result<String> {
    let unsigned = matches!(kind, Type::UInt8 | Type::UInt16 | Type::UInt32);
    Ok(match value {
        DefaultValue::Literal(Literal::None) => "null".into(),
        DefaultValue::Literal(Literal::EmptySequence) => "emptyList()".into(),
        DefaultValue::Literal(Literal::Boolean(value)) => value.to_string(),
        DefaultValue::Literal(Literal::UInt(value, ..)) if unsigned => format!("{value}u"),
        DefaultValue::Literal(Literal::UInt(value, ..)) => format!("{value}uL"),
        other => bail!("the Kotlin facade does not know the default {other:?}"),
    })
}

/// The first sentence of a documentation.
fn sentence(doc: &str) -> String {
    let line = doc
        .split("\n\n")
        .next()
        .unwrap_or_default()
        .replace('\n', " ");
    match line.split_once(". ") {
        Some((first, _)) => format!("{first}."),
        None => line,
    }
}
