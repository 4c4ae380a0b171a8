//! `diff`: what a change of settings, or of the repository, changes in the output.

mod json;
mod side;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use kustomize::Resource;

use super::explain::not_traced;
use super::flags::{Flags, Format, FormatFlag};
use super::output::Done;
use super::settings::SettingsFlags;
use crate::changes::{Change, Objects, Pair, fields};
use crate::failure::Failure;
use crate::inject::{Path, without_hash};
use crate::progress::Progress;
use side::Side;

/// Show what a change of settings, or of the repository, changes in the output
#[derive(clap::Args)]
#[command(after_help = "Examples:
  argocd-infisical diff overlays/dev --settings settings.yaml
  argocd-infisical diff overlays/prod --settings settings.yaml --git main --show-values

Exit codes: 0 nothing differs, 1 something differs or an input is wrong, \
                        2 the command line is wrong, 3 a fault of the program")]
pub(super) struct Args {
    /// Compare the output of the kustomization in this directory
    #[arg(default_value = ".", value_name = "DIR")]
    directory: PathBuf,

    #[command(flatten)]
    settings: SettingsFlags,

    /// Compare with the output for these settings instead of the defaults; later ones win
    #[arg(long, value_name = "FILE")]
    against: Vec<PathBuf>,

    /// Compare with the output of this commit of the repository, for the same settings unless `--against` names others
    #[arg(long, value_name = "COMMIT")]
    git: Option<String>,

    /// Show the values of fields; those of Secrets stay hidden
    #[arg(long)]
    show_values: bool,

    #[command(flatten)]
    format: FormatFlag,

    #[command(flatten)]
    flags: Flags,
}

/// What differs.
struct Report<'a> {
    left: &'a Side,
    right: &'a Side,
    /// The settings whose values differ.
    keys: BTreeSet<&'a str>,
    objects: Vec<ObjectChange<'a>>,
    are_values_shown: bool,
}

/// An object that differs.
struct ObjectChange<'a> {
    left: Option<&'a Resource>,
    right: Option<&'a Resource>,
    /// The fields that differ, where it is there on both sides.
    fields: Vec<FieldChange<'a>>,
}

/// A field that differs, and why.
struct FieldChange<'a> {
    change: Change<'a>,
    /// The settings by which it differs.
    keys: BTreeSet<&'a str>,
    cause: Cause,
}

/// Why a field differs.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Cause {
    /// It holds settings whose values differ.
    Settings,
    /// It is a name that ends with a hash of the content, of the object that is called so without.
    Hash(String),
    /// The repository says something else.
    Repository,
    /// Nobody knows; a copied value that could not be followed.
    Unknown,
}

impl Args {
    pub(super) fn run(self) -> Result<Done, Failure> {
        let (options, mut warnings) = self.flags.options()?;
        let _progress = Progress::with("comparing outputs of", &self.directory);
        let (left, right) = self.sides(&options)?;
        for key in left.unknown.iter().chain(&right.unknown) {
            let warning = not_traced(key);
            if !warnings.contains(&warning) {
                warnings.push(warning);
            }
        }
        let (before, after) = (left.objects(), right.objects());
        let report = Report::new((&left, &before), (&right, &after), self.show_values);
        let stdout = match self.format.format {
            Format::Text => text::text(&report),
            Format::Json => json::text(&report),
        };
        Ok(Done {
            warnings,
            stdout: stdout.into(),
            is_well: report.objects.is_empty(),
        })
    }
}

impl<'a> Report<'a> {
    fn new(
        (left, before): (&'a Side, &Objects<'a>),
        (right, after): (&'a Side, &Objects<'a>),
        are_values_shown: bool,
    ) -> Self {
        let mut report = Self {
            left,
            right,
            keys: differing_keys(left, right),
            objects: Vec::new(),
            are_values_shown,
        };
        let renamed = before.renamed(after);
        let owners: BTreeMap<&str, String> = after
            .iter()
            .map(|(_, resource)| (resource.name().as_str(), title(resource)))
            .collect();
        for pair in before.pairs(after) {
            report
                .objects
                .extend(report.object(&pair, &renamed, &owners));
        }
        report.pass_on_keys();
        report
    }

