//! Runs the binary: what reaches standard output, what is said when something is wrong, and the exit code.

mod bad_input;
mod golden;
mod leaks;
mod output;
mod placeholders;
mod settings;
mod workspace;
