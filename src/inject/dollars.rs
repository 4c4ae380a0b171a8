//! Dollar signs of values, in a tree with variables.
//!
//! Variables are resolved after values are in: `$(NAME)` is replaced, and `$$` becomes `$`. What a value holds is not meant
//! for that. So its dollar signs are exchanged for another character while variables are resolved.

use std::collections::BTreeSet;
use std::ops::{Range, RangeInclusive};

use goyaml::{Data, Node, Text};
use kustomize::Resources;

use super::field::{Path, Step};

/// The characters that no standard will ever give a meaning. One that no text of the tree has stands for a dollar sign.
const PRIVATE: [RangeInclusive<char>; 3] = [
    '\u{e000}'..='\u{f8ff}',
    '\u{f0000}'..='\u{ffffd}',
    '\u{100000}'..='\u{10fffd}',
];

/// A part of a text.
pub(super) enum Part<'a> {
    /// The repository has written it.
    Repository(&'a str),
    /// It comes out of a value.
    Value(&'a str),
}

/// The texts with dollar signs that variables must not see.
#[derive(Default)]
pub(super) struct Dollars {
    texts: Vec<(usize, Guarded)>,
    /// What stands for a dollar sign, while variables are resolved.
    mark: Option<char>,
}

/// A text of a resource.
pub(super) struct Guarded {
    /// Its field.
    field: Path,
    text: Text,
    /// Where in it every dollar sign is hidden.
    hidden: Vec<Range<usize>>,
}

impl Guarded {
    /// Notes a text, if it needs it.
    pub(super) fn new(field: &Path, parts: &[Part<'_>]) -> Option<Self> {
        let hidden = hidden(parts);
        let text = || parts.iter().map(Part::text).collect();
        (!hidden.is_empty()).then(|| Self {
            field: field.clone(),
            text: text(),
            hidden,
        })
    }

    /// The text with a mark for every dollar sign that is hidden.
    fn marked(&self, mark: char) -> String {
        let mut marked = String::with_capacity(self.text.len());
        let mut end = 0;
        for range in &self.hidden {
            marked.push_str(self.text.get(end..range.start).unwrap_or_default());
            let hidden = self.text.get(range.clone()).unwrap_or_default();
            marked.push_str(&hidden.replace('$', mark.encode_utf8(&mut [0; 4])));
            end = range.end;
        }
        marked.push_str(self.text.get(end..).unwrap_or_default());
        marked
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

impl Part<'_> {
    const fn text(&self) -> &str {
        match self {
            Self::Repository(text) | Self::Value(text) => text,
        }
    }
}

impl Dollars {
    /// Notes texts of the resource with this index.
    pub(super) fn note(&mut self, resource: usize, guarded: impl IntoIterator<Item = Guarded>) {
        let guarded = guarded.into_iter();
        self.texts
            .extend(guarded.map(|guarded| (resource, guarded)));
    }

    /// Adds other texts.
    pub(super) fn add(&mut self, others: Self) {
        self.texts.extend(others.texts);
    }

    /// Hides them. `false` where the texts leave no character to hide them with.
    pub(super) fn hide(&mut self, resources: &mut Resources) -> bool {
        if self.texts.is_empty() {
            return true;
        }
        let Some(mark) = unused(resources) else {
            return false;
        };
        for (resource, guarded) in &self.texts {
            if let Some(text) = text(resources, *resource, &guarded.field)
                && *text == guarded.text
            {
                *text = guarded.marked(mark).into();
            }
        }
        self.mark = Some(mark);
        true
    }

    /// Shows them again, wherever variables have copied them to.
    pub(super) fn show(&mut self, resources: &mut Resources) {
        if let Some(mark) = self.mark.take() {
            for resource in resources.as_mut_slice() {
                if any(resource.node(), &mut |text| text.contains(mark)) {
                    show(resource.node_mut(), mark);
                }
            }
        }
    }
}

/// A private character that occurs in no text of the resources.
fn unused(resources: &Resources) -> Option<char> {
    let mut used = BTreeSet::new();
    for resource in resources {
        any(resource.node(), &mut |text| {
            let is_private =
                |character: &char| PRIVATE.iter().any(|range| range.contains(character));
            used.extend(text.chars().filter(is_private));
            false
        });
    }
    let mut private = PRIVATE.into_iter().flatten();
    private.find(|character| !used.contains(character))
}

/// Whether one of the texts of a tree, keys among them, is of a kind.
fn any(node: &Node, is: &mut dyn FnMut(&str) -> bool) -> bool {
    match &node.data {
        Data::Alias(_) => false,
        Data::Scalar(text) => is(text),
        Data::Sequence(items) => items.iter().any(|item| any(item, is)),
        Data::Mapping(entries) => entries
            .iter()
            .any(|(key, value)| any(key, is) || any(value, is)),
    }
}

fn show(node: &mut Node, mark: char) {
    match &mut node.data {
        Data::Alias(_) => {}
        Data::Scalar(text) => {
            if text.contains(mark) {
                *text = text.replace(mark.encode_utf8(&mut [0; 4]), "$");
            }
        }
        Data::Sequence(items) => items.iter_mut().for_each(|item| show(item, mark)),
        Data::Mapping(entries) => entries.iter_mut().for_each(|(_, value)| show(value, mark)),
    }
}

fn text<'a>(resources: &'a mut Resources, resource: usize, field: &Path) -> Option<&'a mut Text> {
    let resource = resources.as_mut_slice().get_mut(resource)?;
    match &mut field.find_mut(resource.node_mut())?.data {
        Data::Scalar(text) => Some(text),
        _ => None,
    }
}

/// Where in a text of these parts dollar signs are hidden: those of values, and those of the repository that what follows
/// out of a value would give a meaning.
fn hidden(parts: &[Part<'_>]) -> Vec<Range<usize>> {
    let mut hidden = Vec::new();
    let mut start = 0;
    for (index, part) in parts.iter().enumerate() {
        let text = part.text();
        let end = start + text.len();
        match part {
            Part::Value(text) if text.contains('$') => hidden.push(start..end),
            Part::Repository(text) if matches!(parts.get(index + 1), Some(Part::Value(_))) => {
                if let Some(at) = open_dollar(text) {
                    hidden.push(start + at..start + at + 1);
                }
            }
            Part::Value(_) | Part::Repository(_) => {}
        }
        start = end;
    }
    hidden
}

/// The offset of the dollar sign of a reference that begins in a text and does not end there.
// kustomize: expansion.Expand
fn open_dollar(text: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + text.get(from..)?.find('$')?;
        let after = text.get(at + 1..)?;
        let name = after.strip_prefix('(');
        from = match (after.chars().next(), name.map(|name| name.find(')'))) {
            (None, _) | (_, Some(None)) => return Some(at),
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
        let shown = |parts: &[Part<'_>]| {
            let guarded = Guarded::new(&Path::default(), parts);
            let text = parts.iter().map(Part::text).collect();
            guarded.map_or(text, |guarded| guarded.marked('#'))
        };
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
