//! Lets the linker fold functions that came out alike.
//!
//! `safe` folds only functions whose address nobody compares. Only where the linker
//! is LLD: of Rust's own choice on 64-bit Linux, and of the NDK. Apple's folds by
//! itself.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|set| set == value);
    let lld = is("CARGO_CFG_TARGET_OS", "android")
        || is("TARGET", "x86_64-unknown-linux-gnu") && is("HOST", "x86_64-unknown-linux-gnu");
    if lld {
        println!("cargo::rustc-cdylib-link-arg=-Wl,--icf=safe");
    }
}
