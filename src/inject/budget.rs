//! How much values may add to the resources of a build.

use goyaml::{Data, Node};
use kustomize::Limits;

use super::evaluate::Outcome;
use crate::failure::Problem;

/// How much all placeholders of a build may put in, in bytes.
const BYTES: usize = 64 << 20;

/// What placeholders may still put in.
pub(super) struct Budget(Option<usize>);

impl Budget {
    pub(super) const fn new() -> Self {
        Self(Some(BYTES))
    }

    /// Whether nothing is left, so that nothing else needs to be evaluated.
    pub(super) const fn is_spent(&self) -> bool {
        self.0.is_none()
    }

    /// Counts what a placeholder has read, in bytes, and what has become of it.
    ///
    /// # Errors
    /// Where all of them together are too much; once.
    pub(super) fn charge(&mut self, read: usize, outcome: Option<&Outcome>) -> Result<(), Problem> {
        let Some(left) = self.0 else { return Ok(()) };
        let made = match outcome {
            None => 0,
            Some(Outcome::Text(text) | Outcome::Scalar(text, _)) => text.len(),
            Some(Outcome::Block(node)) => weight(node),
        };
        self.0 = left.checked_sub(made.max(read));
        if self.0.is_some() {
            return Ok(());
        }
        let message =
            format!("placeholders put more than {BYTES} bytes of values into the resources");
        Err(Problem::new(message).hint(
            "use the long values at fewer places, or mount them in the pod instead of rendering them",
        ))
    }
}

/// The bytes that a tree counts for. Its texts may be one in memory; they are not in what is written.
fn weight(node: &Node) -> usize {
    let inner = match &node.data {
        Data::Scalar(text) | Data::Alias(text) => text.len(),
        Data::Sequence(items) => items
            .iter()
            .fold(0_usize, |sum, item| sum.saturating_add(weight(item))),
        Data::Mapping(entries) => entries.iter().fold(0_usize, |sum, (key, value)| {
            sum.saturating_add(weight(key))
                .saturating_add(weight(value))
        }),
    };
    inner.saturating_add(Limits::NODE_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_is_said_once() {
        let mut budget = Budget::new();
        let text = Outcome::Text("x".repeat(1 << 20).into());
        for _ in 0..64 {
            assert!(budget.charge(5, Some(&text)).is_ok());
        }
        assert!(!budget.is_spent());
        assert!(budget.charge(1, None).is_err());
        assert!(budget.is_spent());
        assert!(budget.charge(1, None).is_ok());
    }

    #[test]
    fn small_nodes_count_for_what_they_take() {
        let items = vec![Node::null(); 1 << 10];
        let block = Outcome::Block(Node::sequence(items));
        let mut budget = Budget::new();
        let taken = (0..1 << 10).find(|_| budget.charge(0, Some(&block)).is_err());
        assert!(taken.is_some());
    }
}
