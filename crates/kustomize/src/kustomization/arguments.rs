//! What happens to texts on their way from a kustomization to the built-in plugins that its fields stand for.

use goyaml::{Data, Node, Text};

use crate::error::{Error, Result};

/// The fields that kustomize hands to plugins, in lower case.
const PLUGIN_FIELDS: [&str; 17] = [
    "commonannotations",
    "commonlabels",
    "configmapgenerator",
    "helmchartinflationgenerator",
    "helmcharts",
    "images",
    "imagetags",
    "labels",
    "nameprefix",
    "namespace",
    "namesuffix",
    "patches",
    "patchesjson6902",
    "patchesstrategicmerge",
    "replacements",
    "replicas",
    "secretgenerator",
];

/// The character at which YAML 1.1 breaks a line too, though it is not escaped in JSON.
const NEXT_LINE: char = '\u{85}';

/// Does to the texts of a kustomization what they go through on their way to a plugin.
///
/// # Errors
/// Where a text has a control character.
// kustomize: KustTarget.configureBuiltinPlugin writes the arguments as JSON, which sigs.k8s.io/yaml reads as YAML.
pub(super) fn prepare(kustomization: &mut Node) -> Result<()> {
    let generates = kustomization
        .entries()
        .unwrap_or_default()
        .iter()
        .any(|(key, value)| {
            let name = key.as_str().unwrap_or_default();
            ["configMapGenerator", "secretGenerator"]
                .iter()
                .any(|field| field.eq_ignore_ascii_case(name))
                && value.items().is_some_and(|items| !items.is_empty())
        });
    for (key, value) in kustomization
        .entries_mut()
        .map(Vec::as_mut_slice)
        .unwrap_or_default()
    {
        let name = key.as_str().unwrap_or_default();
        let is_argument = PLUGIN_FIELDS.contains(&name.to_ascii_lowercase().as_str())
            || (generates && name.eq_ignore_ascii_case("generatorOptions"));
        if is_argument {
            pass(value).map_err(|error| error.field(name))?;
        }
    }
    Ok(())
}

/// As [`prepare`], for a part of such a field.
///
/// # Errors
/// As for [`prepare`].
pub(super) fn pass(node: &mut Node) -> Result<()> {
    match &mut node.data {
        Data::Mapping(entries) => entries.iter_mut().try_for_each(|(key, value)| {
            pass(key)?;
            pass(value)
        }),
        Data::Sequence(items) => items.iter_mut().try_for_each(pass),
        Data::Alias(_) => Ok(()),
        Data::Scalar(text) => {
            // Lower control characters are escaped in JSON.
            let refused = |character: char| {
                character >= ' '
                    && goyaml::find_control(character.encode_utf8(&mut [0; 4])).is_some()
            };
            if !text.is_ascii() || text.contains('\u{7F}') {
                if text.contains(refused) {
                    return Err(Error::new("a text has a control character")
                        .position(node.position)
                        .hint("put it into a file of its own, or take it out"));
                }
                if text.contains(NEXT_LINE) {
                    *text = folded(text);
                }
            }
            Ok(())
        }
    }
}

/// The text with its next-line characters folded as line breaks in double quotes are.
fn folded(text: &str) -> Text {
    let mut pieces = text.split(NEXT_LINE);
    let mut folded = pieces.next().unwrap_or_default().to_owned();
    let mut breaks = 0;
    let mut pieces = pieces.peekable();
    while let Some(piece) = pieces.next() {
        breaks += 1;
        let piece = piece.trim_start_matches(' ');
        if piece.is_empty() && pieces.peek().is_some() {
            continue;
        }
        folded.truncate(folded.trim_end_matches(' ').len());
        if breaks == 1 {
            folded.push(' ');
        } else {
            folded.extend(std::iter::repeat_n('\n', breaks - 1));
        }
        breaks = 0;
        folded.push_str(piece);
    }
    folded.into()
}
