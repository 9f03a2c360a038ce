#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| homeline::fuzzing::packs(bytes));
