//! `images`: names, tags and digests of container images.

mod pattern;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use goyaml::{Data, Node, Text};

use crate::error::{Error, Result};
use crate::field_spec::{Create, FieldSpec};
use crate::field_specs::FieldSpecs;
use crate::kustomization::Image;
use crate::limits::{Budget, Limits};
use crate::lost;
use crate::metadata;
use crate::resource::Resource;
use crate::transformers::pass::OfEach;
use pattern::Pattern;

/// Changes images in every list called `containers` or `initContainers`, and then in the fields of the field specs.
///
/// Most images are in both, and are changed twice: a `tagSuffix` is added twice, as in kustomize.
// kustomize: ImageTagTransformerPlugin.Transform
pub(crate) struct Update<'a> {
    image: &'a Image,
    specs: &'a FieldSpecs,
    /// Nothing for a name that is no regular expression, which matches nothing.
    pattern: Option<Pattern<'a>>,
}

impl<'a> Update<'a> {
    pub(crate) fn new(image: &'a Image, specs: &'a FieldSpecs) -> Self {
        Self {
            image,
            specs,
            pattern: Pattern::new(&image.name),
        }
    }
}

impl OfEach for Update<'_> {
    fn change(&self, resource: &mut Resource, budget: &Budget) -> Result<()> {
        let Some(pattern) = &self.pattern else {
            return Ok(());
        };
        if metadata::top_field(resource.node(), "kind") == "CustomResourceDefinition" {
            return Ok(());
        }
        let walk = Walk {
            image: self.image,
            pattern,
            budget,
        };
        let applied = walk.apply(resource.node_mut(), self.specs);
        if let Some(field) = applied.map_err(|error| error.resource(resource.id()))? {
            let error = lost::suffix().position(self.image.position);
            resource.notices.push(error.field(field));
        }
        Ok(())
    }

    fn most(&self, content: usize, _resources: usize) -> usize {
        let Image {
            name: _,
            new_name,
            tag_suffix,
            new_tag,
            digest,
            position: _,
        } = self.image;
        let added = [new_name, tag_suffix, new_tag, digest].map(Text::len);
        let added: usize = added.into_iter().sum::<usize>() + 2;
        // Every text may be an image, and each is changed twice.
        let texts = content / Limits::NODE_BYTES;
        content
            .saturating_add(texts.saturating_mul(added))
            .saturating_mul(2)
    }
}

/// The change of the images of one object.
struct Walk<'a> {
    image: &'a Image,
    pattern: &'a Pattern<'a>,
    budget: &'a Budget,
}

impl Walk<'_> {
    /// Changes the images of an object, and returns the path on which one has got its suffix a second time.
    ///
    /// # Errors
    /// Where an image is no text, or a list of containers holds something else.
    fn apply(&self, node: &mut Node, specs: &FieldSpecs) -> Result<Option<Text>> {
        // Images that have got their suffix in lists of containers.
        let mut suffixed = BTreeSet::new();
        let mut twice = None;
        self.walk(node, &mut suffixed)?;
        let mut set = |index: usize, spec: &FieldSpec, field: &mut Node| {
            let is_again = field
                .as_str()
                .is_some_and(|image| suffixed.contains(image) && self.pattern.is_match(image));
            if is_again && twice.as_ref().is_none_or(|(last, _)| *last <= index) {
                twice = Some((index, spec.path.replace("/", ".")));
            }
            self.set(field)
        };
        let covering = specs.of(node);
        if covering.may_change_kind() {
            // Which of the others cover it is seen when it is their turn.
            let mut specs = specs.iter().enumerate();
            specs.try_for_each(|(index, spec)| {
                spec.apply(node, Create::Never, &mut |field| set(index, spec, field))
            })?;
        } else {
            covering.apply(node, Create::Never, &mut set)?;
        }
        Ok(twice.map(|(_, path)| path))
    }

    /// Looks for lists of containers at any depth.
    // kustomize: imagetag LegacyFilter
    fn walk(&self, node: &mut Node, suffixed: &mut BTreeSet<String>) -> Result<()> {
        let entries = match &mut node.data {
            Data::Scalar(_) | Data::Alias(_) => return Ok(()),
            Data::Sequence(items) => {
                return items
                    .iter_mut()
                    .try_for_each(|item| self.walk(item, suffixed));
            }
            Data::Mapping(entries) => entries,
        };
        for (key, value) in entries {
            self.walk(value, suffixed)?;
            if let Data::Sequence(items) = &mut value.data
                && matches!(key.as_str(), Some("containers" | "initContainers"))
            {
                items
                    .iter_mut()
                    .try_for_each(|container| self.set_in_container(container, suffixed))?;
            }
        }
        Ok(())
    }

    fn set_in_container(
        &self,
        container: &mut Node,
        suffixed: &mut BTreeSet<String>,
    ) -> Result<()> {
        if !container.is_mapping() && !container.is_null() {
            return Err(Error::new("a container is not a map")
                .position(container.position)
                .field("containers")
                .hint("write each container as `- name: …` and `  image: …`"));
        }
        container.get_mut("image").map_or(Ok(()), |field| {
            self.set(field)?;
            if self.adds_suffix() {
                suffixed.extend(field.as_str().map(str::to_owned));
            }
            Ok(())
        })
    }

    fn adds_suffix(&self) -> bool {
        let image = self.image;
        !image.tag_suffix.is_empty() && image.new_tag.is_empty() && image.digest.is_empty()
    }

    // kustomize: imageTagUpdater.SetImageValue
    fn set(&self, field: &mut Node) -> Result<()> {
        let Some(current) = field.as_str() else {
            return Err(Error::new("an image is not a text")
                .position(field.position)
                .field("image")
                .hint("write the image as `name:tag`, in quotes where it reads as a number"));
        };
        // A pattern may take microseconds for each byte.
        self.budget.check_time_for(current.len())?;
        if !self.pattern.is_match(current) {
            return Ok(());
        }
        let changed = self.changed(current);
        self.budget.charge(changed.len())?;
        metadata::replace_scalar(field, metadata::untagged(changed));
        Ok(())
    }

    fn changed(&self, current: &str) -> String {
        let Image {
            name: _,
            new_name,
            tag_suffix,
            new_tag,
            digest: new_digest,
            position: _,
        } = self.image;
        let (name, tag, digest) = split(current);
        let name = if new_name.is_empty() { name } else { new_name };
        let (tag, digest) = if !new_tag.is_empty() || !new_digest.is_empty() {
            (new_tag.to_string(), new_digest.as_str())
        } else if tag_suffix.is_empty() {
            (tag.to_owned(), digest)
        } else {
            (format!("{tag}{tag_suffix}"), "")
        };
        let mut changed = name.to_owned();
        for (mark, part) in [(':', tag.as_str()), ('@', digest)] {
            if !part.is_empty() {
                changed.push(mark);
                changed.push_str(part);
            }
        }
        changed
    }
}

/// Splits an image into name, tag and digest; a port before the first `/` belongs to the name.
// kustomize: image.Split
fn split(image: &str) -> (&str, &str, &str) {
    let path_start = image.find('/').unwrap_or_default();
    let path = image.get(path_start..).unwrap_or_default();
    let (before_digest, digest) = path.split_once('@').unwrap_or((path, ""));
    let (path, tag) = before_digest.split_once(':').unwrap_or((before_digest, ""));
    let name = image.get(..path_start + path.len()).unwrap_or(image);
    (name, tag, digest)
}
