//! `replacements`: values from one resource, or from the kustomization, into fields of others.

mod embedded;
mod meant_field;
#[cfg(test)]
mod tests;

use goyaml::{Node, Position, Text};

use crate::error::{Error, Result};
use crate::field_path::{self, Kind};
use crate::id::ResId;
use crate::kustomization::{
    FieldOptions, Replacement, ReplacementSource, ReplacementTarget, replacement_fields,
};
use crate::limits::Budget;
use crate::meant;
use crate::resource::Resource;
use crate::resources::Resources;
use crate::selector::{CompiledSelector, Selector};
use crate::shared;

/// The field that counts where none is given, for sources and targets alike.
const DEFAULT_FIELD: &str = "metadata.name";

/// What to do where a path does not fit.
const CHECK_PATH: &str =
    "check the path: an item of a list is its index, counted from 0, or `[key=value]`";

/// Carries out replacements, in their order.
///
/// # Errors
/// Where one is incomplete, where its source is not exactly one resource or has no such field, and where a target has
/// no such field.
// kustomize: filters/replacement Filter
pub(crate) fn apply(
    replacements: &[Replacement],
    budget: &Budget,
    resources: &mut Resources,
) -> Result<()> {
    resources.iter().try_for_each(Resource::check_notes)?;
    replacements.iter().try_for_each(|replacement| {
        apply_one(replacement, budget, resources)
            .map_err(|error| error.position(replacement.position))
    })
}

/// Reads the file that `path` of a replacement names.
///
/// # Errors
/// Where it holds neither a replacement nor a list of them.
pub(crate) fn read_file(node: &Node) -> Result<Vec<Replacement>> {
    replacement_fields::decode_file(node)
}

fn apply_one(replacement: &Replacement, budget: &Budget, resources: &mut Resources) -> Result<()> {
    if replacement.targets.is_empty() {
        return Err(Error::new("a replacement has no `targets`")
            .field("targets")
            .hint("say where the value goes: `targets: [{select: {kind: …, name: …}, fieldPaths: […]}]`"));
    }
    let mut copied = match (&replacement.source, &replacement.source_value) {
        (Some(source), None) => {
            source_value(source, resources).map_err(|error| error.position(source.position))?
        }
        (None, Some(text)) => Copied {
            value: crate::metadata::untagged(text.clone()),
            source: None,
        },
        (None, None) => {
            return Err(Error::new("a replacement has no `source`")
                .field("source")
                .hint("add `source: {kind: …, name: …, fieldPath: …}`, or `sourceValue: …`"));
        }
        (Some(_), Some(_)) => {
            return Err(
                Error::new("a replacement has both `source` and `sourceValue`")
                    .hint("remove one of the two"),
            );
        }
    };
    resources.note_renaming();
    replacement.targets.iter().try_for_each(|target| {
        apply_to_target(target, &mut copied, budget, resources)
            .map_err(|error| error.position(target.position))
    })
}

/// The value that is copied.
struct Copied {
    value: Node,
    /// The resource and the path that it stands at, unless it is a part of what stands there.
    source: Option<(usize, Vec<String>)>,
}

impl Copied {
    /// Reads the value again where the resource that it comes from has just been written to.
    // kustomize: applyReplacement holds on to the node of the source, which may be a target as well.
    fn follow(&mut self, index: usize, written: &Node) {
        if let Some((source, path)) = &self.source
            && *source == index
            && let Ok(Some(now)) = field_path::lookup(written, path)
        {
            self.value = now.clone();
        }
    }
}

