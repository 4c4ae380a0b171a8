//! Definitions on which kustomize never ends.

use crate::build::Options;
use crate::files::MemoryFiles;
use crate::kustomization::Located;
use crate::loader::Loader;

#[test]
fn a_definition_that_refers_to_itself_is_an_error() {
    let mut files = MemoryFiles::new();
    files.insert(
        "/k/types.yaml",
        "Foo:\n  Schema:\n    properties: {apiVersion: {}, kind: {}, metadata: {}, next: {$ref: Foo}}\n",
    );
    let loader = Loader::new(&files, "/k", &Options::default()).unwrap();
    let path = Located {
        text: "types.yaml".into(),
        ..Located::default()
    };
    let error = super::load(&loader, &[path]).unwrap_err();
    assert_eq!(
        error.details().message,
        "the definition of `Foo` refers to itself"
    );
    assert_eq!(error.details().file.as_deref(), Some("types.yaml"));
}
