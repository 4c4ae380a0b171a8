//! Why something is not written.

mod code;

use std::fmt;

pub use code::Code;

/// What kind of reason it is: who has to act, if anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Somebody asked for it to stay: a hold, a pause, a person's own change, automation that is off.
    Held,
    /// It is not known what is wanted; what was set last stays.
    Unknown,
    /// What is asked for is not allowed, or contradicts itself.
    Refused,
    /// Somebody else writes the same field.
    Contested,
    /// It will be written by itself: a window, a limit.
    Waiting,
}

impl Class {
    /// The class in one lower-case word, for tables and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Unknown => "unknown",
            Self::Refused => "refused",
            Self::Contested => "contested",
            Self::Waiting => "waiting",
        }
    }
}

/// Why something is not written, as people are told. No value of a setting or of a refused revision is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Its name, which says what kind of reason it is.
    pub code: Code,
    /// What is the matter, in lower case and without a full stop.
    pub message: String,
    /// What to do about it; it may have lines of YAML.
    pub hint: Option<String>,
}

impl Reason {
    /// A reason without a hint.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: None,
        }
    }

    /// What kind of reason.
    pub const fn class(&self) -> Class {
        self.code.class()
    }

    /// Says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}
