//! Takes the names of functions out of the program that is built for use.
//!
//! The profile asks for it, but cargo does not hand `strip` on to a package that has an optimisation level of its own, as this one has.

#![expect(clippy::disallowed_methods, reason = "cargo tells a build script what it builds in the environment")]

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let of = |name: &str| std::env::var(name).unwrap_or_default();
    if of("PROFILE") == "release" && of("CARGO_CFG_TARGET_OS") == "linux" {
        println!("cargo::rustc-link-arg-bins=-Wl,--strip-all");
    }
}
