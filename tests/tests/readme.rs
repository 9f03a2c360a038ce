//! The README's Kotlin and Swift are compiled and run by the tests of the
//! bindings: here they are compared with what stands there.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::path::Path;

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::fs::read_to_string(root.join(path)).unwrap()
}

/// The pieces of a text between `start` and `end`, each as lines without margins.
fn pieces(text: &str, start: &str, end: &str) -> Vec<Vec<String>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(start) {
        let (code, further) = after.split_once(end).unwrap();
        let lines = code.trim_end().lines();
        pieces.push(lines.map(|line| line.trim().to_owned()).collect());
        rest = further;
    }
    pieces
}

#[test]
fn the_code_of_the_readme_is_the_code_that_is_run() {
    let readme = read("README.md");
    for (language, count, test) in [
        (
            "kotlin",
            2,
            "bindings/kotlin/src/test/kotlin/org/homeline/ReadmeTest.kt",
        ),
        (
            "swift",
            1,
            "bindings/swift/Tests/HomelineKitTests/ReadmeTests.swift",
        ),
    ] {
        let shown = pieces(&readme, &format!("```{language}\n"), "```");
        assert_eq!(shown.len(), count);
        assert!(shown[0].len() >= 10);
        let run = pieces(&read(test), "// README\n", "// README");
        assert_eq!(shown, run, "{language}");
    }
}
