//! Changes to a tree: to its texts, to the fields of its kustomizations, to paths, and to which files there are.

use kustomize::files::KUSTOMIZATION_FILES;

use crate::random::Random;
use crate::seeds::{Seeds, entry_of};
use crate::text::{change, change_gently};
use crate::tree::{Content, OUTSIDE, Tree};

/// Paths that lead up, out, nowhere, and round in circles.
const PATHS: &[&str] = &[
    ".",
    "..",
    "../..",
    "../../../..",
    "../../../../../../../..",
    "/",
    "./",
    "",
    "/w/secret/value.yaml",
    "../secret/value.yaml",
    "../../secret/value.yaml",
    "../../../secret",
    "../../../secret/value.yaml",
    "../../w/secret/value.yaml",
    "/w/tree",
    "link",
    "link/value.yaml",
    "link.yaml",
    "none.yaml",
    "kustomization.yaml",
    "./kustomization.yaml",
    "a/../b",
    "a//b",
    "*.yaml",
    "~",
    "https://example.org/x.yaml",
    "git@example.org:x/y.git",
    "file:///w/secret",
    "https://example.org/x//y?ref=main",
    "name=../secret/value.yaml",
    "a=b=c",
    "=",
    "key=",
    "\"\\u0000\"",
    "ssh://x",
    "github.com/x/y",
];

/// Fields with paths of files in them.
const FILE_FIELDS: &[&str] = &[
    "resources: [PATH]",
    "bases: [PATH]",
    "components: [PATH]",
    "configurations: [PATH]",
    "crds: [PATH]",
    "openapi: {path: PATH}",
    "generators: [PATH]",
    "transformers: [PATH]",
    "validators: [PATH]",
    "patches: [{path: PATH, target: {kind: '.*'}}]",
    "patches: [{path: PATH}]",
    "patchesStrategicMerge: [PATH]",
    "patchesJson6902: [{path: PATH, target: {version: v1, kind: ConfigMap, name: a}}]",
    "replacements: [{path: PATH}]",
    "configMapGenerator: [{name: g, files: [PATH]}]",
    "configMapGenerator: [{name: g, envs: [PATH]}]",
    "configMapGenerator: [{name: g, env: PATH}]",
    "secretGenerator: [{name: g, files: [PATH], envs: [PATH]}]",
    "helmCharts: [{name: c, valuesFile: PATH}]",
    "helmGlobals: {chartHome: PATH}\nhelmCharts: [{name: c}]",
    "configMapGenerator: [{name: g, files: [\"k=PATH\"]}]",
];

