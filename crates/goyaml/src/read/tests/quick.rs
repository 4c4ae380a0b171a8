//! The quick way reads what the other way reads, or nothing.

use super::hostile::{Random, mutate};
use crate::read::compose::compose_any;
use crate::read::quick;
use crate::read::reader::Source;

const DEPTH: usize = 10;

/// Whether a text is read the quick way, where both ways then have to give the same.
fn is_quick(bytes: &[u8]) -> bool {
    let source = Source::new(bytes, 1);
    let Some(root) = quick::read(&source, DEPTH) else {
        return false;
    };
    let text = String::from_utf8_lossy(bytes);
    match compose_any(&source, DEPTH) {
        Ok(Some(document)) => {
            assert_eq!(
                format!("{root:?}"),
                format!("{:?}", document.root),
                "{text}"
            );
        }
        other => panic!("{other:?} of {text}"),
    }
    true
}

const USUAL: &[&str] = &[
    "a: b\n",
    "---\na: b",
    "# head\n\n--- # document\na: b # line\n# foot\n",
    "a:\nb:\n  c:\n  # comment\n  d: e\n\nf: g\n",
    "a:\n- b\n-\n- c: d\n  e:\n  - f\n-   - g\n    -   h: i\nj: k\n",
    "a:\n  - b\n  -\n    c\n",
    "- a\n- - b\n  - c\n",
    "a: {b: c, \"d\":e, f: [g, {}, [], 'h',],}\ni: [\n  j,\nk\n]\n",
    "{\"a\" : [1, 2.5, true, null],\n \"b\": {\"c\": \"d\"}}",
    "a: |\n  b\n\n   c\nd: >-\n  e\n  f\n\n# comment\ng: |2\n    h\n",
    "a: b\n  c\n\n  d\ne: \"f\\n\n  g\"\n'h i': 'j''k'\n",
    "a: b # c\nd: http://e:1#f\ng: -h\n\u{e9}\u{1f389}: \u{e9} # \u{e9}\ni : j",
    "a:\n    b: c\n    d:\n        e: f\n",
];

#[test]
fn usual_documents_are_read_quickly() {
    for text in USUAL {
        assert!(is_quick(text.as_bytes()), "{text}");
    }
}

#[test]
fn what_is_not_usual_is_left_to_the_scanner() {
    let long = format!("{}: b\n", "a".repeat(1020));
    let deep = format!("{}a\n", "- ".repeat(DEPTH + 1));
    let texts = [
        "",
        "a",
        "# a\n",
        "a: &b c\n",
        "a: *b\n",
        "a: !!str b\n",
        "? a\n: b\n",
        "<<: {a: b}\n",
        "'<<': {a: b}\n",
        "null: a\n",
        "a:\tb\n",
        "a: b\r\nc: d\r\n",
        "a: b\u{85}c: d\n",
        "a: b\n---\nc: d\n",
        "a: b\n--- c: d\n",
        "a: b\n...\n",
        "...\na: b\n",
        "%YAML 1.1\n---\na: b\n",
        "a: b: c\n",
        "a: b\n c: d\n",
        "a:\n  b: c\n d: e\n",
        "a: - b\n",
        "- a\nb: c\n",
        "a: [b: c]\n",
        "a: {b}\n",
        "a: [b\n--- c]\n",
        "a: {b: c}: d\n",
        "a: \"b\" c\n",
        "a: \"b\n",
        "a: @b\n",
        "'a\n b': c\n",
        &long,
        &deep,
    ];
    for text in texts {
        assert!(!is_quick(text.as_bytes()), "{text}");
    }
}

#[test]
fn both_ways_read_the_same() {
    let recorded = include_str!("../../../testdata/yaml/nodes.txt")
        .split("%%%% input\n")
        .filter_map(|case| case.split_once("%%%% tree\n").map(|(input, _)| input));
    let recorded: Vec<&str> = recorded.collect();
    let mut random = Random(0x2545_F491_4F6C_DD1D);
    let mut quick = recorded
        .iter()
        .filter(|text| is_quick(text.as_bytes()))
        .count();
    for round in 0..40_000 {
        let seeds = if round % 2 == 0 { USUAL } else { &recorded };
        let mut bytes = seeds[random.below(seeds.len())].as_bytes().to_vec();
        mutate(&mut bytes, &mut random);
        quick += usize::from(is_quick(&bytes));
    }
    assert!(quick > 5_000, "only {quick} were read the quick way");
}
