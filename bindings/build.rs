//! Linker arguments that make the library smaller, where the linker is LLD: of
//! Rust's own choice on 64-bit Linux, and of the NDK. Apple's does the like by itself.
//!
//! * `--icf=safe` folds functions that came out alike, but none whose address
//!   somebody compares.
//! * Packed relocations take a few kilobytes instead of 180: `pack-relative-relocs`
//!   needs glibc 2.36 and says so in the library, Android's own form needs API 23.
//! * `max-page-size`: Android 15 has phones with pages of 16 KB, and loads no library that is
//!   aligned to less. Older NDKs align to 4 KB.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|set| set == value);
    let linux = "x86_64-unknown-linux-gnu";
    let relocations = if is("CARGO_CFG_TARGET_OS", "android") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,max-page-size=16384");
        "--pack-dyn-relocs=android"
    } else if is("TARGET", linux) && is("HOST", linux) {
        "-z,pack-relative-relocs"
    } else {
        return;
    };
    println!("cargo::rustc-cdylib-link-arg=-Wl,--icf=safe");
    println!("cargo::rustc-cdylib-link-arg=-Wl,{relocations}");
}
