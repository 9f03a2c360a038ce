//! The border itself: what C may hand over, and what it gets back. That the
//! mathematics is right is shown in `tests/published_vectors.rs`.

use core::ptr::{null, null_mut};

use super::*;

const KEY: [u8; 32] = [7; 32];
const IV: [u8; 16] = [9; 16];

/// [`super::cipher`] from one array into another.
fn run_cipher(mode: c_int, source: &[u8; 64], out: &mut [u8; 64]) -> c_int {
    // SAFETY: every pointer is a live array of the size given with it.
    unsafe {
        let (key, iv) = (KEY.as_ptr(), IV.as_ptr());
        cipher(
            null_mut(),
            mode,
            key,
            32,
            iv,
            source.as_ptr(),
            64,
            out.as_mut_ptr(),
        )
    }
}

#[test]
fn setup_fills_every_field_and_refuses_null() {
    let mut memory = core::mem::MaybeUninit::<Provider>::uninit();
    // SAFETY: room for one provider, then none; both are allowed.
    let codes = unsafe {
        (
            homeline_sqlcipher_setup(memory.as_mut_ptr()),
            homeline_sqlcipher_setup(null_mut()),
        )
    };
    assert_eq!(codes, (SQLITE_OK, SQLITE_ERROR));
    // SAFETY: the call above wrote the whole struct.
    let filled = unsafe { memory.assume_init() };
    assert!(filled.next.is_null());
    // SAFETY: these four ignore their context.
    let sizes = unsafe {
        (
            (filled.get_key_sz)(null_mut()),
            (filled.get_iv_sz)(null_mut()),
            (filled.get_block_sz)(null_mut()),
            [0, 1, 2, 3].map(|code| (filled.get_hmac_sz)(null_mut(), code)),
        )
    };
    assert_eq!(sizes, (32, 16, 16, [20, 32, 64, 0]));
    assert_eq!((primitives::KEY_BYTES, BLOCK_BYTES), (32, 16));
}

#[test]
fn a_page_comes_back_from_the_cipher() {
    let page = core::array::from_fn(|byte| u8::try_from(byte).unwrap());
    let (mut sealed, mut opened) = ([0; 64], [0; 64]);
    assert_eq!(run_cipher(1, &page, &mut sealed), SQLITE_OK);
    assert_ne!(page, sealed);
    assert_eq!(run_cipher(0, &sealed, &mut opened), SQLITE_OK);
    assert_eq!(page, opened);
}

#[test]
fn the_cipher_may_work_in_place_and_over_its_own_iv() {
    let page = [3; 64];
    let mut apart = [0; 64];
    assert_eq!(run_cipher(1, &page, &mut apart), SQLITE_OK);

    let mut same = page;
    let at = same.as_mut_ptr();
    // SAFETY: one live array is input and output, which `cipher` allows.
    let code = unsafe { cipher(null_mut(), 1, KEY.as_ptr(), 32, IV.as_ptr(), at, 64, at) };
    assert_eq!((code, same), (SQLITE_OK, apart));

    let mut shifted = [3; 80];
    shifted[..16].copy_from_slice(&IV);
    let at = shifted.as_mut_ptr();
    // SAFETY: the IV is the output's first block and the input begins after it;
    // all lie inside one live array of 80 bytes.
    let code = unsafe { cipher(null_mut(), 1, KEY.as_ptr(), 32, at, at.add(16), 64, at) };
    assert_eq!((code, &shifted[..64]), (SQLITE_OK, &apart[..]));
}

