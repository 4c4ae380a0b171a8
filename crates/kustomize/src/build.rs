//! A build from its root: options in, resources and warnings out.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use goyaml::Node;

use crate::accumulate::{Accumulated, Layer};
use crate::chosen_schema::ChosenSchema;
use crate::deadline::Deadline;
use crate::edit::Edits;
use crate::error::{Error, Result};
use crate::field_at::FieldNames;
use crate::field_spec::FieldSpec;
use crate::field_specs::FieldSpecs;
use crate::files::Files;
use crate::hooks::{Hooks, NoHooks};
use crate::id::ResId;
use crate::kustomization::SortOptions;
use crate::limits::{self, Allowance, Amounts, Budget, Limits};
use crate::loader::{FileNames, LoadRestrictions, Loader, Reads};
use crate::lost;
use crate::metadata;
use crate::notices::{self, Notices};
use crate::references;
use crate::resource::Resource;
use crate::resources::Resources;
use crate::threads::{self, Threads};
use crate::transformers::{metadata_maps, name_hash, sort};

/// The kustomize whose output the engine equals; `managed-by` labels name it, too.
pub const VERSION: &str = "v5.8.2";

const SORTED_TWICE: &str = "Warning: Sorting order is set both in 'kustomization.yaml' ('sortOptions') and in a CLI \
                            flag ('--reorder'). Using the kustomization file over the CLI flag.";

/// What stands between two resources.
const BETWEEN: &str = "---\n";

/// Resources that are written one after the other into one text. A text that becomes large is copied as it grows.
const PART: usize = 8;

/// Parts of the output for each thread that writes.
const PARTS_OF_A_THREAD: usize = 8;

/// Bytes of a build, as they count for its limits, whose output is worth a thing for a thread to do.
const WORTH_WRITING: usize = 1 << 16;

/// What may be asked of a build.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Whether kustomizations may read files outside their directories.
    pub load_restrictions: LoadRestrictions,
    /// The order of the output where the kustomization names none.
    pub reorder: Reorder,
    /// Whether every resource gets the label `app.kubernetes.io/managed-by`.
    pub managed_by_label: bool,
    /// Bounds on what the build may ask for.
    pub limits: Limits,
    /// Until when the build may run.
    pub deadline: Deadline,
    /// The directory, as an absolute path, from which errors name files; without it, the one that is built.
    pub named_from: Option<String>,
    /// What is changed in the kustomization that is built before it is.
    pub edits: Edits,
    /// On how many threads the build may work.
    pub threads: Threads,
}

/// The order of the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reorder {
    /// None was asked for: as [`Self::Legacy`].
    #[default]
    Unspecified,
    /// Namespaces and definitions first, webhooks last, the rest by kind and name.
    Legacy,
    /// As loaded.
    None,
}

/// What a build gives.
#[derive(Debug)]
pub struct Output {
    /// The resources, in order.
    pub resources: Resources,
    /// What kustomize prints to stderr, line by line.
    pub warnings: Vec<String>,
    /// What was noticed of what is no part of the resources.
    notices: Vec<Error>,
    /// The files that were read.
    pub names: FileNames,
    /// The directory from which files are named.
    named_from: String,
    /// The bytes that may be written.
    limit: usize,
    /// Until when they may be.
    deadline: Deadline,
    /// On how many threads they are.
    threads: Threads,
    /// The bytes that have come into being in the build.
    weight: usize,
    /// Whether all has been written, and no text has been found that means something else then.
    are_texts_kept: Cell<bool>,
}

impl Output {
    /// What kustomize changes in the data of these resources without a word, and where. It is found when it is asked
    /// for, with the files that were built, which are read again for the names of fields.
    pub fn notices(&self, files: &dyn Files) -> Notices {
        let mut fields = FieldNames::new(files, &self.named_from);
        let resources = (&self.resources, self.are_texts_kept.get());
        notices::collect(resources, &self.notices, &self.names, &mut fields)
    }

    /// The bytes that `kustomize build` prints.
    ///
    /// # Errors
    /// As for [`Self::to_parts`].
    pub fn to_yaml(&self) -> Result<String> {
        let mut parts = self.to_parts()?;
        match parts.as_mut_slice() {
            [whole] => Ok(std::mem::take(whole)),
            _ => Ok(parts.concat()),
        }
    }

