//! Runs the binary: what reaches standard output, what is said when something is wrong, and the exit code.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]

mod bad_input;
mod carried;
mod cluster;
mod compare;
mod controller;
mod diff;
mod docs;
mod doctor;
mod engine;
mod explain;
mod golden;
mod helm;
mod help;
mod hostile;
mod leaks;
mod lint;
mod manifests;
mod metrics;
mod mistakes;
mod monitoring;
mod output;
mod pilot;
mod placeholders;
mod plugin;
mod plugin_options;
mod plugin_parameters;
mod probe;
mod reasons;
mod reference;
mod remote;
mod revision;
mod revisions;
mod schema;
mod server;
mod settings;
mod terminal;
mod tools;
mod upgrade;
mod versions;
mod warnings;
mod watch;
mod workspace;
