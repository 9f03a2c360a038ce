#![expect(
    unsafe_code,
    reason = "SQLCipher is C: it hands us raw buffers and takes a table of C functions"
)]
//! Hands SQLCipher its cryptography: the border between C and `primitives.rs`.
//!
//! SQLCipher encrypts the record page by page but brings no cryptography. It
//! calls a *provider*: a C struct of function pointers, by default over OpenSSL.
//! This module is our provider. It saves the phone 4 MB of OpenSSL, and it is
//! the only place in the project with `unsafe`.
//!
//! # How it is found
//!
//! SQLCipher is compiled with `-DSQLCIPHER_CRYPTO_CUSTOM=homeline_sqlcipher_setup`
//! (`.cargo/config.toml`). When the process opens its first database, it
//! allocates a provider struct and calls [`homeline_sqlcipher_setup`], which
//! fills it in. `PRAGMA cipher_provider` then answers `homeline`.
//!
//! # What SQLCipher promises
//!
//! Read in its source (`sqlcipher.c`, 4.14.0 and 4.19.0: the struct and its
//! callers are the same); its built-in providers trust the same things:
//!
//! 1. a pointer with a length points to at least so many initialized bytes,
//!    which no other thread writes while we run;
//! 2. an output has room for all we write: `get_hmac_sz` bytes for a tag,
//!    `key_sz` for a key, `in_sz` for a page, `length` for random bytes;
//! 3. keys and salts have allocations of their own: no output overlaps them.
//!    (An output may lie beside the input or the IV in one page buffer; for
//!    those we assume nothing);
//! 4. calls may come from several threads at once, each with its own buffers.
//!    We hold no state, so that needs no lock.
//!
//! # What we promise
//!
//! A null pointer, a negative size, an unknown algorithm or a size that AES does
//! not have gives `SQLITE_ERROR` and writes nothing; SQLCipher then fails the
//! statement. No call unwinds into C: a panic, were there one, is an error too.
//!
//! A struct of another shape would be memory corruption. So a test holds the
//! SQLCipher version to the list above: an update must come back here first.

use core::{
    ffi::{c_char, c_int, c_uchar, c_void},
    num::NonZeroU32,
    ptr, slice,
};
use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::ffi::{SQLITE_ERROR, SQLITE_OK};

use super::primitives::{self, BLOCK_BYTES, Direction, Failed, Hash};

/// [`primitives::KEY_BYTES`] and [`BLOCK_BYTES`] as C integers.
const KEY_SIZE: c_int = 32;
const BLOCK_SIZE: c_int = 16;

/// Our state as C sees it: there is none.
type Ctx = *mut c_void;
/// Bytes that C gives us, always with a size or a size agreed upon.
type In = *const c_uchar;
/// Bytes that C wants from us.
type Out = *mut c_uchar;
type Text = unsafe extern "C" fn(Ctx) -> *const c_char;
type Size = unsafe extern "C" fn(Ctx) -> c_int;
type Lifecycle = unsafe extern "C" fn(*mut Ctx) -> c_int;

/// `struct sqlcipher_provider`, field by field: 17 functions and a link.
#[repr(C)]
struct Provider {
    init: Option<unsafe extern "C" fn() -> c_int>,
    shutdown: Option<unsafe extern "C" fn()>,
    get_provider_name: Text,
    add_random: unsafe extern "C" fn(Ctx, *const c_void, c_int) -> c_int,
    random: unsafe extern "C" fn(Ctx, *mut c_void, c_int) -> c_int,
    hmac: unsafe extern "C" fn(Ctx, c_int, In, c_int, In, c_int, In, c_int, Out) -> c_int,
    kdf: unsafe extern "C" fn(Ctx, c_int, In, c_int, In, c_int, c_int, c_int, Out) -> c_int,
    cipher: unsafe extern "C" fn(Ctx, c_int, In, c_int, In, In, c_int, Out) -> c_int,
    get_cipher: Text,
    get_key_sz: Size,
    get_iv_sz: Size,
    get_block_sz: Size,
    get_hmac_sz: unsafe extern "C" fn(Ctx, c_int) -> c_int,
    ctx_init: Lifecycle,
    ctx_free: Lifecycle,
    fips_status: Size,
    get_provider_version: Text,
    next: *mut Provider,
}

const _: () = assert!(size_of::<Provider>() == 18 * size_of::<*const c_void>());

