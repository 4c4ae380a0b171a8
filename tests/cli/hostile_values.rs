//! Texts that nobody means well with.

use proptest::prelude::*;
use proptest::sample::select;

/// Picked ones: what looks like a revision, a time, a list, a template or an option, and is none, or not quite.
pub(crate) const PICKED: [&str; 96] = [
    "",
    " ",
    "\n",
    "\r\n",
    "\t",
    "\0",
    "dev",
    "dev\n",
    "dev\r\n",
    "dev\n\n",
    " dev",
    "dev ",
    "dev\u{a0}",
    "\u{feff}dev",
    "d\u{200b}ev",
    "\u{202e}ved",
    "DEV",
    "HEAD",
    "head",
    "@",
    "main",
    "refs/heads/dev",
    "refs/heads/",
    "refs/heads",
    "refs/tags/v1.2.3",
    "refs/pull/1/head",
    "refs/pull/1/merge",
    "refs/merge-requests/1/head",
    "pull/1/head",
    "pull-requests/1/from",
    "changes/01/1/1",
    "remotes/origin/dev",
    "refs/remotes/origin/dev",
    "refs/heads/../../pull/1/head",
    "refs/heads/refs/pull/1/head",
    "REFS/HEADS/dev",
    "--upload-pack=touch /tmp/x",
    "-h",
    "--",
    "v1.*",
    ">1.0.0",
    ">=0.0.0-0",
    "~1.2",
    "^1",
    "1.x",
    "1 - 2",
    "*",
    "x",
    "X",
    "1",
    "1.2",
    "=1.2.3",
    "!=1.2.3",
    "0123456",
    "0123456789abcdef0123456789abcdef01234567",
    "0123456789ABCDEF0123456789ABCDEF01234567",
    "0123456789abcdef0123456789abcdef0123456",
    "0123456789abcdef0123456789abcdef012345678",
    "a..b",
    "a.lock",
    "a/.b",
    "a//b",
    "/a",
    "a/",
    "a@{1}",
    "a~1",
    "a^",
    "a:b",
    "a?",
    "a[b",
    "a\\b",
    "$(id)",
    "`id`",
    "${HOME}",
    "{{ .x }}",
    "<no value>",
    "null",
    "true",
    "false",
    "FALSE",
    "{}",
    "[]",
    "\"",
    "'",
    "2027-01-31T18:00:00Z",
    "2020-01-31T18:00:00Z",
    "2027-01-31T18:00:00",
    "2027-13-31T18:00:00Z",
    "9999-12-30T22:00:00Z",
    "-009999-01-02T00:00:00Z",
    "+010000-01-01T00:00:00Z",
    "2027-01-31T18:00:00+99:00",
    "2027-01-31T18:00:60Z",
    "1969-12-31T23:59:59.999999999Z",
    "9223372036854775807",
    "-1",
];

/// Records that nobody wrote.
pub(crate) const RECORDS: [&str; 12] = [
    r#"{"environment":"dev","revision":"dev"}"#,
    r#"{"environment":"dev","revision":"refs/pull/1/head"}"#,
    r#"{"environment":"dev","revision":"mine","override":{"kind":"Secret","namespace":"argocd-infisical","name":"gone","key":"ARGOCD_TARGET_REVISION","rank":"environment"}}"#,
    r#"{"environment":"dev","override":{"kind":"Pod","namespace":"","name":"","key":"","rank":"application"}}"#,
    r#"{"environment":"dev","override":{"rank":"nobody"}}"#,
    r#"{"environment":"dev","moved":"9999-12-30T22:00:00Z","refresh":{"cause":"","at":"9999-12-30T22:00:00Z"}}"#,
    r#"{"environment":"dev","moved":"-009999-01-02T00:00:00Z","refresh":{"cause":"x","at":"-009999-01-02T00:00:00Z"}}"#,
    r#"{"environment":"dev","digest":"v1.0000.18446744073709551615"}"#,
    r#"{"environment":"dev","digest":"v1..  .. -1"}"#,
    r#"{"environment":5}"#,
    r#"{"environment":"dev","unknown":{"a":[1,2,3]}}"#,
    r#"["dev"]"#,
];

/// Texts of all kinds.
pub(crate) fn texts() -> impl Strategy<Value = String> {
    let damaged = (
        select(&PICKED[..]),
        any::<char>(),
        any::<prop::sample::Index>(),
    );
    let damaged = damaged.prop_map(|(text, letter, place)| {
        let mut letters: Vec<char> = text.chars().collect();
        letters.insert(place.index(letters.len() + 1), letter);
        letters.into_iter().collect::<String>()
    });
    let joined = prop::collection::vec(select(&PICKED[..]), 2..4);
    prop_oneof![
        4 => select(&PICKED[..]).prop_map(str::to_owned),
        1 => select(&RECORDS[..]).prop_map(str::to_owned),
        3 => damaged,
        1 => joined.prop_map(|parts| parts.concat()),
        1 => joined_by_commas(),
        2 => any::<String>(),
        2 => "[ -~]{0,40}",
        1 => (0..3000usize).prop_map(|length| "a".repeat(length)),
    ]
}

fn joined_by_commas() -> impl Strategy<Value = String> {
    let parts = prop::collection::vec(select(&PICKED[..]), 2..6);
    parts.prop_map(|parts| parts.join(","))
}
