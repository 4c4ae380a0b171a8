//! What is said of changes that kustomize makes without a word: each once, and not more than somebody reads.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Details, Error};
use crate::field_at::FieldNames;
use crate::limits::Limits;
use crate::loader::FileNames;
use crate::lost;
use crate::resources::Resources;

/// What kustomize changes in the data of resources without a word.
#[derive(Clone, Debug, Default)]
pub struct Notices {
    /// What is changed, and where, in the order of the resources; no more than [`Limits::NOTICES`].
    pub list: Vec<Details>,
    /// How many more there are.
    pub more: usize,
}

/// The file, line and column of a notice, and what it says.
type Key = (Option<String>, u32, u32, String);

/// What kustomize has changed in the resources, and will change when it writes them, unless it is known that it does not
/// change any text then; alike ones of several resources are told once, of the first.
pub(crate) fn collect(
    (resources, are_texts_kept): (&Resources, bool),
    others: &[Error],
    names: &FileNames,
    fields: &mut FieldNames,
) -> Notices {
    let mut found = Found::default();
    for notice in others {
        found.add(notice.clone(), names);
    }
    for resource in resources {
        if are_texts_kept && resource.notices.is_empty() {
            continue;
        }
        let texts = lost::texts(resource.node(), &resource.filled);
        let mut fields = BTreeSet::new();
        let mut known = BTreeSet::new();
        let place = resource.node().position;
        for notice in resource.notices.iter().cloned().chain(texts) {
            let notice = notice.position(place);
            let details = notice.details();
            let is_new = fields.insert((details.field.clone(), details.message.clone()));
            let is_elsewhere = known.insert((details.position, details.message.clone()))
                && details.position != place;
            // What a JSON 6902 patch leaves there is found again, at its own place or at that of the object.
            if is_new || details.field.is_none() || is_elsewhere {
                found.add(notice.resource(resource.id()), names);
            }
        }
    }
    let Found { list, more, .. } = found;
    let finish = |(notice, others): (Error, usize)| {
        let is_named = notice.details().field.is_some();
        let notice = if is_named {
            notice
        } else {
            fields.complete(notice)
        };
        let mut notice = notice.into_details();
        if let Some(resource) = notice.resource.as_mut().filter(|_| others > 0) {
            *resource = format!("{resource}, and {others} more");
        }
        notice
    };
    Notices {
        list: list.into_iter().map(finish).collect(),
        more,
    }
}

#[derive(Default)]
struct Found {
    /// The notices, and how many other resources each is about.
    list: Vec<(Error, usize)>,
    /// Where in the list a notice is; nowhere where it is one too many.
    known: BTreeMap<Key, Option<usize>>,
    /// How often something is said.
    messages: BTreeMap<String, usize>,
    more: usize,
}

impl Found {
    fn add(&mut self, notice: Error, names: &FileNames) {
        let notice = notice.with_names(names);
        let details = notice.details();
        let (position, message) = (details.position, &details.message);
        let key = (
            details.file.clone(),
            position.line,
            position.column,
            message.clone(),
        );
        if let Some(known) = self.known.get(&key) {
            if let Some((_, others)) = known.and_then(|index| self.list.get_mut(index)) {
                *others += 1;
            }
            return;
        }
        let alike = self.messages.entry(message.clone()).or_default();
        *alike += 1;
        let is_shown = *alike <= Limits::NOTICES_ALIKE && self.list.len() < Limits::NOTICES;
        self.known.insert(key, is_shown.then_some(self.list.len()));
        if is_shown {
            self.list.push((notice, 0));
        } else {
            self.more += 1;
        }
    }
}
