//! One object on its way through a build: its node tree, who it is, and who it was.

mod notes;

use std::cell::OnceCell;

use goyaml::{Data, Node, Position, Text};

use crate::error::{Error, Result};
use crate::id::{Gvk, NOT_A_NAMESPACE, ResId};
use crate::metadata::{self, StringMap};
use crate::named_path::NamedPath;
use crate::origin;
use crate::shared::Shared;

pub use notes::Notes;
pub(crate) use notes::{Behavior, History, PreviousId};

/// The domain of the annotations in which kustomize keeps its notes.
const NOTES_DOMAIN: &str = "internal.config.kubernetes.io";

/// Annotations that kustomize's readers and writers use; they never reach the output.
const READER_ANNOTATIONS: [&str; 8] = [
    "internal.config.kubernetes.io/path",
    "internal.config.kubernetes.io/index",
    "internal.config.kubernetes.io/seqindent",
    "internal.config.kubernetes.io/id",
    "internal.config.kubernetes.io/annotations-migration-resource-id",
    "config.kubernetes.io/path",
    "config.kubernetes.io/index",
    "config.k8s.io/id",
];

/// A resource of a build.
#[derive(Clone, Debug)]
pub struct Resource {
    node: Node,
    id: OnceCell<ResId>,
    /// What it was when that was last asked, and whether such are outside of namespaces.
    last_kind: Option<(Gvk, bool)>,
    /// What the build has noted about it.
    pub notes: Notes,
    /// Names of the variables whose value is read from it.
    pub variables: Vec<Text>,
    /// Fields with a content that is not of the repository: no message names a field within them.
    pub filled: Vec<NamedPath>,
    /// What kustomize's nodes of it are made by.
    pub(crate) made_by: MadeBy,
    /// What kustomize has changed in it without a word.
    pub(crate) notices: Vec<Error>,
    shared: Shared,
}

/// What has made the nodes of a resource in kustomize, which tells them apart where they say the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MadeBy {
    /// A file, a generator, or whatever changes fields where they are.
    Reading,
    /// A strategic merge, which writes kind, name and namespace anew.
    Merge {
        /// The name is the object's own rather than the patch's.
        keeps_name: bool,
        /// The kind is the object's own rather than the patch's.
        keeps_kind: bool,
        /// Where the version stands in the text of the patch, if it is the patch's.
        version: Option<(u32, u32)>,
    },
    /// The text of a patch in `patches`; line and column of its version.
    Patch {
        /// Line and column.
        version: (u32, u32),
    },
    /// A JSON 6902 patch, which makes an object of a text.
    JsonPatch,
}

impl Resource {
    /// Wraps an object.
    pub fn new(node: Node) -> Self {
        let mut resource = Self {
            node,
            id: OnceCell::new(),
            last_kind: None,
            notes: Notes::default(),
            shared: Shared::default(),
            variables: Vec::new(),
            filled: Vec::new(),
            made_by: MadeBy::Reading,
            notices: Vec::new(),
        };
        resource.absorb_notes();
        resource
    }

    /// The object.
    pub const fn node(&self) -> &Node {
        &self.node
    }

    /// The object, to change.
    pub fn node_mut(&mut self) -> &mut Node {
        if let Some(id) = self.id.take() {
            self.last_kind = Some((id.gvk, id.cluster_scoped));
        }
        &mut self.node
    }

    /// Whether nothing is left of the object (a patch deleted it).
    pub fn is_empty(&self) -> bool {
        self.node.is_null() || self.node.entries().is_some_and(<[_]>::is_empty)
    }

    /// Who it is.
    pub fn id(&self) -> &ResId {
        self.id.get_or_init(|| {
            let (gvk, cluster_scoped) = self.gvk_and_scope();
            ResId {
                gvk,
                name: metadata::field(&self.node, "name").into(),
                namespace: metadata::field(&self.node, "namespace").into(),
                cluster_scoped,
            }
        })
    }

    fn gvk_and_scope(&self) -> (Gvk, bool) {
        let api_version = metadata::top_field(&self.node, "apiVersion");
        let kind = metadata::top_field(&self.node, "kind");
        match &self.last_kind {
            Some((last, cluster_scoped)) if last.is(api_version, kind) => {
                (last.clone(), *cluster_scoped)
            }
            _ => {
                let gvk = Gvk::new(api_version, kind);
                let cluster_scoped = gvk.is_cluster_scoped();
                (gvk, cluster_scoped)
            }
        }
    }

