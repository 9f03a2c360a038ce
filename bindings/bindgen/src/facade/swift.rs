//! The Swift facade.

use anyhow::{Result, bail};
use heck::ToLowerCamelCase;
use uniffi_bindgen::interface::{Argument, AsType, DefaultValue, Literal, Type};

use super::comment;
use super::examples::Examples;
use super::model::{Call, Interface, Lane, ROOT, Service, speaks};

const HEAD: &str = "\
// Generated from the library's description by bindings/generate.
import Foundation
";

/// The whole file.
pub(super) fn render(interface: &Interface, examples: &Examples) -> Result<String> {
    let services = interface.services()?;
    let mut text = format!("{HEAD}\n{}", root(&interface.root()?, &services, examples)?);
    for service in &services {
        text.push('\n');
        text.push_str(&class(service, examples)?);
    }
    Ok(text)
}

/// The root with its calls and the services that it hands out.
fn root(root: &Service<'_>, services: &[Service<'_>], examples: &Examples) -> Result<String> {
    let mut fields = String::new();
    let mut set = String::new();
    for service in services {
        let name = service.name;
        let property = name.to_lower_camel_case();
        fields.push_str(&comment("    /// ", service.doc));
        fields.push_str(&format!("    public let {property}: {name}\n\n"));
        set.push_str(&format!(
            "        {property} = {name}(blocking: blocking.{property}(), runner: runner)\n"
        ));
    }
    let mut text = documented(root, examples)?;
    text.push_str(&format!(
        "public final class {ROOT}: Sendable {{
    /// The same calls, each blocking its thread.
    public let blocking: Blocking{ROOT}

    let runner: Runner
    let feed: ChangeFeed

{fields}    init(blocking: Blocking{ROOT}) {{
        let runner = Runner(blocking: blocking)
        self.blocking = blocking
        self.runner = runner
        feed = ChangeFeed()
{set}    }}
"
    ));
    for call in &root.calls {
        text.push_str(&function(ROOT, call)?);
    }
    text.push_str("}\n");
    Ok(text)
}

fn class(service: &Service<'_>, examples: &Examples) -> Result<String> {
    let name = service.name;
    let mut text = documented(service, examples)?;
    text.push_str(&format!(
        "public final class {name}: Sendable {{
    /// The same calls, each blocking its thread.
    public let blocking: Blocking{name}

    private let runner: Runner

    init(blocking: Blocking{name}, runner: Runner) {{
        self.blocking = blocking
        self.runner = runner
    }}
"
    ));
    for call in &service.calls {
        text.push_str(&function(name, call)?);
    }
    text.push_str("}\n");
    Ok(text)
}

fn documented(service: &Service<'_>, examples: &Examples) -> Result<String> {
    let example = examples.of(service.name)?;
    let doc = format!("{}\n\n```swift\n{example}\n```", service.doc.trim());
    Ok(comment("/// ", &doc))
}

fn function(class: &str, call: &Call<'_>) -> Result<String> {
    let name = call.name.to_lower_camel_case();
    let first = |index: usize, argument: &Argument| index == 0 && speaks(argument);
    let arguments = call.arguments.iter().enumerate();
    let parameters = arguments
        .map(|(index, it)| parameter(it, first(index, it)))
        .collect::<Result<Vec<_>>>()?;
    let passed = call.arguments.iter().map(|it| {
        let name = it.name().to_lower_camel_case();
        format!("{name}: {name}")
    });
    let result = match call.result {
        Some(kind) => format!(" -> {}", type_name(kind)?),
        None => String::new(),
    };
    let (effects, begin) = if call.fails {
        ("async throws", "try await")
    } else {
        ("async", "await")
    };
    let lane = match (call.lane, class) {
        (Lane::Network, _) => "network",
        (Lane::Local, "Sos") => "urgent",
        (Lane::Local, _) => "local",
    };
    let inner = if call.fails {
        "try blocking"
    } else {
        "blocking"
    };
    Ok(format!(
        "\n{}    public func {name}({}) {effects}{result} {{\n        {begin} runner.{lane} {{ [blocking] in {inner}.{name}({}) }}\n    }}\n",
        comment("    /// ", call.doc),
        parameters.join(", "),
        passed.collect::<Vec<_>>().join(", "),
    ))
}

fn parameter(argument: &Argument, bare: bool) -> Result<String> {
    let name = argument.name().to_lower_camel_case();
    let kind = argument.as_type();
    let default = match argument.default_value() {
        Some(value) => format!(" = {}", literal(value)?),
        None => String::new(),
    };
    let label = if bare { "_ " } else { "" };
    Ok(format!("{label}{name}: {}{default}", type_name(&kind)?))
}

fn type_name(kind: &Type) -> Result<String> {
    Ok(match kind {
        Type::UInt8 => "UInt8".into(),
        Type::UInt16 => "UInt16".into(),
        Type::UInt32 => "UInt32".into(),
        Type::UInt64 => "UInt64".into(),
        Type::Int8 => "Int8".into(),
        Type::Int16 => "Int16".into(),
        Type::Int32 => "Int32".into(),
        Type::Int64 => "Int64".into(),
        Type::Float32 => "Float".into(),
        Type::Float64 => "Double".into(),
        Type::Boolean => "Bool".into(),
        Type::String => "String".into(),
        Type::Bytes => "Data".into(),
        Type::Optional { inner_type } => format!("{}?", type_name(inner_type)?),
        Type::Sequence { inner_type } => format!("[{}]", type_name(inner_type)?),
        Type::Map {
            key_type,
            value_type,
        } => {
            format!("[{}: {}]", type_name(key_type)?, type_name(value_type)?)
        }
        Type::Record { name, .. }
        | Type::Enum { name, .. }
        | Type::Object { name, .. }
        | Type::CallbackInterface { name, .. } => name.clone(),
        other => bail!("the Swift facade does not know {other:?}"),
    })
}

fn literal(value: &DefaultValue) -> Result<String> {
    Ok(match value {
        DefaultValue::Literal(Literal::None) => "nil".into(),
        DefaultValue::Literal(Literal::EmptySequence) => "[]".into(),
        DefaultValue::Literal(Literal::Boolean(value)) => value.to_string(),
        DefaultValue::Literal(Literal::UInt(value, ..)) => value.to_string(),
        other => bail!("the Swift facade does not know the default {other:?}"),
    })
}
