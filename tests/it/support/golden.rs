//! Files that a test's output must equal. `UPDATE_GOLDEN=1` writes them anew; a reviewer reads the difference.

use std::path::PathBuf;

pub fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/it/golden").join(name)
}

/// Holds a text against a golden file.
pub fn expect(name: &str, actual: &str) {
    let path = path(name);
    if std::env::var("UPDATE_GOLDEN").is_ok() {
        std::fs::write(&path, actual).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    if expected == actual {
        return;
    }
    let difference: Vec<String> = expected
        .lines()
        .filter(|line| !actual.lines().any(|other| other == *line))
        .map(|line| format!("- {line}"))
        .chain(actual.lines().filter(|line| !expected.lines().any(|other| other == *line)).map(|line| format!("+ {line}")))
        .take(40)
        .collect();
    panic!(
        "tests/it/golden/{name} is another one now. If the change is meant, run the test with UPDATE_GOLDEN=1 and say in the commit why.\n{}",
        difference.join("\n")
    );
}
