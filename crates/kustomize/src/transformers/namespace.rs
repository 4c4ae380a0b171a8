//! `namespace`.

use goyaml::{Node, Tag, Text};

use crate::error::{Error, Result};
use crate::field_spec::{Create, FieldSpec};
use crate::limits::{Budget, Places};
use crate::metadata;
use crate::resource::Resource;
use crate::transformers::pass::OfEach;

/// Which subjects of role bindings move to the namespace too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum RoleBindingSubjects {
    /// Those named `default`.
    #[default]
    DefaultOnly,
    /// All service accounts.
    AllServiceAccounts,
    /// None.
    None,
}

/// What the namespace transformer is to do.
#[derive(Clone, Debug, Default)]
pub(crate) struct NamespaceArgs {
    /// The namespace.
    pub namespace: Text,
    /// Whether a namespace that is set stays.
    pub unset_only: bool,
    /// Which subjects of role bindings move too.
    pub subjects: RoleBindingSubjects,
}

/// Moves all resources that live in namespaces to the given one.
pub(crate) struct Move<'a> {
    pub(crate) args: &'a NamespaceArgs,
    pub(crate) specs: &'a [FieldSpec],
}

impl OfEach for Move<'_> {
    // kustomize: NamespaceTransformer and filters/namespace
    fn change(&self, resource: &mut Resource, budget: &Budget) -> Result<()> {
        let is_none = self.args.namespace.is_empty();
        if is_none || resource.is_empty() || resource.notes.is_helm_generated {
            return Ok(());
        }
        resource.remember_id();
        let moved = move_one(self.args, self.specs, resource, budget);
        moved.map_err(|error| error.resource(resource.id()))
    }

    fn on_twins(&self) -> Option<fn(Error) -> Error> {
        (!self.args.namespace.is_empty()).then_some(|error| {
            error.field("namespace").hint(
                "two resources differ by their namespace alone: build them in kustomizations of their own",
            )
        })
    }
}

/// Moves a resource.
///
/// # Errors
/// Where a field that should be a text is none, and where there are too many.
pub(super) fn move_one(
    args: &NamespaceArgs,
    specs: &[FieldSpec],
    resource: &mut Resource,
    budget: &Budget,
) -> Result<()> {
    let is_core = metadata::top_field(resource.node(), "apiVersion") == "v1";
    let is_cluster_scoped = resource.id().cluster_scoped;
    let is_role_binding = matches!(
        resource.gvk().kind.as_str(),
        "RoleBinding" | "ClusterRoleBinding"
    );
    let node = resource.node_mut();
    let mut places = Places::new(budget);
    let mut set = |field: &mut Node| set_namespace(field, args);
    if !is_cluster_scoped {
        FieldSpec::of_every_kind("metadata/namespace", true).apply(
            node,
            Create::Scalar(Tag::Str),
            &mut set,
        )?;
    }
    if is_role_binding {
        move_subjects(node, args)?;
    }
    for spec in specs {
        let is_done = spec.path == "metadata/namespace"
            || (!is_core && spec.path == "metadata/name")
            || (is_role_binding
                && spec.path == "subjects/namespace"
                && spec.gvk.kind.ends_with("RoleBinding"));
        if !is_done {
            spec.apply(node, Create::Scalar(Tag::Str), &mut |field| {
                places.add(&spec.path, args.namespace.len())?;
                set(field)
            })?;
        }
    }
    places.settle()
}

fn move_subjects(binding: &mut Node, args: &NamespaceArgs) -> Result<()> {
    let (field, expected) = match args.subjects {
        RoleBindingSubjects::None => return Ok(()),
        RoleBindingSubjects::DefaultOnly => ("name", "default"),
        RoleBindingSubjects::AllServiceAccounts => ("kind", "ServiceAccount"),
    };
    let Some(subjects) = binding
        .get_mut("subjects")
        .filter(|subjects| !subjects.is_null())
    else {
        return Ok(());
    };
    let position = subjects.position;
    let subjects = subjects.items_mut().ok_or_else(|| {
        Error::new("`subjects` of a role binding must be a list")
            .position(position)
            .field("subjects")
            .hint("begin each subject with `- `")
    })?;
    // kustomize: Lookup finds nothing in a null.
    for subject in subjects.iter_mut().filter(|subject| !subject.is_null()) {
        if !subject.is_mapping() || subject.get(field).is_some_and(|value| !value.is_scalar()) {
            return Err(Error::new(format!(
                "a subject of a role binding needs `{field}` as a text"
            ))
            .position(subject.position)
            .field("subjects")
            .hint("a subject is `{kind: ServiceAccount, name: …, namespace: …}`"));
        }
        if subject.get(field).and_then(Node::as_str) != Some(expected) {
            continue;
        }
        if subject.get("namespace").is_none_or(Node::is_null) {
            subject.set("namespace", Node::scalar("", Tag::Str));
        }
        if let Some(namespace) = subject.get_mut("namespace") {
            set_namespace(namespace, args)?;
        }
    }
    Ok(())
}

fn set_namespace(field: &mut Node, args: &NamespaceArgs) -> Result<()> {
    if !field.is_scalar() {
        return Err(
            Error::new("a namespace can only be written to a text field")
                .position(field.position)
                .hint("write a text there, or correct the path in `configurations`"),
        );
    }
    if args.unset_only && !field.is_null() && field.as_str() != Some("") {
        return Ok(());
    }
    metadata::replace_scalar(field, Node::string(args.namespace.clone()));
    Ok(())
}
