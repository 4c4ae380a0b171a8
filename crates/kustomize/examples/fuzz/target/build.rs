//! Trees: built, written, and built again.

use kustomize::{Deadline, Edits, Limits, LoadRestrictions, Options, Reorder, Threads, build};

use super::{Fault, Outcome, yaml};
use crate::plant::mutate_tree;
use crate::random::Random;
use crate::seeds::Seeds;
use crate::tree::{SECRET, Tree};

pub(super) fn make(random: &mut Random, seeds: &Seeds) -> Tree {
    // What is refused as it stands is worth less: most changes to it are refused for the same reason.
    let list = if random.once_in(8) {
        &seeds.refused
    } else {
        &seeds.trees
    };
    let mut tree = random.of_list(list).cloned().unwrap_or_default();
    mutate_tree(&mut tree, random, seeds);
    tree
}

/// What an execution may ask for is little: what a small tree makes of itself must not take long.
fn options(tree: &Tree) -> Options {
    let defaults = Limits::default();
    // Options are a matter of the tree, so that a stored tree has those that it was found with.
    let size: usize = tree.files.keys().map(String::len).sum();
    let edits = Edits {
        name_prefix: "p-".to_owned(),
        namespace: "n".to_owned(),
        images: vec!["nginx=*:1.2@sha256:x".to_owned(), "a=b:*".to_owned()],
        common_labels: [("l".to_owned(), "v".to_owned())].into(),
        common_annotations: [("a".to_owned(), "v".to_owned())].into(),
        force_common_labels: size.is_multiple_of(2),
        label_without_selector: size.is_multiple_of(3),
        replicas: [("deploy1".to_owned(), 3)].into(),
        components: vec!["../*".to_owned(), "comp*".to_owned()],
        ignore_missing_components: true,
        patches: vec![
            "{target: {kind: .*}, patch: '[{op: add, path: /metadata/labels, value: {a: b}}]'}"
                .to_owned(),
        ],
        ..Edits::default()
    };
    Options {
        reorder: [Reorder::Unspecified, Reorder::Legacy, Reorder::None]
            .get(size % 3)
            .copied()
            .unwrap_or_default(),
        load_restrictions: LoadRestrictions::RootOnly,
        managed_by_label: size.is_multiple_of(4),
        limits: Limits {
            yaml: goyaml::Limits {
                alias_nodes: 100_000,
                ..defaults.yaml
            },
            layers: 300,
            content: 32 << 20,
            output: 32 << 20,
            ..defaults
        },
        deadline: Deadline::default(),
        threads: if size.is_multiple_of(2) {
            Threads::OfMachine
        } else {
            Threads::One
        },
        named_from: None,
        edits: if size.is_multiple_of(11) {
            edits
        } else {
            Edits::default()
        },
    }
}

pub(super) fn check(tree: &Tree) -> Result<Outcome, Fault> {
    let files = tree.to_files();
    let options = options(tree);
    let run = || {
        let output = build(&files, &tree.root(), &options).map_err(|error| error.to_string())?;
        let notices = format!("{:?}", output.notices(&files));
        let text = output.to_yaml().map_err(|error| error.to_string())?;
        Ok((text, notices, output.warnings))
    };
    let first: Result<(String, String, Vec<String>), String> = run();
    let second = run();
    if first != second {
        return Err(Fault::new(
            "built twice it differs",
            format!("{first:?}\n{second:?}"),
        ));
    }
    if format!("{first:?}").contains(SECRET) {
        return Err(Fault::new("a file outside is read", format!("{first:?}")));
    }
    match first {
        Ok((text, ..)) => {
            let documents = text.strip_suffix('\n').unwrap_or(&text).split("\n---\n");
            for document in documents.filter(|document| !document.is_empty()) {
                yaml::check_text(&format!("{document}\n"))?;
            }
            Ok(Outcome::Accepted)
        }
        Err(error) if error.trim().is_empty() => Err(Fault::new("an error without a word", "")),
        Err(error) => Ok(Outcome::Refused(error)),
    }
}
