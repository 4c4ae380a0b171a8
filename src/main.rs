//! The `argocd-infisical` binary.

use std::process::ExitCode;

/// A build makes many small things, on several threads where it is large. For that the allocators of both C libraries are
/// slow: glibc's takes its memory page by page for any thread but the first, and musl's takes a lock. Version 2 of this one,
/// without huge pages, is the form of it that costs a small build nothing.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    argocd_infisical::cli::main()
}
