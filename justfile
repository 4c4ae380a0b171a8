# Everything that a change must pass.
check:
    .ci/run

# The tests alone.
test *ARGS:
    cargo test --workspace {{ARGS}}

# Records the golden outputs again with the pinned kustomize.
record:
    tools/record
    tools/record-kustomize
    tools/record-plugin/run
    cargo build
    tools/record-errors

# Times the release binary against the real kustomize.
bench *ARGS:
    cargo build --release
    tools/bench {{ARGS}}

# Makes the sidecar's image in target/image, and tries it.
image *ARGS:
    tools/image {{ARGS}}

# Makes a release of this commit in target, up to the upload.
release *ARGS:
    tools/release {{ARGS}}

# Licences, advisories and duplicate versions of the dependencies (needs cargo-deny).
deny:
    cargo deny check