    /// Group, version and kind.
    pub fn gvk(&self) -> &Gvk {
        &self.id().gvk
    }

    /// Its name.
    pub fn name(&self) -> &Text {
        &self.id().name
    }

    /// Its namespace as written, empty where none is.
    pub fn namespace(&self) -> &Text {
        &self.id().namespace
    }

    /// Who it was, the oldest first; with today's group and version.
    pub fn previous_ids(&self) -> impl Iterator<Item = ResId> {
        let gvk = self.gvk();
        self.notes.previous.iter().map(move |previous| ResId {
            gvk: Gvk {
                kind: previous.kind.clone(),
                ..gvk.clone()
            },
            name: previous.name.clone(),
            namespace: previous.namespace.clone(),
            cluster_scoped: previous.namespace == NOT_A_NAMESPACE,
        })
    }

    /// Who it was at first.
    pub fn original_id(&self) -> ResId {
        self.previous_ids()
            .next()
            .unwrap_or_else(|| self.id().clone())
    }

    /// Whether the test holds for what it is or for anything that it was.
    pub fn any_id(&self, mut test: impl FnMut(&ResId) -> bool) -> bool {
        test(self.id()) || self.previous_ids().any(|id| test(&id))
    }

    /// Whether this is its name or was it; a quick look before the ids are compared.
    pub fn has_had_name(&self, name: &str) -> bool {
        self.name() == name
            || self
                .notes
                .previous
                .iter()
                .any(|previous| previous.name == name)
    }

    /// Notes who it is, before its name, namespace or kind changes.
    pub fn remember_id(&mut self) {
        let id = self.id();
        let previous = PreviousId {
            name: id.name.clone(),
            namespace: id.effective_namespace().into(),
            kind: id.gvk.kind.clone(),
        };
        self.notes.previous.push(previous);
        if self.notes.history == History::Uneven {
            self.notes.history = History::Broken;
        }
    }

    /// Refuses a resource whose object came with notes about who it was that do not belong together.
    ///
    /// # Errors
    /// Where it is such a one.
    // kustomize: utils.PrevIds
    pub fn check_notes(&self) -> Result<()> {
        if self.notes.history != History::Broken {
            return Ok(());
        }
        Err(Error::new(format!(
            "the annotations `{NOTES_DOMAIN}/previous…` are not three lists of one length"
        ))
        .position(self.node.position)
        .resource(self.id())
        .hint("remove them: they are notes that kustomize makes for itself"))
    }

    /// Marks the places that a label is about to be added to.
    pub(crate) fn share(&mut self, text: &Text) -> u32 {
        self.shared.add(text)
    }

    /// Brings what was written to one place of a label to its other places.
    pub(crate) fn settle_shared(&mut self) {
        self.shared.settle(&mut self.node);
    }

    /// Sets the name.
    pub fn set_name(&mut self, name: &str) {
        metadata::set_field(self.node_mut(), "name", name);
    }

    /// Sets the namespace; an empty one removes the field.
    pub fn set_namespace(&mut self, namespace: &str) {
        if namespace.is_empty() {
            if let Some(metadata) = self.node_mut().get_mut("metadata") {
                metadata.remove("namespace");
            }
        } else {
            metadata::set_field(self.node_mut(), "namespace", namespace);
        }
    }

    /// Sets the kind.
    pub fn set_kind(&mut self, kind: &str) {
        metadata::set_entry(self.node_mut(), "kind", metadata::untagged(kind));
    }

    /// Sets the apiVersion and kind.
    pub fn set_gvk(&mut self, gvk: &Gvk) {
        self.set_kind(&gvk.kind);
        metadata::set_entry(
            self.node_mut(),
            "apiVersion",
            metadata::untagged(gvk.api_version()),
        );
    }

    /// Takes over the name, namespace, notes, labels and annotations of the resource that this one replaces; its own
    /// labels and annotations win.
    // kustomize: Resource.CopyMergeMetaDataFieldsFrom
    pub fn inherit_metadata(&mut self, old: &Self) {
        let merge = |mut base: StringMap, own: StringMap| {
            base.extend(own);
            base
        };
        let labels = merge(metadata::labels(&old.node), metadata::labels(&self.node));
        let annotations = merge(
            metadata::annotations(&old.node),
            metadata::annotations(&self.node),
        );
        let needs_hash = self.notes.needs_hash && old.notes.needs_hash;
        let node = self.node_mut();
        metadata::set_string_map(node, "labels", &labels);
        metadata::set_string_map(node, "annotations", &annotations);
        self.set_name(old.name());
        self.set_namespace(old.namespace());
        self.notes = Notes {
            needs_hash,
            ..old.notes.clone()
        };
        self.variables.clone_from(&old.variables);
    }

