#![no_main]
//! The target `zstd` under libFuzzer.

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    (cordwood_fuzz::target("zstd").expect("the target exists").run)(input);
});
