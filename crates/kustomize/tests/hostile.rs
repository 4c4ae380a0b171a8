//! Trees that mean harm: each is refused, or built, within bounds of time, and what is said names the bound.
//!
//! The sizes are such that what grows with their square would take many minutes. Memory is looked at where the program is
//! run as a whole, in `tests/cli/hostile.rs`.
#![expect(
    clippy::disallowed_methods,
    reason = "the tests have a clock, which the engine itself has not"
)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use kustomize::{
    Deadline, Entry, External, ExternalError, FileError, Files, Limits, MemoryFiles, Options,
    STACK_SIZE, build,
};

/// What a case may take in a debug build on a machine with much else to do.
const TIME: Duration = Duration::from_mins(2);

const OBJECT: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: v\n";
/// A JSON 6902 patch in a kustomization.
const OPERATION: &str = r#"'[{"op": "add", "path": "/x", "value": "z"}]'"#;

fn tree(files: &[(&str, &str)]) -> MemoryFiles {
    let mut tree = MemoryFiles::new();
    for (path, text) in files {
        tree.insert(&format!("/r/{path}"), *text);
    }
    tree
}

/// A kustomization with these fields, and one object or several.
fn with(fields: &str, object: &str) -> MemoryFiles {
    let kustomization = format!("resources: [object.yaml]\n{fields}");
    tree(&[
        ("kustomization.yaml", &kustomization),
        ("object.yaml", object),
    ])
}

/// Builds a tree, which has to end in time; the output, or the message.
#[track_caller]
fn outcome(files: &dyn Files, options: &Options) -> Result<String, String> {
    let start = Instant::now();
    let ended = std::thread::scope(|scope| {
        let run = || {
            let output = build(files, "/r", options).map_err(|error| error.to_string())?;
            drop(output.notices(files));
            output.to_yaml().map_err(|error| error.to_string())
        };
        let thread = std::thread::Builder::new().stack_size(STACK_SIZE);
        thread.spawn_scoped(scope, run).unwrap().join()
    });
    let taken = start.elapsed();
    assert!(taken < TIME, "{taken:?}");
    ended.expect("nothing panics")
}

/// Builds a tree, which has to fail in time with a message that says this.
#[track_caller]
fn refused(tree: &MemoryFiles, said: &str) {
    match outcome(tree, &Options::default()) {
        Ok(output) => panic!("it is built: {output:.500}"),
        Err(message) => assert!(message.contains(said), "{message:.500}"),
    }
}

/// Builds a tree, which has to succeed in time.
#[track_caller]
fn built(tree: &MemoryFiles) -> String {
    outcome(tree, &Options::default()).unwrap_or_else(|message| panic!("{message:.500}"))
}

fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut text, number| {
        writeln!(text, "{}", line(number)).unwrap();
        text
    })
}

/// So many objects.
fn objects(count: usize) -> String {
    lines(count, |number| {
        format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a{number}\ndata:\n  k: v")
    })
}

/// A Deployment with so many containers.
fn deployment(containers: usize) -> String {
    let head = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: a\nspec:\n  template:\n    spec:\n      containers:\n";
    let container = |number| format!("      - name: c{number}\n        image: i{number}:1");
    format!("{head}{}", lines(containers, container))
}

/// Where a file with objects, a patch or a configuration is named.
const FILES: [&str; 7] = [
    "patches: [{path: p.yaml}]",
    "transformers: [p.yaml]",
    "generators: [p.yaml]",
    "configurations: [p.yaml]",
    "crds: [p.yaml]",
    "replacements: [{path: p.yaml}]",
    "patchesJson6902: [{path: p.yaml, target: {kind: ConfigMap, name: a, version: v1}}]",
];

