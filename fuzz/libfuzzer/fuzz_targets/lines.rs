#![no_main]
//! The target `lines` under libFuzzer.

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    (cordwood_fuzz::target("lines").expect("the target exists").run)(input);
});
