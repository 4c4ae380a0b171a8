//! Paths of origins.

use super::join;

#[test]
fn paths_are_cleaned_as_go_cleans_them() {
    for (directory, path, expected) in [
        ("", "a.yaml", "a.yaml"),
        ("", "./a/../b.yaml", "b.yaml"),
        ("", "../base", "../base"),
        ("../base", "../other/a.yaml", "../other/a.yaml"),
        ("a", "../../b", "../b"),
        ("a", "..", "."),
        ("", "", ""),
    ] {
        assert_eq!(join(directory, path), expected, "{directory} {path}");
    }
}
