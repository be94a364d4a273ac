#![no_main]
//! The target `query` under libFuzzer.

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    (cordwood_fuzz::target("query").expect("the target exists").run)(input);
});