/// Puts a text wherever YAML is read: in a resource, in the kustomization and in each of [`FILES`].
#[track_caller]
fn refused_everywhere(text: &str, said: &[&str]) {
    let check = |tree: &MemoryFiles, place: &str| {
        let message = outcome(tree, &Options::default()).expect_err(place);
        assert!(
            said.iter().any(|said| message.contains(said)),
            "{place}: {message:.500}"
        );
    };
    check(&with("", text), "a resource");
    check(&tree(&[("kustomization.yaml", text)]), "the kustomization");
    for field in FILES {
        let mut tree = with(field, OBJECT);
        tree.insert("/r/p.yaml", text);
        check(&tree, field);
    }
    let inline = format!(
        "patches:\n- patch: |-\n    {}",
        text.replace('\n', "\n    ")
    );
    check(&with(&inline, OBJECT), "a patch");
    let inline = format!("transformers:\n- |-\n    {}", text.replace('\n', "\n    "));
    check(&with(&inline, OBJECT), "a transformer");
}

#[test]
fn laughs_of_aliases_are_refused_everywhere() {
    let mut text = format!("{OBJECT}laughs:\n  a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let before = format!("*a{},", level - 1).repeat(9);
        writeln!(text, "  a{level}: &a{level} [{before}]").unwrap();
    }
    refused_everywhere(
        &text,
        &["exceeded max number of 1000000 nodes from aliases"],
    );
}

#[test]
fn aliases_in_a_cycle_are_refused_everywhere() {
    let text = format!("{OBJECT}cycle: &a [*a]\n");
    refused_everywhere(&text, &["contains itself"]);
}

#[test]
fn what_is_nested_too_deep_is_refused_everywhere() {
    for (open, close) in [("[", "]"), ("{a: ", "}"), ("[[", "]]")] {
        let text = format!(
            "{OBJECT}deep: {}{}\n",
            open.repeat(20_000),
            close.repeat(20_000)
        );
        refused_everywhere(&text, &["exceeded max depth of 1000"]);
    }
    let text = format!("{OBJECT}deep:\n  {}x\n", "- ".repeat(20_000));
    refused_everywhere(&text, &["exceeded max depth of 1000"]);
}

#[test]
fn json_that_is_nested_too_deep_is_refused() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let patch = format!(
        "patches:\n- target: {{kind: ConfigMap}}\n  patch: '[{{\"op\": \"add\", \"path\": \"/x\", \"value\": {deep}}}]'\n"
    );
    refused(&with(&patch, OBJECT), "depth");
    let patch = "patches: [{patch: '{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}'}]";
    for field in ["openapi: {path: s.json}", "crds: [s.json]"] {
        let mut tree = with(&format!("{field}\n{patch}\n"), OBJECT);
        tree.insert(
            "/r/s.json",
            format!("{{\"definitions\": {{\"a\": {deep}}}}}"),
        );
        refused(&tree, "depth");
    }
}

#[test]
fn generated_values_that_look_like_deep_documents_are_texts() {
    for value in ["[", "{", "- ", "? ", "&a ", "!x "] {
        let text = value.repeat(300_000);
        let kustomization = format!("configMapGenerator: [{{name: g, literals: ['a={text}']}}]\n");
        assert!(built(&with(&kustomization, OBJECT)).len() > text.len() / 2);
    }
}

#[test]
fn json_patches_with_very_many_operations_end() {
    let list = format!("{OBJECT}list: [a]\n");
    let patch = |operation: &dyn Fn(usize) -> String| {
        let operations = lines(30_000, |number| format!("    - {}", operation(number)));
        with(
            &format!("patches:\n- target: {{kind: ConfigMap}}\n  patch: |-\n{operations}"),
            &list,
        )
    };
    let said = "the operations so far have gone through 100000000 entries of lists and maps";
    refused(
        &patch(&|_| "{op: add, path: /list/0, value: 1}".into()),
        said,
    );
    refused(
        &patch(&|number| format!("{{op: add, path: /data/k{number}, value: x}}")),
        said,
    );
    built(&patch(&|_| "{op: test, path: /data/k, value: v}".into()));
    let doubling = "{op: copy, from: /list, path: /list/-}";
    refused(
        &patch(&|_| doubling.into()),
        "the patch copies more than 1000000 values",
    );
}