/// The value that a source names, as the node that it is.
fn source_value(source: &ReplacementSource, resources: &Resources) -> Result<Copied> {
    let name = Some(source.id.name.as_str()).filter(|name| !name.is_empty());
    let matches = resources.positions_of(name, |resource| {
        resource.any_id(|id| id.is_selected_by(&source.id))
    });
    let mut matches = matches
        .into_iter()
        .filter_map(|index| Some((index, resources.get(index)?)));
    let (index, first) = matches.next().ok_or_else(|| {
        Error::new(format!(
            "no resource matches the source of a replacement: {}",
            source.id
        ))
        .hint(meant::hint(&source.id, resources).unwrap_or_else(|| {
            "a source is named literally, by its name now or before prefixes and suffixes"
                .to_owned()
        }))
    })?;
    if let Some((_, second)) = matches.next() {
        return Err(two_sources(first, second));
    }
    let written = if source.field_path.is_empty() {
        DEFAULT_FIELD
    } else {
        &source.field_path
    };
    let in_source = |error: Error| {
        at_entry(error, source.field_path_position.unwrap_or(source.position))
            .field(written)
            .resource(first.id())
            .hint(CHECK_PATH)
    };
    let path = field_path::split(written);
    // kustomize: its notes are annotations, and are copied with all the others.
    let noted = matches!(
        path.iter().map(|part| part.trim()).collect::<Vec<_>>()[..],
        ["metadata"] | ["metadata", "annotations"]
    )
    .then(|| first.node_with_notes());
    let node = noted.as_ref().unwrap_or_else(|| first.node());
    let found = field_path::lookup(node, &path).map_err(in_source)?;
    let found = found.filter(|node| !field_path::is_nil_or_empty(node));
    let found = found.ok_or_else(|| {
        let error = Error::new("the source of a replacement has no such field");
        let meant = meant_field::cure(node, written, &path).map(|cure| cure.hint);
        in_source(error.hint(meant.unwrap_or_else(|| {
            "check `fieldPath`; an empty list or map counts as none".to_owned()
        })))
    })?;
    let value = refined(found, source.options.as_ref()).map_err(in_source)?;
    let is_part = source
        .options
        .as_ref()
        .is_some_and(|options| !options.delimiter.is_empty());
    let is_live = !is_part && noted.is_none();
    Ok(Copied {
        value,
        source: is_live.then_some((index, path)),
    })
}

fn two_sources(first: &Resource, second: &Resource) -> Error {
    Error::new(format!(
        "several resources match the source of a replacement: {} and {}",
        first.id(),
        second.id()
    ))
    .related("one stands at", first.node().position)
    .related("the other at", second.node().position)
    .hint("give the source a kind, name and namespace that only one of them has")
}

/// Puts an error where the path is written, and keeps the place of what the path met as another one that matters.
fn at_entry(error: Error, position: Position) -> Error {
    let met = error.details().position;
    let error = error.replace_position(position);
    // What was parsed out of a text has no file of its own.
    if met.file == 0 {
        error
    } else {
        error.related("what the path leads to stands at", met)
    }
}

/// The part of a value that the options ask for.
fn refined(value: &Node, options: Option<&FieldOptions>) -> Result<Node> {
    let Some(options) = options.filter(|options| !options.delimiter.is_empty()) else {
        return Ok(value.clone());
    };
    let text = value.as_str().ok_or_else(delimiter_misplaced)?;
    let index = usize::try_from(options.index).ok();
    let part = index
        .and_then(|index| split(text, &options.delimiter).nth(index))
        .ok_or_else(|| {
            Error::new(format!(
                "the source of a replacement has no part {} between delimiters",
                options.index
            ))
            .hint("`index` counts from 0")
        })?;
    let mut refined = value.clone();
    refined.set_text(part.into());
    Ok(refined)
}

/// A target whose selectors are compiled.
struct Target<'a> {
    select: CompiledSelector,
    reject: Vec<(&'a Selector, CompiledSelector)>,
    fields: Vec<Field<'a>>,
    options: Option<&'a FieldOptions>,
}

struct Field<'a> {
    written: &'a str,
    position: Position,
    path: Vec<String>,
}

impl<'a> Target<'a> {
    fn new(target: &'a ReplacementTarget) -> Result<Self> {
        let ReplacementTarget {
            select,
            reject,
            field_paths,
            options,
            position,
        } = target;
        let select = select.as_ref().ok_or_else(|| {
            Error::new("a target of a replacement has no `select`")
                .field("select")
                .hint("say which resources: `select: {kind: …, name: …}`")
        })?;
        let field = |written: &'a str, position| Field {
            written,
            position,
            path: field_path::split(written),
        };
        let fields = if field_paths.is_empty() {
            vec![field(DEFAULT_FIELD, *position)]
        } else {
            field_paths
                .iter()
                .map(|path| field(&path.text, path.position))
                .collect()
        };
        let reject = reject
            .iter()
            .map(|reject| Ok((reject, reject.compile()?)))
            .collect::<Result<_>>()?;
        Ok(Self {
            select: select.compile()?,
            reject,
            fields,
            options: options.as_ref(),
        })
    }

    fn selects(&self, resource: &Resource) -> bool {
        resource.any_id(|id| self.select.matches_id(id))
            && self.select.matches_metadata(resource)
            && !self
                .reject
                .iter()
                .any(|(reject, compiled)| rejects(reject, compiled, resource))
    }
}

