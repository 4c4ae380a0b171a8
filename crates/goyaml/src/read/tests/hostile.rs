//! No input makes the reader panic, and none makes it slow.

use std::time::{Duration, Instant};

use super::dump::dump;
use crate::{Limits, parse, parse_documents, parse_with_comments};

/// A generator of numbers that look random, the same in every run.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % bound.max(1)
    }
}

const FRAGMENTS: &[&[u8]] = &[
    b": ",
    b":",
    b"- ",
    b"-",
    b"? ",
    b"?",
    b"[",
    b"]",
    b"{",
    b"}",
    b", ",
    b"&a ",
    b"*a",
    b"!",
    b"!!int ",
    b"!<x> ",
    b"!e!x ",
    b"|\n",
    b">\n",
    b"|-1\n",
    b">+\n",
    b"'",
    b"\"",
    b"#",
    b" #",
    b"\t",
    b" ",
    b"  ",
    b"\n",
    b"\n\n",
    b"\r\n",
    b"\r",
    b"---\n",
    b"\n---\n",
    b"...\n",
    b"%YAML 1.1\n",
    b"%TAG ! x,\n",
    b"\\",
    b"\\x41",
    b"\\\n",
    b"\xC2\x85",
    b"\xE2\x80\xA8",
    b"\xC3\xA9",
    b"\xFF",
    b"\0",
    b"\xEF\xBB\xBF",
    b"<<: ",
    b"<<: *a\n",
    b"a",
    b"b c",
    b"null: ",
    b"@",
    b"\xFF\xFE",
    b"%41",
    b"# c\n",
    b" # c\n\n",
    b"\n#",
];

pub(super) fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(3) {
        let place = random.below(bytes.len() + 1);
        match random.below(4) {
            0 if place < bytes.len() => {
                drop(bytes.drain(place..bytes.len().min(place + 1 + random.below(8))));
            }
            1 if place < bytes.len() => bytes[place] = u8::try_from(random.below(256)).unwrap(),
            _ => drop(bytes.splice(
                place..place,
                FRAGMENTS[random.below(FRAGMENTS.len())].iter().copied(),
            )),
        }
    }
}

#[test]
fn nothing_panics() {
    let seeds: Vec<&str> = include_str!("../../../testdata/yaml/nodes.txt")
        .split("%%%% input\n")
        .filter_map(|case| case.split_once("%%%% tree\n").map(|(input, _)| input))
        .collect();
    let limits = Limits {
        alias_nodes: 10_000,
        ..Limits::default()
    };
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut accepted = 0;
    for round in 0..100_000 {
        let mut bytes = Vec::new();
        if round % 4 == 0 {
            for _ in 0..random.below(14) {
                bytes.extend(FRAGMENTS[random.below(FRAGMENTS.len())]);
            }
        } else {
            bytes.extend(seeds[random.below(seeds.len())].as_bytes());
            mutate(&mut bytes, &mut random);
        }
        let plain = parse(&bytes, &limits);
        match (parse_with_comments(&bytes, &limits), plain) {
            (Ok(Some(kept)), Ok(Some(plain))) => {
                assert_eq!(dump(&kept, true), dump(&plain, true));
                let _written = crate::encode(&kept);
            }
            (kept, plain) => assert_eq!(kept.err(), plain.err()),
        }
        if let Ok(documents) = parse_documents(&bytes, &limits) {
            accepted += 1;
            let _checked = documents
                .iter()
                .try_for_each(crate::Node::check_unique_keys);
        }
    }
    assert!(accepted > 10_000, "only {accepted} were accepted");
}

#[test]
fn hostile_texts_take_linear_time() {
    let size = 300_000;
    let many_keys = (0..size).fold(String::new(), |text, number| {
        text + "k" + &number.to_string() + ": v\n"
    });
    let texts = [
        "[".repeat(size),
        "{".repeat(size),
        "[\n".repeat(size),
        "- ".repeat(size),
        "? ".repeat(size),
        "[]: ".repeat(size),
        format!("[{}", "a: b, ".repeat(size)),
        format!("\"{}\": x", "k".repeat(size)),
        format!("a: {}", "b ".repeat(size)),
        format!("a: |\n{}", " \n".repeat(size)),
        format!("a:\n{}", "  # comment\n".repeat(size)),
        "# c\n  # d\n\n".repeat(size),
        "- # c\n".repeat(size),
        "- b # c\n# d\n\n\n".repeat(size),
        "[ # c\n".repeat(size),
        "---\n".repeat(size),
        "&a ".repeat(size),
        format!("<<: [{}", "*a, ".repeat(size)),
        many_keys,
    ];
    let start = Instant::now();
    for text in &texts {
        let parsed = parse(text.as_bytes(), &Limits::default());
        let _documents = parse_documents(text.as_bytes(), &Limits::default());
        let _kept = parse_with_comments(text.as_bytes(), &Limits::default());
        if let Ok(Some(node)) = parsed {
            node.check_unique_keys().unwrap();
        }
    }
    assert!(
        // What grows with the square takes hours; a machine with much else to do takes a minute.
        start.elapsed() < Duration::from_mins(4),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn the_deepest_tree_fits_on_a_stack() {
    let limits = Limits::default();
    let depth = limits.depth;
    let flow = format!("&a {}x{}", "[".repeat(depth), "]".repeat(depth));
    let block = format!("{}x", "- ".repeat(depth));
    for text in [flow, block] {
        let documents = parse_documents(text.as_bytes(), &limits).unwrap();
        documents[0].clone().check_unique_keys().unwrap();
        let kept = parse_with_comments(text.as_bytes(), &limits).unwrap();
        crate::encode(&kept.unwrap()).unwrap();
    }
}
