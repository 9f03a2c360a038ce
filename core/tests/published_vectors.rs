//! The cryptography under the record against the vectors of its standards.
//!
//! It compiles the module's own source, so the library need not export it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failure ends the test it happens in"
)]

#[path = "../src/record/primitives.rs"]
mod primitives;

use std::num::NonZeroU32;

use primitives::{Direction, Failed, Hash, aes_256_cbc, hmac, pbkdf2, random};

/// The bytes that `text` writes in hexadecimal; spaces are ignored.
fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text
        .chars()
        .filter_map(|digit| digit.to_digit(16))
        .collect();
    let (pairs, rest) = digits.as_chunks();
    assert!(rest.is_empty());
    pairs
        .iter()
        .map(|&[high, low]| u8::try_from(high * 16 + low).unwrap())
        .collect()
}

/// The tag of `data`, whole and cut into two parts at every place.
fn tag(hash: Hash, key: &[u8], data: &[u8]) -> Vec<u8> {
    let whole = hmac(hash, key, data, &[]);
    for cut in 0..=data.len() {
        let (first, second) = data.split_at(cut);
        assert_eq!(hmac(hash, key, first, second).as_ref(), whole.as_ref());
    }
    assert_eq!(whole.as_ref().len(), usize::from(hash.tag_bytes()));
    whole.as_ref().to_vec()
}

fn derived(hash: Hash, secret: &str, salt: &str, rounds: u32, bytes: usize) -> Vec<u8> {
    let mut key = vec![0; bytes];
    let rounds = NonZeroU32::new(rounds).unwrap();
    pbkdf2(hash, secret.as_bytes(), salt.as_bytes(), rounds, &mut key);
    key
}

/// NIST SP 800-38A, F.2.5 (encrypt) and F.2.6 (decrypt).
#[test]
fn aes_256_cbc_follows_sp_800_38a() {
    let key = hex("603deb1015ca71be2b73aef0857d7781 1f352c073b6108d72d9810a30914dff4");
    let iv = hex("000102030405060708090a0b0c0d0e0f");
    let plain = hex(
        "6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51
         30c81c46a35ce411e5fbc1191a0a52ef f69f2445df4f9b17ad2b417be66c3710",
    );
    let sealed = hex(
        "f58c4c04d6e5f1ba779eabfb5f7bfbd6 9cfc4e967edb808d679f777bc6702c7d
         39f23369a9d9bacfa530e26304231461 b2eb05e2c39be9fcda6c19078c6a9d1b",
    );
    let (key, iv) = (key.try_into().unwrap(), iv.try_into().unwrap());

    let mut data = plain.clone();
    assert_eq!(
        aes_256_cbc(Direction::Encrypt, &key, &iv, &mut data),
        Ok(())
    );
    assert_eq!(data, sealed);
    assert_eq!(
        aes_256_cbc(Direction::Decrypt, &key, &iv, &mut data),
        Ok(())
    );
    assert_eq!(data, plain);
}

#[test]
fn aes_256_cbc_takes_whole_blocks_only() {
    let mut data = [5; 33];
    for length in 0..=33 {
        let expected = if length % 16 == 0 {
            Ok(())
        } else {
            Err(Failed)
        };
        let mut part = data[..length].to_vec();
        let result = aes_256_cbc(Direction::Encrypt, &[1; 32], &[2; 16], &mut part);
        assert_eq!(result, expected, "{length} bytes");
        assert_eq!(result.is_err() || length == 0, part == data[..length]);
    }
    assert_eq!(
        aes_256_cbc(Direction::Decrypt, &[1; 32], &[2; 16], &mut data),
        Err(Failed)
    );
    assert_eq!(data, [5; 33]);
}

