//! What is said of changes that kustomize makes without a word: each once, and not more than somebody reads.

use std::collections::BTreeMap;

use crate::error::{Details, Error};
use crate::field_at::FieldNames;
use crate::limits::Limits;
use crate::loader::FileNames;
use crate::lost;
use crate::resource::Resource;
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

/// What kustomize has changed in the resources, and will change when it writes them; alike ones of several resources are
/// told once, of the first.
pub(crate) fn collect(
    resources: &Resources,
    others: &[Error],
    names: &FileNames,
    fields: &mut FieldNames,
) -> Notices {
    let mut found = Found::default();
    for notice in others {
        found.add(notice.clone(), names);
    }
    for resource in resources {
        let texts = lost::texts(resource.node());
        let texts = texts
            .into_iter()
            .filter(|notice| !is_known(notice, resource));
        for notice in resource.notices.iter().cloned().chain(texts) {
            let notice = notice.position(resource.node().position);
            found.add(notice.resource(resource.id()), names);
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

/// Whether the same has been noticed of a field before a patch made the object anew, when its place was still known.
fn is_known(notice: &Error, resource: &Resource) -> bool {
    let details = notice.details();
    resource.notices.iter().any(|known| {
        let known = known.details();
        known.message == details.message && known.field == details.field
    })
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
