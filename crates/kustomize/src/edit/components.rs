//! `kustomize edit add component`, and leaving out what is not there.

use goyaml::{Position, TextPlace};

use super::{Edits, glob};
use crate::error::Result;
use crate::files::{KUSTOMIZATION_FILES, base_name};
use crate::kustomization::{Kustomization, Located};
use crate::loader::Loader;

impl Edits {
    /// Adds components that are not listed yet. What leads nowhere is left to whoever opens it.
    ///
    /// # Errors
    /// Where a pattern matches too much.
    // kustomize: addComponentOptions.RunAddComponent
    pub(super) fn add_components(
        &self,
        kustomization: &mut Kustomization,
        loader: &Loader,
        file: &str,
    ) -> Result<()> {
        for (index, asked) in self.components.iter().enumerate() {
            if self.ignore_missing_components && !is_component(loader, asked) {
                continue;
            }
            let name = self.name_of("components", Some(index));
            let position = Position {
                file: loader.names().add(name),
                ..Position::default()
            };
            let paths = glob::expand(loader, asked);
            for path in paths.map_err(|error| error.position(position))? {
                let is_listed = |known: &Located| known.text == path.as_str();
                if path != base_name(file) && !kustomization.components.iter().any(is_listed) {
                    kustomization.components.push(Located {
                        text: path.into(),
                        position,
                        place: TextPlace::at(position),
                    });
                }
            }
        }
        Ok(())
    }
}

/// Whether a directory of the tree has a kustomization file.
// Argo CD: kustomize.Build, ignoreMissingComponents
fn is_component(loader: &Loader, path: &str) -> bool {
    KUSTOMIZATION_FILES
        .iter()
        .any(|name| loader.find(&format!("{path}/{name}")).is_file())
}
