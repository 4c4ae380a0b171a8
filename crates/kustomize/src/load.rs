//! Objects out of a file: splitting documents, unwrapping lists, refusing what is no object.

use goyaml::{Dialect, Limits, Node, TextPlace, Value};

use crate::error::{Error, Result};
use crate::metadata;
use crate::patches::strategic_merge::comment_schema;
use crate::resource::Resource;

/// Reads the objects of a text.
///
/// # Errors
/// Where it is no YAML, or a document of it no Kubernetes object.
// kustomize: resource.Factory.SliceFromBytes
pub(crate) fn resources(bytes: &[u8], limits: &Limits) -> Result<Vec<Resource>> {
    Ok(nodes(bytes, limits)?
        .into_iter()
        .map(Resource::new)
        .collect())
}

/// As [`resources`], with the name and number of the file in errors and positions.
///
/// # Errors
/// As for [`resources`].
pub(crate) fn resources_of_file(
    file: &crate::loader::Loaded,
    limits: &Limits,
) -> Result<Vec<Resource>> {
    let mut nodes = nodes(&file.bytes, limits).map_err(|error| error.in_file(&file.name))?;
    for node in &mut nodes {
        node.set_file(file.number);
    }
    Ok(nodes.into_iter().map(Resource::new).collect())
}

/// Reads the objects of a text that stands in a kustomization; places in the text become those in the file.
///
/// # Errors
/// As for [`resources`].
pub(crate) fn inline(text: &str, place: TextPlace, limits: &Limits) -> Result<Vec<Resource>> {
    let mut nodes = nodes(text.as_bytes(), limits).map_err(|error| error.within(place))?;
    for node in &mut nodes {
        node.set_text_place(place);
    }
    Ok(nodes.into_iter().map(Resource::new).collect())
}

/// Reads the first document of a file that holds no objects, with its aliases put in place and the file's number in
/// every position; `None` where there is none.
///
/// # Errors
/// Where it is no YAML.
pub(crate) fn document(bytes: &[u8], file: u32, limits: &Limits) -> Result<Option<Node>> {
    let parsed = goyaml::parse(bytes, limits).map_err(|error| Error::malformed(&error))?;
    let Some(mut node) = parsed else {
        return Ok(None);
    };
    node.expand_aliases(limits)
        .map_err(|error| Error::malformed(&error))?;
    node.set_file(file);
    Ok(Some(node))
}

fn nodes(bytes: &[u8], limits: &Limits) -> Result<Vec<Node>> {
    let has_comments =
        comment_schema::may_be_in(bytes) || comment_schema::may_be_beside_values(bytes);
    let parsed = if has_comments {
        goyaml::parse_documents_with_comments(bytes, limits)
    } else {
        goyaml::parse_documents(bytes, limits)
    };
    let documents = parsed.map_err(|error| Error::malformed(&error))?;
    let mut queue = Vec::with_capacity(documents.len());
    let is_list = |document: &Node| {
        matches!(
            metadata::top_field(document, "kind"),
            "List" | "ResourceList"
        )
    };
    let is_alone = documents.len() == 1
        && documents.iter().all(is_list)
        && goyaml::is_one_document(bytes).map_err(|error| Error::malformed(&error))?;
    for mut document in documents {
        // kustomize: ByteReader.Read unwraps a List only where it is the only document of its file.
        if is_alone && document.get("items").is_some() {
            if let Some(items) = document.get_mut("items").and_then(Node::items_mut) {
                queue.append(items);
            }
        } else if !(is_alone && document.get("functionConfig").is_some()) {
            queue.push(document);
        }
    }
    let mut queue: std::collections::VecDeque<Node> = valid(queue)?.into();
    let mut found = Vec::with_capacity(queue.len());
    while let Some(node) = queue.pop_front() {
        if !metadata::top_field(&node, "kind").ends_with("List") || node.get("items").is_none() {
            found.push(node);
            continue;
        }
        queue.extend(valid(list_items(&node)?)?);
    }
    if has_comments {
        found.iter_mut().for_each(comment_schema::keep_in);
    }
    Ok(found)
}

/// The items of a `FooList`, which kustomize passes through JSON.
fn list_items(list: &Node) -> Result<Vec<Node>> {
    let Some(items) = list.get("items") else {
        return Ok(Vec::new());
    };
    // All of the list goes through JSON, so that a key twice fails wherever it stands.
    let value = list
        .to_value(Dialect::V3)
        .map_err(|error| Error::malformed(&error))?;
    if items.is_null() {
        return Ok(Vec::new());
    }
    let kind = metadata::top_field(list, "kind");
    let items = items.items().ok_or_else(|| {
        Error::new(format!("`items` of a {kind} must be a list"))
            .position(items.position)
            .field("items")
            .hint("begin each object with `- `")
    })?;
    let values = value.get("items").and_then(Value::as_array);
    let items = items.iter().zip(values.unwrap_or_default());
    // kustomize: convertObjectSliceToNodeSlice writes each item as JSON and reads that as YAML.
    items
        .map(|(item, value)| {
            let malformed =
                |error: goyaml::Error| Error::malformed(&error).replace_position(item.position);
            let parsed = goyaml::parse(value.to_json().as_bytes(), &Limits::default());
            let mut node = parsed.map_err(malformed)?.unwrap_or_else(Node::null);
            node.copy_places(item);
            Ok(node)
        })
        .collect()
}

// kustomize: resource.Factory.dropBadNodes
fn valid(nodes: Vec<Node>) -> Result<Vec<Node>> {
    let mut found = Vec::with_capacity(nodes.len());
    for node in nodes {
        if is_nil_or_empty(&node) {
            continue;
        }
        check_object(&node)?;
        found.push(node);
    }
    Ok(found)
}

// kustomize: an empty text has been refused before, where ByteReader.decode looks for annotations.
fn is_nil_or_empty(node: &Node) -> bool {
    node.is_null()
        || node.entries().is_some_and(<[_]>::is_empty)
        || node.items().is_some_and(<[_]>::is_empty)
}

/// Makes sure that an object has a kind and, unless it is a list, a name.
///
/// # Errors
/// Where it has not.
// kustomize: RNode.GetValidatedMetadata
pub(crate) fn check_object(node: &Node) -> Result<()> {
    if !node.is_mapping() {
        return Err(
            Error::new("a document is not a Kubernetes object: it is not a map")
                .position(node.position)
                .hint("remove the document, or take the file out of `resources`"),
        );
    }
    let missing = |field: &str| {
        Err(Error::new(format!("an object has no `{field}`"))
            .position(node.position)
            .field(field)
            .hint("every object needs `apiVersion`, `kind` and `metadata.name`"))
    };
    let kind = metadata::top_field(node, "kind");
    if node.get("kind").is_none_or(Node::is_null) || kind.is_empty() {
        return missing("kind");
    }
    if kind.ends_with("List") {
        return Ok(());
    }
    if metadata::field(node, "name").is_empty() {
        return missing("metadata.name");
    }
    Ok(())
}
