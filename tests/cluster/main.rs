//! A real etcd and a real kube-apiserver, and what the binary does with them.
//!
//! `tools/programs` builds the two; `tools/cluster-tier` runs these tests: `cargo test --test cluster -- --ignored`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]

mod access;
mod admission;
mod argocd;
mod audit;
mod cluster;
mod controller;
mod doctor;
#[path = "../cli/hostile_values.rs"]
mod hostile_values;
mod infisical;
mod installation;
mod kubeconfig;
mod namespace;
mod operator;
#[path = "../cli/patches.rs"]
mod patches;
mod probe;
mod proxy;
mod reach;
mod render;
mod repository;
mod sidecar;
mod smoke;
#[expect(dead_code, reason = "the tests of the command line use the rest")]
#[path = "../cli/tools.rs"]
mod tools;
mod watchdog;
#[expect(dead_code, reason = "the tests of the command line use the rest")]
#[path = "../cli/workspace.rs"]
mod workspace;
