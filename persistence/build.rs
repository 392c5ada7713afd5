//! The migrations are embedded by a macro, which cargo cannot see: a new folder must cause a new build.

fn main() {
    println!("cargo::rerun-if-changed=../migrations");
}
