//! What a build notes about a resource.

use goyaml::Text;

/// What a build notes about a resource and takes away before the output.
///
/// kustomize keeps the same in annotations of the object; [`Resource::edit_with_notes`](super::Resource::edit_with_notes) makes them visible where that
/// can be observed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the notes are independent of one another, as kustomize's annotations are"
)]
pub struct Notes {
    /// Who it was, the oldest first.
    pub previous: Vec<PreviousId>,
    /// Whether the parts of who it was belong together.
    pub history: History,
    /// Name prefixes that were added, the innermost first.
    pub prefixes: Vec<Text>,
    /// Name suffixes that were added, the innermost first.
    pub suffixes: Vec<Text>,
    /// How it meets an existing resource of its name; only for generated ones.
    pub behavior: Option<Behavior>,
    /// Whether a hash of the content is to be added to the name.
    pub needs_hash: bool,
    /// Whether the patch may change names.
    pub name_change_allowed: bool,
    /// Whether the patch may change kinds.
    pub kind_change_allowed: bool,
    /// Whether Helm has rendered it, and so has chosen its namespace.
    pub is_helm_generated: bool,
}

/// How the names, namespaces and kinds that a resource had fit each other, which kustomize keeps in lists of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum History {
    /// There are as many of each.
    #[default]
    Even,
    /// A list is absent; it counts as one empty part, until another name adds to it.
    Uneven,
    /// There are more of one than of another.
    Broken,
}

impl History {
    /// How three lists with commas fit each other.
    pub(super) fn of(lists: [&Option<Text>; 3]) -> Self {
        let length = |list: &Option<Text>| list.as_ref().map_or(0, |list| list.split(',').count());
        let [names, namespaces, kinds] = lists.map(length);
        if names == namespaces && names == kinds {
            Self::Even
        } else if names == 0 || (names == 1 && namespaces < 2 && kinds < 2) {
            Self::Uneven
        } else {
            Self::Broken
        }
    }
}

/// A name that a resource had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviousId {
    /// Name.
    pub name: Text,
    /// Effective namespace.
    pub namespace: Text,
    /// Kind.
    pub kind: Text,
}

/// How a generated resource meets an existing one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behavior {
    /// None was given: as [`Self::Create`].
    Unspecified,
    /// There must be none.
    Create,
    /// Takes its place.
    Replace,
    /// Adds to it.
    Merge,
}

impl Behavior {
    /// Reads the word in a generator's `behavior`; any other word counts as none, as in kustomize.
    pub fn from_word(word: &str) -> Self {
        match word {
            "create" => Self::Create,
            "replace" => Self::Replace,
            "merge" => Self::Merge,
            _ => Self::Unspecified,
        }
    }

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::Create => "create",
            Self::Replace => "replace",
            Self::Merge => "merge",
        }
    }
}