/// Texts that mean much somewhere: patterns, paths to fields, operations.
const FIELDS: &[&str] = &[
    "patches: [{target: {kind: '(a*)*$'}, patch: '[{op: add, path: /metadata/labels/a, value: {b: [c]}}]'}]",
    "patches: [{target: {name: '.*', labelSelector: 'a in (b, c), !d'}, patch: '[{op: remove, path: /spec}]'}]",
    "patches: [{target: {kind: .*}, patch: '[{op: copy, from: /metadata, path: /metadata/a}, {op: move, from: /metadata/a, path: /spec/-}, {op: test, path: \"\", value: null}]'}]",
    "patches: [{target: {annotationSelector: 'a=b'}, patch: \"apiVersion: v1\\nkind: K\\nmetadata: {name: n}\\nspec: {$patch: replace}\\n\"}]",
    "patches: [{options: {allowNameChange: true, allowKindChange: true}, target: {kind: .*}, patch: \"{apiVersion: v9, kind: Other, metadata: {name: renamed}}\"}]",
    "replacements: [{source: {kind: Deployment, fieldPath: metadata.name}, targets: [{select: {kind: .*}, fieldPaths: ['spec.template.spec.containers.[name=.*].image'], options: {delimiter: ':', index: 1}}]}]",
    "replacements: [{source: {fieldPath: metadata}, targets: [{select: {kind: ConfigMap}, fieldPaths: [data.a, metadata.labels], options: {create: true}}]}]",
    "replacements: [{sourceValue: x, targets: [{select: {name: .*}, reject: [{kind: Service}], fieldPaths: ['spec.*.*', 'spec.-', 'spec.[a=b].-1', 'metadata.annotations.a\\.b/c'], options: {create: true, encoding: base64, delimiter: '', index: -1}}]}]",
    "vars: [{name: VAR, objref: {kind: Service, apiVersion: v1, name: a}, fieldref: {fieldpath: 'spec.ports[0].port'}}]",
    "vars: [{name: VAR, objref: {kind: ConfigMap, version: v1, name: a}}, {name: X, objref: {kind: ConfigMap, name: a}, fieldref: {fieldPath: metadata}}]",
    "labels: [{pairs: {a: b, 'c d': 1}, includeSelectors: true, fields: [{path: 'spec/a[]/b', create: true}, {path: '/', create: true}]}]",
    "labels: [{pairs: {VAR: $(VAR)}, includeTemplates: true}]",
    "commonLabels: {a: $(VAR), b: $(X)}",
    "commonAnnotations: {'1': x, a: '5', b: 'yes'}",
    "namePrefix: a-\nnameSuffix: -$(VAR)",
    "namespace: other",
    "images: [{name: nginx, newName: 'a:b@c', newTag: '1', digest: sha256:x, tagSuffix: -y}, {name: '(.*)*', newTag: x}]",
    "replicas: [{name: a, count: -1}, {name: deploy1, count: 99999999999}]",
    "sortOptions: {order: fifo}",
    "sortOptions: {order: legacy, legacySortOptions: {orderFirst: [Service], orderLast: [Deployment]}}",
    "buildMetadata: [originAnnotations, transformerAnnotations, managedByLabel]",
    "generatorOptions: {disableNameSuffixHash: true, labels: {a: b}, annotations: {c: d}, immutable: true}",
    "configMapGenerator: [{name: g, literals: [a=b, 'c=\"d\"', \"e='f\", =, g], behavior: merge}]",
    "configMapGenerator: [{name: g, behavior: replace, namespace: n, literals: [a=b]}, {name: g, behavior: create}]",
    "secretGenerator: [{name: s, type: kubernetes.io/tls, literals: ['a=\\xFF'], options: {immutable: true}}]",
    "transformers: [\"{apiVersion: builtin, kind: PatchTransformer, metadata: {name: t}, target: {kind: .*}, patch: '[{op: replace, path: /metadata/name, value: 5}]'}\"]",
    "transformers: [\"{apiVersion: builtin, kind: ValueAddTransformer, metadata: {name: t}, value: 5, targets: [{selector: {kind: .*}, fieldPath: spec/a/b}]}\"]",
    "transformers: [\"{apiVersion: builtin, kind: ReplicaCountTransformer, metadata: {name: t}, replica: {name: a, count: 1}, fieldSpecs: [{path: a/b, create: true}]}\"]",
    "transformers: [\"{apiVersion: builtin, kind: HashTransformer, metadata: {name: t}}\"]",
    "validators: [\"{apiVersion: builtin, kind: NamespaceTransformer, metadata: {name: t, namespace: x}}\"]",
    "generators: [\"{apiVersion: builtin, kind: IAMPolicyGenerator, metadata: {name: t}, cloud: gke, kubernetesService: {name: a}, serviceAccount: {name: b}, projectId: c}\"]",
    "generators: [\"{apiVersion: builtin, kind: ConfigMapGenerator, metadata: {name: t}, literals: [a=b]}\"]",
    "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1",
];

