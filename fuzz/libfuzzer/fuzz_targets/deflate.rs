#![no_main]
//! The target `deflate` under libFuzzer.

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    (cordwood_fuzz::target("deflate").expect("the target exists").run)(input);
});
