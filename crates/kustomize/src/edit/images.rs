//! `kustomize edit set image`.

use std::collections::BTreeMap;

use goyaml::Text;

use crate::error::{Error, Result};
use crate::kustomization::Image;

/// What stands for what the file says.
const KEEP: &str = "*";

/// Reads what is asked for one image: `name=new:tag@digest`, of which parts may be missing.
///
/// # Errors
/// Where it asks for nothing.
// kustomize: set.parse
pub(super) fn read(text: &str) -> Result<Image> {
    let (name, rest) = text.split_once('=').unwrap_or(("", text));
    let (new, tag, digest) = split(rest);
    if new == text {
        return Err(Error::new(format!("`{text}` says nothing of the image")).hint(
            "write `name=new`, `name:tag` or `name@digest`, or several of them: `name=new:tag@digest`",
        ));
    }
    let (name, new_name) = if name.is_empty() {
        (new, "")
    } else {
        (name, new)
    };
    Ok(Image {
        name: name.into(),
        new_name: new_name.into(),
        new_tag: tag.into(),
        digest: digest.into(),
        ..Image::default()
    })
}

/// Puts images in the place of those with the same names; all come out in the order of their names, each once.
// kustomize: setImageOptions.RunSetImage. Of two in the file with one name the first counts.
pub(super) fn set(images: &mut Vec<Image>, asked: Vec<Image>) {
    let mut by_name: BTreeMap<Text, Image> = BTreeMap::new();
    for image in asked {
        by_name.insert(image.name.clone(), image);
    }
    for image in std::mem::take(images) {
        match by_name.get_mut(&image.name) {
            Some(known) => keep(known, &image),
            None => drop(by_name.insert(image.name.clone(), image)),
        }
    }
    for image in by_name.values_mut() {
        keep(image, &Image::default());
    }
    images.extend(by_name.into_values());
}

/// Fills in what is to stay as it is.
// kustomize: replaceNewName and its like forget the tag's suffix.
fn keep(image: &mut Image, from: &Image) {
    for (slot, old) in [
        (&mut image.new_name, &from.new_name),
        (&mut image.new_tag, &from.new_tag),
        (&mut image.digest, &from.digest),
    ] {
        if slot == KEEP {
            slot.clone_from(old);
            image.tag_suffix = Text::new();
        }
    }
}

/// Name, tag and digest; a colon before the first slash belongs to the name.
// kustomize: image.Split
fn split(text: &str) -> (&str, &str, &str) {
    let start = text.find('/').unwrap_or(0);
    let after = |mark: char| {
        let rest = text.get(start..).unwrap_or_default();
        rest.find(mark).map(|index| index + start)
    };
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    let end = text.len();
    match (after(':'), after('@')) {
        (None, None) => (text, "", ""),
        (Some(colon), Some(at)) if colon < at => {
            (part(0, colon), part(colon + 1, at), part(at + 1, end))
        }
        (_, Some(at)) => (part(0, at), "", part(at + 1, end)),
        (Some(colon), None) => (part(0, colon), part(colon + 1, end), ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> [String; 4] {
        let Image {
            name,
            new_name,
            new_tag,
            digest,
            ..
        } = read(text).unwrap();
        [name, new_name, new_tag, digest].map(|part| part.to_string())
    }

    #[test]
    fn every_form_of_an_image() {
        assert_eq!(parts("a=b"), ["a", "b", "", ""]);
        assert_eq!(parts("a:1"), ["a", "", "1", ""]);
        assert_eq!(parts("a@sha256:f"), ["a", "", "", "sha256:f"]);
        assert_eq!(parts("a=h:5/b:1@sha256:f"), ["a", "h:5/b", "1", "sha256:f"]);
        assert_eq!(parts("h:5/a=b:1"), ["h:5/a", "b", "1", ""]);
        assert_eq!(parts("a=*:*@*"), ["a", "*", "*", "*"]);
        // A further `=` belongs to what is behind the first.
        assert_eq!(parts("a=b=c"), ["a", "b=c", "", ""]);
        for nothing in ["a", "h/a", "h:5/a"] {
            assert!(read(nothing).is_err(), "{nothing}");
        }
    }

    #[test]
    fn an_image_takes_the_place_of_one_with_its_name() {
        let image = |name: &str, tag: &str| Image {
            name: name.into(),
            new_tag: tag.into(),
            tag_suffix: "-x".into(),
            ..Image::default()
        };
        let mut images = vec![
            image("c", "1"),
            image("a", "1"),
            image("c", "2"),
            image("d", "3"),
        ];
        let asked = ["b:9", "a:5", "a:6", "d=e:*"].map(|text| read(text).unwrap());
        set(&mut images, asked.to_vec());
        let tags = images
            .iter()
            .map(|image| format!("{}:{}{}", image.name, image.new_tag, image.tag_suffix));
        assert_eq!(tags.collect::<Vec<_>>(), ["a:6", "b:9", "c:1-x", "d:3"]);
    }
}
