//! Values recorded from kustomize v5.8.2.

use goyaml::{Limits, Node};

use super::{apply, decode, insert_part};
use crate::build::Options;
use crate::files::MemoryFiles;
use crate::limits::Budget;
use crate::loader::Loader;
use crate::resource::Resource;
use crate::resources::Resources;

fn parse(text: &str) -> Node {
    goyaml::parse(text.as_bytes(), &Limits::default())
        .unwrap()
        .unwrap()
}

fn changed(files: &MemoryFiles, configuration: &str, object: &str) -> String {
    let loader = Loader::new(files, "/somewhere/app", &Options::default()).unwrap();
    let add = decode(&parse(configuration), &loader).unwrap();
    let mut resources = Resources::new();
    resources.append(Resource::new(parse(object))).unwrap();
    apply(&add, &Budget::default(), &mut resources).unwrap();
    let mut out = String::new();
    goyaml::emit_canonical(resources.as_slice()[0].node(), &mut out).unwrap();
    out
}

fn files() -> MemoryFiles {
    let mut files = MemoryFiles::new();
    files.insert("/somewhere/app/kustomization.yaml", "");
    files.insert(
        "/somewhere/app/targets.yaml",
        "targets: [{fieldPath: data/more}]",
    );
    files
}

#[test]
fn values_go_where_the_targets_say() {
    let configuration = r#"
value: PEACH
targets:
- {selector: {kind: ConfigMap}, fieldPath: data/int}
- {selector: {kind: Secret}, fieldPath: data/other}
- {fieldPath: "n"}
- {fieldPath: nul/x}
- {fieldPath: 'new/a\/b/c'}
- {fieldPath: 'l/[name=x]/v', filePathPosition: 1}
- {fieldPath: 'l/[name=z]/v'}
- {fieldPath: l/0/w}
- {fieldPath: new2/3/w}
- {fieldPath: metadata/namespace}
"#;
    let object = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {int: \"5\"}, n: 5, nul: null, \
                  l: [{name: x, v: 1}]}";
    let expected = "apiVersion: v1
data:
  int: PEACH
kind: ConfigMap
l:
- name: x
  v: PEACH/1
  w: PEACH
- name: z
  v: PEACH
metadata:
  name: a
  namespace: PEACH
\"n\": PEACH
new:
  a/b:
    c: PEACH
new2: []
nul: null
";
    assert_eq!(changed(&files(), configuration, object), expected);
}

#[test]
fn the_directory_is_the_value_where_none_is_given() {
    let configuration = "{targetFilePath: targets.yaml}";
    let object = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}";
    let expected = "apiVersion: v1\ndata:\n  more: app\nkind: ConfigMap\nmetadata:\n  name: a\n";
    assert_eq!(changed(&files(), configuration, object), expected);
}

#[test]
fn parts_go_into_paths() {
    let cases = [
        ("/x/y", 0, "/PEACH/x/y"),
        ("x/y", 1, "x/PEACH/y"),
        ("/", 0, "/PEACH"),
        ("", 8, "PEACH"),
        ("a/../b/./c", 2, "PEACH/b/c"),
        ("/raw", 9, "/raw/PEACH"),
    ];
    for (path, position, expected) in cases {
        assert_eq!(insert_part(path, position, "PEACH"), expected, "{path}");
    }
}
