//! Which field may have been meant by a path that leads nowhere.

use goyaml::{Data, Node};

use crate::decode;

/// What to do about a path that leads nowhere.
pub(super) struct Cure {
    pub(super) hint: String,
    /// Whether there is something that is written much like it.
    pub(super) is_sure: bool,
    /// Whether all that is missing are keys of maps.
    pub(super) may_be_created: bool,
}

/// Finds the first part of a path that is not there, and what is there instead; nothing where that cannot be told.
pub(super) fn cure(node: &Node, written: &str, path: &[String]) -> Option<Cure> {
    let mut found = node;
    for (index, part) in path.iter().enumerate() {
        let before = path.get(..index)?;
        let rest = path.get(index..)?;
        match &found.data {
            Data::Mapping(entries) => match found.get(part) {
                Some(value) => found = value,
                None => return Some(of_key(entries, written, before, rest)),
            },
            Data::Sequence(items) => match item(items, part) {
                Some(item) => found = item,
                None => return of_item(items, before, part),
            },
            Data::Scalar(_) | Data::Alias(_) => return None,
        }
    }
    None
}

fn of_key(entries: &[(Node, Node)], written: &str, before: &[String], rest: &[String]) -> Cure {
    let known: Vec<&str> = entries.iter().filter_map(|(key, _)| key.as_str()).collect();
    let part = rest.first().map_or("", String::as_str);
    let sure = |hint: String| Cure {
        hint,
        is_sure: true,
        may_be_created: false,
    };
    // A key with dots in it is split at them.
    let joined = |count: usize| rest.get(..count).map(|parts| parts.join("."));
    let dotted = (2..=rest.len())
        .filter_map(joined)
        .find(|key| known.contains(&key.as_str()));
    if let Some(key) = dotted {
        let escaped = join(before, &key.replace('.', "\\."));
        return sure(format!("a dot in a key is written `\\.`: `{escaped}`"));
    }
    if part.contains('/')
        && part
            .split('/')
            .next()
            .is_some_and(|first| known.contains(&first))
    {
        let dots = written.replace('/', ".");
        return sure(format!(
            "the parts of a path have dots between them: `{dots}`"
        ));
    }
    if let Some(near) = decode::nearest(part, &known) {
        return sure(format!("did you mean `{}`?", join(before, near)));
    }
    Cure {
        hint: format!("`{}` is not there", join(before, part)),
        is_sure: false,
        may_be_created: rest.iter().all(|part| is_key(part)),
    }
}

fn item<'a>(items: &'a [Node], part: &str) -> Option<&'a Node> {
    if let Ok(index) = part.parse::<usize>() {
        return items.get(index);
    }
    let (key, value) = condition(part)?;
    let has = |item: &&Node| item.get(key).and_then(Node::as_str) == Some(value);
    items.iter().find(has)
}

/// Names are shown, and no other fields of items, which may hold a secret.
fn of_item(items: &[Node], before: &[String], part: &str) -> Option<Cure> {
    let (key, value) = condition(part)?;
    let names = items.iter().filter_map(|item| item.get("name")?.as_str());
    let names: Vec<&str> = names.collect();
    let near = decode::nearest(value, &names).filter(|_| key == "name");
    let path = join(before, "");
    let path = path.trim_end_matches('.');
    Some(Cure {
        hint: near.map_or_else(
            || format!("no item of `{path}` fits `{part}`"),
            |near| format!("did you mean `[name={near}]`?"),
        ),
        is_sure: near.is_some(),
        may_be_created: false,
    })
}

fn is_key(part: &str) -> bool {
    !part.starts_with('[') && !matches!(part, "-" | "*") && part.parse::<i64>().is_err()
}

fn condition(part: &str) -> Option<(&str, &str)> {
    part.strip_prefix('[')?.strip_suffix(']')?.split_once('=')
}

fn join(before: &[String], last: &str) -> String {
    let parts = before.iter().map(String::as_str);
    parts.chain([last]).collect::<Vec<_>>().join(".")
}
