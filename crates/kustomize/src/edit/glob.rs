//! Patterns for paths, as Go's `filepath.Glob` reads them.

use crate::error::{Error, Result};
use crate::files::{self, Entry};
use crate::loader::Loader;

/// The paths that a pattern may match, and each of its parts; links could make any number of them.
const LIMIT: usize = 10_000;

/// The paths that match, as a kustomization would name them; the path itself where it is no pattern or nothing matches.
///
/// # Errors
/// Where too many do.
// kustomize: GlobPatternsWithLoader, and fsOnDisk.Glob, which leaves hidden files out
pub(super) fn expand(loader: &Loader, path: &str) -> Result<Vec<String>> {
    if !is_pattern(path) {
        return Ok(vec![path.to_owned()]);
    }
    let is_hidden = |path: &str| files::base_name(path).starts_with('.');
    let mut found = matches(loader, path)?;
    if !is_hidden(path) {
        found.retain(|path| !is_hidden(path));
    }
    if found.is_empty() {
        found.push(path.to_owned());
    }
    Ok(found)
}

fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?', '[', '\\'])
}

fn matches(loader: &Loader, path: &str) -> Result<Vec<String>> {
    let (directory, name) = match path.rsplit_once('/') {
        None => (".", path),
        Some(("", name)) => ("/", name),
        Some((directory, name)) => (directory, name),
    };
    let directories = if is_pattern(directory) {
        matches(loader, directory)?
    } else {
        vec![directory.to_owned()]
    };
    let pattern: Vec<char> = name.chars().collect();
    let mut found = Vec::new();
    for directory in directories {
        let asked = files::join(loader.root(), &directory);
        let Ok(Entry::Directory(resolved)) = loader.resolve(&asked) else {
            continue;
        };
        let names = loader.names_in(&resolved);
        let names = names.iter().filter(|name| {
            let name: Vec<char> = name.chars().collect();
            is_match(&pattern, &name)
        });
        found.extend(names.map(|name| clean(&format!("{directory}/{name}"))));
        if found.len() > LIMIT {
            return Err(
                Error::new(format!("`{path}` matches more than {LIMIT} paths"))
                    .hint("name the components"),
            );
        }
    }
    Ok(found)
}

/// Whether a whole name matches; a malformed pattern matches nothing.
fn is_match(pattern: &[char], name: &[char]) -> bool {
    // Where the last `*` stands, and how much of the name it has taken.
    let mut star: Option<(usize, usize)> = None;
    let (mut at, mut taken) = (0, 0);
    loop {
        let step = match (pattern.get(at), name.get(taken)) {
            (None, None) => return true,
            (Some('*'), _) => {
                star = Some((at, taken));
                at += 1;
                continue;
            }
            (Some(_), Some(character)) => one(pattern.get(at..).unwrap_or_default(), *character),
            (None, Some(_)) | (Some(_), None) => None,
        };
        match (step, &mut star) {
            (Some(length), _) => {
                at += length;
                taken += 1;
            }
            (None, Some((place, eaten))) if *eaten < name.len() => {
                *eaten += 1;
                (at, taken) = (*place + 1, *eaten);
            }
            (None, _) => return false,
        }
    }
}

/// How long the beginning of the pattern is that the character matches, if it does.
fn one(pattern: &[char], character: char) -> Option<usize> {
    match pattern {
        ['?', ..] => Some(1),
        ['\\', literal, ..] => (*literal == character).then_some(2),
        ['[', rest @ ..] => class(rest, character).map(|length| length + 1),
        ['\\'] | [] => None,
        [literal, ..] => (*literal == character).then_some(1),
    }
}

/// As [`one`], for what follows a `[`.
fn class(pattern: &[char], character: char) -> Option<usize> {
    let is_negated = pattern.first() == Some(&'^');
    let start = usize::from(is_negated);
    let mut at = start;
    let mut is_in = false;
    loop {
        if at > start && pattern.get(at) == Some(&']') {
            return (is_in != is_negated).then_some(at + 1);
        }
        let low = bound(pattern, &mut at)?;
        let high = if pattern.get(at) == Some(&'-') {
            at += 1;
            bound(pattern, &mut at)?
        } else {
            low
        };
        is_in |= (low..=high).contains(&character);
    }
}

// Go: filepath.getEsc
fn bound(pattern: &[char], at: &mut usize) -> Option<char> {
    if matches!(pattern.get(*at)?, '-' | ']') {
        return None;
    }
    if pattern.get(*at) == Some(&'\\') {
        *at += 1;
    }
    let character = pattern.get(*at).copied()?;
    *at += 1;
    Some(character)
}

/// Resolves `.`, `..` and repeated slashes in a path that may be relative.
// Go: filepath.Clean
fn clean(path: &str) -> String {
    if path.starts_with('/') {
        return files::clean(path);
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match (part, parts.last()) {
            ("" | ".", _) => {}
            ("..", Some(last)) if *last != ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    if parts.is_empty() {
        ".".to_owned()
    } else {
        parts.join("/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_patterns() {
        let is = |pattern: &str, name: &str| {
            let characters = |text: &str| text.chars().collect::<Vec<_>>();
            is_match(&characters(pattern), &characters(name))
        };
        for (pattern, name) in [
            ("*", "a"),
            ("a*", "a"),
            ("*a*b", "xaxbab"),
            ("?b", "ab"),
            ("[a-c]x", "bx"),
            ("[^a-c]x", "dx"),
            ("[\\]]", "]"),
            ("\\*", "*"),
            ("ä?", "äö"),
        ] {
            assert!(is(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("a", "ab"),
            ("*b", "ba"),
            ("?", ""),
            ("[a-c]", "d"),
            ("[", "["),
            ("[]a]", "a"),
            ("[a", "a"),
            ("[a-]", "a"),
            ("a\\", "a\\"),
        ] {
            assert!(!is(pattern, name), "{pattern} {name}");
        }
        let long = "a".repeat(2000);
        assert!(!is(&"*a".repeat(200), &format!("{long}b")));
    }

    #[test]
    fn relative_paths_become_short() {
        assert_eq!(clean("./a/../b//c"), "b/c");
        assert_eq!(clean("../../a/."), "../../a");
        assert_eq!(clean("a/.."), ".");
        assert_eq!(clean("/../a"), "/a");
    }
}
