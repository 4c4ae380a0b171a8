//! Labels and annotations that are one and the same in several places of an object.
//!
//! kustomize makes one node of each label that a transformer adds, and puts that node wherever the label is missing. What
//! overwrites it in one place later, a layer's labels without selectors, a patch, a replacement, has overwritten it in
//! all of them. Here the places bear a mark, and [`Shared::settle`] makes them equal after a change.

use goyaml::{Data, Node, Text};

/// The texts that stand in several places of an object, by the marks of these places.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shared {
    /// What each mark stands for, the first for mark 1.
    texts: Vec<Text>,
}

impl Shared {
    /// Makes a mark for the places of a text.
    // kustomize: filtersutil.SetEntry, whose node is made once.
    pub(crate) fn add(&mut self, text: &Text) -> u32 {
        self.texts.push(text.clone());
        u32::try_from(self.texts.len()).unwrap_or_default()
    }

    /// Brings what was written to one place to the others of its mark.
    // kustomize: RNode.SetYNode, which writes through the pointer.
    pub(crate) fn settle(&mut self, node: &mut Node) {
        if self.texts.is_empty() {
            return;
        }
        let mut changed = self.texts.clone();
        for_each_marked(node, &mut |place, mark| {
            if let (Some(index), Some(written)) = (index_of(mark), place.as_str())
                && self.texts.get(index).is_some_and(|text| text != written)
                && let Some(text) = changed.get_mut(index)
            {
                *text = written.into();
            }
        });
        if changed != self.texts {
            for_each_marked(node, &mut |place, mark| {
                if let Some(text) = index_of(mark).and_then(|index| changed.get(index)) {
                    place.data = Data::Scalar(text.clone());
                }
            });
            self.texts = changed;
        }
    }
}

fn index_of(mark: u32) -> Option<usize> {
    usize::try_from(mark).ok()?.checked_sub(1)
}

/// Takes the marks out of a copy that goes somewhere else.
pub(crate) fn forget(node: &mut Node) {
    for_each_marked(node, &mut |place, _| place.set_mark(0));
}

fn for_each_marked(node: &mut Node, visit: &mut dyn FnMut(&mut Node, u32)) {
    match &mut node.data {
        Data::Mapping(entries) => entries
            .iter_mut()
            .for_each(|(_, value)| for_each_marked(value, visit)),
        Data::Sequence(items) => items
            .iter_mut()
            .for_each(|item| for_each_marked(item, visit)),
        Data::Scalar(_) => match node.mark() {
            0 => {}
            mark => visit(node, mark),
        },
        Data::Alias(_) => {}
    }
}
