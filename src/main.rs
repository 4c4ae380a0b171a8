//! The `argocd-infisical` binary.

fn main() {}
