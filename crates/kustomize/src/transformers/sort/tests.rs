//! Orders recorded from kustomize v5.8.2.

use goyaml::{Limits, Text};

use super::apply;
use crate::kustomization::{LegacySortOptions, SortOptions};
use crate::resource::Resource;
use crate::resources::Resources;

const OBJECTS: [&str; 12] = [
    "{apiVersion: v1, kind: Namespace, metadata: {name: b}}",
    "{apiVersion: foo.io/v1, kind: Namespace, metadata: {name: a}}",
    "{apiVersion: v1, kind: Service, metadata: {name: s}}",
    "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: a-b}}",
    "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: a}}",
    "{apiVersion: v1, kind: Pod, metadata: {name: p}}",
    "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}}",
    "{apiVersion: a.b/v1, kind: Foo, metadata: {name: f}}",
    "{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: v}}",
    "{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingWebhookConfiguration, metadata: {name: m}}",
    "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: cr}}",
    "{apiVersion: v2, kind: Namespace, metadata: {name: c}}",
];

fn sorted(options: &SortOptions) -> crate::error::Result<String> {
    let mut resources = Resources::new();
    for text in OBJECTS {
        let node = goyaml::parse(text.as_bytes(), &Limits::default())
            .unwrap()
            .unwrap();
        resources.append(Resource::new(node)).unwrap();
    }
    apply(options, &mut resources)?;
    let name = |resource: &Resource| format!("{}{}", resource.name(), resource.namespace());
    Ok(resources.iter().map(name).collect::<Vec<_>>().join(" "))
}

fn kinds(names: [&str; 2]) -> Vec<Text> {
    names.map(Text::from).to_vec()
}

#[test]
fn legacy_order_is_that_of_kustomize() {
    let options = SortOptions {
        order: "legacy".into(),
        legacy: None,
    };
    assert_eq!(sorted(&options).unwrap(), "c b a cr sa-b sa s d f p m v");
}

#[test]
fn legacy_order_follows_the_options() {
    let legacy = LegacySortOptions {
        order_first: kinds(["Pod", "Service"]),
        order_last: kinds(["Namespace", "Foo"]),
    };
    let options = SortOptions {
        order: "legacy".into(),
        legacy: Some(legacy),
    };
    assert_eq!(sorted(&options).unwrap(), "p sa-b sa s m v d cr c b a f");
}

#[test]
fn fifo_order_leaves_everything_where_it_is() {
    let options = SortOptions {
        order: "fifo".into(),
        legacy: None,
    };
    assert_eq!(sorted(&options).unwrap(), "b a s sa-b sa p d f v m cr c");
}

#[test]
fn orders_that_make_no_sense_are_refused() {
    let unknown = SortOptions {
        order: "alphabetic".into(),
        legacy: None,
    };
    assert_eq!(
        sorted(&unknown).unwrap_err().to_string(),
        "`sortOptions.order` must be `legacy` or `fifo`"
    );
    let contradictory = SortOptions {
        order: "fifo".into(),
        legacy: Some(LegacySortOptions::default()),
    };
    assert!(sorted(&contradictory).is_err());
}
