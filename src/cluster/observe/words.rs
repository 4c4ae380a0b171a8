//! What is said of what may not be read, with the rule that lets it, and of what is not as it has to be.

use super::pager::Reader;
use crate::cluster::ask::{Asked, Silence};
use crate::cluster::pruned::Kind;
use crate::failure::Problem;

/// Why something is not known.
pub(super) struct Wrong {
    pub(super) problem: Problem,
    pub(super) is_of_the_way: bool,
    pub(super) is_forbidden: bool,
}

impl Reader {
    pub(super) fn told_of_list<K: Kind>(&self, silence: Silence, namespace: Option<&str>) -> Wrong {
        let object = match namespace {
            Some(namespace) => format!("{} in namespace {namespace}", K::PLURAL),
            None => format!("{} in all namespaces", K::PLURAL),
        };
        let group = match K::GROUP {
            "" => "\"\"",
            group => group,
        };
        let rule = format!(
            "{{apiGroups: [{group}], resources: [{}], verbs: [list]}}",
            K::PLURAL
        );
        self.told(silence, K::PLURAL, (&object, namespace, &rule))
    }

    pub(super) fn told(
        &self,
        silence: Silence,
        what: &str,
        (object, namespace, rule): (&str, Option<&str>, &str),
    ) -> Wrong {
        Wrong {
            is_of_the_way: silence.is_of_the_way(),
            is_forbidden: matches!(silence, Silence::Forbidden),
            problem: silence.problem(&Asked {
                what,
                object: &object,
                namespace,
                rule,
                server: &self.server,
            }),
        }
    }
}

/// An object that is not made as its kind asks for: nothing is decided of it.
pub(super) fn odd(kind: &str, name: &str) -> Problem {
    Problem::new(format!("`{name}` is not made as a {kind} is, and does not count"))
        .hint("look at its fields; the API server would refuse such a one where Argo CD's own definitions are installed")
}
