//! The shared library that Kotlin and Swift load: the exported symbols of the
//! core, and nothing else.

homeline::uniffi_reexport_scaffolding!();
