//! Dollar signs of values, in a tree with variables.
//!
//! Variables are resolved after values are in: `$(NAME)` is replaced, and `$$` becomes `$`. What a value holds is not meant
//! for that. So its dollar signs are exchanged for another character while variables are resolved.

use goyaml::{Data, Node, Text};
use kustomize::Resources;

use super::field::{Path, Step};

/// What stands for a dollar sign: the last character that no standard will ever give a meaning.
const MARK: char = '\u{10fffd}';

/// A part of a text.
pub(super) enum Part<'a> {
    /// The repository has written it.
    Repository(&'a str),
    /// It comes out of a value.
    Value(&'a str),
}

/// The texts with dollar signs that variables must not see.
#[derive(Default)]
pub(super) struct Dollars(Vec<(usize, Guarded)>);

/// A text of a resource.
pub(super) struct Guarded {
    /// Its field.
    pub(super) field: Path,
    /// The text with marks.
    marked: String,
}

impl Guarded {
    /// Notes a text, if it needs it.
    pub(super) fn new(field: &Path, parts: &[Part<'_>]) -> Option<Self> {
        let marked = mark(parts);
        marked.contains(MARK).then(|| Self {
            field: field.clone(),
            marked,
        })
    }

    /// Notes all texts below a node that comes out of a value.
    pub(super) fn all(field: &Path, node: &Node) -> Vec<Self> {
        let mut guarded = Vec::new();
        collect(node, &mut field.clone(), &mut guarded);
        guarded
    }
}

fn collect(node: &Node, field: &mut Path, guarded: &mut Vec<Guarded>) {
    match &node.data {
        Data::Alias(_) => {}
        Data::Scalar(text) => guarded.extend(Guarded::new(field, &[Part::Value(text)])),
        Data::Sequence(items) => {
            for (index, item) in items.iter().enumerate() {
                field.0.push(Step::Index(index));
                collect(item, field, guarded);
                field.0.pop();
            }
        }
        Data::Mapping(entries) => {
            for (key, value) in entries {
                field.0.push(Step::Key(key.to_text().unwrap_or_default()));
                collect(value, field, guarded);
                field.0.pop();
            }
        }
    }
}

impl Dollars {
    /// Notes texts of the resource with this index.
    pub(super) fn note(&mut self, resource: usize, guarded: impl IntoIterator<Item = Guarded>) {
        let guarded = guarded.into_iter();
        self.0.extend(guarded.map(|guarded| (resource, guarded)));
    }

    /// Adds other texts.
    pub(super) fn add(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// Hides them.
    pub(super) fn hide(&self, resources: &mut Resources) {
        for (resource, Guarded { field, marked }) in &self.0 {
            if let Some(text) = text(resources, *resource, field)
                && marked.replace(MARK, "$") == text.as_str()
            {
                *text = marked.as_str().into();
            }
        }
    }

    /// Shows them again.
    pub(super) fn show(&self, resources: &mut Resources) {
        for (resource, Guarded { field, .. }) in &self.0 {
            if let Some(text) = text(resources, *resource, field) {
                *text = text.as_str().replace(MARK, "$").into();
            }
        }
    }
}

fn text<'a>(resources: &'a mut Resources, resource: usize, field: &Path) -> Option<&'a mut Text> {
    let resource = resources.as_mut_slice().get_mut(resource)?;
    match &mut field.find_mut(resource.node_mut())?.data {
        Data::Scalar(text) => Some(text),
        _ => None,
    }
}

/// A text of these parts, with marks for the dollar signs of values, and for those of the repository that what follows
/// out of a value would give a meaning.
fn mark(parts: &[Part<'_>]) -> String {
    let mut marked = String::new();
    for (index, part) in parts.iter().enumerate() {
        match part {
            Part::Value(text) => marked.push_str(&text.replace('$', MARK.encode_utf8(&mut [0; 4]))),
            Part::Repository(text) => {
                let open = match parts.get(index + 1) {
                    Some(Part::Value(_)) => open_dollar(text),
                    _ => None,
                };
                match open {
                    Some((before, after)) => {
                        marked.push_str(before);
                        marked.push(MARK);
                        marked.push_str(after);
                    }
                    None => marked.push_str(text),
                }
            }
        }
    }
    marked
}

/// What stands before and after the dollar sign of a reference that begins in a text and does not end there.
// kustomize: expansion.Expand
fn open_dollar(text: &str) -> Option<(&str, &str)> {
    let mut from = 0;
    loop {
        let at = from + text.get(from..)?.find('$')?;
        let after = text.get(at + 1..)?;
        let name = after.strip_prefix('(');
        from = match (after.chars().next(), name.map(|name| name.find(')'))) {
            (None, _) | (_, Some(None)) => return Some((text.get(..at)?, after)),
            (_, Some(Some(length))) => at + 2 + length + 1,
            (Some(next), None) => at + 1 + next.len_utf8(),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_dollars_are_hidden() {
        use Part::{Repository, Value};
        let shown = |parts: &[Part<'_>]| mark(parts).replace(MARK, "#");
        assert_eq!(shown(&[Value("$(A) $$ $")]), "#(A) ## #");
        assert_eq!(
            shown(&[Repository("$(A)$$ "), Value("$"), Repository("(B)")]),
            "$(A)$$ #(B)"
        );
        // Together they would be a reference, or an escape.
        assert_eq!(shown(&[Repository("$(A)$"), Value("(B)")]), "$(A)#(B)");
        assert_eq!(shown(&[Repository("$$$"), Value("$")]), "$$##");
        assert_eq!(shown(&[Repository("x$(A"), Value("B)")]), "x#(AB)");
        assert_eq!(shown(&[Repository("$$(A"), Value("B)")]), "$$(AB)");
        assert_eq!(
            shown(&[Repository("$x$(A)"), Value("B"), Repository("$")]),
            "$x$(A)B$"
        );
    }
}
