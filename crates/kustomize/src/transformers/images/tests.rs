//! Images recorded from kustomize v5.8.2.

use goyaml::{Limits, Node};

use super::{Update, split};
use crate::error::Result;
use crate::field_spec::FieldSpec;
use crate::field_specs::FieldSpecs;
use crate::kustomization::Image;
use crate::limits::Budget;
use crate::resource::Resource;
use crate::resources::Resources;
use crate::transformers::pass::Part;

fn resources(text: &str) -> Resources {
    let mut resources = Resources::new();
    let node = goyaml::parse(text.as_bytes(), &Limits::default())
        .unwrap()
        .unwrap();
    resources.append(Resource::new(node)).unwrap();
    resources
}

fn apply(
    image: &Image,
    specs: &[FieldSpec],
    budget: &Budget,
    resources: &mut Resources,
) -> Result<()> {
    let specs = FieldSpecs::from(specs.to_vec());
    Part::of(Box::new(Update::new(image, &specs))).run(budget, resources)
}

fn changed(image: &Image, current: &str) -> String {
    let text = format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: p}}, spec: {{containers: [{{image: {current}}}]}}}}"
    );
    let mut resources = resources(&text);
    let specs = [FieldSpec::of_every_kind("spec/containers[]/image", true)];
    apply(image, &specs, &Budget::default(), &mut resources).unwrap();
    let mut out = String::new();
    goyaml::emit_canonical(resources.as_slice()[0].node(), &mut out).unwrap();
    let line = out
        .lines()
        .find_map(|line| line.strip_prefix("  - image: "));
    line.unwrap().to_owned()
}

fn image(name: &str, [new_name, new_tag, digest, tag_suffix]: [&str; 4]) -> Image {
    Image {
        name: name.into(),
        new_name: new_name.into(),
        new_tag: new_tag.into(),
        digest: digest.into(),
        tag_suffix: tag_suffix.into(),
        ..Image::default()
    }
}

#[test]
fn names_tags_and_digests_change() {
    let cases = [
        (
            image("reg:5000/app", ["other:1/app", "1.0", "", ""]),
            "reg:5000/app:0",
            "other:1/app:1.0",
        ),
        (
            image("redis", ["", "", "sha256:abc", ""]),
            "redis:6",
            "redis@sha256:abc",
        ),
        (
            image("redis", ["", "", "sha256:abc", ""]),
            "redis@sha256:11",
            "redis@sha256:abc",
        ),
        (
            image("both", ["", "t", "sha256:abc", ""]),
            "both:1",
            "both:t@sha256:abc",
        ),
        (
            image("a.*", ["", "re", "", ""]),
            "ab/nginx:1",
            "ab/nginx:re",
        ),
        (image("num", ["123", "", "", ""]), "num", "123"),
        (
            image("quoted", ["123", "", "", ""]),
            "\"quoted\"",
            "\"123\"",
        ),
        (image("nginx", ["", "x", "", ""]), "nginx:1:2", "nginx:1:2"),
        (image("legacy", ["", "l", "", "-s"]), "legacy:1", "legacy:l"),
        (image("[", ["", "bad", "", ""]), "nginx", "nginx"),
    ];
    for (image, current, expected) in cases {
        assert_eq!(changed(&image, current), expected, "{current}");
    }
}

#[test]
fn suffixes_are_added_twice_to_images_of_known_fields() {
    let image = image("nginx", ["", "", "", "-x"]);
    for (current, expected) in [
        ("nginx", "nginx:-x-x"),
        ("nginx:1", "nginx:1-x-x"),
        ("nginx@sha256:aa", "nginx:-x-x"),
        ("nginx:1@sha256:aa", "nginx:1-x-x"),
        ("\"nginx:{tag}\"", "nginx:{tag}-x-x"),
    ] {
        assert_eq!(changed(&image, current), expected, "{current}");
    }
}