    /// Changes the object while its notes stand in its annotations, as they always do in kustomize, and reads them
    /// back. A patch sees an `annotations` map that exists for no other reason, and may drop the notes with it.
    pub fn edit_with_notes<T>(&mut self, edit: impl FnOnce(&mut Node) -> T) -> T {
        let history = self.notes.history;
        self.write_notes();
        let result = edit(self.node_mut());
        self.notes = Notes::default();
        self.absorb_notes();
        if history != History::Even {
            self.notes.history = history;
        }
        result
    }

    /// The object as it is in kustomize, with its notes among its annotations.
    pub fn node_with_notes(&self) -> Node {
        let mut noted = self.clone();
        noted.write_notes();
        noted.node
    }

    /// Appends the bytes that kustomize prints for the resource.
    ///
    /// # Errors
    /// Where it holds what JSON cannot say: a key that is no text, a key twice, an infinite number.
    // kustomize: Resource.AsYAML
    pub fn emit(&self, out: &mut String) -> Result<()> {
        self.emit_within(usize::MAX, out).map(|_| ())
    }

    /// As [`Self::emit`], as long as that are no more than so many bytes; whether they are not.
    ///
    /// # Errors
    /// As for [`Self::emit`].
    pub(crate) fn emit_within(&self, limit: usize, out: &mut String) -> Result<bool> {
        let written = goyaml::emit_canonical_within(limit, &self.node, out);
        if matches!(&written, Err(error) if error.message == goyaml::TOO_LONG) {
            return Ok(false);
        }
        written.map(|()| true).map_err(|error| {
            let (path, place) = unwritable(&self.node, &error.message);
            let path = path.outside_of(&self.filled);
            let made = if error.message.starts_with("mapping key") {
                Error::malformed(&error)
            } else {
                let reason = error.message.trim_start_matches("json: ").trim_start_matches("yaml: ");
                Error::new(format!("the resource cannot be written: {reason}")).position(error.position)
            };
            let made = made.position(place).position(self.node.position).resource(self.id());
            let made = if path.is_empty() { made } else { made.field(path.as_str()) };
            let made = match error.message.as_str() {
                message if message.contains("not a finite number") => {
                    made.hint("put quotes around `.inf` and `.nan` if a text is meant: JSON has no such number")
                }
                message if message.contains("control characters") => {
                    made.hint("remove the control character, or hand the content over as `binaryData`")
                }
                message if message.contains("invalid map key") => {
                    made.hint("a key is one text, without `? ` in front of it")
                }
                _ => made,
            };
            if error.message.ends_with("a key that is not a string") {
                return made.hint(
                    "put quotes around a key that reads as a number, a boolean or null; kustomize takes no such key for \
                     a label or an annotation, quoted or not",
                );
            }
            made
        })
    }

    /// Takes away what must not reach the output and writes the annotations as strings, in order.
    // kustomize: RemoveBuildAnnotations, RemoveOriginAnnotations and RemoveTransformerAnnotations each rewrite the map.
    pub fn finish(&mut self, keep_origin: bool, keep_transformations: bool) {
        let mut annotations = metadata::annotations(&self.node);
        if annotations.is_empty() && keep_origin && keep_transformations {
            return;
        }
        for name in READER_ANNOTATIONS {
            annotations.remove(name);
        }
        if !keep_origin {
            annotations.remove(origin::ORIGIN);
        }
        if !keep_transformations {
            annotations.remove(origin::TRANSFORMATIONS);
        }
        metadata::set_string_map(self.node_mut(), "annotations", &annotations);
    }

