//! Where a caller may step in between the phases of a build.

use crate::error::Result;
use crate::loader::FileNames;
use crate::resource::Resource;
use crate::resources::Resources;

/// A caller's part in a build: called at fixed points, in this order, with what there is at that point.
///
/// Resources that configure plugins pass by unseen. Every method does nothing unless it is written, and a build without hooks is exactly `kustomize build`.
pub trait Hooks {
    /// Whether there are none, so that kustomizations may be built in whatever order, and on several threads.
    fn are_none(&self) -> bool {
        false
    }

    /// The resources of one file, as read: nothing has been done to them. `names` tells what the positions of their
    /// nodes speak of.
    ///
    /// # Errors
    /// Ends the build.
    fn loaded(&mut self, resources: &mut [Resource], names: &FileNames) -> Result<()> {
        let _ = (resources, names);
        Ok(())
    }

    /// All resources of one kustomization and those below it, after its other transformers and before its replacements;
    /// and once at the root, where variables will copy values. Where it is not called, the build copies no value from
    /// one resource to another.
    ///
    /// # Errors
    /// Ends the build.
    fn before_replacements(&mut self, resources: &mut Resources) -> Result<()> {
        let _ = resources;
        Ok(())
    }

    /// All resources of the build, before hashes are added to names and references follow them.
    ///
    /// # Errors
    /// Ends the build.
    fn before_name_hashes(&mut self, resources: &mut Resources, names: &FileNames) -> Result<()> {
        let _ = (resources, names);
        Ok(())
    }

    /// All resources, before variables are resolved; only where there are any.
    ///
    /// # Errors
    /// Ends the build.
    fn before_variables(&mut self, resources: &mut Resources) -> Result<()> {
        let _ = resources;
        Ok(())
    }

    /// The same resources afterwards.
    fn after_variables(&mut self, resources: &mut Resources) {
        let _ = resources;
    }
}

/// No hooks.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHooks;

impl Hooks for NoHooks {
    fn are_none(&self) -> bool {
        true
    }
}
