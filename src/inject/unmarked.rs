//! Finds placeholders where there should be none, and the places of texts within their scalars.

use goyaml::{Data, Node, Position, Style};
use kustomize::{FileNames, Resource};

use super::field::{Path, Step};
use super::{scanner, secret_data};
use crate::failure::Problem;

/// The problem with the place of the first placeholder of a resource; `None` where there is none.
pub(super) fn find(resource: &Resource, names: &FileNames, problem: Problem) -> Option<Problem> {
    let is_secret = resource.gvk().kind == "Secret" && resource.gvk().group.is_empty();
    let (position, path) = first(resource.node(), &mut Path::default(), is_secret)?;
    let mut problem = problem
        .in_repository(names.get(position.file), position)
        .resource(resource.id());
    problem.field = Some(path);
    Some(problem)
}

/// Where the first placeholder of a tree stands.
fn first(node: &Node, path: &mut Path, is_secret: bool) -> Option<(Position, String)> {
    match &node.data {
        Data::Alias(_) => None,
        Data::Scalar(text) => {
            let found = scanner::first_setting(text)
                .map(|offset| locate(node, text, offset))
                .or_else(|| {
                    let is_encoded = is_secret
                        && matches!(path.0.first(), Some(Step::Key(key)) if key == "data");
                    let decoded = if is_encoded {
                        secret_data::decode(text)?
                    } else {
                        return None;
                    };
                    scanner::first_setting(&decoded).map(|_| node.position)
                })?;
            Some((found, path.to_string()))
        }
        Data::Sequence(items) => items.iter().enumerate().find_map(|(index, item)| {
            path.0.push(Step::Index(index));
            let found = first(item, path, is_secret);
            path.0.pop();
            found
        }),
        Data::Mapping(entries) => entries.iter().find_map(|(key, value)| {
            path.0.push(Step::Key(key.to_text().unwrap_or_default()));
            let in_key = key
                .as_str()
                .and_then(scanner::first_setting)
                .map(|_| (key.position, path.to_string()));
            let found = in_key.or_else(|| first(value, path, is_secret));
            path.0.pop();
            found
        }),
    }
}

/// The place of an offset in a scalar's text, as exactly as the way it was written allows.
pub(super) fn locate(node: &Node, text: &str, offset: usize) -> Position {
    let mut position = node.position;
    let is_block = node.style.contains(Style::LITERAL);
    let lines = text
        .get(..offset)
        .map_or(0, |before| before.matches('\n').count());
    // The text of a generator's file begins where the file does; no value of an object stands there.
    let is_file = (position.line, position.column) == (1, 1);
    if position.line > 0 && (is_block || is_file) {
        position.line = position
            .line
            .saturating_add(u32::try_from(lines).unwrap_or(u32::MAX))
            .saturating_add(u32::from(!is_file));
        position.column = 0;
    }
    position
}
