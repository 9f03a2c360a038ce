//! Linker arguments that make the library smaller, where the linker is LLD: of
//! Rust's own choice on 64-bit Linux, and of the NDK. Apple's does the like by itself.
//!
//! * `--icf=safe` folds functions that came out alike, but none whose address
//!   somebody compares.
//! * `--pack-dyn-relocs` writes the relocations in a few kilobytes instead of 180:
//!   `relr` needs glibc 2.36, Android's own form API 23.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|set| set == value);
    let linux = "x86_64-unknown-linux-gnu";
    let relocations = if is("CARGO_CFG_TARGET_OS", "android") {
        "android"
    } else if is("TARGET", linux) && is("HOST", linux) {
        "relr"
    } else {
        return;
    };
    println!("cargo::rustc-cdylib-link-arg=-Wl,--icf=safe");
    println!("cargo::rustc-cdylib-link-arg=-Wl,--pack-dyn-relocs={relocations}");
}