/// Fills in SQLCipher's provider struct. C calls it once, by name, before the
/// first database is opened.
///
/// # Safety
///
/// `provider` is null or points to a `sqlcipher_provider` that we may write,
/// aligned, its content of no matter. (SQLCipher passes fresh memory of its own
/// heap and holds its start-up lock meanwhile.)
///
/// The name is `no_mangle` because C looks for it; no other symbol of the
/// program may have it, which its prefix sees to.
#[unsafe(no_mangle)]
unsafe extern "C" fn homeline_sqlcipher_setup(provider: *mut Provider) -> c_int {
    if provider.is_null() {
        return SQLITE_ERROR;
    }
    let ours = Provider {
        init: None,
        shutdown: None,
        get_provider_name,
        add_random,
        random,
        hmac,
        kdf,
        cipher,
        get_cipher,
        get_key_sz,
        get_iv_sz: get_block_sz,
        get_block_sz,
        get_hmac_sz,
        ctx_init: ctx_nothing,
        ctx_free: ctx_nothing,
        fips_status,
        get_provider_version,
        next: ptr::null_mut(),
    };
    // SAFETY: not null, and the caller promises aligned, writable room. The old
    // content is not read or dropped, and `ours` has nothing to drop.
    unsafe { provider.write(ours) };
    SQLITE_OK
}

/// Runs one operation and turns its end, even a panic, into an SQLite code.
fn status(work: impl FnOnce() -> Result<(), Failed>) -> c_int {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => SQLITE_OK,
        Ok(Err(Failed)) | Err(_) => SQLITE_ERROR,
    }
}

/// SQLCipher's number for a hash, the same for HMAC and PBKDF2.
fn hash(code: c_int) -> Result<Hash, Failed> {
    match code {
        0 => Ok(Hash::Sha1),
        1 => Ok(Hash::Sha256),
        2 => Ok(Hash::Sha512),
        _ => Err(Failed),
    }
}

/// A size from C, which has no unsigned ones here.
fn length(size: c_int) -> Result<usize, Failed> {
    usize::try_from(size).map_err(|_| Failed)
}

/// Views a C input as a slice; refuses a null pointer and a negative size.
///
/// # Safety
///
/// Unless null, `data` points to `size` initialized bytes that nothing writes
/// while the slice is in use (promise 1).
unsafe fn input<'a>(data: In, size: c_int) -> Result<&'a [u8], Failed> {
    let length = length(size)?;
    if data.is_null() {
        return Err(Failed);
    }
    // SAFETY: not null; the caller promises the rest. A `c_int` of bytes is
    // never more than `isize::MAX`.
    Ok(unsafe { slice::from_raw_parts(data, length) })
}

/// Views a C output as a slice, cleared first: C memory may be uninitialized,
/// and a Rust slice must not be.
///
/// # Safety
///
/// Unless null, `data` points to `size` bytes that we may write and that nothing
/// else reads or writes while the slice is in use (promises 1 to 3).
unsafe fn output<'a>(data: Out, size: c_int) -> Result<&'a mut [u8], Failed> {
    let length = length(size)?;
    if data.is_null() {
        return Err(Failed);
    }
    // SAFETY: not null; the caller promises `length` writable bytes.
    unsafe { data.write_bytes(0, length) };
    // SAFETY: as above, and now initialized; the caller promises it is ours alone.
    Ok(unsafe { slice::from_raw_parts_mut(data, length) })
}

/// Random bytes: each page's IV, a new file's salt, SQLCipher's own seed.
///
/// # Safety
///
/// `buffer` is null or has room for `size` bytes, ours alone (promise 2).
unsafe extern "C" fn random(_ctx: Ctx, buffer: *mut c_void, size: c_int) -> c_int {
    status(|| {
        // SAFETY: the caller's promise, word for word.
        let out = unsafe { output(buffer.cast(), size) }?;
        primitives::random(out)
    })
}

/// Would stir the caller's bytes into the random generator (`PRAGMA
/// cipher_add_random`). The operating system's needs none: accepted, not read.
extern "C" fn add_random(_ctx: Ctx, _buffer: *const c_void, _size: c_int) -> c_int {
    SQLITE_OK
}

/// The tag of a page: HMAC over `first` (ciphertext and IV), then `second` (the
/// page number), which may be null and is left out then.
///
/// # Safety
///
/// Each input is null or points to its size in bytes (promise 1); `out` is null
/// or has room for the tag of this algorithm (promise 2). `out` may lie anywhere,
/// even in an input: it is written when the inputs are no longer in use.
unsafe extern "C" fn hmac(
    _ctx: Ctx,
    algorithm: c_int,
    key: In,
    key_sz: c_int,
    first: In,
    first_sz: c_int,
    second: In,
    second_sz: c_int,
    out: Out,
) -> c_int {
    status(|| {
        let hash = hash(algorithm)?;
        if out.is_null() {
            return Err(Failed);
        }
        // SAFETY: the caller's promise for each input; all three slices end here.
        let tag = unsafe {
            let (key, first) = (input(key, key_sz)?, input(first, first_sz)?);
            match second.is_null() {
                true => primitives::hmac(hash, key, first, &[]),
                false => primitives::hmac(hash, key, first, input(second, second_sz)?),
            }
        };
        let tag = tag.as_ref();
        // SAFETY: `tag` is a local of `get_hmac_sz` bytes, for which the caller
        // promises room at `out`; not null, and bytes need no alignment.
        unsafe { out.copy_from_nonoverlapping(tag.as_ptr(), tag.len()) };
        Ok(())
    })
}

