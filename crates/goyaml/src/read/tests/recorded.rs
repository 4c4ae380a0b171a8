//! What go-yaml v3 and kyaml make of texts, recorded.

use super::dump::dump;
use crate::{Limits, parse, parse_documents};

fn cases(file: &str) -> impl Iterator<Item = (&str, &str)> {
    file.split("%%%% input\n")
        .skip(1)
        .map(|case| case.split_once("%%%% tree\n").unwrap())
}

#[test]
fn first_documents_are_those_of_go_yaml() {
    for (input, want) in cases(include_str!("../../../testdata/yaml/nodes.txt")) {
        let got = match parse(input.as_bytes(), &Limits::default()) {
            Ok(Some(node)) => dump(&node, true),
            Ok(None) => "NONE\n".to_owned(),
            Err(error) => format!("ERR {}\n", error.message),
        };
        assert_eq!(got, want, "{input}");
    }
}

#[test]
fn documents_are_those_of_kyaml() {
    for (input, want) in cases(include_str!("../../../testdata/yaml/documents.txt")) {
        let documents = parse_documents(input.as_bytes(), &Limits::default()).unwrap();
        let got = documents.iter().fold(String::new(), |text, node| {
            text + "DOC
" + &dump(node, false)
        });
        assert_eq!(got, want, "{input}");
    }
}

#[test]
fn utf_16_and_marks_are_read() {
    let text = "a: \u{E9}\u{1F389}\nb: [1]\n";
    let want = dump(
        &parse(text.as_bytes(), &Limits::default()).unwrap().unwrap(),
        true,
    );
    let with_mark = format!("\u{FEFF}{text}");
    let little: Vec<u8> = with_mark
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let big: Vec<u8> = with_mark
        .encode_utf16()
        .flat_map(u16::to_be_bytes)
        .collect();
    for bytes in [with_mark.as_bytes(), &little, &big] {
        assert_eq!(
            dump(&parse(bytes, &Limits::default()).unwrap().unwrap(), true),
            want
        );
    }
}

#[test]
fn places_are_those_of_the_whole_text() {
    let text = "a: 1\r\n---\r\n# comment\r\nb:\r\n  c: 2\r\n--- # comment\nd: [\u{E9}, x]\n";
    let documents = parse_documents(text.as_bytes(), &Limits::default()).unwrap();
    let place = |index: usize, path: &[&str]| {
        let position = documents[index].get_path(path).unwrap().position;
        (position.line, position.column)
    };
    assert_eq!(documents.len(), 3);
    assert_eq!(place(0, &["a"]), (1, 4));
    assert_eq!(place(1, &["b", "c"]), (5, 6));
    let item = &documents[2].get("d").unwrap().items().unwrap()[1];
    assert_eq!((item.position.line, item.position.column), (7, 8));
}
