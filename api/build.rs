//! How the program that is built for use is linked on Linux: for its size, which has a bound.

#![expect(clippy::disallowed_methods, reason = "cargo tells a build script what it builds in the environment")]

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let of = |name: &str| std::env::var(name).unwrap_or_default();
    if of("PROFILE") != "release" || of("CARGO_CFG_TARGET_OS") != "linux" {
        return;
    }
    // The profile asks for it too, but cargo makes `strip = "debuginfo"` of it for a package that has an optimisation level of its own, as this one has.
    println!("cargo::rustc-link-arg-bins=-Wl,--strip-all");
    // Addresses within the program listed by the bit and not by 24 bytes: three megabytes less.
    if of("TARGET") == "x86_64-unknown-linux-gnu" && of("HOST") == of("TARGET") && loader_knows_packed_addresses() {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// glibc knows them since 2.36; with an older one the program would not start.
fn loader_knows_packed_addresses() -> bool {
    let Ok(answer) = Command::new("getconf").arg("GNU_LIBC_VERSION").output() else { return false };
    let answer = String::from_utf8_lossy(&answer.stdout);
    let version = answer.trim().strip_prefix("glibc ").and_then(|version| version.split_once('.'));
    let number = |digits: &str| digits.parse::<u32>().unwrap_or_default();
    version.is_some_and(|(major, minor)| (number(major), number(minor)) >= (2, 36))
}
