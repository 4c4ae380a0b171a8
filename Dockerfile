# syntax=docker/dockerfile:1
# The sidecar's image: one static binary, plugin.yaml and certificates. `tools/image` makes the same without a daemon.
#
#   docker build -t argocd-infisical .
#   docker buildx build --platform linux/amd64,linux/arm64 -t REGISTRY/argocd-infisical:TAG --push .

FROM rust:1.95.0-alpine AS build
RUN apk add --no-cache ca-certificates musl-dev
# The toolchain of the image, without the components that rust-toolchain.toml asks for as well.
ENV RUSTUP_TOOLCHAIN=1.95.0
WORKDIR /source
COPY Cargo.toml Cargo.lock plugin.yaml ./
COPY crates crates
COPY benches benches
COPY src src
COPY .cargo .cargo
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/source/target \
    cargo build --release --locked && cp target/release/argocd-infisical /argocd-infisical
# Without a passwd file the user of the image has no name and no group of its own.
RUN mkdir -p /root-fs/etc/ssl/certs /root-fs/tmp /root-fs/home/argocd/cmp-server/config \
        /root-fs/home/argocd/cmp-server/plugins /root-fs/usr/local/bin \
    && chmod 1777 /root-fs/tmp \
    && echo 'argocd:x:999:999::/tmp:/bin/false' > /root-fs/etc/passwd \
    && echo 'argocd:x:999:' > /root-fs/etc/group \
    && cp /etc/ssl/certs/ca-certificates.crt /root-fs/etc/ssl/certs/ \
    && cp plugin.yaml /root-fs/home/argocd/cmp-server/config/ \
    && cp /argocd-infisical /root-fs/usr/local/bin/ \
    && /root-fs/usr/local/bin/argocd-infisical --version

FROM scratch
COPY --from=build /root-fs /
ENV PATH=/usr/local/bin
USER 999:999
ENTRYPOINT ["/usr/local/bin/argocd-infisical"]
