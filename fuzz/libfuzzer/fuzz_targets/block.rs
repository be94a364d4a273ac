#![no_main]
//! The target `block` under libFuzzer.

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    (cordwood_fuzz::target("block").expect("the target exists").run)(input);
});