    fn write_notes(&mut self) {
        let notes = std::mem::take(&mut self.notes);
        let mut written = StringMap::new();
        let mut put = |name: &str, value: String| {
            written.insert(format!("{NOTES_DOMAIN}/{name}").into(), value.into());
        };
        if !notes.previous.is_empty() {
            let column = |part: fn(&PreviousId) -> &Text| join(notes.previous.iter().map(part));
            put("previousNames", column(|id| &id.name));
            put("previousNamespaces", column(|id| &id.namespace));
            put("previousKinds", column(|id| &id.kind));
        }
        if !notes.prefixes.is_empty() {
            put("prefixes", join(notes.prefixes.iter()));
        }
        if !notes.suffixes.is_empty() {
            put("suffixes", join(notes.suffixes.iter()));
        }
        if let Some(behavior) = notes.behavior {
            put("generatorBehavior", behavior.word().to_owned());
        }
        let switches = [
            ("needsHashSuffix", notes.needs_hash),
            ("allowNameChange", notes.name_change_allowed),
            ("allowKindChange", notes.kind_change_allowed),
        ];
        for (name, _) in switches.into_iter().filter(|(_, is_on)| *is_on) {
            put(name, "enabled".to_owned());
        }
        if notes.is_helm_generated {
            put("helm-generated", "true".to_owned());
        }
        if written.is_empty() {
            return;
        }
        // kustomize: SetAnnotation adds to the annotations that are there and leaves those as they are.
        if let Some(annotations) = metadata::map_mut(self.node_mut(), "annotations") {
            for (name, value) in written {
                annotations.set(&name, metadata::string_node(value));
            }
        }
    }

    fn absorb_notes(&mut self) {
        let is_note = |key: &Node| {
            key.as_str()
                .is_some_and(|name| name.starts_with(NOTES_DOMAIN))
        };
        let found = self
            .node
            .get_path(&["metadata", "annotations"])
            .and_then(Node::entries);
        if !found.is_some_and(|entries| entries.iter().any(|(key, _)| is_note(key))) {
            return;
        }
        let Some(annotations) = metadata::map_mut(&mut self.node, "annotations") else {
            return;
        };
        let mut take = |name: &str| {
            let value = annotations.remove(&format!("{NOTES_DOMAIN}/{name}"))?;
            // What is no text counts as an empty one.
            Some(value.to_text().unwrap_or_default())
        };
        let split = |list: Option<Text>| -> Vec<Text> {
            list.map(|list| list.split(',').map(Text::from).collect())
                .unwrap_or_default()
        };
        let names = take("previousNames");
        let namespaces = take("previousNamespaces");
        let kinds = take("previousKinds");
        self.notes.history = History::of([&names, &namespaces, &kinds]);
        let names = split(names);
        let namespaces = split(Some(namespaces.unwrap_or_default()));
        let kinds = split(Some(kinds.unwrap_or_default()));
        self.notes.previous = (names.into_iter().zip(namespaces).zip(kinds))
            .map(|((name, namespace), kind)| PreviousId {
                name,
                namespace,
                kind,
            })
            .collect();
        self.notes.prefixes = split(take("prefixes"));
        self.notes.suffixes = split(take("suffixes"));
        self.notes.behavior = take("generatorBehavior").map(|word| Behavior::from_word(&word));
        self.notes.needs_hash = take("needsHashSuffix").is_some_and(|word| word == "enabled");
        self.notes.name_change_allowed =
            take("allowNameChange").is_some_and(|word| word == "enabled");
        self.notes.kind_change_allowed =
            take("allowKindChange").is_some_and(|word| word == "enabled");
        self.notes.is_helm_generated = take("helm-generated").is_some_and(|word| word == "true");
        take("refBy");
        let is_empty = annotations.entries().is_some_and(<[_]>::is_empty);
        if is_empty && let Some(metadata) = self.node_mut().get_mut("metadata") {
            metadata.remove("annotations");
        }
    }
}

fn join<'a>(parts: impl Iterator<Item = &'a Text>) -> String {
    parts.map(Text::as_str).collect::<Vec<_>>().join(",")
}

/// Where in a tree that cannot be written the reason lies: the path and place of the smallest part that fails alike.
fn unwritable(root: &Node, message: &str) -> (NamedPath, Position) {
    let fails = |part: &Node| {
        let alone = Node::mapping(vec![(Node::string("part"), part.clone())]);
        goyaml::emit_canonical(&alone, &mut String::new())
            .is_err_and(|error| error.message == message)
    };
    let mut path = NamedPath::default();
    let mut node = root;
    loop {
        let inner = match &node.data {
            Data::Mapping(entries) => {
                let found = entries.iter().find(|(_, value)| fails(value));
                found.map(|(key, value)| {
                    path.push_key(key.as_str().unwrap_or_default());
                    value
                })
            }
            Data::Sequence(items) => {
                let found = items.iter().enumerate().find(|(_, item)| fails(item));
                found.map(|(index, item)| {
                    path.push_index(index);
                    item
                })
            }
            Data::Scalar(_) | Data::Alias(_) => None,
        };
        let Some(inner) = inner else {
            return (path, node.position);
        };
        node = inner;
    }
}
