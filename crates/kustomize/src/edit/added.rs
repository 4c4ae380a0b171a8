//! `kustomize edit add label` and `add annotation`.

use std::collections::BTreeMap;

use goyaml::{Position, Text};

use super::Edits;
use crate::error::{Error, Result};
use crate::kustomization::{Kustomization, Label};
use crate::loader::FileNames;
use crate::metadata::StringMap;

/// How pairs are added.
struct Added {
    /// `label` or `annotation`.
    what: &'static str,
    /// The option that lets them win.
    force: &'static str,
    is_forced: bool,
    asked_at: Position,
}

impl Edits {
    // kustomize: addMetadataOptions.addLabels
    pub(super) fn add_labels(
        &self,
        kustomization: &mut Kustomization,
        names: &mut FileNames,
    ) -> Result<()> {
        if self.common_labels.is_empty() {
            return Ok(());
        }
        let asked_at = self.place(names, "commonLabels", None);
        let added = Added {
            what: "label",
            force: "forceCommonLabels",
            is_forced: self.force_common_labels,
            asked_at,
        };
        if !self.label_without_selector {
            let places = known_places(kustomization, "commonlabels", asked_at);
            let known = &mut kustomization.common_labels;
            return added.add(&self.common_labels, known, places);
        }
        let is_alike = |label: &&mut Label| {
            !label.include_selectors && label.include_templates == self.label_include_templates
        };
        // kustomize: addMetadataOptions.writeToLabels takes the first entry that goes as far, its other fields included.
        if let Some(label) = kustomization.labels.iter_mut().find(is_alike) {
            let place = label.position;
            return added.add(&self.common_labels, &mut label.pairs, |_| place);
        }
        let mut label = Label {
            include_templates: self.label_include_templates,
            position: asked_at,
            ..Label::default()
        };
        added.add(&self.common_labels, &mut label.pairs, |_| asked_at)?;
        kustomization.labels.push(label);
        Ok(())
    }

    // kustomize: addMetadataOptions.addAnnotations
    pub(super) fn add_annotations(
        &self,
        kustomization: &mut Kustomization,
        names: &mut FileNames,
    ) -> Result<()> {
        if self.common_annotations.is_empty() {
            return Ok(());
        }
        let asked_at = self.place(names, "commonAnnotations", None);
        let added = Added {
            what: "annotation",
            force: "forceCommonAnnotations",
            is_forced: self.force_common_annotations,
            asked_at,
        };
        let places = known_places(kustomization, "commonannotations", asked_at);
        let known = &mut kustomization.common_annotations;
        added.add(&self.common_annotations, known, places)
    }
}

impl Added {
    /// Adds pairs to those that are there.
    ///
    /// # Errors
    /// Where a name is there already and nobody forces it.
    // kustomize: addMetadataOptions.writeToMapEntry
    fn add(
        &self,
        pairs: &BTreeMap<String, String>,
        known: &mut StringMap,
        place_of: impl Fn(&str) -> Position,
    ) -> Result<()> {
        for (name, value) in pairs {
            let value = Text::from(unquoted(value));
            let earlier = known.insert(name.as_str().into(), value);
            if earlier.is_some() && !self.is_forced {
                let Self { what, force, .. } = self;
                let hint = format!(
                    "take it out at one of the two, or set `{force}`: what is asked for wins then"
                );
                return Err(Error::new(format!(
                    "the {what} `{name}` is in the kustomization already"
                ))
                .position(place_of(name))
                .related("asked for by", self.asked_at)
                .hint(hint));
            }
        }
        Ok(())
    }
}

/// Where the pairs of a field stand in the file. Where the field is not there, what asks for it is its place.
fn known_places(
    kustomization: &mut Kustomization,
    field: &'static str,
    asked_at: Position,
) -> impl Fn(&str) -> Position + use<> {
    let places = kustomization.places.clone();
    (kustomization.places)
        .entry(field.to_owned())
        .or_insert(asked_at);
    move |name| {
        let path = format!("{field}.{}", name.to_ascii_lowercase());
        let place = places.get(&path).or_else(|| places.get(field));
        place.copied().unwrap_or_default()
    }
}

/// A value without the pair of double quotes around it.
// kustomize: util.ConvertSliceToMap
fn unquoted(value: &str) -> &str {
    let inner = value.strip_prefix('"');
    inner
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(value)
}
