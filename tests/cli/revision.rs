//! Which names are legal, compared with Git.

use std::path::Path;
use std::process::Command;

use argocd_infisical::steer::revision::{Illegal, Revision};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngSeed, TestRunner};

use crate::tools;

/// As many texts as are made.
const TEXTS: usize = 2_000;

const PICKED: [&str; 40] = [
    "a",
    "a/b",
    ".a",
    "a.",
    "a..b",
    "a/.b",
    "a./b",
    "a.lock",
    "a.lock/b",
    "a/b.lock",
    ".lock",
    "lock",
    "a.lockb",
    "@",
    "a@",
    "@a",
    "@/a",
    "a/@",
    "@{",
    "a@{b",
    "{@",
    "/",
    "/a",
    "a/",
    "a//b",
    "-",
    "-a",
    "a b",
    "a~",
    "a^b",
    "a:b",
    "a?",
    "a*",
    "[",
    "a\\b",
    "a\u{7f}",
    "a\u{1}",
    "é",
    "日本",
    "refs/heads/a",
];

/// Texts of what Git's rules speak of, and some of anything.
fn texts() -> Vec<String> {
    let strategy = prop_oneof![
        9 => prop::collection::vec(
            prop::sample::select(&["a", "b", ".", "..", "/", "@", "{", "@{", ".lock", "lock", "-", "~", "^", ":", "?", "*",
                "[", "\\", " ", "\t", "\u{7f}", "é", "HEAD", "refs", "!", "'", "\"", "|"][..]),
            1..6,
        ).prop_map(|parts| parts.concat()),
        1 => "\\PC{1,12}",
    ];
    let mut runner = TestRunner::new(Config {
        rng_seed: RngSeed::Fixed(1),
        ..Config::default()
    });
    let made = std::iter::repeat_with(|| strategy.new_tree(&mut runner).unwrap().current());
    made.take(TEXTS).collect()
}

fn is_legal_to(git: &Path, full: &str) -> bool {
    let mut command = Command::new(git);
    command.args(["check-ref-format", full]);
    command.status().unwrap().success()
}

#[test]
fn what_may_be_written_git_allows() {
    let Some(git) = tools::git() else { return };
    let picked = PICKED.iter().map(ToString::to_string);
    let (mut legal, mut illegal) = (0, 0);
    for text in picked.chain(texts()) {
        let full = format!("refs/heads/{text}");
        let expected = is_legal_to(&git, &full);
        match Revision::parse(&full) {
            Ok(_) => assert!(expected, "{text:?} is illegal to git"),
            // We are stricter here.
            Err(Illegal::Unseen | Illegal::Blank) if !text.is_ascii() => {}
            Err(why) => assert!(!expected, "{text:?} is legal to git: {why}"),
        }
        if Revision::parse(&text).is_ok() {
            assert!(expected, "{text:?} is illegal to git");
        }
        *(if expected { &mut legal } else { &mut illegal }) += 1;
    }
    assert!(legal > 300 && illegal > 300, "{legal} and {illegal}");
}
