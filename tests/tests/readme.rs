//! The README's Kotlin and Swift are compiled and run by the tests of the
//! bindings: here they are compared with what stands there.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::path::Path;

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::fs::read_to_string(root.join(path)).unwrap()
}

/// The lines of the README between a fence of `language` and its end.
fn in_readme(language: &str) -> Vec<String> {
    let readme = read("README.md");
    let fence = format!("```{language}\n");
    let (_, rest) = readme.split_once(&fence).unwrap();
    let (code, _) = rest.split_once("```").unwrap();
    code.lines().map(|line| line.trim().to_owned()).collect()
}

/// The lines of a test between its two `// README`.
fn in_test(path: &str) -> Vec<String> {
    let text = read(path);
    let (_, rest) = text.split_once("// README\n").unwrap();
    let (code, _) = rest.split_once("// README").unwrap();
    code.trim_end()
        .lines()
        .map(|line| line.trim().to_owned())
        .collect()
}

#[test]
fn the_code_of_the_readme_is_the_code_that_is_run() {
    for (language, test) in [
        (
            "kotlin",
            "bindings/kotlin/src/test/kotlin/org/homeline/ReadmeTest.kt",
        ),
        (
            "swift",
            "bindings/swift/Tests/HomelineTests/ReadmeTests.swift",
        ),
    ] {
        let shown = in_readme(language);
        assert!(shown.len() >= 10);
        assert_eq!(shown, in_test(test), "{language}");
    }
}