/// Whether a resource is rejected, by its id or by its labels and annotations.
// kustomize: selectByAnnoAndLabel and RejectsAny each look at one half of a selector; an empty half rejects nothing.
fn rejects(reject: &Selector, compiled: &CompiledSelector, resource: &Resource) -> bool {
    let has_labels = !reject.labels.is_empty() || !reject.annotations.is_empty();
    let has_id = reject.id != ResId::default();
    (has_labels && compiled.matches_metadata(resource))
        || (has_id && resource.any_id(|id| compiled.matches_id(id)))
}

fn apply_to_target(
    target: &ReplacementTarget,
    copied: &mut Copied,
    budget: &Budget,
    resources: &mut Resources,
) -> Result<()> {
    budget.check_time()?;
    let target = Target::new(target)?;
    for field in &target.fields {
        let fits = budget.check_depth(field.path.len(), &copied.value);
        budget
            .check_parts(field.path.len())
            .and(fits)
            .map_err(|error| error.position(field.position))?;
    }
    // No resource is selected, or not, because of what is written to another one.
    let selected = resources.positions_of(target.select.literal_name(), |resource| {
        target.selects(resource)
    });
    for index in selected {
        let Some(resource) = resources.get_mut(index) else {
            continue;
        };
        let id = resource.id().clone();
        let node = resource.node_mut();
        for field in &target.fields {
            let done = copy_to(node, field, &copied.value, (target.options, budget));
            done.map_err(|error| {
                at_entry(error, field.position)
                    .field(field.written)
                    .resource(&id)
                    .hint(CHECK_PATH)
            })?;
            copied.follow(index, node);
        }
        resource.settle_shared();
    }
    Ok(())
}

// kustomize: copyValueToTarget
fn copy_to(
    node: &mut Node,
    field: &Field<'_>,
    value: &Node,
    (options, budget): (Option<&FieldOptions>, &Budget),
) -> Result<()> {
    let create = options
        .filter(|options| options.create)
        .map(|_| Kind::of(value));
    let mut set = |slot: &mut Node| {
        set_value(slot, value, options)?;
        budget.charge_node(slot, 1)
    };
    if embedded::set(node, &field.path, create, &mut set) {
        return Ok(());
    }
    if field_path::for_each_match(node, &field.path, create, &mut set)? > 0 {
        return Ok(());
    }
    let error = Error::new("the target of a replacement has no such field");
    let cure = meant_field::cure(node, field.written, &field.path);
    Err(match cure {
        Some(cure) if cure.is_sure || create.is_some() => error.hint(cure.hint),
        Some(cure) if cure.may_be_created => error.hint("set `options.create: true` to create it"),
        Some(cure) => error.hint(cure.hint),
        None => error,
    })
}

// kustomize: setFieldValue
fn set_value(slot: &mut Node, value: &Node, options: Option<&FieldOptions>) -> Result<()> {
    let joined = match options.filter(|options| !options.delimiter.is_empty()) {
        Some(options) => {
            let text = slot.as_str().ok_or_else(delimiter_misplaced)?;
            Some(joined(text, value, options))
        }
        None => None,
    };
    if slot.is_scalar() {
        // A list or a map has no text of its own, so that a scalar becomes empty.
        slot.set_text(joined.or_else(|| value.to_text()).unwrap_or_default());
    } else {
        *slot = value.clone();
        shared::forget(slot);
    }
    Ok(())
}

/// The text with one part replaced, or a part added in front or behind.
fn joined(text: &str, value: &Node, options: &FieldOptions) -> Text {
    let mut parts: Vec<&str> = split(text, &options.delimiter).collect();
    let part = if value.is_null() {
        ""
    } else {
        value.as_str().unwrap_or_default()
    };
    match usize::try_from(options.index) {
        Err(_) if options.index < 0 => parts.insert(0, part),
        Ok(index) if index < parts.len() => {
            if let Some(slot) = parts.get_mut(index) {
                *slot = part;
            }
        }
        _ => parts.push(part),
    }
    parts.join(&options.delimiter).into()
}

fn split<'a>(text: &'a str, delimiter: &'a str) -> std::str::Split<'a, &'a str> {
    text.split(delimiter)
}

fn delimiter_misplaced() -> Error {
    Error::new("`delimiter` is for texts, and this field is a map or a list")
        .hint("remove `options.delimiter`")
}
