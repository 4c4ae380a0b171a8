//! What an injection has done, for whoever asks afterwards.

use std::collections::BTreeSet;

use kustomize::ResId;

use super::apply::not_declared;
use super::field::Path;
use crate::failure::Problem;
use crate::settings::Place;
use crate::settings::resolve::Resolved;

/// A field that holds something of a setting.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// The object, named as before a hash of its content is added: `kind.version.group/name.namespace`.
    pub object: String,
    /// The field.
    pub field: Path,
    /// Where the repository writes it: the placeholder, or the field that a value is copied to.
    pub place: Place,
    /// How the value comes there.
    pub way: Way,
    /// The keys that it is made of.
    pub keys: BTreeSet<String>,
}

/// How a value comes into a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// A placeholder stands for it.
    Placeholder,
    /// A replacement or a variable copies it.
    Copy,
}

/// What an injection has done.
#[derive(Clone, Default)]
pub struct Record {
    /// Every placeholder that was filled. What was copied is not among it: only the engine has seen that.
    pub uses: Vec<Use>,
    /// The declared keys and what they have come to.
    pub resolved: Resolved,
    /// Keys that placeholders ask for and that are not declared.
    pub undeclared: BTreeSet<String>,
    /// Declared keys that have no value and need one.
    pub missing: Vec<String>,
    /// Whether the tree may copy values from a declaration.
    pub may_copy: bool,
}

impl Record {
    /// The key that a problem of the injection is about, where it says that the key is not declared.
    pub fn undeclared_by(&self, problem: &Problem) -> Option<&str> {
        let mut keys = self.undeclared.iter().map(String::as_str);
        keys.find(|key| problem.message == not_declared(key))
    }
}

impl Use {
    pub(super) fn of(object: &ResId, field: &Path, place: Place, keys: BTreeSet<String>) -> Self {
        Self {
            object: object.to_string(),
            field: field.clone(),
            place,
            way: Way::Placeholder,
            keys,
        }
    }
}
