//! What is wrong with an entry of `resources` rather than with what it leads to.

use super::Layer;
use crate::error::Error;
use crate::files;
use crate::kustomization::Located;
use crate::resources::ALREADY_THERE;

impl Layer<'_> {
    /// The error for a file or directory that an entry before it names as well; others stay as they are.
    pub(super) fn listed_twice(&self, before: &[Located], path: &Located, error: Error) -> Error {
        let leads_to = |path: &Located| files::join(self.loader.root(), &path.text);
        let asked = leads_to(path);
        let is_repeated = error.details().message == ALREADY_THERE;
        let mut before = before.iter().filter(|_| is_repeated);
        let Some(first) = before.find(|other| leads_to(other) == asked) else {
            return error;
        };
        let twice = Error::new(format!("`{}` is listed twice", path.text))
            .position(path.position)
            .related("first at", first.position)
            .hint("remove one of the two lines");
        self.blame(twice)
    }
}

/// Says what to do where an entry is no path at all.
pub(super) fn where_no_path(path: &str, error: Error) -> Error {
    if path.contains(" - ") {
        error.replace_hint(
            "this entry goes on in the next line, which is indented further: begin its `- ` in the same column",
        )
    } else if path.contains(['*', '?']) {
        error.replace_hint("kustomize knows no wildcards: list every file, or name a directory with a kustomization")
    } else {
        error
    }
}

/// Says what to do where a file is no YAML at all.
pub(crate) fn where_no_yaml(bytes: &[u8], error: Error) -> Error {
    let begins_with_tag =
        bytes.trim_ascii_start().starts_with(b"<") && !bytes.trim_ascii_start().starts_with(b"<<");
    let has_conflict = bytes
        .split(|byte| *byte == b'\n')
        .any(|line| line.starts_with(b"<<<<<<< "));
    let has_template = bytes.windows(2).any(|pair| pair == b"{{");
    let has_other_template = bytes
        .windows(3)
        .any(|three| three.ends_with(b"{{") && !three.starts_with(b"$"));
    if begins_with_tag {
        return error.replace_hint(
            "this is a web page or XML, not YAML: an address must be that of the file as it is, not of a page about it",
        );
    }
    // What begins with `{{` reads as a map.
    let begins_as_template = bytes.trim_ascii_start().starts_with(b"{{");
    if !error.details().is_malformed_yaml && !begins_as_template {
        return error;
    }
    if has_conflict {
        error.replace_hint(
            "the file has conflict markers (`<<<<<<<`) of a merge: keep one of the two versions",
        )
    } else if has_template && !has_other_template && !begins_as_template {
        error.replace_hint(
            "put quotes around a text with `${{ … }}` that stands within `[…]` or `{…}`",
        )
    } else if has_template {
        error.replace_hint(
            "this is a template (`{{ … }}`), not YAML: write out what it makes, or take the chart that it belongs to into \
             `helmCharts`",
        )
    } else {
        error
    }
}
