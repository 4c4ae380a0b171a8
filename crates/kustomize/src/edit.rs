//! Editing the kustomization that is built, in memory: what `kustomize edit` does to the file before `kustomize build`.
//!
//! The edits are made to the fields as they were read, so that whatever stands in the file keeps its place in messages.

mod added;
mod components;
mod glob;
mod images;

use std::collections::BTreeMap;

use goyaml::{Limits, Position, Text};

use crate::error::{Error, Result};
use crate::kustomization::{Kustomization, Replica, patch_of_text};
use crate::loader::{FileNames, Loader};

/// What is to be changed in the kustomization that is built, by the names of its fields. What is empty changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of `kustomize edit`"
)]
pub struct Edits {
    /// Who asks for the edits, in front of the name of a field in messages, such as `parameter`.
    pub asked_by: String,
    /// `namePrefix`, in the place of the file's.
    pub name_prefix: String,
    /// `nameSuffix`, in the place of the file's.
    pub name_suffix: String,
    /// `namespace`, in the place of the file's.
    pub namespace: String,
    /// `images` as `kustomize edit set image` takes them: `name=new:tag@digest` and parts of that, `*` for what the file
    /// says. One of a name in the file takes its place.
    pub images: Vec<String>,
    /// `replicas`: counts by the names of resources. One of a name in the file takes its place.
    pub replicas: BTreeMap<String, i64>,
    /// Labels to add to `commonLabels`.
    pub common_labels: BTreeMap<String, String>,
    /// Whether labels go to `labels` instead, and so not into selectors.
    pub label_without_selector: bool,
    /// Whether labels that go to `labels` also go into pod templates.
    pub label_include_templates: bool,
    /// Whether labels take the place of the file's.
    pub force_common_labels: bool,
    /// Annotations to add to `commonAnnotations`.
    pub common_annotations: BTreeMap<String, String>,
    /// Whether annotations take the place of the file's.
    pub force_common_annotations: bool,
    /// `patches` to add behind the file's, each the YAML of an entry.
    pub patches: Vec<String>,
    /// `components` to add behind the file's, which may be patterns.
    pub components: Vec<String>,
    /// Whether components without a kustomization file are left out.
    pub ignore_missing_components: bool,
}

/// The fields whose texts are arguments of a command, where an option could stand as well.
const FIELDS: [&str; 5] = [
    "images",
    "replicas",
    "commonLabels",
    "commonAnnotations",
    "components",
];

impl Edits {
    /// Whether nothing is to be changed.
    pub fn is_empty(&self) -> bool {
        let Self {
            asked_by: _,
            name_prefix,
            name_suffix,
            namespace,
            images,
            replicas,
            common_labels,
            label_without_selector: _,
            label_include_templates: _,
            force_common_labels: _,
            common_annotations,
            force_common_annotations: _,
            patches,
            components,
            ignore_missing_components: _,
        } = self;
        let is_without_texts = [name_prefix, name_suffix, namespace]
            .iter()
            .all(|text| text.is_empty());
        is_without_texts
            && [images, patches, components]
                .iter()
                .all(|list| list.is_empty())
            && replicas.is_empty()
            && common_labels.is_empty()
            && common_annotations.is_empty()
    }

    /// Everything that is wrong with the edits, whatever the kustomization is.
    pub fn check(&self) -> Vec<Error> {
        let mut errors = Vec::new();
        for field in FIELDS {
            for (index, text) in self.arguments(field).into_iter().enumerate() {
                let place = self.name_of(
                    field,
                    Some(index).filter(|_| matches!(field, "images" | "components")),
                );
                let wrong = argument_error(field, text);
                errors.extend(wrong.map(|error| error.at(&place, Position::default())));
            }
        }
        for (index, image) in self.images.iter().enumerate() {
            let place = self.name_of("images", Some(index));
            let is_argument = argument_error("images", image).is_none();
            let wrong = images::read(image).err().filter(|_| is_argument);
            errors.extend(wrong.map(|error| error.at(&place, Position::default())));
        }
        if self.label_include_templates
            && !self.label_without_selector
            && !self.common_labels.is_empty()
        {
            let place = self.name_of("labelIncludeTemplates", None);
            let error =
                Error::new("labels go into templates by themselves where they go into selectors")
                    .hint("ask for `labelWithoutSelector` too, or for neither");
            errors.push(error.at(&place, Position::default()));
        }
        for (index, text) in self.patches.iter().enumerate() {
            let place = self.name_of("patches", Some(index));
            let wrong = patch_of_text(text, 0, &Limits::default()).err();
            errors.extend(wrong.map(|error| error.in_file(&place)));
        }
        errors
    }

