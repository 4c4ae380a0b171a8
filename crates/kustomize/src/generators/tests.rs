//! What no build shows: styles, and what errors do not say.

use goyaml::Style;

use super::data::{base64_lines, text_node};
use crate::build::Options;
use crate::files::MemoryFiles;
use crate::kustomization::{GeneratorArgs, Located};
use crate::loader::Loader;

fn located(text: &str) -> Located {
    Located {
        text: text.into(),
        ..Located::default()
    }
}

#[test]
fn base64_has_lines_of_70_from_the_second_line_on() {
    assert_eq!(base64_lines(b""), "");
    let one = base64_lines(&[b'a'; 51]);
    assert_eq!((one.len(), one.lines().count()), (68, 1));
    assert!(!one.ends_with('\n'));
    let two = base64_lines(&[b'a'; 54]);
    assert_eq!(two.lines().map(str::len).collect::<Vec<_>>(), [70, 2]);
    assert!(two.ends_with('\n'));
}

#[test]
fn texts_that_look_like_something_else_are_quoted() {
    for text in [
        "1", "yes", "null", "~", "1.5", "{}", "a: b", "[a]", "# a", "-", "- a", "---",
    ] {
        assert_eq!(text_node(text.into()).style, Style::DOUBLE_QUOTED, "{text}");
    }
    for text in ["", "a", "a b", "x-1", "'1'", "[a", "*a", "12:x", "http://x"] {
        assert_eq!(text_node(text.into()).style, Style::PLAIN, "{text}");
    }
    assert_eq!(text_node("1\n".into()).style, Style::LITERAL);
}

#[test]
fn errors_hold_no_value() {
    let mut files = MemoryFiles::new();
    files.insert("/k/env", "PASSWORD=hunter2\nPASSWORD=hunter2\n");
    let loader = Loader::new(&files, "/k", &Options::default()).unwrap();
    let args = |literals: &[&str], envs: &[&str]| GeneratorArgs {
        name: "secret".into(),
        literals: literals.iter().map(|text| located(text)).collect(),
        envs: envs.iter().map(|text| located(text)).collect(),
        ..GeneratorArgs::default()
    };
    for args in [
        args(&["hunter2"], &[]),
        args(&["=hunter2"], &[]),
        args(&["a=hunter2", "a=hunter2"], &[]),
        args(&["1=hunter2"], &[]),
        args(&[], &["env"]),
    ] {
        let error = super::secret(&args, &loader).unwrap_err();
        let details = format!("{:?}", error.details());
        assert!(!details.contains("hunter2"), "{details}");
    }
}