    /// The same in parts, one after the other: what is large is written faster so.
    ///
    /// # Errors
    /// Where a resource holds what JSON cannot say: a key that is no text, a key twice, an infinite number; and past
    /// [`Limits::output`].
    pub fn to_parts(&self) -> Result<Vec<String>> {
        let threads = self.threads.worth(self.weight / WORTH_WRITING);
        if threads > 1
            && let Some(parts) = self.written_at_once(threads)
        {
            return Ok(parts);
        }
        let mut parts = Vec::new();
        let mut left = self.limit;
        for resources in self.resources.as_slice().chunks(PART) {
            let mut text = String::new();
            for resource in resources {
                self.deadline.check()?;
                text.reserve(room_for(resource.node(), left));
                let before = text.len();
                if !(parts.is_empty() && text.is_empty()) {
                    text.push_str(BETWEEN);
                }
                let is_written = resource
                    .emit_within(left, &mut text)
                    .map_err(|error| error.with_names(&self.names))?;
                let now = left.checked_sub(text.len() - before);
                left = now.filter(|_| is_written).ok_or_else(|| {
                    let limit = self.limit;
                    Error::new(format!("the output has more than {limit} bytes"))
                })?;
            }
            parts.push(text);
        }
        Ok(parts)
    }

    /// The parts, written on several threads; nothing where one cannot be written, or all would be too much.
    fn written_at_once(&self, threads: usize) -> Option<Vec<String>> {
        let nodes: Vec<&Node> = self.resources.iter().map(Resource::node).collect();
        // A part that is large must not be what all others wait for in the end.
        let length = (nodes.len() / (threads * PARTS_OF_A_THREAD)).clamp(1, PART);
        let parts: Vec<(usize, &[&Node])> = nodes.chunks(length).enumerate().collect();
        let left = AtomicUsize::new(self.limit);
        let deadline = &self.deadline;
        let write = |(index, nodes): &(usize, &[&Node])| {
            let mut text = String::new();
            let mut are_texts_kept = true;
            for (inner, node) in nodes.iter().enumerate() {
                deadline.check().ok()?;
                // All threads together write no more than what is left.
                let limit = left.load(Ordering::Relaxed) / threads;
                text.reserve(room_for(node, limit));
                let before = text.len();
                if *index > 0 || inner > 0 {
                    text.push_str(BETWEEN);
                }
                // Whoever lets several threads write asks for notices, too, and here the object is at hand.
                are_texts_kept &= !lost::is_any_altered(node);
                goyaml::emit_canonical_within(limit, node, &mut text).ok()?;
                if !limits::take(&left, text.len() - before) {
                    return None;
                }
            }
            Some((text, are_texts_kept))
        };
        let written = threads::map(parts.iter(), threads, write);
        let written = written.into_iter().flatten().collect::<Option<Vec<_>>>()?;
        if written.len() != parts.len() {
            return None;
        }
        let are_texts_kept = written.iter().all(|(_, are_texts_kept)| *are_texts_kept);
        self.are_texts_kept.set(are_texts_kept);
        Some(written.into_iter().map(|(text, _)| text).collect())
    }
}

/// Room for the text of a tree, so that it is seldom copied as it grows.
fn room_for(node: &Node, limit: usize) -> usize {
    let about = limits::about_written_size(node, 0);
    about.saturating_add(about / 8).min(limit)
}

/// Builds the kustomization in a directory.
///
/// # Errors
/// Where anything in it, or in what it is made of, is wrong.
pub fn build(files: &dyn Files, root: &str, options: &Options) -> Result<Output> {
    build_with(files, root, options, &mut NoHooks)
}

/// As [`build`], with a caller's part between the phases.
///
/// # Errors
/// As for [`build`], and what the hooks return.
pub fn build_with(
    files: &dyn Files,
    root: &str,
    options: &Options,
    hooks: &mut dyn Hooks,
) -> Result<Output> {
    let loader = Loader::new(files, root, options)?;
    let names = loader.shared_names();
    let mut session = Session::new(options, hooks);
    let built = build_root(loader, &mut session);
    let Session {
        warnings,
        notices,
        budget,
        ..
    } = session;
    let weight = budget.spent().content;
    let named_from = options.named_from.as_deref().unwrap_or(root);
    let names = std::mem::take(&mut *names.lock().unwrap_or_else(PoisonError::into_inner));
    match built {
        Ok(resources) => Ok(Output {
            resources,
            warnings,
            notices,
            names,
            named_from: named_from.to_owned(),
            limit: options.limits.output,
            deadline: options.deadline.clone(),
            threads: options.threads,
            weight,
            are_texts_kept: Cell::new(false),
        }),
        Err(error) => {
            let mut fields = FieldNames::new(files, named_from);
            Err(fields.complete(error.with_names(&names)))
        }
    }
}

