//! The shared library that Kotlin and Swift load: the exported symbols of the
//! core, and nothing else.

homeline::uniffi_reexport_scaffolding!();

#[cfg(all(feature = "faults", not(debug_assertions)))]
compile_error!("`faults` makes calls that fail on purpose: it is for debug builds only");