#[test]
fn json_patches_with_very_many_tests_end() {
    let operations: Vec<String> = (0..50_000)
        .map(|number| {
            format!("{{\"op\": \"test\", \"path\": \"/data/k\", \"value\": \"v{number}\"}}")
        })
        .collect();
    let patch = operations.join(",");
    let patch = format!("patches:\n- target: {{kind: ConfigMap}}\n  patch: '[{patch}]'\n");
    refused(&with(&patch, OBJECT), "operation 1 of the JSON patch");
}

/// Builds a tree that would copy gigabytes, with a limit that is reached sooner than the usual one.
#[track_caller]
fn copies_too_much(tree: &MemoryFiles) {
    let options = Options {
        limits: Limits {
            content: 32 << 20,
            ..Limits::default()
        },
        ..Options::default()
    };
    let message = outcome(tree, &options).expect_err("there is a limit");
    let said = "the build loads, generates and copies more than 33554432 bytes";
    assert!(message.contains(said), "{message:.500}");
}

#[test]
fn values_that_copy_themselves_are_counted() {
    let copy = |number| {
        let target = format!(
            "{{select: {{kind: ConfigMap}}, options: {{create: true}}, fieldPaths: [spec.k{number}]}}"
        );
        format!("- {{source: {{kind: ConfigMap, fieldPath: spec}}, targets: [{target}]}}")
    };
    let object = format!("{OBJECT}spec: {{a: b}}\n");
    let kustomization = format!("replacements:\n{}", lines(60, copy));
    copies_too_much(&with(&kustomization, &object));
}

#[test]
fn a_file_counts_each_time_it_is_read() {
    let files = lines(20_000, |number| format!("  - k{number}=f"));
    let mut tree = with(
        &format!("configMapGenerator:\n- name: g\n  files:\n{files}"),
        OBJECT,
    );
    tree.insert("/r/f", "x".repeat(100_000));
    refused(&tree, "the build reads more than 268435456 bytes");
}

#[test]
fn only_so_many_files_are_read() {
    let kustomization = format!("resources:\n{}", lines(1_000_000, |_| "- b.yaml".into()));
    let tree = tree(&[("kustomization.yaml", &kustomization), ("b.yaml", "")]);
    refused(&tree, "the build reads more than 100000 files");
}

#[test]
fn one_of_very_many_entries_fails_as_one_of_two_does() {
    let kustomization = format!(
        "resources:\n{}",
        lines(1_000_000, |number| format!("- f{number}"))
    );
    refused(
        &tree(&[("kustomization.yaml", &kustomization)]),
        "cannot read `f0`",
    );
}

#[test]
fn bases_that_multiply_are_counted() {
    let kustomization = format!("resources:\n{}", lines(200_000, |_| "- b".into()));
    let files = tree(&[
        ("kustomization.yaml", &kustomization),
        ("b/kustomization.yaml", "metadata: {name: x}\n"),
    ]);
    refused(&files, "the build opens more than 20000 kustomizations");
    // Each layer includes the one below twice, under two names: 2^40 objects.
    let mut files = with("", OBJECT);
    for layer in 0..40_u32 {
        let below = layer
            .checked_sub(1)
            .map_or("../../base".to_owned(), |below| format!("../../{below}"));
        for side in ["a", "b"] {
            let text = format!("namePrefix: {side}\nresources: [{below}]\n");
            files.insert(&format!("/r/{layer}/{side}/kustomization.yaml"), text);
        }
        files.insert(
            &format!("/r/{layer}/kustomization.yaml"),
            "resources: [a, b]\n",
        );
    }
    files.insert("/r/base/kustomization.yaml", "resources: [object.yaml]\n");
    files.insert("/r/base/object.yaml", OBJECT);
    files.insert("/r/kustomization.yaml", "resources: ['39']\n");
    refused(&files, "the build opens more than 20000 kustomizations");
}

