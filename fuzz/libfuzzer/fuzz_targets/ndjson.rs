#![no_main]
//! The target `ndjson` under libFuzzer.

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    (cordwood_fuzz::target("ndjson").expect("the target exists").run)(input);
});