/// Makes some changes.
pub(crate) fn mutate_tree(tree: &mut Tree, random: &mut Random, seeds: &Seeds) {
    for _ in 0..=random.below(3) {
        match random.below(20) {
            0 => in_a_file(tree, random, false, |bytes, random| {
                change(bytes, random, seeds);
            }),
            1..=5 => in_a_file(tree, random, false, |bytes, random| {
                change_gently(bytes, random, seeds);
            }),
            6 => in_a_file(tree, random, true, |bytes, random| {
                change(bytes, random, seeds);
            }),
            7..=8 => in_a_file(tree, random, true, |bytes, random| {
                change_gently(bytes, random, seeds);
            }),
            9..=10 => in_a_file(tree, random, true, |bytes, random| {
                if let Some((_, field)) = random.of_list(&seeds.fields) {
                    add_field(bytes, field);
                }
            }),
            11..=12 => in_a_file(tree, random, true, |bytes, random| {
                let field = random.of_list(FIELDS).map_or("", |field| field);
                add_field(bytes, format!("{field}\n").as_bytes());
            }),
            13 => add_file_field(tree, random),
            14 => in_a_file(tree, random, true, replace_path),
            15 => link(tree, random),
            16 => exchange(tree, random),
            17 => remove(tree, random),
            18 => adopt(tree, random, seeds),
            _ => in_a_file(tree, random, true, |bytes, random| {
                take_value(bytes, random, seeds);
            }),
        }
    }
}

fn is_kustomization(path: &str) -> bool {
    KUSTOMIZATION_FILES.contains(&kustomize::files::base_name(path))
}

fn path_in(tree: &Tree, random: &mut Random) -> Option<String> {
    let paths: Vec<&String> = tree.files.keys().collect();
    random.of_list(&paths).map(|path| (*path).clone())
}

fn in_a_file(
    tree: &mut Tree,
    random: &mut Random,
    in_kustomization: bool,
    change: impl FnOnce(&mut Vec<u8>, &mut Random),
) {
    let wanted = tree.files.iter_mut();
    let mut wanted: Vec<_> = wanted
        .filter(|(path, _)| !in_kustomization || is_kustomization(path))
        .collect();
    let index = random.below(wanted.len());
    if let Some((_, Content::Bytes(bytes))) = wanted.get_mut(index) {
        change(bytes, random);
    }
}

/// Adds a field; where it is there already, the new one takes its place, because one that is there twice is refused.
fn add_field(bytes: &mut Vec<u8>, field: &[u8]) {
    for line in field.split(|byte| *byte == b'\n') {
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
        if name.first().is_some_and(u8::is_ascii_alphabetic) {
            remove_field(bytes, name);
        }
    }
    if !bytes.is_empty() && !bytes.ends_with(b"\n") {
        bytes.push(b'\n');
    }
    bytes.extend(field);
}

fn remove_field(bytes: &mut Vec<u8>, name: &[u8]) {
    let mut kept = Vec::with_capacity(bytes.len());
    let mut is_removed = false;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if line.first().is_some_and(u8::is_ascii_alphabetic) {
            is_removed = line
                .strip_prefix(name)
                .is_some_and(|rest| rest.starts_with(b":"));
        }
        if !is_removed {
            kept.extend(line);
        }
    }
    *bytes = kept;
}

/// A path: one of a file of the tree, of a directory of it, or one that should not be.
fn some_path(tree: &Tree, random: &mut Random) -> String {
    match random.below(3) {
        0 => random.of_list(PATHS).map_or("", |path| path).to_owned(),
        kind => {
            let path = path_in(tree, random).unwrap_or_default();
            let path = path.strip_prefix(&tree.directory).unwrap_or(&path);
            let path = path.trim_start_matches('/');
            if kind == 1 {
                path.to_owned()
            } else {
                let directory = path
                    .rsplit_once('/')
                    .map_or(".", |(directory, _)| directory);
                format!("../{directory}")
            }
        }
    }
}

fn add_file_field(tree: &mut Tree, random: &mut Random) {
    let path = some_path(tree, random);
    let field = random.of_list(FILE_FIELDS).map_or("", |field| field);
    let field = format!("{}\n", field.replace("PATH", &path));
    in_a_file(tree, random, true, |bytes, _| {
        add_field(bytes, field.as_bytes());
    });
}

/// Another path in the place of an item of a list.
fn replace_path(bytes: &mut Vec<u8>, random: &mut Random) {
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let items = lines.iter().enumerate();
    let items = items.filter(|(_, line)| line.trim_ascii().starts_with(b"- "));
    let items: Vec<usize> = items.map(|(index, _)| index).collect();
    let Some(&chosen) = random.of_list(&items) else {
        return;
    };
    let path = random.of_list(PATHS).map_or("", |path| path);
    let line = format!("- {path}\n").into_bytes();
    *bytes = with_line(&lines, chosen, &line);
}

