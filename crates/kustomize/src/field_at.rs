//! Which field of a file a place stands for, to complete an error that names only the place.

use std::collections::BTreeMap;

use goyaml::{Data, Limits, Node, Position, Style};

use crate::error::Error;
use crate::files::{self, Entry, Files};

/// Names fields after places; each file is read once.
pub(crate) struct FieldNames<'a> {
    files: &'a dyn Files,
    /// The directory from which errors name files.
    named_from: &'a str,
    documents: BTreeMap<String, Vec<Node>>,
}

impl<'a> FieldNames<'a> {
    pub(crate) const fn new(files: &'a dyn Files, named_from: &'a str) -> Self {
        Self {
            files,
            named_from,
            documents: BTreeMap::new(),
        }
    }

    /// Names the field of an error after the place that it points to. A field that an inner step has named is kept, unless
    /// it is only the end of the path.
    pub(crate) fn complete(&mut self, error: Error) -> Error {
        let details = error.details();
        let Some(file) = details.file.as_deref() else {
            return error;
        };
        if details.position.line == 0 || details.is_malformed_yaml {
            return error;
        }
        let path = self
            .documents(file)
            .iter()
            .find_map(|document| path_of(document, details.position));
        match path.filter(|path| !path.is_empty()) {
            Some(path) => error.complete_field(path),
            None => error,
        }
    }

    fn documents(&mut self, file: &str) -> &[Node] {
        if !self.documents.contains_key(file) {
            let found = documents(self.files, &files::join(self.named_from, file));
            self.documents.insert(file.to_owned(), found);
        }
        self.documents.get(file).map_or(&[], Vec::as_slice)
    }
}

fn documents(files: &dyn Files, path: &str) -> Vec<Node> {
    let Ok(Entry::File(path)) = files.resolve(path) else {
        return Vec::new();
    };
    let bytes = files.read(&path).unwrap_or_default();
    goyaml::parse_documents(&bytes, &Limits::default()).unwrap_or_default()
}

/// The path of what begins at a place, the outermost where several do; or of the block of text that the place is in.
fn path_of(document: &Node, place: Position) -> Option<String> {
    // An error about a whole object stands where its first field begins.
    if (document.position.line, document.position.column) == (place.line, place.column) {
        return None;
    }
    path_below(document, place)
}

fn path_below(node: &Node, place: Position) -> Option<String> {
    let is_here = |node: &Node| {
        (node.position.line, node.position.column) == (place.line, place.column)
            || (place.column == 0 && node.position.line == place.line)
    };
    match &node.data {
        Data::Mapping(entries) => entries.iter().find_map(|(key, value)| {
            let name = key.as_str()?;
            if is_here(key) || is_here(value) || is_in_block(value, place) {
                return Some(name.to_owned());
            }
            path_below(value, place).map(|rest| join(name.to_owned(), &rest))
        }),
        Data::Sequence(items) => items.iter().enumerate().find_map(|(index, item)| {
            let step = format!("[{index}]");
            if is_here(item) || is_in_block(item, place) {
                return Some(step);
            }
            path_below(item, place).map(|rest| join(step, &rest))
        }),
        Data::Scalar(_) | Data::Alias(_) => None,
    }
}

fn join(step: String, rest: &str) -> String {
    if rest.starts_with('[') {
        step + rest
    } else {
        step + "." + rest
    }
}

/// Whether a place is in one of the lines of a block of text.
fn is_in_block(node: &Node, place: Position) -> bool {
    let Some(text) = node
        .as_str()
        .filter(|_| node.style.contains(Style::LITERAL))
    else {
        return false;
    };
    let lines = u32::try_from(text.lines().count()).unwrap_or(u32::MAX);
    place.line > node.position.line && place.line <= node.position.line.saturating_add(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_places() {
        let text = "images:\n- name: a\n  newTag: 1.0\npatches:\n- patch: |-\n    - op: add\n    - op: x\nb: {c: [d]}\n";
        let node = goyaml::parse(text.as_bytes(), &Limits::default())
            .unwrap()
            .unwrap();
        for (line, column, path) in [
            (2, 3, "images[0]"),
            (3, 3, "images[0].newTag"),
            (3, 11, "images[0].newTag"),
            (7, 7, "patches[0].patch"),
            (8, 9, "b.c[0]"),
        ] {
            let found = path_of(&node, Position::at(line, column));
            assert_eq!(found.as_deref(), Some(path), "{line}:{column}");
        }
        assert_eq!(path_of(&node, Position::at(1, 1)), None);
        assert_eq!(path_of(&node, Position::at(3, 1)), None);
    }
}