    /// Makes the edits.
    ///
    /// # Errors
    /// What [`Self::check`] finds, and where a label or an annotation is in the file already.
    // Argo CD and kustomize: the order is that of the commands, as far as it shows.
    pub(crate) fn apply(
        &self,
        kustomization: &mut Kustomization,
        (loader, file): (&Loader, &str),
        limits: &Limits,
    ) -> Result<()> {
        if let Some(error) = self.check().into_iter().next() {
            return Err(error);
        }
        let mut names = loader.names();
        self.set_texts(kustomization, &mut names);
        self.set_images(kustomization, &mut names)?;
        self.set_replicas(kustomization, &mut names);
        self.add_labels(kustomization, &mut names)?;
        self.add_annotations(kustomization, &mut names)?;
        self.add_patches(kustomization, &mut names, limits)?;
        drop(names);
        self.add_components(kustomization, loader, file)
    }

    /// How messages name what asks for a field, or for one entry of it. It leads nowhere in the tree of files.
    fn name_of(&self, field: &str, index: Option<usize>) -> String {
        let space = if self.asked_by.is_empty() { "" } else { " " };
        let index = index.map_or_else(String::new, |index| format!("[{index}]"));
        format!("<{}{space}{field}{index}>", self.asked_by)
    }

    fn arguments(&self, field: &str) -> Vec<&str> {
        fn keys<V>(map: &BTreeMap<String, V>) -> Vec<&str> {
            map.keys().map(String::as_str).collect()
        }
        match field {
            "images" => self.images.iter().map(String::as_str).collect(),
            "replicas" => keys(&self.replicas),
            "commonLabels" => keys(&self.common_labels),
            "commonAnnotations" => keys(&self.common_annotations),
            _ => self.components.iter().map(String::as_str).collect(),
        }
    }

    fn place(&self, names: &mut FileNames, field: &str, index: Option<usize>) -> Position {
        Position {
            file: names.add(self.name_of(field, index)),
            ..Position::default()
        }
    }

    fn set_texts(&self, kustomization: &mut Kustomization, names: &mut FileNames) {
        let Kustomization {
            name_prefix,
            name_suffix,
            namespace,
            places,
            ..
        } = kustomization;
        for (field, asked, slot) in [
            ("namePrefix", &self.name_prefix, name_prefix),
            ("nameSuffix", &self.name_suffix, name_suffix),
            ("namespace", &self.namespace, namespace),
        ] {
            if !asked.is_empty() {
                *slot = asked.as_str().into();
                places.insert(field.to_ascii_lowercase(), self.place(names, field, None));
            }
        }
    }

    fn set_images(&self, kustomization: &mut Kustomization, names: &mut FileNames) -> Result<()> {
        if self.images.is_empty() {
            return Ok(());
        }
        let mut asked = Vec::with_capacity(self.images.len());
        for (index, text) in self.images.iter().enumerate() {
            let mut image = images::read(text)?;
            image.position = self.place(names, "images", Some(index));
            asked.push(image);
        }
        images::set(&mut kustomization.images, asked);
        Ok(())
    }

    // kustomize: setReplicasOptions.RunSetReplicas sorts what is there too, and keeps the first of each name.
    fn set_replicas(&self, kustomization: &mut Kustomization, names: &mut FileNames) {
        if self.replicas.is_empty() {
            return;
        }
        let position = self.place(names, "replicas", None);
        let asked = self.replicas.iter().map(|(name, count)| Replica {
            name: name.as_str().into(),
            count: *count,
            position,
        });
        let mut replicas: BTreeMap<Text, Replica> = BTreeMap::new();
        for replica in asked.chain(std::mem::take(&mut kustomization.replicas)) {
            replicas.entry(replica.name.clone()).or_insert(replica);
        }
        kustomization.replicas = replicas.into_values().collect();
    }

    fn add_patches(
        &self,
        kustomization: &mut Kustomization,
        names: &mut FileNames,
        limits: &Limits,
    ) -> Result<()> {
        for (index, text) in self.patches.iter().enumerate() {
            let file = names.add(self.name_of("patches", Some(index)));
            let patch = patch_of_text(text, file, limits)?;
            kustomization.patches.push(patch);
        }
        Ok(())
    }
}

/// What is wrong with a text because a command would take it for something else.
fn argument_error(field: &str, text: &str) -> Option<Error> {
    let (what, ends_name): (&str, &[char]) = match field {
        "images" => ("an image", &[]),
        "replicas" => ("a name", &['=']),
        "components" => ("a component", &[]),
        _ => ("a name", &[':']),
    };
    if text.is_empty() {
        return Some(Error::new(format!("{what} is empty")).hint("take it out"));
    }
    if text.starts_with('-') {
        let message = format!("{what} begins with `-`, as options of commands do: `{text}`");
        return Some(Error::new(message).hint("write it without `-` in front"));
    }
    if let Some(character) = text.chars().find(|character| ends_name.contains(character)) {
        let message = format!("{what} has `{character}` in it, which ends names here: `{text}`");
        return Some(
            Error::new(message).hint("write the name alone as key, and the rest as value"),
        );
    }
    None
}

#[cfg(test)]
mod tests;