#[test]
fn cycles_are_refused() {
    for (field, kind) in [("resources", "Kustomization"), ("components", "Component")] {
        let leads = |to: &str| format!("kind: {kind}\n{field}: [{to}]\n");
        let root = format!("{field}: [a]\n");
        let files = tree(&[
            ("kustomization.yaml", &root),
            ("a/kustomization.yaml", &leads("../b")),
            ("b/kustomization.yaml", &leads("../a")),
        ]);
        refused(&files, "cycle: `../a` leads to `a`, which is being built");
        let itself = tree(&[
            ("kustomization.yaml", &root),
            ("a/kustomization.yaml", &leads(".")),
        ]);
        refused(&itself, "cycle: ");
        let above = tree(&[
            ("kustomization.yaml", &root),
            ("a/kustomization.yaml", &leads("../../../../..")),
        ]);
        refused(&above, "cycle: ");
    }
    let mut links = with("", OBJECT);
    links.insert("/r/kustomization.yaml", "resources: [link]\n");
    links.link("/r/link", ".");
    refused(&links, "cycle: ");
    links.link("/r/link", "link");
    refused(&links, "too many levels of symbolic links");
}

#[test]
fn maps_with_very_many_entries_are_written_to_in_time() {
    let pairs = lines(20_000, |number| format!("    k{number}: v"));
    for fields in [
        format!("commonLabels:\n{pairs}"),
        format!("commonAnnotations:\n{pairs}"),
        format!("labels:\n- includeSelectors: true\n  pairs:\n{pairs}"),
        format!("generatorOptions:\n  labels:\n{pairs}configMapGenerator: [{{name: g}}]\n"),
    ] {
        assert!(
            built(&with(&fields, &deployment(1)))
                .matches("k19999: v")
                .count()
                >= 1
        );
    }
    let annotations = OBJECT.replace("\ndata:\n", &format!("\n  annotations:\n{pairs}data:\n"));
    let fields = format!(
        "buildMetadata: [originAnnotations]\nnamePrefix: a-\npatches: [{{target: {{kind: .*}}, patch: {OPERATION}}}]\n"
    );
    built(&with(&fields, &annotations));
    let literals = lines(100_000, |number| format!("  - k{number}=v"));
    built(&with(
        &format!("configMapGenerator:\n- name: g\n  literals:\n{literals}"),
        OBJECT,
    ));
}

#[test]
fn lists_with_very_many_items_are_merged_in_time() {
    let many = deployment(10_000);
    let mut tree = with("patches: [{path: p.yaml}]", &many);
    tree.insert("/r/p.yaml", many.as_str());
    assert_eq!(built(&tree), built(&with("", &many)));
}

#[test]
fn env_files_with_very_many_lines_are_read_in_time() {
    let mut tree = with("configMapGenerator: [{name: g, envs: [e]}]", OBJECT);
    tree.insert("/r/e", lines(100_000, |number| format!("k{number}=v")));
    assert!(built(&tree).contains("k99999: v"));
    tree.insert("/r/e", lines(100_000, |_| "k=v".into()));
    refused(&tree, "key `k` is given twice");
}

#[test]
fn very_many_resources_are_renamed_and_referred_to_in_time() {
    let renamed = "namePrefix: x-\nnamespace: other\ncommonLabels: {a: b}\n";
    assert!(built(&with(renamed, &objects(10_000))).contains("name: x-a9999"));
    let pairs = lines(4_000, |number| {
        format!(
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: n{number}\n---\napiVersion: v1\nkind: Pod\nmetadata:\n  \
             name: p{number}\n  namespace: n{number}\nspec:\n  volumes: [{{name: v, configMap: {{name: a}}}}]"
        )
    });
    assert_eq!(
        built(&with("namePrefix: x-\n", &pairs))
            .matches("name: x-a")
            .count(),
        8_000
    );
}