#[test]
fn containers_are_found_at_any_depth() {
    let text = "{apiVersion: x/v1, kind: Custom, metadata: {name: c}, spec: {image: nginx:1}, \
                deep: {list: [{containers: [{image: nginx:1}]}], initContainers: [{image: nginx:2, containers: text}]}}";
    let mut resources = resources(text);
    apply(
        &image("nginx", ["", "", "", "-x"]),
        &[],
        &Budget::default(),
        &mut resources,
    )
    .unwrap();
    let node = resources.as_slice()[0].node();
    let found = |path: &[&str]| node.get_path(path).and_then(Node::items).unwrap()[0].clone();
    assert_eq!(
        found(&["deep", "initContainers"])
            .get("image")
            .and_then(Node::as_str),
        Some("nginx:2-x")
    );
    let inner = found(&["deep", "list"]);
    let container = &inner.get("containers").and_then(Node::items).unwrap()[0];
    assert_eq!(
        container.get("image").and_then(Node::as_str),
        Some("nginx:1-x")
    );
    assert_eq!(
        node.get_path(&["spec", "image"]).and_then(Node::as_str),
        Some("nginx:1")
    );
}

#[test]
fn images_in_resource_definitions_stay() {
    let text = "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: c}, \
                spec: {containers: [{image: nginx:1}]}}";
    let mut resources = resources(text);
    apply(
        &image("nginx", ["", "2", "", ""]),
        &[],
        &Budget::default(),
        &mut resources,
    )
    .unwrap();
    let containers = resources.as_slice()[0]
        .node()
        .get_path(&["spec", "containers"])
        .and_then(Node::items)
        .unwrap();
    assert_eq!(
        containers[0].get("image").and_then(Node::as_str),
        Some("nginx:1")
    );
}

#[test]
fn what_is_no_container_is_refused() {
    let mut resources =
        resources("{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [text]}}");
    let error = apply(
        &image("nginx", ["", "2", "", ""]),
        &[],
        &Budget::default(),
        &mut resources,
    )
    .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("a container is not a map (field `containers`)"),
        "{error}"
    );
}

#[test]
fn ports_belong_to_the_name() {
    assert_eq!(split("reg:5000/app"), ("reg:5000/app", "", ""));
    assert_eq!(
        split("reg:5000/app:1@sha256:aa"),
        ("reg:5000/app", "1", "sha256:aa")
    );
    assert_eq!(split("app@sha256:aa"), ("app", "", "sha256:aa"));
}

#[test]
fn a_suffix_that_comes_again_is_noticed_at_the_last_field() {
    let text = "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{image: 'app:1'}]}, \
                a: {b: 'app:1-s', d: 'app:1-s'}, c: 'app:1-s'}";
    let mut resources = resources(text);
    let image = image("app", ["", "", "", "-s"]);
    let paths = ["a/b", "c", "a/d"];
    let specs = paths.map(|path| FieldSpec::of_every_kind(path, false));
    apply(&image, &specs, &Budget::default(), &mut resources).unwrap();
    let notices = &resources.as_slice()[0].notices;
    let fields = notices.iter().map(|notice| notice.details().field.clone());
    assert_eq!(fields.collect::<Vec<_>>(), [Some("a.d".to_owned())]);
}

#[test]
fn a_field_spec_may_change_for_which_others_the_object_is() {
    for path in ["kind", "/kind", " /kind", "kind[]"] {
        let mut resources = resources("{apiVersion: v1, kind: app, metadata: {name: p}, a: app}");
        let image = image("app", ["other", "", "", ""]);
        let mut specs = [path, "a"].map(|path| FieldSpec::of_every_kind(path, false));
        specs[1].gvk.kind = "other".into();
        apply(&image, &specs, &Budget::default(), &mut resources).unwrap();
        let node = resources.as_slice()[0].node();
        let changed = node.get("a").and_then(Node::as_str);
        assert_eq!(changed, Some("other"), "{path}");
    }
}
