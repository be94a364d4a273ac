#![no_main]
//! The target `msgpack` under libFuzzer.

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    (cordwood_fuzz::target("msgpack").expect("the target exists").run)(input);
});
