#![no_main]
//! The target `directories` under libFuzzer.

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    (cordwood_fuzz::target("directories").expect("the target exists").run)(input);
});
