//! What Argo CD says is wrong with an Application, as far as it matters here.

use serde::Deserialize;

use super::fields;

/// One of `status.conditions`. Its message may quote what a program said and is not kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Condition {
    /// Which of the causes that matter it tells of.
    #[serde(rename = "message", deserialize_with = "fields::cause")]
    pub cause: Cause,
}

/// A cause of a condition, as its message tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cause {
    /// Any other.
    #[default]
    Other,
    /// Rendering failed several times, and Argo CD does not try again for a while.
    Paused,
    /// The repository has no such branch, tag or commit.
    NoRevision,
    /// The revision has no such directory.
    NoPath,
}

/// What a cause means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// A word for programs.
    pub code: &'static str,
    /// What is the matter.
    pub message: &'static str,
    /// What to do.
    pub hint: &'static str,
}

impl Cause {
    /// What it means; `None` of any other.
    pub const fn told(self) -> Option<Told> {
        Some(match self {
            Self::Other => return None,
            Self::Paused => Told {
                code: "RenderPaused",
                message: "rendering failed several times, and Argo CD does not try again for an hour",
                hint: "when the cause is mended: `argocd app get NAME --hard-refresh`; a setting that appears or changes does it as well",
            },
            Self::NoRevision => Told {
                code: "RevisionNotFound",
                message: "its repository does not have the branch, tag or commit that it asks for",
                hint: "push it, or ask for another revision, or for none; what runs stays as it is until then",
            },
            Self::NoPath => Told {
                code: "PathNotFound",
                message: "its revision does not have the directory that it asks for",
                hint: "push the directory, or ask for another revision, or for none; what runs stays as it is until then",
            },
        })
    }
}