/// RFC 2202, section 3, cases 1, 2 and 6 (a key longer than the block).
#[test]
fn hmac_sha1_follows_rfc_2202() {
    let case = |key: &[u8], data: &[u8], expected| {
        assert_eq!(tag(Hash::Sha1, key, data), hex(expected));
    };
    case(
        &[0x0b; 20],
        b"Hi There",
        "b617318655057264e28bc0b6fb378c8ef146be00",
    );
    case(
        b"Jefe",
        b"what do ya want for nothing?",
        "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
    );
    case(
        &[0xaa; 80],
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "aa4ae5e15272d00e95705637ce8a3b55ed402112",
    );
}

/// RFC 4231, cases 1, 2 and 6 (a key longer than the block).
#[test]
fn hmac_sha256_and_sha512_follow_rfc_4231() {
    let case = |key: &[u8], data: &[u8], sha256, sha512| {
        assert_eq!(tag(Hash::Sha256, key, data), hex(sha256));
        assert_eq!(tag(Hash::Sha512, key, data), hex(sha512));
    };
    case(
        &[0x0b; 20],
        b"Hi There",
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde
         daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
    );
    case(
        b"Jefe",
        b"what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554
         9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
    );
    case(
        &[0xaa; 131],
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352
         6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598",
    );
}

/// RFC 6070.
#[test]
fn pbkdf2_sha1_follows_rfc_6070() {
    let key = |rounds| derived(Hash::Sha1, "password", "salt", rounds, 20);
    assert_eq!(key(1), hex("0c60c80f961f0e71f3a9b524af6012062fe037a6"));
    assert_eq!(key(2), hex("ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957"));
    assert_eq!(key(4096), hex("4b007901b765489abead49d926f721d065a429c1"));
    assert_eq!(
        derived(
            Hash::Sha1,
            "passwordPASSWORDpassword",
            "saltSALTsaltSALTsaltSALTsaltSALTsalt",
            4096,
            25
        ),
        hex("3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038")
    );
    assert_eq!(
        derived(Hash::Sha1, "pass\0word", "sa\0lt", 4096, 16),
        hex("56fa6aa75548099dcc37d7f03425e0c3")
    );
}

/// RFC 7914, section 11.
#[test]
fn pbkdf2_sha256_follows_rfc_7914() {
    assert_eq!(
        derived(Hash::Sha256, "passwd", "salt", 1, 64),
        hex(
            "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc
             49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783"
        )
    );
    assert_eq!(
        derived(Hash::Sha256, "Password", "NaCl", 80_000, 64),
        hex(
            "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56
             a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d"
        )
    );
}

/// The inputs of RFC 6070 with SHA-512; the values are those Python's
/// `hashlib.pbkdf2_hmac` (OpenSSL) gives.
#[test]
fn pbkdf2_sha512_follows_openssl() {
    let key = |rounds| derived(Hash::Sha512, "password", "salt", rounds, 64);
    assert_eq!(
        key(1),
        hex(
            "867f70cf1ade02cff3752599a3a53dc4af34c7a669815ae5d513554e1c8cf252
             c02d470a285a0501bad999bfe943c08f050235d7d68b1da55e63f73b60a57fce"
        )
    );
    assert_eq!(
        key(2),
        hex(
            "e1d9c16aa681708a45f5c7c4e215ceb66e011a2e9f0040713f18aefdb866d53c
             f76cab2868a39b9f7840edce4fef5a82be67335c77a6068e04112754f27ccf4e"
        )
    );
    assert_eq!(
        key(4096),
        hex(
            "d197b1b33db0143e018b12f3d1d1479e6cdebdcc97c5c0f87f6902e072f457b5
             143f30602641b3d55cd335988cb36b84376060ecd532e039b742a239434af2d5"
        )
    );
}

#[test]
fn random_bytes_differ_from_call_to_call() {
    let (mut one, mut other) = ([0; 32], [0; 32]);
    assert_eq!((random(&mut one), random(&mut other)), (Ok(()), Ok(())));
    assert_ne!(one, other);
    assert_ne!(one, [0; 32]);
}