    fn object(
        &self,
        pair: &Pair<'a>,
        renamed: &BTreeMap<&str, &str>,
        owners: &BTreeMap<&str, String>,
    ) -> Option<ObjectChange<'a>> {
        let Pair { id: _, left, right } = *pair;
        let mut found = Vec::new();
        if let (Some(left), Some(right)) = (left, right) {
            let ids = [left, right].map(|resource| without_hash(resource).to_string());
            for change in fields(left.node(), right.node(), &BTreeMap::new()) {
                let field = self.field(change, &ids, (renamed, owners));
                self.add(field, &ids, &mut found);
            }
            if found.is_empty() {
                return None;
            }
        }
        Some(ObjectChange {
            left,
            right,
            fields: found,
        })
    }

    fn field(
        &self,
        change: Change<'a>,
        ids: &[String; 2],
        (renamed, owners): (&BTreeMap<&str, &str>, &BTreeMap<&str, String>),
    ) -> FieldChange<'a> {
        let texts = [change.left, change.right].map(|node| node.and_then(goyaml::Node::as_str));
        if let [Some(left), Some(right)] = texts
            && renamed.get(right) == Some(&left)
        {
            return FieldChange {
                cause: Cause::Hash(owners.get(right).cloned().unwrap_or_default()),
                change,
                keys: BTreeSet::new(),
            };
        }
        let mut keys = BTreeSet::new();
        for (side, id) in [self.left, self.right].into_iter().zip(ids) {
            let uses = side.uses.iter().filter(|used| used.object == *id);
            let uses = uses.filter(|used| {
                change.field.is_within(&used.field) || used.field.is_within(&change.field)
            });
            let read = uses.flat_map(|used| &used.keys).map(String::as_str);
            keys.extend(read.filter(|key| self.keys.contains(key)));
        }
        let cause = if !keys.is_empty() {
            Cause::Settings
        } else if self.left.files.is_some() {
            Cause::Repository
        } else {
            Cause::Unknown
        };
        FieldChange {
            change,
            keys,
            cause,
        }
    }

    /// Adds a field. What it is called may be part of a value, where a whole block is one.
    fn add(&self, mut field: FieldChange<'a>, ids: &[String; 2], found: &mut Vec<FieldChange<'a>>) {
        let change = &mut field.change;
        if let Some(block) = self.block(&change.field, ids)
            && !self.are_values_shown
        {
            change.field = block;
            let (left, right) = (change.left, change.right);
            (change.left, change.right) = (left.or(right), right.or(left));
            let mut known = found.iter_mut();
            if let Some(known) = known.find(|known| known.change.field == field.change.field) {
                known.keys.append(&mut field.keys);
                return;
            }
        }
        found.push(field);
    }

    /// The outermost field around another that is filled from a setting.
    fn block(&self, field: &Path, ids: &[String; 2]) -> Option<Path> {
        let sides = [self.left, self.right].into_iter().zip(ids);
        let uses =
            sides.flat_map(|(side, id)| side.uses.iter().filter(move |used| used.object == *id));
        let around = uses.filter(|used| field != &used.field && field.is_within(&used.field));
        let outermost = around.min_by_key(|used| used.field.0.len())?;
        Some(outermost.field.clone())
    }

    /// Gives a changed hash the settings that have changed the content.
    fn pass_on_keys(&mut self) {
        let mut contents: BTreeMap<String, BTreeSet<&'a str>> = BTreeMap::new();
        for object in &self.objects {
            if let Some(resource) = object.right {
                let keys = object.fields.iter().flat_map(|field| &field.keys).copied();
                contents.entry(title(resource)).or_default().extend(keys);
            }
        }
        let fields = self.objects.iter_mut();
        for field in fields.flat_map(|object| &mut object.fields) {
            if let Cause::Hash(owner) = &field.cause
                && let Some(keys) = contents.get(owner)
            {
                field.keys.clone_from(keys);
            }
        }
    }
}

/// The keys whose values are not the same on both sides; one that is declared on one side only has none on the other.
fn differing_keys<'a>(left: &'a Side, right: &'a Side) -> BTreeSet<&'a str> {
    let value = |side: &'a Side, key: &str| {
        let setting = side.rendered.record.resolved.get(key)?;
        setting.value.as_ref()
    };
    let keys = [left, right].into_iter();
    let keys = keys.flat_map(|side| side.rendered.record.resolved.iter().map(|(key, _)| key));
    keys.filter(|key| value(left, key) != value(right, key))
        .collect()
}

/// An object by its kind and its name without a hash.
fn title(resource: &Resource) -> String {
    let name = without_hash(resource).name;
    format!("{} {name}", resource.gvk().kind)
}