#[test]
fn references_to_very_many_variables_end() {
    let variables = lines(1_000, |number| {
        format!(
            "- {{name: V{number}, objref: {{apiVersion: v1, kind: ConfigMap, name: a}}, fieldref: {{fieldpath: data.k}}}}"
        )
    });
    let fields = format!("vars:\n{variables}");
    let pod = |argument: &str| {
        format!(
            "{OBJECT}---\napiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec: {{containers: [{{name: c, args: ['{argument}']}}]}}\n"
        )
    };
    let all = lines(1_000, |number| format!("$(V{number})")).replace('\n', "");
    assert!(built(&with(&fields, &pod(&all.repeat(100)))).len() > 100_000);
    // Each begins a reference, and none ends one.
    assert!(built(&with(&fields, &pod(&"$(".repeat(1_000_000)))).len() > 1_000_000);
    let growing = OBJECT.replace("k: v", &format!("k: {}", "x".repeat(100_000)));
    let pod = pod(&all).replace(OBJECT, &growing);
    copies_too_much(&with(&fields, &pod));
}

#[test]
fn patterns_that_explode_elsewhere_end() {
    let name = "x".repeat(100_000);
    let object = OBJECT.replace("name: a", &format!("name: {name}"));
    let select = |field: &str, pattern: &str| {
        let fields =
            format!("patches: [{{target: {{{field}: '{pattern}'}}, patch: {OPERATION}}}]\n");
        with(&fields, &object)
    };
    for pattern in [
        "(x*)*y",
        "(x+x+)+y",
        "(x|x)*y",
        "(.*)(.*)(.*)(.*)y",
        "(?i)[x-z]{1000}y",
    ] {
        assert!(
            !built(&select("name", pattern)).contains("x: z"),
            "{pattern}"
        );
    }
    for pattern in [
        "x{1001}",
        "((x{100}){100}){100}",
        r"(\pL{1000}){10}",
        "(x{1000}){1000}",
    ] {
        refused(&select("name", pattern), "regular expression");
    }
    let deep = format!("{}x{}", "(".repeat(100_000), ")".repeat(100_000));
    refused(&select("name", &deep), "regular expression");
    for (field, text) in [("name", "x|"), ("labelSelector", "a,")] {
        drop(outcome(
            &select(field, &text.repeat(200_000)),
            &Options::default(),
        ));
    }
    let replacement = "replacements: [{sourceValue: x, targets: [{select: {kind: .*}, fieldPaths: ['list.[k=(x*)*y].v']}]}]\n";
    let object = format!("{OBJECT}list: [{{k: {name}, v: w}}]\n");
    refused(&with(replacement, &object), "list.[k=(x*)*y].v");
}

#[test]
fn words_of_a_million_letters_are_words() {
    let million = 1_000_000;
    for value in [
        "1".repeat(million),
        format!("0x{}", "f".repeat(million)),
        format!("0.{}e-{}", "1".repeat(million), "9".repeat(million)),
        format!("1{}", ":1".repeat(million)),
        format!("\"{}\"", "\\t\\n".repeat(million)),
        format!(">\n    {}", "a b ".repeat(million)),
    ] {
        built(&with("", &OBJECT.replace("k: v", &format!("k: {value}"))));
    }
    refused(
        &with(
            "",
            &OBJECT.replace("k: v", &format!("{}: v", "k".repeat(million))),
        ),
        "invalid YAML",
    );
    refused(
        &with(&format!("'{}': x\n", "x".repeat(500)), OBJECT),
        "unknown field",
    );
    let count = format!("replicas: [{{name: a, count: {}}}]\n", "9".repeat(million));
    refused(&with(&count, &deployment(1)), "count");
}

#[test]
fn paths_of_very_many_parts_lead_nowhere() {
    for path in ["a/", "../", "./", "a/../", "https://example.org/a/", "//"] {
        let path = path.repeat(100_000);
        for field in [
            "resources",
            "components",
            "configurations",
            "crds",
            "patchesStrategicMerge",
        ] {
            let kustomization = format!("{field}: ['{path}']\n");
            let message = outcome(
                &tree(&[("kustomization.yaml", &kustomization)]),
                &Options::default(),
            );
            assert!(message.is_err(), "{field}: {path:.20}");
        }
    }
}

