//! Operations that kustomize carries out although they are not written as JSON 6902 wants them.

use goyaml::Value;

use super::{JsonPatch, Operation};
use crate::error::Error;
use crate::lost;

impl JsonPatch {
    /// Notes operations that do something else than what they seem to say.
    pub(super) fn note_forms(&self, notices: &mut Vec<Error>) {
        for operation in &self.operations {
            let found = [operation.lacks_slash(), operation.lacks_value()];
            let found = found.into_iter().flatten();
            notices.extend(found.map(|notice| notice.position(operation.position)));
        }
    }
}

impl Operation {
    /// The warning for a path of which the first part counts for nothing.
    fn lacks_slash(&self) -> Option<Error> {
        let paths = match self.name() {
            "add" | "replace" | "remove" => [self.path.as_ref(), None],
            "move" | "copy" => [self.path.as_ref(), self.from.as_ref()],
            _ => return None,
        };
        let mut paths = paths.into_iter().flatten().filter_map(Value::as_str);
        paths
            .find(|path| !path.is_empty() && !path.starts_with('/'))
            .map(lost::first_part)
    }

    /// The warning for a value that is forgotten.
    fn lacks_value(&self) -> Option<Error> {
        let needs_value = matches!(self.name(), "add" | "replace");
        (needs_value && self.value.is_none()).then(|| lost::no_value(self.name()))
    }
}