/// What the layers of one build share.
pub(crate) struct Session<'a> {
    pub(crate) options: &'a Options,
    pub(crate) hooks: &'a mut dyn Hooks,
    pub(crate) warnings: Vec<String>,
    /// What kustomize passes over in configurations, each with the configuration that it is about.
    pub(crate) notices: Vec<Error>,
    /// Whether the resources at hand configure plugins and are none of the build's, so that no hook may see them.
    pub(crate) reads_plugins: bool,
    /// Whether annotations say where resources come from while they are built.
    pub(crate) tracks_origins: bool,
    pub(crate) schema: ChosenSchema,
    pub(crate) budget: Budget,
    /// What it may still read, where it is that of a branch.
    branch: Option<Reads>,
}

/// What the branches of a build begin with: parts of it that go on at the same time.
pub(crate) struct Trunk<'a> {
    options: &'a Options,
    reads_plugins: bool,
    tracks_origins: bool,
    has_bases: bool,
    allowance: Allowance,
}

impl Trunk<'_> {
    /// What was asked of the build.
    pub(crate) const fn options(&self) -> &Options {
        self.options
    }

    /// Whether bases can be built in branches.
    pub(crate) const fn has_bases(&self) -> bool {
        self.has_bases
    }
}

/// What is left of a branch when it has ended, besides what it was for.
pub(crate) struct Branch {
    warnings: Vec<String>,
    notices: Vec<Error>,
    schema: ChosenSchema,
    spent: Amounts,
    reads: Reads,
}

impl<'a> Session<'a> {
    fn new(options: &'a Options, hooks: &'a mut dyn Hooks) -> Self {
        Self {
            options,
            hooks,
            warnings: Vec::new(),
            notices: Vec::new(),
            reads_plugins: false,
            tracks_origins: false,
            schema: ChosenSchema::new(),
            budget: Budget::new(options.limits, options.deadline.clone()),
            branch: None,
        }
    }

    /// The session of a branch.
    pub(crate) fn branch(trunk: &'a Trunk<'a>, reads: &Reads, hooks: &'a mut NoHooks) -> Self {
        Self {
            reads_plugins: trunk.reads_plugins,
            tracks_origins: trunk.tracks_origins,
            budget: Budget::of_branch(&trunk.allowance),
            branch: Some(reads.clone()),
            ..Self::new(trunk.options, hooks)
        }
    }

    /// Whether it is that of a branch.
    pub(crate) const fn is_branch(&self) -> bool {
        self.branch.is_some()
    }

    /// What a branch may still read; nothing where it is none.
    pub(crate) const fn reads_of_branch(&self) -> Option<&Reads> {
        self.branch.as_ref()
    }

    /// On how many threads it may work.
    pub(crate) const fn threads(&self) -> Threads {
        if self.is_branch() {
            Threads::One
        } else {
            self.options.threads
        }
    }

    /// How many threads are worth having for so many things.
    pub(crate) fn threads_worth(&self, things: usize) -> usize {
        self.threads().worth(things)
    }

    /// What branches begin with.
    pub(crate) fn trunk(&self) -> Trunk<'a> {
        Trunk {
            options: self.options,
            reads_plugins: self.reads_plugins,
            tracks_origins: self.tracks_origins,
            has_bases: self.hooks.are_none() && !self.schema.is_chosen(),
            allowance: self.budget.allowance(),
        }
    }

    /// Ends a branch; nothing where it is none.
    pub(crate) fn into_branch(self) -> Option<Branch> {
        Some(Branch {
            reads: self.branch?,
            spent: self.budget.spent(),
            warnings: self.warnings,
            notices: self.notices,
            schema: self.schema,
        })
    }

    /// Takes a branch for what has come next in the build, if it would have come to the same.
    pub(crate) fn join(&mut self, branch: Branch) -> bool {
        if self.schema.is_chosen() || !self.budget.spend(branch.spent) {
            branch.reads.give_back();
            return false;
        }
        self.warnings.extend(branch.warnings);
        self.notices.extend(branch.notices);
        self.schema.join(branch.schema);
        true
    }

    /// Tells the hooks of resources as they were read.
    pub(crate) fn loaded(&mut self, resources: &mut [Resource], names: &FileNames) -> Result<()> {
        if self.reads_plugins {
            return Ok(());
        }
        self.hooks.loaded(resources, names)
    }

    /// Tells the hooks that values will be copied.
    pub(crate) fn before_replacements(&mut self, resources: &mut Resources) -> Result<()> {
        if self.reads_plugins {
            return Ok(());
        }
        self.hooks.before_replacements(resources)
    }
}

