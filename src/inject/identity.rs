//! What no setting may change: which objects there are, and who may do what.
//!
//! Placeholders are refused in such fields one by one. A replacement can carry a value there as well, and nothing in the
//! result tells where a text came from. So where such a field holds a piece of a value, the same tree is built with its
//! defaults, and the two must agree.

use kustomize::{Error, FileNames, Hooks, Resource, Resources};

use crate::failure::{Failure, Problem};

/// What identifies the objects of a build, before hashes are added to names.
#[derive(Default)]
pub struct Identity {
    objects: Vec<Object>,
}

struct Object {
    id: String,
    /// The whole of an RBAC object.
    permissions: Option<String>,
}

impl Identity {
    pub(super) fn of(resources: &Resources) -> Self {
        Self {
            objects: resources.iter().map(Object::of).collect(),
        }
    }

    /// Whether a piece of the value stands in it.
    pub(super) fn holds(&self, value: &str) -> bool {
        let pieces = value
            .split(|character: char| !character.is_alphanumeric())
            .filter(|piece| !piece.is_empty());
        pieces
            .into_iter()
            .any(|piece| self.objects.iter().any(|object| object.holds(piece)))
    }

    /// Compares a build with settings with the same one without.
    ///
    /// # Errors
    /// Where they differ.
    pub fn check(&self, defaults: &Self) -> Result<(), Failure> {
        let differs = |(with, without): &(&Object, &Object)| {
            with.id != without.id || with.permissions != without.permissions
        };
        let pairs = self.objects.iter().zip(&defaults.objects);
        let Some((with, without)) = pairs.into_iter().find(differs) else {
            return Ok(());
        };
        let what = if with.id == without.id {
            "a replacement carries a setting into an RBAC object, which says who may do what"
        } else {
            "a replacement carries a setting into the name, namespace or kind of an object"
        };
        // The object is named as its defaults name it: the other name holds the value.
        Err(Problem::new(what)
            .resource(&without.id)
            .hint("write the value into the repository")
            .into_failure())
    }
}

impl Object {
    fn of(resource: &Resource) -> Self {
        let is_permission = resource.gvk().group == "rbac.authorization.k8s.io";
        let permissions = is_permission.then(|| {
            let mut text = String::new();
            // What cannot be written fails when the result is.
            drop(resource.emit(&mut text));
            text
        });
        Self {
            id: resource.id().to_string(),
            permissions,
        }
    }

    fn holds(&self, piece: &str) -> bool {
        self.id.contains(piece)
            || self
                .permissions
                .as_ref()
                .is_some_and(|text| text.contains(piece))
    }
}

/// Watches a build with its defaults and stops it when it has seen what there is.
#[derive(Default)]
pub struct Witness {
    seen: Option<Identity>,
}

impl Witness {
    /// What it has seen; `None` where the build failed before that.
    pub fn into_identity(self) -> Option<Identity> {
        self.seen
    }
}

impl Hooks for Witness {
    fn before_name_hashes(
        &mut self,
        resources: &mut Resources,
        _: &FileNames,
    ) -> kustomize::Result<()> {
        self.seen = Some(Identity::of(resources));
        Err(Error::new("all that was wanted is known"))
    }
}