#[test]
fn paths_of_field_specs_are_compared_in_time() {
    let long = "a/".repeat(400_000);
    let labels = |paths: &str| format!("labels: [{{pairs: {{q: w}}, fields: [{paths}]}}]\n");
    let one = labels(&format!("{{path: {long}a}}"));
    refused(&with(&one, OBJECT), "a path has more than 1000 parts");
    let wide = format!("{}/", "a".repeat(2_000)).repeat(500);
    let paths = lines(4, |number| format!("{{path: {wide}{number}}},"));
    built(&with(&labels(&paths), &objects(20)));
}

#[test]
fn what_is_written_longer_than_it_is_counts_as_it_is_written() {
    // Lines that are indented, and control characters that are escaped.
    for text in [
        "\"a\\na\\na\\na\\na\\na\\na\\na\"",
        "\"\\a\\a\\a\\a\\a\\a\\a\\a\"",
    ] {
        let list = "*t,".repeat(2_000);
        let object =
            format!("{OBJECT}t: &t {text}\nl: {{l: {{l: {{l: {{l: {{l: [{list}]}}}}}}}}}}\n");
        let tree = with("", &object);
        let whole = built(&tree).len();
        let options = |output| Options {
            limits: Limits {
                output,
                ..Limits::default()
            },
            ..Options::default()
        };
        outcome(&tree, &options(whole)).unwrap();
        let message = outcome(&tree, &options(whole - 1)).unwrap_err();
        assert!(message.contains("the output has more than"), "{message}");
    }
}

#[test]
fn what_is_written_far_in_is_refused_before_it_is_written() {
    // Each word of a long line, and each line, would be written a thousand columns in.
    for (text, is_far_in) in [
        ("a ", true),
        ("a\\n", true),
        ("é ", true),
        ("'a ", true),
        ("\\x01 ", true),
        ("\\x01\\n", false),
    ] {
        let (open, close) = ("{z: ".repeat(480), "}".repeat(480));
        let tree = with(
            "",
            &format!("{OBJECT}z: {open}\"{}b\"{close}\n", text.repeat(1 << 20)),
        );
        if is_far_in {
            refused(&tree, "the output has more than");
        } else {
            built(&tree);
        }
    }
    // Blank lines are written as they are.
    let (open, close) = ("{z: ".repeat(480), "}".repeat(480));
    let object = format!("{OBJECT}z: {open}\"{}b\"{close}\n", "\\n".repeat(1 << 20));
    built(&with("", &object));
}

#[test]
fn schemas_that_refer_to_each_other_are_walked_once() {
    let definition = |number: usize| {
        let next = number + 1;
        format!(
            "\"d{number}\": {{\"properties\": {{\"a\": {{\"$ref\": \"#/definitions/d{next}\"}}, \"b\": {{\"$ref\": \"#/definitions/d{next}\"}}}}}},"
        )
    };
    let kind = "\"x-kubernetes-group-version-kind\": [{\"group\": \"\", \"version\": \"v1\", \"kind\": \"ConfigMap\"}]";
    let definitions = lines(60, definition);
    let schema = format!(
        "{{\"definitions\": {{{definitions}\"d60\": {{\"$ref\": \"#/definitions/d0\"}}, \"x\": {{\"properties\": {{\"spec\": {{\"$ref\": \"#/definitions/d0\"}}}}, {kind}}}}}}}"
    );
    let patch = "patches: [{patch: '{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, spec: {a: {b: {a: c}}}}'}]\n";
    let mut tree = with(&format!("openapi: {{path: s.json}}\n{patch}"), OBJECT);
    tree.insert("/r/s.json", schema);
    assert!(built(&tree).contains("a: c"));
}

