//! What one execution works on: some files, and which directory is built.

use std::collections::BTreeMap;

use kustomize::MemoryFiles;

/// A tree of files; a document alone is a tree of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    /// The directory that is built, below [`TOP`].
    pub(crate) directory: String,
    /// By their paths below [`TOP`].
    pub(crate) files: BTreeMap<String, Content>,
}

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// A file.
    Bytes(Vec<u8>),
    /// A symbolic link.
    Link(String),
}

/// Where trees lie.
pub(crate) const TOP: &str = "/w/tree";
/// A file that nothing in a tree may read, and what is in it.
pub(crate) const OUTSIDE: &str = "/w/secret/value.yaml";
pub(crate) const SECRET: &str = "kestrel-9f2c";
/// The path of a document that is alone.
const ALONE: &str = "document";

impl Tree {
    /// A document alone.
    pub(crate) fn of_document(bytes: Vec<u8>) -> Self {
        Self {
            directory: String::new(),
            files: [(ALONE.to_owned(), Content::Bytes(bytes))].into(),
        }
    }

    /// The document, where it is one alone.
    pub(crate) fn document(&self) -> &[u8] {
        match self.files.get(ALONE) {
            Some(Content::Bytes(bytes)) => bytes,
            _ => &[],
        }
    }

    /// The directory to build, as an absolute path.
    pub(crate) fn root(&self) -> String {
        kustomize::files::join(TOP, &self.directory)
    }

    /// The tree as the engine sees it, with something outside of it.
    pub(crate) fn to_files(&self) -> MemoryFiles {
        let mut files = MemoryFiles::new();
        for (path, content) in &self.files {
            let path = format!("{TOP}/{path}");
            match content {
                Content::Bytes(bytes) => files.insert(&path, bytes.clone()),
                Content::Link(target) => files.link(&path, target),
            }
        }
        let text = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {SECRET}\ndata:\n  key: {SECRET}\n"
        );
        files.insert(OUTSIDE, text);
        files
    }

    /// The tree as one text: a line for each file, `-- path --` or `-- path -> target --`, with its content below.
    pub(crate) fn to_text(&self) -> Vec<u8> {
        if self.files.len() == 1 && self.files.contains_key(ALONE) {
            return self.document().to_vec();
        }
        let mut text = format!("{}\n", self.directory).into_bytes();
        for (path, content) in &self.files {
            match content {
                Content::Bytes(bytes) => {
                    text.extend(format!("-- {path} --\n").bytes());
                    text.extend(bytes);
                    text.push(b'\n');
                }
                Content::Link(target) => text.extend(format!("-- {path} -> {target} --\n").bytes()),
            }
        }
        text
    }

    /// Reads what [`Self::to_text`] writes.
    pub(crate) fn from_text(text: &[u8]) -> Self {
        let mut lines = text.split_inclusive(|byte| *byte == b'\n');
        let first = lines.next().unwrap_or_default().trim_ascii_end();
        let mut tree = Self {
            directory: String::from_utf8_lossy(first).into_owned(),
            files: BTreeMap::new(),
        };
        let mut open: Option<(String, Vec<u8>)> = None;
        for line in lines {
            let Some(header) = header(line) else {
                if let Some((_, bytes)) = &mut open {
                    bytes.extend(line);
                }
                continue;
            };
            tree.close(open.take());
            match header.split_once(" -> ") {
                Some((path, target)) => {
                    let link = Content::Link(target.to_owned());
                    tree.files.insert(path.to_owned(), link);
                }
                None => open = Some((header, Vec::new())),
            }
        }
        tree.close(open);
        tree
    }

    fn close(&mut self, file: Option<(String, Vec<u8>)>) {
        if let Some((path, mut bytes)) = file {
            // The line break in front of the next header.
            bytes.pop();
            self.files.insert(path, Content::Bytes(bytes));
        }
    }
}

fn header(line: &[u8]) -> Option<String> {
    let line = line.strip_prefix(b"-- ")?.strip_suffix(b" --\n")?;
    String::from_utf8(line.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_read_as_it_was_written() {
        let mut tree = Tree {
            directory: "app/".to_owned(),
            files: BTreeMap::new(),
        };
        let bytes = |text: &[u8]| Content::Bytes(text.to_vec());
        tree.files.insert("app/a".into(), bytes(b"x: 1\n"));
        tree.files.insert("app/b".into(), bytes(b"no break"));
        tree.files.insert("app/c".into(), bytes(b"\xFF\n\n"));
        tree.files.insert("d".into(), Content::Link("app/a".into()));
        tree.files.insert("e".into(), bytes(b""));
        assert_eq!(Tree::from_text(&tree.to_text()), tree);
    }
}