/// A key by PBKDF2: the page key from a passphrase, the tag key from the page key.
///
/// # Safety
///
/// `pass` and `salt` are null or point to their sizes in bytes (promise 1); `key`
/// is null or has room for `key_sz` bytes that overlap neither (promises 2, 3).
unsafe extern "C" fn kdf(
    _ctx: Ctx,
    algorithm: c_int,
    pass: In,
    pass_sz: c_int,
    salt: In,
    salt_sz: c_int,
    workfactor: c_int,
    key_sz: c_int,
    key: Out,
) -> c_int {
    status(|| {
        let hash = hash(algorithm)?;
        let rounds = u32::try_from(workfactor).map_err(|_| Failed)?;
        let rounds = NonZeroU32::new(rounds).ok_or(Failed)?;
        // SAFETY: the caller's promise for each buffer, none overlapping `key`.
        let (secret, salt, key) = unsafe {
            (
                input(pass, pass_sz)?,
                input(salt, salt_sz)?,
                output(key, key_sz)?,
            )
        };
        primitives::pbkdf2(hash, secret, salt, rounds, key);
        Ok(())
    })
}

/// Encrypts (`mode` 1) or decrypts (0) a page from `source` into `out`.
///
/// # Safety
///
/// `key` and `source` are null or point to their sizes in bytes, `iv` is null or
/// points to 16 (promise 1); `out` is null or has room for `size` bytes
/// (promise 2) that do not overlap `key` (promise 3). `source` and `iv` may lie
/// anywhere, even in `out`: both are copied before it is in use.
unsafe extern "C" fn cipher(
    _ctx: Ctx,
    mode: c_int,
    key: In,
    key_sz: c_int,
    iv: In,
    source: In,
    size: c_int,
    out: Out,
) -> c_int {
    status(|| {
        let direction = match mode {
            0 => Direction::Decrypt,
            1 => Direction::Encrypt,
            _ => return Err(Failed),
        };
        let length = length(size)?;
        if source.is_null() || out.is_null() || !length.is_multiple_of(BLOCK_BYTES) {
            return Err(Failed);
        }
        // SAFETY: the caller's promise; what is kept of `iv` is a copy.
        let (key, iv) = unsafe { (input(key, key_sz)?, input(iv, BLOCK_SIZE)?.try_into()) };
        let (key, iv) = (key.try_into().map_err(|_| Failed)?, iv.map_err(|_| Failed)?);
        // SAFETY: neither is null; the caller promises `length` bytes at both.
        // This copy allows for an overlap.
        unsafe { out.copy_from(source, length) };
        // SAFETY: `out` has `length` bytes, now initialized, and `key`, the only
        // other slice in use, does not overlap it.
        let page = unsafe { slice::from_raw_parts_mut(out, length) };
        primitives::aes_256_cbc(direction, key, &iv, page)
    })
}

// The rest answers constants, touches no pointer and so is safe to call.

/// The answer to `PRAGMA cipher_provider`.
extern "C" fn get_provider_name(_ctx: Ctx) -> *const c_char {
    c"homeline".as_ptr()
}

/// The answer to `PRAGMA cipher_provider_version`.
extern "C" fn get_provider_version(_ctx: Ctx) -> *const c_char {
    c"ring 0.17, aes 0.9".as_ptr()
}

/// The answer to `PRAGMA cipher`.
extern "C" fn get_cipher(_ctx: Ctx) -> *const c_char {
    c"aes-256-cbc".as_ptr()
}

/// The size of a key, for pages and for tags.
extern "C" fn get_key_sz(_ctx: Ctx) -> c_int {
    KEY_SIZE
}

/// The size of a block, and of an IV, which is one block.
extern "C" fn get_block_sz(_ctx: Ctx) -> c_int {
    BLOCK_SIZE
}

/// Bytes in a tag; 0 for a hash we do not know, as the built-in providers say.
extern "C" fn get_hmac_sz(_ctx: Ctx, algorithm: c_int) -> c_int {
    hash(algorithm).map_or(0, |hash| hash.tag_bytes().into())
}

/// Begins or ends the use of `ctx`: no state, nothing to do.
extern "C" fn ctx_nothing(_ctx: *mut Ctx) -> c_int {
    SQLITE_OK
}

/// 0: not a FIPS-certified module.
extern "C" fn fips_status(_ctx: Ctx) -> c_int {
    0
}

#[cfg(test)]
#[path = "provider_tests.rs"]
mod tests;
