#![no_main]
//! The target `brotli` under libFuzzer.

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    (cordwood_fuzz::target("brotli").expect("the target exists").run)(input);
});
