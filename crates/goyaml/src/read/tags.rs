//! Directives, and what they make of the tags of a document.

use super::comment_queue::CommentKeeper;
use super::scanner::Scanner;
use super::token::{Content, Kind};
use crate::error::Error;

/// The handles that the directives of a document define, with what they stand for.
#[derive(Debug, Default)]
pub(super) struct Tags {
    prefixes: Vec<(String, String)>,
}

impl Tags {
    /// Reads the directives before a `---`.
    pub(super) fn read_directives<C: CommentKeeper>(
        &mut self,
        scanner: &mut Scanner<'_, C>,
    ) -> Result<(), Error> {
        let mut has_version = false;
        while matches!(
            scanner.peek_kind()?,
            Kind::VersionDirective | Kind::TagDirective
        ) {
            let token = scanner.take();
            let problem = match token.content {
                Content::Version(..) if has_version => Some("found duplicate %YAML directive"),
                Content::Version(1, 1) => {
                    has_version = true;
                    None
                }
                Content::Version(..) => Some("found incompatible YAML document"),
                Content::Tag(tag) => self.define(*tag),
                Content::None | Content::Borrowed(_) | Content::Owned(_) | Content::BlockEnd(_) => {
                    None
                }
            };
            if let Some(problem) = problem {
                return Err(Error::new(token.position, problem));
            }
        }
        Ok(())
    }

    fn define(&mut self, (handle, prefix): (String, String)) -> Option<&'static str> {
        if self.prefixes.iter().any(|(known, _)| *known == handle) {
            return Some("found duplicate %TAG directive");
        }
        self.prefixes.push((handle, prefix));
        None
    }

    /// The full tag; `None` where nothing defines the handle.
    pub(super) fn resolve(&self, handle: &str, suffix: &str) -> Option<String> {
        let defined = self
            .prefixes
            .iter()
            .find(|(known, _)| known == handle)
            .map(|(_, prefix)| prefix.as_str());
        let prefix = defined.or(match handle {
            "" => Some(""),
            "!" => Some("!"),
            "!!" => Some("tag:yaml.org,2002:"),
            _ => None,
        })?;
        Some(format!("{prefix}{suffix}"))
    }
}
