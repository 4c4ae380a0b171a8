//! Making an input that shows a fault smaller.

use std::time::{Duration, Instant};

use crate::run::{check, slow};
use crate::target::{Fault, Target};
use crate::tree::{Content, Tree};

/// What it may take.
const TIME: Duration = Duration::from_mins(1);

/// The smallest input found that shows the same fault.
pub(crate) fn shrink(target: Target, tree: &Tree, fault: &Fault) -> Tree {
    let start = Instant::now();
    smallest(tree, &|tree| {
        if start.elapsed() > TIME {
            return false;
        }
        let found = if fault.kind == "slow" {
            slow(target, tree)
        } else {
            check(target, tree).err()
        };
        found.is_some_and(|found| found.kind == fault.kind)
    })
}

fn smallest(tree: &Tree, shows: &dyn Fn(&Tree) -> bool) -> Tree {
    let mut smallest = tree.clone();
    loop {
        let before = smallest.clone();
        without_files(&mut smallest, shows);
        for path in before.files.keys() {
            without_parts(&mut smallest, path, shows);
        }
        if smallest == before {
            return smallest;
        }
    }
}

fn without_files(tree: &mut Tree, shows: &dyn Fn(&Tree) -> bool) {
    let paths: Vec<String> = tree.files.keys().cloned().collect();
    for path in paths {
        let mut smaller = tree.clone();
        smaller.files.remove(&path);
        if !smaller.files.is_empty() && shows(&smaller) {
            *tree = smaller;
        }
    }
}

/// Takes away lines, then bytes: many at a time first.
fn without_parts(tree: &mut Tree, path: &str, shows: &dyn Fn(&Tree) -> bool) {
    for by_lines in [true, false] {
        let mut size = parts_of(tree, path, by_lines).len();
        while size > 0 {
            let mut at = 0;
            while at < parts_of(tree, path, by_lines).len() {
                let mut parts = parts_of(tree, path, by_lines);
                let end = parts.len().min(at + size);
                drop(parts.drain(at..end));
                let mut smaller = tree.clone();
                smaller
                    .files
                    .insert(path.to_owned(), Content::Bytes(parts.concat()));
                if shows(&smaller) {
                    *tree = smaller;
                } else {
                    at += size;
                }
            }
            size /= 2;
        }
    }
}

fn parts_of(tree: &Tree, path: &str, by_lines: bool) -> Vec<Vec<u8>> {
    let Some(Content::Bytes(bytes)) = tree.files.get(path) else {
        return Vec::new();
    };
    if by_lines {
        bytes
            .split_inclusive(|byte| *byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect()
    } else {
        bytes.iter().map(|byte| vec![*byte]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_stays_but_what_shows_the_fault() {
        let mut tree = Tree::from_text(b"app\n-- a --\nx: 1\ny: 2\nz: 3\n\n-- b --\nw: 4\n\n");
        tree.directory = "app".to_owned();
        let shows = |tree: &Tree| tree.to_text().windows(2).any(|pair| pair == b"y:");
        let small = smallest(&tree, &shows);
        assert_eq!(
            String::from_utf8(small.to_text()).unwrap(),
            "app\n-- a --\ny:\n"
        );
    }
}
