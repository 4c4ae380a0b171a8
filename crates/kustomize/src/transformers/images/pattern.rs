//! Which images a name stands for.

use regex::Regex;

use crate::re2;

/// A digest behind an image, in Go's syntax.
const DIGEST: &str = "(@[a-zA-Z0-9]+([.+_-][a-zA-Z0-9]+)*:[a-zA-Z0-9_.{}-]*)?";

/// The images of a name, with any tag and digest.
pub(super) enum Pattern<'a> {
    /// A name of letters and what else stands for itself, but for `.`, which stands for any character. Nearly all names are
    /// such, and to compile a pattern takes longer than to look at many images.
    Plain(&'a str),
    /// Any other regular expression.
    Regex(Regex),
}

impl<'a> Pattern<'a> {
    /// `None` for a name that is no regular expression, which matches nothing.
    // kustomize: image.IsImageMatched
    pub(super) fn new(name: &'a str) -> Option<Self> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_/:.".contains(&byte);
        if name.bytes().all(is_plain) {
            return Some(Self::Plain(name));
        }
        Self::regex(name)
    }

    fn regex(name: &str) -> Option<Self> {
        let pattern = format!("^{name}(:[a-zA-Z0-9_.{{}}-]*)?{DIGEST}$");
        re2::compile(&pattern).ok().map(Self::Regex)
    }

    pub(super) fn is_match(&self, image: &str) -> bool {
        match self {
            Self::Plain(name) => behind(name, image).is_some_and(is_tag_and_digest),
            Self::Regex(pattern) => pattern.is_match(image),
        }
    }
}

/// What stands behind the name in an image.
fn behind<'t>(name: &str, image: &'t str) -> Option<&'t str> {
    let mut rest = image.chars();
    for expected in name.chars() {
        let next = rest.next()?;
        if next != expected && (expected != '.' || next == '\n') {
            return None;
        }
    }
    Some(rest.as_str())
}

fn is_tag_and_digest(text: &str) -> bool {
    let is_word = |text: &str| {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"_.{}-".contains(&byte);
        text.bytes().all(is_part)
    };
    let is_algorithm = |text: &str| {
        let mut parts = text.split(['.', '+', '_', '-']);
        parts.all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    };
    let (tag, digest) = match text.split_once('@') {
        Some((tag, digest)) => (tag, Some(digest)),
        None => (text, None),
    };
    let is_tag = tag.is_empty() || tag.strip_prefix(':').is_some_and(is_word);
    let is_digest = digest.is_none_or(|digest| {
        let parts = digest.split_once(':');
        parts.is_some_and(|(algorithm, hash)| is_algorithm(algorithm) && is_word(hash))
    });
    is_tag && is_digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_name_is_what_it_is_as_a_regular_expression() {
        let names = ["", "a", "a.b", "a:1", "x/a-b_c", ".", "a..b/c"];
        let ends = [
            "",
            ":",
            ":v1",
            ":v1.2-{x}_",
            "@",
            "@sha256:",
            "@sha256:0a",
            "@sha256",
            "@a.b+c_d-e:1",
            "@a..b:1",
            "@.a:1",
            ":v1@sha256:ab",
            ":v1:v2",
            "@a:1@b:2",
            ":v 1",
            "@a:1 ",
            "\n",
            ":v1\n",
            "/x",
            "é",
            ":é",
            "@é:1",
            "@:1",
        ];
        for name in names {
            let (plain, regex) = (Pattern::new(name).unwrap(), Pattern::regex(name).unwrap());
            assert!(matches!(plain, Pattern::Plain(_)));
            let others = [
                "a", "aéb", "a\nb", "axb", "ax", "x/a-b_c", "a", "é", "\n", "axyb/c", "A",
            ];
            for start in names.iter().chain(&others) {
                for end in ends {
                    let image = [*start, end].concat();
                    assert_eq!(
                        plain.is_match(&image),
                        regex.is_match(&image),
                        "{name:?} {image:?}"
                    );
                }
            }
        }
    }
}
