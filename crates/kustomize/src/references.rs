//! References between resources: names that follow a renamed resource, and variables.

pub(crate) mod names;
pub(crate) mod variables;