#[test]
fn the_cipher_refuses_what_aes_cannot_do_and_writes_nothing() {
    let page = [3_u8; 64];
    let mut out = [5_u8; 64];
    let (key, iv, from, to) = (KEY.as_ptr(), IV.as_ptr(), page.as_ptr(), out.as_mut_ptr());
    let none = null_mut();
    // SAFETY: each pointer is null or a live array of at least the size given;
    // a size that is refused is not used.
    let codes = unsafe {
        [
            cipher(none, 2, key, 32, iv, from, 64, to),
            cipher(none, -1, key, 32, iv, from, 64, to),
            cipher(none, 1, null(), 32, iv, from, 64, to),
            cipher(none, 1, key, 31, iv, from, 64, to),
            cipher(none, 1, key, -32, iv, from, 64, to),
            cipher(none, 1, key, 32, null(), from, 64, to),
            cipher(none, 1, key, 32, iv, null(), 64, to),
            cipher(none, 1, key, 32, iv, from, 63, to),
            cipher(none, 1, key, 32, iv, from, -64, to),
            cipher(none, 1, key, 32, iv, from, c_int::MIN, to),
            cipher(none, 1, key, 32, iv, from, 64, null_mut()),
        ]
    };
    assert_eq!(codes, [SQLITE_ERROR; 11]);
    assert_eq!(out, [5; 64]);
}

#[test]
fn the_tag_covers_both_inputs_and_may_land_in_one() {
    let (key, data) = (KEY.as_ptr(), *b"ciphertext and IV, then a page number");
    let mut tag = [0; 64];
    let mut over = [0; 64];
    over[..37].copy_from_slice(&data);
    let (both, to, into) = (data.as_ptr(), tag.as_mut_ptr(), over.as_mut_ptr());
    // SAFETY: every pointer is a live array of the size given, every output has
    // the 64 bytes of a SHA-512 tag; an output over an input is allowed.
    let codes = unsafe {
        [
            hmac(null_mut(), 2, key, 32, both, 33, both.add(33), 4, to),
            hmac(null_mut(), 2, key, 32, into, 37, null(), 0, into),
        ]
    };
    assert_eq!((codes, tag), ([SQLITE_OK; 2], over));
}

#[test]
fn tags_keys_and_random_bytes_refuse_bad_arguments_and_write_nothing() {
    let data = [1_u8; 8];
    let mut out = [5_u8; 64];
    let (from, to, none) = (data.as_ptr(), out.as_mut_ptr(), null_mut());
    // SAFETY: each pointer is null or a live array of at least the size given;
    // a size that is refused is not used.
    let codes = unsafe {
        [
            hmac(none, 3, from, 8, from, 8, from, 8, to),
            hmac(none, -1, from, 8, from, 8, from, 8, to),
            hmac(none, 2, null(), 8, from, 8, from, 8, to),
            hmac(none, 2, from, -1, from, 8, from, 8, to),
            hmac(none, 2, from, 8, null(), 8, from, 8, to),
            hmac(none, 2, from, 8, from, -8, from, 8, to),
            hmac(none, 2, from, 8, from, 8, from, -8, to),
            hmac(none, 2, from, 8, from, 8, from, 8, null_mut()),
            kdf(none, 3, from, 8, from, 8, 1, 32, to),
            kdf(none, 2, null(), 8, from, 8, 1, 32, to),
            kdf(none, 2, from, -8, from, 8, 1, 32, to),
            kdf(none, 2, from, 8, null(), 8, 1, 32, to),
            kdf(none, 2, from, 8, from, -8, 1, 32, to),
            kdf(none, 2, from, 8, from, 8, 0, 32, to),
            kdf(none, 2, from, 8, from, 8, -1, 32, to),
            kdf(none, 2, from, 8, from, 8, 1, -32, to),
            kdf(none, 2, from, 8, from, 8, 1, 32, null_mut()),
            random(none, to.cast(), -1),
            random(none, null_mut(), 16),
        ]
    };
    assert_eq!(codes, [SQLITE_ERROR; 19]);
    assert_eq!(out, [5; 64]);
}

#[test]
fn a_panic_stays_on_our_side() {
    assert_eq!(status(|| panic!("does not reach C")), SQLITE_ERROR);
}

#[test]
fn random_bytes_fill_exactly_what_was_asked() {
    let mut out = [0_u8; 64];
    // SAFETY: 48 bytes inside a live array.
    let code = unsafe { random(null_mut(), out.as_mut_ptr().cast(), 48) };
    assert_eq!((code, &out[48..]), (SQLITE_OK, &[0; 16][..]));
    assert!(
        out.chunks(16).take(3).all(|part| part != [0; 16]),
        "2^-128 each"
    );
}
