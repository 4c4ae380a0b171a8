//! Field specs: which field of which kinds a transformer changes, and the walk to it.

use goyaml::{Data, Limits, Node, Position, Tag, Text};

use crate::error::{Error, Result};
use crate::id::Gvk;
use crate::limits::check_parts;

/// A field of the objects of some kinds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldSpec {
    /// The kinds that have the field; empty parts match everything.
    pub gvk: Gvk,
    /// The way to the field, `/` between the parts, as it was written.
    pub path: Text,
    /// Whether the field is created where it is missing.
    pub create: bool,
}

/// What [`FieldSpec::apply`] puts where a field is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Create {
    /// Nothing: such objects are left alone, whatever the field spec says.
    Never,
    /// A scalar with this tag and no text.
    Scalar(Tag),
    /// An empty mapping.
    Mapping,
}

impl FieldSpec {
    /// A field of every kind.
    pub fn of_every_kind(path: &str, create: bool) -> Self {
        Self {
            gvk: Gvk::default(),
            path: path.into(),
            create,
        }
    }

    /// Calls `set` on every node that the path leads to, if the field spec covers the object at all.
    ///
    /// Sequences on the way are entered element by element; a null on the way ends it.
    ///
    /// # Errors
    /// Where the path meets a scalar, and what `set` returns.
    // kustomize: filters/fieldspec Filter
    pub fn apply(
        &self,
        object: &mut Node,
        create: Create,
        set: &mut dyn FnMut(&mut Node) -> Result<()>,
    ) -> Result<()> {
        if self.covers(object) {
            self.apply_to_covered(object, create, set)
        } else {
            Ok(())
        }
    }

    /// As [`Self::apply`], for an object that the field spec is known to cover.
    ///
    /// # Errors
    /// As for [`Self::apply`].
    pub(crate) fn apply_to_covered(
        &self,
        object: &mut Node,
        create: Create,
        set: &mut dyn FnMut(&mut Node) -> Result<()>,
    ) -> Result<()> {
        let create = if self.create { create } else { Create::Never };
        let walked = if memchr::memchr(b'\\', self.path.as_bytes()).is_some() {
            let parts = split_path(&self.path, '/');
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            check_parts(parts.len(), Limits::default().depth)?;
            walk(object, &parts, create, set)
        } else {
            with_parts(&self.path, |parts| {
                check_parts(parts.len(), Limits::default().depth)?;
                walk(object, parts, create, set)
            })
        };
        walked.map_err(|error| error.field(self.path.as_str()))
    }

    /// Whether the object is of the kinds that have the field.
    pub fn covers(&self, object: &Node) -> bool {
        if self.gvk == Gvk::default() {
            return true;
        }
        let kind = crate::metadata::top_field(object, "kind");
        self.is_of(kind, || crate::metadata::top_field(object, "apiVersion"))
    }

    /// Whether what is set where the path leads may be of which kind the object is.
    pub(crate) fn may_change_kind(&self) -> bool {
        // Blank parts go nowhere.
        let parts = self.path.split('/').map(str::trim);
        let mut parts = parts.filter(|part| !part.is_empty());
        let first = parts.next();
        let name = first.map(|part| part.strip_suffix("[]").unwrap_or(part).trim());
        parts.next().is_none() && matches!(name, None | Some("" | "kind" | "apiVersion"))
    }

    /// As [`Self::covers`], where kind and apiVersion of the object are at hand.
    pub(crate) fn is_of<'a>(&self, its_kind: &str, api_version: impl FnOnce() -> &'a str) -> bool {
        let Gvk {
            group,
            version,
            kind,
        } = &self.gvk;
        if !kind.is_empty() && kind != its_kind {
            return false;
        }
        if group.is_empty() && version.is_empty() {
            return true;
        }
        let (its_group, its_version) = crate::id::split_api_version(api_version());
        (group.is_empty() || group == its_group) && (version.is_empty() || version == its_version)
    }
}

/// Adds field specs that are not there yet.
///
/// # Errors
/// Where the same field is there with another `create`.
// kustomize: FsSlice.MergeAll
pub fn merge(into: &mut Vec<FieldSpec>, incoming: &[FieldSpec]) -> Result<()> {
    for spec in incoming {
        match into
            .iter()
            .find(|known| known.path == spec.path && known.gvk.is_selected_by(&spec.gvk))
        {
            Some(known) if known.create != spec.create => {
                return Err(Error::new(format!(
                    "field specs for `{}` disagree on `create`",
                    spec.path
                ))
                .hint("give the field the same `create` in every configuration"));
            }
            Some(_) => {}
            None => into.push(spec.clone()),
        }
    }
    Ok(())
}

