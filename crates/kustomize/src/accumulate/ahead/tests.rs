use std::fmt::Write as _;

use crate::{Hooks, Limits, MemoryFiles, NoHooks, Options, Resource, Result, Threads, build_with};

/// How many entries the trees have.
const ENTRIES: usize = 40;

/// A tree whose entries are files and bases in turns; bases have what leaves traces in a build besides resources.
fn tree() -> MemoryFiles {
    let mut files = MemoryFiles::new();
    let mut root = "namePrefix: p-\nresources:\n".to_owned();
    for number in 0..ENTRIES {
        let object = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{number}}}\ndata: {{a: $(V{number})}}\n"
        );
        if number % 3 == 0 {
            files.insert(format!("/r/c{number}.yaml").as_str(), object);
            writeln!(root, "- c{number}.yaml").expect("a text grows");
            continue;
        }
        files.insert(format!("/b{number}/c.yaml").as_str(), object);
        let kustomization = format!(
            "resources: [c.yaml]\ncommonLabels: {{l: v{number}}}\nconfigMapGenerator:\n- {{name: g{number}, literals: [a=b]}}\n\
             vars:\n- {{name: V{number}, objref: {{apiVersion: v1, kind: ConfigMap, name: c{number}}}}}\n"
        );
        files.insert(
            format!("/b{number}/kustomization.yaml").as_str(),
            kustomization,
        );
        writeln!(root, "- ../b{number}").expect("a text grows");
    }
    files.insert("/r/kustomization.yaml", root);
    files
}

/// All that shows of a build.
fn outcome(files: &MemoryFiles, options: &Options, hooks: &mut dyn Hooks) -> String {
    match build_with(files, "/r", options, hooks) {
        Ok(output) => {
            let text = output.to_yaml().unwrap_or_else(|error| error.to_string());
            format!("{}\n{text}", output.warnings.join("\n"))
        }
        Err(error) => {
            let details = error.details();
            // Files have numbers in the order in which they are read; what counts is their names.
            let others = details.related.iter().map(|other| {
                let (line, column) = (other.position.line, other.position.column);
                format!("{} {:?}:{line}:{column}", other.text, other.file)
            });
            let others: Vec<String> = others.collect();
            let (file, line) = (&details.file, details.position.line);
            format!("{error}\n{file:?}:{line}\n{others:?}")
        }
    }
}

/// Makes sure that a build comes to the same on one thread and on several, and returns what it comes to.
fn same(files: &MemoryFiles, limits: Limits) -> String {
    let options = |threads| Options {
        limits,
        threads,
        ..Options::default()
    };
    let alone = outcome(files, &options(Threads::One), &mut NoHooks);
    for _ in 0..5 {
        let together = outcome(files, &options(Threads::OfMachine), &mut NoHooks);
        assert_eq!(alone, together);
    }
    alone
}

fn with(path: &str, text: &str) -> String {
    let mut files = tree();
    files.insert(path, text);
    same(&files, Limits::default())
}

#[test]
fn several_threads_come_to_the_same() {
    let text = same(&tree(), Limits::default());
    assert_eq!(text.matches("\n---\n").count(), 40 + 26 - 1);
    assert!(
        text.contains("name: p-g38-") && text.contains("l: v38"),
        "{text}"
    );
    assert_eq!(text.matches("Warning").count(), 2 * 26, "{text}");
}

#[test]
fn the_first_error_is_told() {
    let mut files = tree();
    for number in [38, 20, 14] {
        files.insert(
            format!("/b{number}/c.yaml").as_str(),
            format!("a: [{number}\n"),
        );
    }
    let said = same(&files, Limits::default());
    assert!(said.contains("b14/c.yaml"), "{said}");
    let said = with("/b20/kustomization.yaml", "resources: [../b19]\n");
    assert!(said.contains("already there"), "{said}");
    let said = with(
        "/b20/kustomization.yaml",
        "resources: [https://example.org/a.yaml]\n",
    );
    assert!(said.contains("remote"), "{said}");
}

#[test]
fn the_first_schema_counts() {
    let mut files = tree();
    for (number, key) in [(7, "a"), (10, "b")] {
        let kustomization = format!(
            "resources: [c.yaml]\nopenapi: {{path: schema.json}}\n\
             patches:\n- patch: '{{apiVersion: e/v1, kind: Foo, metadata: {{name: c{number}}}, l: [{{{key}: 1, new: 2}}]}}'\n"
        );
        let schema = format!(
            r#"{{"definitions": {{"v1.Foo": {{
                "x-kubernetes-group-version-kind": [{{"group": "e", "kind": "Foo", "version": "v1"}}],
                "properties": {{"l": {{"items": {{"type": "object"}}, "type": "array",
                "x-kubernetes-patch-merge-key": "{key}", "x-kubernetes-patch-strategy": "merge"}}}}}}}}}}"#
        );
        let object = format!(
            "apiVersion: e/v1\nkind: Foo\nmetadata: {{name: c{number}}}\nl: [{{{key}: 1, old: 2}}]\n"
        );
        let at = |name: &str| format!("/b{number}/{name}");
        files.insert(at("kustomization.yaml").as_str(), kustomization);
        files.insert(at("schema.json").as_str(), schema);
        files.insert(at("c.yaml").as_str(), object);
    }
    let text = same(&files, Limits::default());
    assert!(text.contains("- a: 1\n  new: 2\n  old: 2\n"), "{text}");
    // By the key of the first, nothing of the list of the second can be told apart.
    assert!(text.contains("- b: 1\n  old: 2\n"), "{text}");
}

#[test]
fn bounds_hold() {
    for (content, layers) in [(6_000, 1_000), (1 << 20, 5), (1 << 20, 27), (1 << 20, 26)] {
        let limits = Limits {
            layers,
            content,
            ..Limits::default()
        };
        let said = same(&tree(), limits);
        assert_eq!(said.contains("more than"), layers != 27, "{said}");
    }
    let limits = Limits {
        output: 3_000,
        ..Limits::default()
    };
    let said = same(&tree(), limits);
    assert!(
        said.contains("the output has more than 3000 bytes"),
        "{said}"
    );
}

/// Hooks that note what they see.
#[derive(Default)]
struct Noting(Vec<String>);

impl Hooks for Noting {
    fn loaded(&mut self, resources: &mut [Resource], names: &crate::FileNames) -> Result<()> {
        for resource in resources {
            let file = names.get(resource.node().position.file);
            self.0.push(format!("{} {file:?}", resource.name()));
        }
        Ok(())
    }
}

#[test]
fn hooks_see_the_same_in_the_same_order() {
    let seen = |threads| {
        let mut noting = Noting::default();
        let options = Options {
            threads,
            ..Options::default()
        };
        outcome(&tree(), &options, &mut noting);
        noting.0
    };
    let alone = seen(Threads::One);
    assert_eq!(alone.len(), ENTRIES);
    assert_eq!(alone, seen(Threads::OfMachine));
}
