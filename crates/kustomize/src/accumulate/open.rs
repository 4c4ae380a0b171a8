//! Opening kustomizations: the file of a directory, and whether it is what its use needs.

use goyaml::{Position, Text};

use super::{Layer, Use, ahead};
use crate::build::Session;
use crate::edit::Edits;
use crate::error::{Error, Result};
use crate::files::KUSTOMIZATION_FILES;
use crate::kustomization::{Kustomization, Located};
use crate::loader::{Found, Loaded, Loader};
use crate::origin::Origin;

impl<'a> Layer<'a> {
    /// Reads the kustomization file of the directory that is built.
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub(crate) fn open_root(loader: Loader<'a>, session: &mut Session) -> Result<Self> {
        let options = session.options;
        let edits = Some(&options.edits).filter(|edits| !edits.is_empty());
        let mut layer = Self::open(loader, session, edits)?;
        session.tracks_origins = !layer.kustomization.build_metadata.is_empty();
        layer.origin = session.tracks_origins.then(Origin::root);
        Ok(layer)
    }

    /// Reads the kustomization file of a directory.
    ///
    /// # Errors
    /// Where there is none or more than one, and where it is wrong or cannot be edited so.
    fn open(loader: Loader<'a>, session: &mut Session, edits: Option<&Edits>) -> Result<Self> {
        session.budget.open_layer()?;
        let file = Self::find_file(&loader)?;
        let limits = &session.options.limits.yaml;
        let mut kustomization = Kustomization::read(&file, limits, edits.is_some())
            .map_err(|error| error.in_file(&file.name))?;
        if let Some(edits) = edits {
            edits
                .apply(&mut kustomization, (&loader, &file.name), limits)
                .map_err(|error| error.in_file(&file.name))?;
        }
        if session.is_branch() {
            ahead::check(&kustomization)?;
        }
        session
            .warnings
            .extend(kustomization.warnings.iter().cloned());
        let mut layer = Self {
            loader,
            kustomization,
            file: file.name,
            number: file.number,
            origin: None,
            helm_namespace: Text::new(),
        };
        layer
            .helm_namespace
            .clone_from(&layer.kustomization.namespace);
        let chosen = session
            .schema
            .choose(&layer.kustomization, &layer.loader, limits);
        let blame = |error| layer.blame_field(layer.blame_field(error, "openapi.path"), "openapi");
        chosen.map_err(blame)?;
        Ok(layer)
    }

    /// Makes sure that the kustomization is of the kind that its use needs.
    fn check_use(&self, used_as: Use) -> Result<()> {
        let is_component = self.kustomization.kind == "Component";
        let directory = self.loader.display(self.loader.root());
        let kind = self.kustomization.place_of("kind");
        match used_as {
            Use::Component if !is_component => Err(Error::new(format!(
                "`{directory}` is listed under `components`, but it is a kustomization, not a component"
            ))
            .related("it would be a component with `kind: Component` in", self.file_place(kind))
            .hint("list it under `resources`, or make it a component: `kind: Component`")),
            Use::Base if is_component => Err(Error::new(format!(
                "`{directory}` is listed under `resources`, but it is a component"
            ))
            .related("its `kind: Component` stands at", self.file_place(kind))
            .hint("list it under `components`")),
            _ => Ok(()),
        }
    }

    /// A place in the kustomization file, or the file itself.
    const fn file_place(&self, position: Position) -> Position {
        Position {
            file: self.number,
            ..position
        }
    }

    // kustomize: LoadKustFile
    fn find_file(loader: &Loader) -> Result<Loaded> {
        let named = KUSTOMIZATION_FILES.iter().map(|name| loader.find(name));
        let present: Vec<Found> = named.filter(Found::is_file).collect();
        let directory = loader.display(loader.root());
        match present.as_slice() {
            [file] => loader.load_found(file),
            [] => Err(
                Error::new(format!("there is no kustomization file in `{directory}`"))
                    .hint(loader.where_to_build()),
            ),
            several => Err(Error::new(format!(
                "there are several kustomization files in `{directory}`: {}",
                several
                    .iter()
                    .map(Found::path)
                    .collect::<Vec<_>>()
                    .join(", ")
            ))
            .hint("keep one of them")),
        }
    }

    /// Opens a base or a component that this kustomization names.
    ///
    /// # Errors
    /// As for [`Self::open`], and where it is not of the kind that its use needs.
    pub(super) fn open_below(
        &self,
        path: &Located,
        found: &Found,
        used_as: Use,
        session: &mut Session,
    ) -> Result<Self> {
        session
            .budget
            .check_nesting()
            .map_err(|error| self.blame(error))?;
        let entered = self.loader.enter(found);
        let mut loader = entered.map_err(|error| self.blame(error.position(path.position)))?;
        if let Some(reads) = session.reads_of_branch() {
            loader = loader.in_branch(reads);
        }
        let mut layer = Layer::open(loader, session, None).map_err(|error| {
            if error.details().file.is_none() && error.details().position == Position::default() {
                self.blame(error.position(path.position))
            } else {
                self.needed_by(error, path)
            }
        })?;
        layer
            .check_use(used_as)
            .map_err(|error| self.blame(error.replace_position(path.position)))?;
        layer.origin = self.origin.as_ref().map(|origin| origin.join(&path.text));
        if layer.helm_namespace.is_empty() {
            layer.helm_namespace.clone_from(&self.helm_namespace);
        }
        Ok(layer)
    }
}
