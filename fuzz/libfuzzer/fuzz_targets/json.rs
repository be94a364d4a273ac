#![no_main]
//! The target `json` under libFuzzer.

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    (cordwood_fuzz::target("json").expect("the target exists").run)(input);
});