#[test]
fn definitions_that_refer_to_each_other_are_counted() {
    let reference = |to: usize| format!("{{\"$ref\": \"d{to}\"}}");
    let definition = |number: usize| {
        let next = reference(number + 1);
        format!(
            "\"d{number}\": {{\"Schema\": {{\"properties\": {{\"a\": {next}, \"b\": {next}}}}}}},"
        )
    };
    let head = "{\"Schema\": {\"properties\": {\"kind\": {}, \"apiVersion\": {}, \"metadata\": {}, \"spec\": {\"$ref\": \"d0\"}}}}";
    for (last, said) in [
        (
            "{}",
            "the definition of `Foo` leads to more than 500000 fields",
        ),
        (
            "{\"x-kubernetes-annotation\": \"\"}",
            "the configurations have more than 10000 field specs",
        ),
    ] {
        let crds = format!(
            "{{{}\"d60\": {{\"Schema\": {{\"properties\": {{\"x\": {last}}}}}}}, \"example.com/v1.Foo\": {head}}}",
            lines(60, definition)
        );
        let mut tree = with("crds: [s.json]\n", OBJECT);
        tree.insert("/r/s.json", crds);
        refused(&tree, said);
    }
}

#[test]
fn what_is_written_in_very_many_places_is_counted_in_each() {
    let items = "{}, ".repeat(200_000);
    let object = format!("{OBJECT}l: [{items}{{}}]\n");
    let pairs = (0..200).fold(String::new(), |mut pairs, number| {
        let _ = write!(pairs, "k{number}: v, ");
        pairs
    });
    let labels =
        format!("labels: [{{pairs: {{{pairs}}}, fields: [{{path: l/a, create: true}}]}}]\n");
    let said = "the build loads, generates and copies more than 1073741824 bytes";
    refused(&with(&labels, &object), said);
    let text = "x".repeat(100_000);
    let specs = |field: &str| {
        format!("{field}:\n- {{path: l/a/b/c/d/e/f/g/h, create: true, kind: ConfigMap}}\n")
    };
    for (fields, configuration) in [
        (format!("namePrefix: {text}\n"), specs("namePrefix")),
        (format!("namespace: {text}\n"), specs("namespace")),
    ] {
        let mut tree = with(&format!("{fields}configurations: [c.yaml]\n"), &object);
        tree.insert("/r/c.yaml", configuration);
        refused(&tree, said);
    }
}

#[test]
fn configurations_have_only_so_many_field_specs() {
    let specs =
        |line: &dyn Fn(usize) -> String| lines(10_001, |number| format!("- {}", line(number)));
    let references =
        specs(&|number| format!("{{kind: K{number}, fieldSpecs: [{{path: a/b, kind: K}}]}}"));
    for text in [
        format!(
            "commonLabels:\n{}",
            specs(&|number| format!("{{path: a/b{number}}}"))
        ),
        format!("nameReference:\n{references}"),
    ] {
        let mut tree = with("configurations: [c.yaml]\n", OBJECT);
        tree.insert("/r/c.yaml", text);
        refused(&tree, "the configurations have more than 10000 field specs");
    }
}

/// Files in a directory with very many others.
struct Crowded(MemoryFiles);

impl Files for Crowded {
    fn resolve(&self, path: &str) -> Result<Entry, FileError> {
        self.0.resolve(path)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        self.0.read(path)
    }

    fn names_in(&self, _: &str) -> Vec<String> {
        (0..1_000_000)
            .map(|number| format!("object-{number:07}.yaml"))
            .collect()
    }
}

#[test]
fn very_many_files_beside_the_one_that_is_missing_do_no_harm() {
    let tree = tree(&[("kustomization.yaml", "resources: [object-x.yaml]\n")]);
    let message = outcome(&Crowded(tree), &Options::default()).unwrap_err();
    assert!(
        message.contains("cannot read `object-x.yaml`: no such file"),
        "{message}"
    );
}

/// Files beside a server that has an object behind every address.
struct Served(MemoryFiles);

impl Files for Served {
    fn resolve(&self, path: &str) -> Result<Entry, FileError> {
        self.0.resolve(path)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        self.0.read(path)
    }

    fn external(&self) -> &dyn External {
        self
    }
}

impl External for Served {
    fn get(&self, url: &str) -> Result<Vec<u8>, ExternalError> {
        let (_, name) = url.rsplit_once('/').unwrap_or_default();
        Ok(OBJECT
            .replace("name: a", &format!("name: {name}"))
            .into_bytes())
    }
}

