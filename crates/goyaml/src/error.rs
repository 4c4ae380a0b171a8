//! What can be wrong with a YAML text, in go-yaml's words, with the place.

use crate::node::Position;

/// A YAML text that cannot be read, or a tree that cannot be written as JSON or YAML.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What is wrong: lower case, no full stop, without the place and without any scalar's text.
    pub message: String,
    /// Where it is wrong; zero where no place is known.
    pub position: Position,
}

impl Error {
    /// Makes an error at a place.
    pub fn new(position: Position, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            position,
        }
    }

    /// An alias to nothing. It is not named: an unquoted password may begin with an asterisk.
    pub(crate) fn unknown_anchor(position: Position) -> Self {
        Self::new(
            position,
            "an alias refers to an anchor that is not defined; a text that begins with `*` needs quotes",
        )
    }
}
