#![no_main]
//! The target `gzip` under libFuzzer.

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    (cordwood_fuzz::target("gzip").expect("the target exists").run)(input);
});
