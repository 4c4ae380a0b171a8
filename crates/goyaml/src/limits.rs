//! How much a YAML text may ask for.

/// Bounds on one text; what goes past them is refused with an error that names the bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of input.
    pub bytes: usize,
    /// Collections inside one another.
    pub depth: usize,
    /// Nodes that aliases and merge keys may add to a document.
    pub alias_nodes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 256 << 20, depth: 1_000, alias_nodes: 1_000_000 }
    }
}
