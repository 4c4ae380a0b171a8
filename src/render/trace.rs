//! Which fields values are copied to, by replacements and variables.
//!
//! Nothing in a result tells which of its characters came out of a value. So one key at a time gets another value, and
//! the fields that are different then are those that hold it, however it came there: over several replacements, as a part
//! of a text, past a patch. The other value keeps what is neither a letter nor a digit, so that what takes values apart
//! finds the same parts.
//!
//! What it cannot see is a copied part of a value that has neither letters nor digits, while other parts are copied too.

use std::collections::{BTreeMap, BTreeSet};

use kustomize::{Options, Output};

use super::Rendered;
use crate::changes::{Objects, fields};
use crate::inject::{Injector, Path, Record, Use, Way};
use crate::settings::{Place, Settings};
use crate::target::Target;

/// Where copied values are.
#[derive(Default)]
pub struct Trace {
    /// The fields that they were copied to.
    pub uses: Vec<Use>,
    /// Keys of which it is not known: with any other value that was tried the tree does not build.
    pub unknown: Vec<String>,
}

/// Fields by object and path, with where they stand and the keys that they hold.
type Found = BTreeMap<(String, Path), (Place, BTreeSet<String>)>;

/// Finds the fields of a render that values are copied to.
pub fn trace(target: &Target, options: &Options, rendered: &Rendered) -> Trace {
    of_record(target, options, &rendered.record)
}

/// As [`trace`], for a tree of which only the keys are known.
pub fn of_record(target: &Target, options: &Options, record: &Record) -> Trace {
    let mut trace = Trace::default();
    if !record.may_copy {
        return trace;
    }
    let settings = record.resolved.iter();
    let values: BTreeMap<&str, &str> = settings
        .map(|(key, setting)| {
            let value = setting.value.as_ref();
            (key, value.map_or("", |value| value.reveal().as_str()))
        })
        .collect();
    let probe = Probe {
        target,
        options,
        values: &values,
    };
    let Some(usual) = probe.build(None) else {
        trace.unknown = values.keys().map(|key| (*key).to_owned()).collect();
        return trace;
    };
    let mut found = Found::new();
    for (key, value) in &values {
        if !probe.follow(key, value, &usual, &mut found) {
            trace.unknown.push((*key).to_owned());
        }
    }
    let uses = found.into_iter();
    let uses = uses.map(|((object, field), (place, keys))| Use {
        object,
        field,
        place,
        way: Way::Copy,
        keys,
    });
    trace.uses = uses.collect();
    trace
}

struct Probe<'a> {
    target: &'a Target,
    options: &'a Options,
    values: &'a BTreeMap<&'a str, &'a str>,
}

impl Probe<'_> {
    /// Adds the fields that another value of a key changes. Says whether the tree builds with one.
    fn follow(&self, key: &str, value: &str, usual: &Output, found: &mut Found) -> bool {
        let mut is_known = false;
        for other in [shifted(value), format!("x{value}x")] {
            let Some(output) = self.build(Some((key, &other))) else {
                continue;
            };
            is_known = true;
            let differing = differing(usual, &output);
            for (id, field, place) in &differing {
                let entry = found.entry((id.clone(), field.clone()));
                let (_, keys) = entry.or_insert_with(|| (place.clone(), BTreeSet::new()));
                keys.insert(key.to_owned());
            }
            if !differing.is_empty() {
                break;
            }
        }
        is_known
    }

    /// Builds the tree with all values as they are but one.
    fn build(&self, other: Option<(&str, &str)>) -> Option<Output> {
        // What a render has taken is not too long.
        let mut settings = Settings::default().with_value_bytes(usize::MAX);
        for (key, value) in self.values {
            let value = match other {
                Some((changed, other)) if changed == *key => other,
                _ => value,
            };
            settings.insert(*key, value.as_bytes().to_vec(), Place::default());
        }
        let mut injector = Injector::probe(&settings);
        self.target.build(self.options, &mut injector).ok()
    }
}

/// The fields that are not the same: of which object, which, and where they stand.
fn differing(usual: &Output, changed: &Output) -> Vec<(String, Path, Place)> {
    let (left, right) = (Objects::of(changed), Objects::of(usual));
    let renamed = left.renamed(&right);
    let mut found = Vec::new();
    for pair in left.pairs(&right) {
        let (Some(other), Some(resource)) = (pair.left, pair.right) else {
            continue;
        };
        for change in fields(other.node(), resource.node(), &renamed) {
            let place = Place::of(change.position, &usual.names);
            found.push((pair.id.clone(), change.field, place));
        }
    }
    found
}

/// Another text with the same punctuation: each letter and digit is the next one.
fn shifted(text: &str) -> String {
    let shift = |c: char| match c {
        'z' => 'a',
        'Z' => 'A',
        '9' => '0',
        c if c.is_ascii_alphanumeric() => u8::try_from(c).map_or(c, |byte| char::from(byte + 1)),
        c if c.is_alphanumeric() => 'x',
        c => c,
    };
    text.chars().map(shift).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_text_keeps_its_punctuation() {
        assert_eq!(shifted("az-AZ.09 \u{fc}/\n"), "ba-BA.10 x/\n");
        assert_eq!(shifted(""), "");
    }
}