#[test]
fn remote_files_count_as_others_do() {
    let kustomization = format!(
        "resources:\n{}",
        lines(20, |number| format!("- https://example.org/{number}"))
    );
    let files = Served(tree(&[("kustomization.yaml", &kustomization)]));
    let with = |limits| Options {
        limits,
        ..Options::default()
    };
    let built = outcome(&files, &with(Limits::default()));
    assert!(built.is_ok(), "{built:?}");
    // The kustomization is a file itself.
    let (few, little) = (20, 20 * 64);
    let limits = [
        (
            Limits {
                files: few,
                ..Limits::default()
            },
            "reads more than 20 files",
        ),
        (
            Limits {
                read: little,
                ..Limits::default()
            },
            "reads more than 1280 bytes",
        ),
    ];
    for (limits, said) in limits {
        let message = outcome(&files, &with(limits)).unwrap_err();
        assert!(message.contains(said), "{message}");
    }
}

/// Builds a tree that takes long, with a second for it.
#[track_caller]
fn ends_at_its_deadline(tree: &MemoryFiles) {
    let start = Instant::now();
    let limit = Duration::from_secs(1);
    let options = Options {
        deadline: Deadline::new(limit, move || start.elapsed()),
        ..Options::default()
    };
    let message = outcome(tree, &options).expect_err("it takes longer than a second");
    assert!(
        message.contains("the build is not done after 1 seconds"),
        "{message:.500}"
    );
    // One step of the build may be on its way; in a debug build, beside much else, that is a while.
    assert!(
        start.elapsed() < Duration::from_secs(40),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn what_multiplies_ends_at_the_deadline() {
    let images = lines(20_000, |number| {
        format!("- {{name: i{number}, newTag: '2'}}")
    });
    ends_at_its_deadline(&with(&format!("images:\n{images}"), &deployment(2_000)));
    let replacement =
        "- {sourceValue: x, targets: [{select: {name: 'a.*9'}, fieldPaths: [data.k]}]}";
    let replacements = lines(10_000, |_| replacement.into());
    ends_at_its_deadline(&with(
        &format!("replacements:\n{replacements}"),
        &objects(2_000),
    ));
    let patches = lines(20_000, |number| {
        format!(
            "- {{patch: '{{apiVersion: v1, kind: ConfigMap, metadata: {{name: a, labels: {{k{number}: v}}}}}}'}}"
        )
    });
    ends_at_its_deadline(&with(&format!("patches:\n{patches}"), OBJECT));
    let pairs: Vec<String> = (0..20_000).map(|number| format!("k{number}: v")).collect();
    let specs = lines(9_000, |number| format!("{{path: a1/b{number}}},"));
    let labels = format!(
        "labels: [{{pairs: {{{}}}, fields: [{{path: a1}}, {specs}]}}]\n",
        pairs.join(", ")
    );
    ends_at_its_deadline(&with(&labels, OBJECT));
    // The patches of one entry, each of which looks for the last container.
    let head = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: {spec: {containers:";
    let patch = format!("{head} [{{name: c9999, image: j}}]}}}}}}\n---");
    let mut tree = with("patches: [{path: p.yaml}]", &deployment(10_000));
    tree.insert("/r/p.yaml", lines(10_000, |_| patch.clone()));
    ends_at_its_deadline(&tree);
    tree.insert(
        "/r/kustomization.yaml",
        "resources: [object.yaml]\npatchesStrategicMerge: [p.yaml]\n",
    );
    ends_at_its_deadline(&tree);
}

#[test]
fn a_build_without_time_begins_nothing() {
    let options = Options {
        deadline: Deadline::new(Duration::ZERO, || Duration::ZERO),
        limits: Limits::default(),
        ..Options::default()
    };
    let message = outcome(&with("", OBJECT), &options).unwrap_err();
    assert!(
        message.contains("the build is not done after 0 seconds"),
        "{message}"
    );
}
