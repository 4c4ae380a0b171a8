//! `kustomize build` as a function: files in, resources out.
