#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| troupe_fuzz::run("state_vector", data));