fn build_root(loader: Loader, session: &mut Session) -> Result<Resources> {
    let layer = Layer::open_root(loader, session)?;
    let (sort_options, build_metadata) = {
        let kustomization = layer.kustomization();
        (
            kustomization.sort_options.clone(),
            kustomization.build_metadata.clone(),
        )
    };
    let Accumulated {
        mut resources,
        config,
        variables,
    } = layer.accumulate(Accumulated::default(), session)?;
    session.schema.check(resources.as_mut_slice())?;
    if !variables.is_empty() {
        session.before_replacements(&mut resources)?;
    }
    session
        .hooks
        .before_name_hashes(&mut resources, &layer.loader().names())?;
    name_hash::apply(&mut resources, session.threads())?;
    session.budget.check_time()?;
    let budget = (&session.budget, session.threads());
    references::names::fix(&config, budget, &mut resources)?;
    if !variables.is_empty() {
        session.hooks.before_variables(&mut resources)?;
        variables.resolve(
            &config,
            &mut resources,
            &session.budget,
            &mut session.warnings,
        )?;
        session.hooks.after_variables(&mut resources);
    }
    drop_local(&mut resources)?;
    order(sort_options.as_ref(), session, &mut resources)
        .map_err(|error| layer.blame_field(error, "sortOptions"))?;
    let asks = |what: &str| build_metadata.iter().any(|option| option == what);
    if session.options.managed_by_label || asks("managedByLabel") {
        let engine = format!("kustomize-{VERSION}");
        let label = [("app.kubernetes.io/managed-by".into(), engine.into())].into();
        let labels = FieldSpec::of_every_kind("metadata/labels", true);
        let everywhere = FieldSpecs::from(vec![labels]);
        let mut all = resources.as_mut_slice().iter_mut();
        all.try_for_each(|resource| {
            metadata_maps::apply(&label, &everywhere, resource, &session.budget)
        })?;
    }
    for resource in resources.as_mut_slice() {
        resource.finish(asks("originAnnotations"), asks("transformerAnnotations"));
    }
    Ok(resources)
}

/// Takes away what only this kustomization uses, and makes sure that nothing has lost its kind or name.
// kustomize: KustTarget.IgnoreLocal
fn drop_local(resources: &mut Resources) -> Result<()> {
    resources.drop_empty();
    for resource in resources.iter() {
        crate::load::check_object(resource.node())
            .map_err(|error| error.resource(resource.id()))?;
    }
    let is_local = |resource: &Resource| {
        let local = metadata::annotation(resource.node(), metadata::LOCAL_CONFIG);
        local.is_some_and(|value| value != "false")
    };
    let local: Vec<bool> = resources.iter().map(is_local).collect();
    if local.contains(&true) {
        let ids_where = |value: bool| {
            let all = resources.iter().zip(&local);
            let found = all.filter(move |(_, local)| **local == value);
            found.map(|(resource, _)| resource.id())
        };
        // kustomize: ResAccumulator.Intersection goes by ids, so that a local one stays beside another of its id.
        let dropped: BTreeSet<&ResId> = ids_where(true).collect();
        let kept: BTreeSet<ResId> = ids_where(false)
            .filter(|id| dropped.contains(id))
            .cloned()
            .collect();
        let mut local = local.into_iter();
        resources.as_mut_vec().retain(|resource| {
            let is_local = local.next().unwrap_or_default();
            !is_local || kept.contains(resource.id())
        });
    }
    Ok(())
}

// kustomize: Kustomizer.applySortOrder
fn order(
    sort_options: Option<&SortOptions>,
    session: &mut Session,
    resources: &mut Resources,
) -> Result<()> {
    match (sort_options, session.options.reorder) {
        (Some(options), reorder) => {
            if reorder != Reorder::Unspecified {
                session.warnings.push(SORTED_TWICE.to_owned());
            }
            sort::apply(options, resources)
        }
        (None, Reorder::Legacy | Reorder::Unspecified) => sort::legacy(resources, None),
        (None, Reorder::None) => Ok(()),
    }
}