/// The lines with another one in the place of one of them.
fn with_line(lines: &[&[u8]], chosen: usize, line: &[u8]) -> Vec<u8> {
    let lines = lines.iter().enumerate();
    let lines = lines.map(|(index, old)| if index == chosen { line } else { old });
    lines.collect::<Vec<_>>().concat()
}

fn link(tree: &mut Tree, random: &mut Random) {
    const TARGETS: [&str; 8] = [
        OUTSIDE,
        "/w/secret",
        "..",
        ".",
        "link",
        "../../secret",
        "/w/tree",
        "/w",
    ];
    let target = match random.below(2) {
        0 => path_in(tree, random).unwrap_or_default(),
        _ => random
            .of_list(&TARGETS)
            .map_or("", |target| target)
            .to_owned(),
    };
    let path = match random.below(3) {
        0 => path_in(tree, random).unwrap_or_default(),
        1 => format!("{}/link", tree.directory),
        _ => format!("{}/link.yaml", tree.directory),
    };
    tree.files.insert(
        path.trim_start_matches('/').to_owned(),
        Content::Link(target),
    );
}

fn exchange(tree: &mut Tree, random: &mut Random) {
    let (Some(one), Some(other)) = (path_in(tree, random), path_in(tree, random)) else {
        return;
    };
    if let (Some(first), Some(second)) = (tree.files.get(&one), tree.files.get(&other)) {
        let (first, second) = (first.clone(), second.clone());
        tree.files.insert(one, second);
        tree.files.insert(other, first);
    }
}

fn remove(tree: &mut Tree, random: &mut Random) {
    if tree.files.len() > 1
        && let Some(path) = path_in(tree, random)
    {
        tree.files.remove(&path);
    }
}

/// A file of another tree, listed.
fn adopt(tree: &mut Tree, random: &mut Random, seeds: &Seeds) {
    let Some(other) = random.of_list(&seeds.trees) else {
        return;
    };
    let Some(path) = path_in(other, random).filter(|path| !is_kustomization(path)) else {
        return;
    };
    let Some(content) = other.files.get(&path) else {
        return;
    };
    let place = format!("{}/adopted.yaml", tree.directory);
    tree.files
        .insert(place.trim_start_matches('/').to_owned(), content.clone());
    in_a_file(tree, random, true, |bytes, random| {
        let line: &[u8] = match random.below(3) {
            0 => b"patches: [{path: adopted.yaml}]\n",
            1 => b"transformers: [adopted.yaml]\n",
            _ => b"resources: [adopted.yaml]\n",
        };
        add_field(bytes, line);
    });
}

/// A value of this kustomization that stands behind the same key somewhere else.
fn take_value(bytes: &mut Vec<u8>, random: &mut Random, seeds: &Seeds) {
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let entries = lines.iter().enumerate();
    let entries = entries.filter_map(|(index, line)| Some((index, entry_of(line)?)));
    let entries: Vec<_> = entries.collect();
    let Some(&(chosen, (key, value))) = random.of_list(&entries) else {
        return;
    };
    let Some(values) = seeds.values.get(key) else {
        return;
    };
    let line = lines.get(chosen).copied().unwrap_or_default();
    let end = line.trim_ascii_end().len();
    let kept = line
        .get(..end.saturating_sub(value.len()))
        .unwrap_or_default();
    let line = [kept, random.text(values), b"\n"].concat();
    *bytes = with_line(&lines, chosen, &line);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_can_be_read() {
        for field in FIELDS.iter().chain(FILE_FIELDS) {
            let read = goyaml::parse(field.as_bytes(), &goyaml::Limits::default());
            let is_map = read.map(|node| node.is_some_and(|node| node.is_mapping()));
            assert_eq!(is_map, Ok(true), "{field}");
        }
    }
}
