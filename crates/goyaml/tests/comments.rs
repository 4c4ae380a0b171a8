//! Where comments go and how they are written again, against a table recorded from kyaml's `Parse` and `String`.

use goyaml::{
    Data, Limits, Node, Value, encode, parse, parse_documents_with_comments, parse_with_comments,
};

fn read(source: &str) -> Node {
    parse_with_comments(source.as_bytes(), &Limits::default())
        .expect("the source is YAML")
        .expect("the source has a node")
}

/// The nodes that have comments, in their order: text, head, line and foot.
fn comments(node: &Node, found: &mut Vec<Vec<String>>) {
    let text = match &node.data {
        Data::Scalar(text) | Data::Alias(text) => text.as_str(),
        Data::Sequence(_) => "[]",
        Data::Mapping(_) => "{}",
    };
    if let Some(comments) = node.comments() {
        let row = [&comments.head, &comments.line, &comments.foot];
        if row.iter().any(|comment| !comment.is_empty()) {
            let row = row.into_iter().map(ToString::to_string);
            found.push([text.to_owned()].into_iter().chain(row).collect());
        }
    }
    for item in node.items().unwrap_or_default() {
        comments(item, found);
    }
    for (key, value) in node.entries().unwrap_or_default() {
        comments(key, found);
        comments(value, found);
    }
}

fn texts(value: &Value) -> Vec<String> {
    let items = value.as_array().expect("the cell is an array");
    let texts = items.iter().map(|text| text.as_str().expect("a text"));
    texts.map(str::to_owned).collect()
}

#[test]
fn comments_are_kept_and_written_as_kyaml_does() {
    let table = Value::from_json(include_bytes!("../testdata/comments.json")).expect("JSON");
    let rows = table.as_array().expect("the table is an array");
    assert!(rows.len() > 100, "{} rows", rows.len());
    for row in rows {
        let cell = |name: &str| row.get(name).expect("every row has every cell");
        let source = cell("source").as_str().expect("the source is a text");
        let node = read(source);
        let document = node.comments().cloned().unwrap_or_default();
        assert_eq!(
            [document.document_head, document.document_foot].to_vec(),
            texts(cell("document")),
            "{source}"
        );
        let mut found = Vec::new();
        comments(&node, &mut found);
        let wanted = cell("comments").as_array().expect("comments are rows");
        let wanted: Vec<_> = wanted.iter().map(texts).collect();
        assert_eq!(found, wanted, "{source}");
        let encoded = encode(&node).expect("the anchors are legal");
        assert_eq!(Some(encoded.as_str()), cell("encoded").as_str(), "{source}");
    }
}

#[test]
fn without_comments_nothing_else_differs() {
    let source = "# a\nb: &x [c, *x] # d\n";
    let plain = parse(source.as_bytes(), &Limits::default());
    let plain = plain.expect("YAML").expect("a node");
    let mut found = Vec::new();
    comments(&plain, &mut found);
    assert!(found.is_empty());
    assert_eq!(encode(&plain).as_deref(), Ok("b: &x [c, *x]\n"));
    assert_eq!(read(source).position, plain.position);
}

#[test]
fn every_document_has_its_comments() {
    let source = b"a: 1 # one\n---\n# two\nb: 2\n";
    let documents = parse_documents_with_comments(source, &Limits::default()).expect("YAML");
    let written: Vec<_> = documents.iter().map(encode).collect();
    let wanted = ["a: 1 # one\n", "# two\nb: 2\n"];
    assert_eq!(written, wanted.map(|text| Ok(text.to_owned())));
}
