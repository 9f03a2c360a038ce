//! Two generators, of exactly the version that the library was built with:
//!
//! * `homeline-bindgen generate …` is `uniffi-bindgen`: the blocking API.
//! * `homeline-bindgen facade LANGUAGE LIBRARY EXAMPLES OUT` writes what hosts use: the same calls
//!   as `suspend` (Kotlin) or `async` (Swift) functions, see [`facade`].

mod facade;

use std::env;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["facade", language, library, examples, out] => {
            facade::write(language, library.as_ref(), examples.as_ref(), out.as_ref())
        }
        _ => {
            uniffi::uniffi_bindgen_main();
            Ok(())
        }
    }
}