/// Splits a path, honouring `\` before a delimiter; a leading delimiter is dropped.
// kustomize: kyaml utils.PathSplitter
pub fn split_path(path: &str, delimiter: char) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut pieces = path.split(delimiter).peekable();
    if pieces.peek() == Some(&"") && path.contains(delimiter) {
        pieces.next();
    }
    for piece in pieces {
        match parts.last_mut() {
            Some(last) if last.ends_with('\\') => {
                last.pop();
                last.push(delimiter);
                last.push_str(piece);
            }
            _ => parts.push(piece.to_owned()),
        }
    }
    parts
}

/// Splits a path without escapes as [`split_path`] does; the usual one without taking memory for its parts.
fn with_parts<T>(path: &str, run: impl FnOnce(&[&str]) -> T) -> T {
    const FEW: usize = 16;
    let path = path.strip_prefix('/').unwrap_or(path);
    let mut parts = [""; FEW];
    let mut rest = path;
    for count in 1..=FEW {
        let end = memchr::memchr(b'/', rest.as_bytes());
        let (part, behind) = rest.split_at(end.unwrap_or(rest.len()));
        if let Some(slot) = parts.get_mut(count - 1) {
            *slot = part;
        }
        if end.is_none() {
            return run(parts.get(..count).unwrap_or_default());
        }
        rest = behind.get(1..).unwrap_or_default();
    }
    run(&path.split('/').collect::<Vec<_>>())
}

fn walk(
    node: &mut Node,
    path: &[&str],
    create: Create,
    set: &mut dyn FnMut(&mut Node) -> Result<()>,
) -> Result<()> {
    let Some((part, rest)) = path.split_first() else {
        return set(node);
    };
    if node.is_null() {
        return Ok(());
    }
    match &mut node.data {
        Data::Sequence(items) => items
            .iter_mut()
            .try_for_each(|item| walk(item, path, create, set)),
        Data::Mapping(_) => walk_field(node, part, rest, create, set),
        Data::Scalar(_) | Data::Alias(_) => Err(meets_text(node.position)),
    }
}

/// The error for a way that does not end where it can go no further.
pub(crate) fn meets_text(position: Position) -> Error {
    Error::new("the path leads through a field that is neither a map nor a list")
        .position(position)
        .hint("check the path in the field spec, and the field in the resource")
}

fn walk_field(
    map: &mut Node,
    part: &str,
    rest: &[&str],
    create: Create,
    set: &mut dyn FnMut(&mut Node) -> Result<()>,
) -> Result<()> {
    let name = part.strip_suffix("[]").unwrap_or(part);
    let is_list = name.len() != part.len();
    if name.is_empty() {
        return Err(Error::new("the path of a field spec has an empty part")
            .hint("remove the `/` too many"));
    }
    let name = name.trim();
    if name.is_empty() {
        return walk(map, rest, create, set);
    }
    check_names_field(name)?;
    let field = map
        .entries_mut()
        .and_then(|entries| enter(entries, name, is_list, create, rest.is_empty()));
    field.map_or(Ok(()), |field| walk(field, rest, create, set))
}

/// The value of a field as a path enters it: what is missing, or null, is what the path needs where that is to be created.
/// `is_list` is whether the part of the path is written with `[]`, and `is_end` whether it is the last one.
pub(crate) fn enter<'n>(
    entries: &'n mut Vec<(Node, Node)>,
    name: &str,
    is_list: bool,
    create: Create,
    is_end: bool,
) -> Option<&'n mut Node> {
    let creates = create != Create::Never && !is_list;
    let fresh = || match create {
        Create::Scalar(tag) if is_end => Node::scalar("", tag),
        _ => Node::mapping(Vec::new()),
    };
    let found = entries
        .iter()
        .position(|(key, _)| key.as_str() == Some(name));
    let index = match found {
        Some(index) => index,
        None if !creates => return None,
        None => {
            // kustomize: a created key has no tag, so that one that reads as a boolean is one.
            goyaml::push_entry(entries, crate::metadata::untagged(name), fresh());
            entries.len() - 1
        }
    };
    let (_, value) = entries.get_mut(index)?;
    if value.is_null() {
        if is_list {
            value.data = Data::Sequence(Vec::new());
            value.tag = Tag::Seq;
        } else if creates {
            *value = fresh();
        }
    }
    Some(value)
}

/// Refuses what would mean an item of a list: no list is looked for in a map.
// kustomize: PathGetter.getFilter
pub(crate) fn check_names_field(name: &str) -> Result<()> {
    if name == "*" {
        return Err(
            Error::new("the path of a field spec cannot have the part `*`")
                .hint("name each field in a field spec of its own"),
        );
    }
    let is_item = name == "-"
        || name.parse::<i64>().is_ok()
        || (name.starts_with('[') && name.ends_with(']'));
    if is_item {
        let message = format!(
            "the part `{name}` of the path of a field spec means an item, and there is a map"
        );
        return Err(Error::new(message)
            .hint("leave the part out to mean all items of a list; a key of a map cannot be a number here"));
    }
    Ok(())
}
