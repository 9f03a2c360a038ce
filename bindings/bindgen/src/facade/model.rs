//! What the facades need of the library's description.

use anyhow::{Context, Result};
use camino::Utf8Path;
use uniffi_bindgen::interface::{Argument, AsType, Method, Object, Type};
use uniffi_bindgen::{BindgenLoader, BindgenPaths, ComponentInterface, GlobalConfig};

/// The object from which all others are reached.
pub(super) const ROOT: &str = "Homeline";

/// Calls that wait for the network, and can be cancelled.
const NETWORK: [(&str, &str); 1] = [("Sos", "send_datagram")];

/// Written by hand in each language: a pass with its deadline, and the stream of changes.
const BY_HAND: [&str; 3] = ["sync", "cancel_sync", "set_listener"];

/// The exported objects and their calls.
pub(super) struct Interface(ComponentInterface);

/// An object whose calls the facade wraps.
pub(super) struct Service<'a> {
    pub(super) name: &'a str,
    pub(super) doc: &'a str,
    pub(super) calls: Vec<Call<'a>>,
}

/// A call.
pub(super) struct Call<'a> {
    /// As in Rust.
    pub(super) name: &'a str,
    pub(super) doc: &'a str,
    pub(super) arguments: Vec<&'a Argument>,
    pub(super) result: Option<&'a Type>,
    pub(super) fails: bool,
    pub(super) lane: Lane,
}

/// Where a call runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// A short transaction.
    Local,
    /// It waits for the network.
    Network,
}

impl Interface {
    /// Reads the description in a library.
    pub(super) fn load(library: &Utf8Path) -> Result<Self> {
        let loader = BindgenLoader::new(BindgenPaths::default(), GlobalConfig::default());
        let components = loader.load_cis(loader.load_metadata(library)?)?;
        let found = components
            .into_iter()
            .find(|ci| ci.crate_name() == "homeline");
        Ok(Self(
            found.context("the library does not describe the core")?,
        ))
    }

    /// The root.
    pub(super) fn root(&self) -> Result<Service<'_>> {
        let object = self.object(ROOT)?;
        Ok(service(object, |method| {
            !getter(method)
                && !BY_HAND.contains(&method.name())
                && !method.name().starts_with("fault_")
        }))
    }

    /// The services that the root hands out, in the order of their names.
    pub(super) fn services(&self) -> Result<Vec<Service<'_>>> {
        let methods = self.object(ROOT)?.methods();
        let getters = methods.into_iter().filter(|method| getter(method));
        let mut names: Vec<&str> = getters
            .filter_map(|method| method.return_type()?.name())
            .collect();
        names.sort_unstable();
        names
            .into_iter()
            .map(|name| Ok(service(self.object(name)?, |_| true)))
            .collect()
    }

    fn object(&self, name: &str) -> Result<&Object> {
        let found = self.0.get_object_definition(name);
        found.with_context(|| format!("no object {name}"))
    }
}

/// Whether a call hands out a service.
fn getter(method: &Method) -> bool {
    method.arguments().is_empty() && matches!(method.return_type(), Some(Type::Object { .. }))
}

fn service(object: &Object, taken: impl Fn(&Method) -> bool) -> Service<'_> {
    let methods = object.methods().into_iter().filter(|method| taken(method));
    Service {
        name: object.name(),
        doc: object.docstring().unwrap_or_default(),
        calls: methods.map(|method| call(object.name(), method)).collect(),
    }
}

fn call<'a>(object: &str, method: &'a Method) -> Call<'a> {
    let network = NETWORK.contains(&(object, method.name()));
    Call {
        name: method.name(),
        doc: method.docstring().unwrap_or_default(),
        arguments: method.arguments(),
        result: method.return_type(),
        fails: method.throws(),
        lane: if network { Lane::Network } else { Lane::Local },
    }
}

/// Whether a value of the type explains itself where it is written: `Traveler(…)`, `.medical`.
pub(super) fn speaks(argument: &Argument) -> bool {
    matches!(
        argument.as_type(),
        Type::Record { .. }
            | Type::Enum { .. }
            | Type::Object { .. }
            | Type::CallbackInterface { .. }
    )
}
