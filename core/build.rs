//! Gives the linker an empty `libcrypto`, and refuses flags that do not fit.
//!
//! libsqlite3-sys compiles SQLCipher and always asks the linker for `-lcrypto`
//! (outside Apple), even when SQLCipher takes its cryptography from
//! `src/record/provider.rs` and not one OpenSSL function is called. So we put an
//! archive without members on the link search path. It satisfies the linker,
//! needs no OpenSSL on the machine and leaves no dependency in the result.
//!
//! Its price: nothing else in the same program can link the system's OpenSSL.
//!
//! It also checks `LIBSQLITE3_FLAGS`, because a wrong value is found late or
//! never: a shared library links with its setup function missing, and fails
//! when the phone loads it.

use std::{env, error::Error, fs, path::PathBuf};

/// An `ar` archive without members, which every Unix linker accepts.
const EMPTY_ARCHIVE: &[u8] = b"!<arch>\n";

/// Tells SQLCipher to fetch its provider from our setup function.
const CUSTOM: &str = "-DSQLCIPHER_CRYPTO_CUSTOM=homeline_sqlcipher_setup";

/// Tells SQLCipher to use OpenSSL; it prefers it when both are defined.
const OPENSSL: &str = "-DSQLCIPHER_CRYPTO_OPENSSL";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=LIBSQLITE3_FLAGS");

    let openssl = env::var_os("CARGO_FEATURE_OPENSSL").is_some();
    let flags = env::var("LIBSQLITE3_FLAGS").unwrap_or_default();
    if let Some(reason) = misfit(openssl, &flags) {
        println!("cargo::error={reason}");
    }
    if !openssl && !apple()? {
        let directory = PathBuf::from(env::var("OUT_DIR")?);
        fs::write(directory.join("libcrypto.a"), EMPTY_ARCHIVE)?;
        println!("cargo::rustc-link-search=native={}", directory.display());
    }
    Ok(())
}

/// Why these flags cannot serve this choice of provider, if they cannot.
fn misfit(openssl: bool, flags: &str) -> Option<&'static str> {
    let set = |wanted| flags.split_whitespace().any(|flag| flag == wanted);
    let custom = flags.contains("SQLCIPHER_CRYPTO_CUSTOM");
    match openssl {
        true if custom && !set(OPENSSL) => Some(
            "the feature `openssl` needs LIBSQLITE3_FLAGS=-DSQLCIPHER_CRYPTO_OPENSSL \
             in the environment, see .cargo/config.toml",
        ),
        false if !set(CUSTOM) || set(OPENSSL) => Some(
            "LIBSQLITE3_FLAGS does not name our crypto provider: build inside the \
             workspace, whose .cargo/config.toml sets it, and unset the variable",
        ),
        _ => None,
    }
}

/// Whether libsqlite3-sys takes its Apple branch, which asks for no `-lcrypto`.
/// The test is its own: both machines must be Apple's.
fn apple() -> Result<bool, env::VarError> {
    Ok(env::var("HOST")?.contains("apple") && env::var("TARGET")?.contains("apple"))
}
