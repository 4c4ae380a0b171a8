//! `explain`: which field got which setting, where it came from, and why it may.

mod json;
mod text;

pub(super) use json::resource;
pub(super) use text::title;

use std::path::PathBuf;

use goyaml::Value;
use kustomize::Resource;

use super::flags::{Flags, Format, FormatFlag};
use super::output::Done;
use super::settings::SettingsFlags;
use crate::changes::Objects;
use crate::failure::Failure;
use crate::inject::Use;
use crate::progress::Progress;
use crate::render::trace::{Trace, trace};
use crate::render::{self, Rendered};
use crate::settings::resolve::Setting;
use crate::settings::{Place, Settings};
use crate::target::Target;

/// Say which fields get which settings, and where each comes from
#[derive(clap::Args)]
#[command(after_help = "Examples:
  argocd-infisical explain overlays/dev --settings settings.yaml
  argocd-infisical explain overlays/dev --from-cluster secret:home/settings --application home/lamp --show-values")]
pub(super) struct Args {
    /// Explain the kustomization in this directory
    #[arg(default_value = ".", value_name = "DIR")]
    directory: PathBuf,

    #[command(flatten)]
    settings: SettingsFlags,

    /// Show the values of settings
    #[arg(long)]
    show_values: bool,

    #[command(flatten)]
    format: FormatFlag,

    #[command(flatten)]
    flags: Flags,
}

/// What is to be said.
struct Report<'a> {
    objects: Objects<'a>,
    uses: Vec<Use>,
    rendered: &'a Rendered,
    settings: &'a Settings,
    unknown: Vec<String>,
    are_values_shown: bool,
}

/// Whose value a setting has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// One that was handed in.
    Set,
    /// That of the declaration.
    Default,
    /// None: a placeholder has its own, or nothing asks for one.
    None,
}

impl Args {
    pub(super) fn run(self) -> Result<Done, Failure> {
        let Self {
            directory,
            settings,
            show_values,
            format,
            flags,
        } = self;
        let (options, mut warnings) = flags.options()?;
        let _progress = Progress::with("tracing settings through", &directory);
        let target = Target::here(&directory, flags.outside())?;
        let settings = settings.read()?;
        let rendered = render::render(&target, &options, &settings)?;
        let Trace { uses, unknown } = trace(&target, &options, &rendered);
        warnings.extend(unknown.iter().map(|key| not_traced(key)));
        let mut report = Report {
            objects: Objects::of(&rendered.output),
            uses,
            rendered: &rendered,
            settings: &settings,
            unknown,
            are_values_shown: show_values,
        };
        report.uses.extend_from_slice(&rendered.record.uses);
        report.uses.sort();
        // A text may have the same placeholder twice.
        report.uses.dedup();
        let stdout = match format.format {
            Format::Text => text::text(&report),
            Format::Json => json::text(&report),
        };
        Ok(Done {
            warnings,
            stdout: stdout.into(),
            is_well: true,
        })
    }
}

/// Says that nobody knows where a key is copied to.
pub(super) fn not_traced(key: &str) -> String {
    format!(
        "warning: where `{key}` is copied to is not known: with another value of it the tree does not build"
    )
}

impl Report<'_> {
    /// The objects of the result that hold settings, in order, with the uses in each.
    fn fields(&self) -> Vec<(&Resource, Vec<&Use>)> {
        let objects = self.objects.iter().map(|(id, resource)| {
            let uses = self.uses.iter().filter(|used| used.object == id);
            (resource, uses.collect::<Vec<&Use>>())
        });
        objects.filter(|(_, uses)| !uses.is_empty()).collect()
    }

    /// How many fields of the result hold a key.
    fn count(&self, key: &str) -> usize {
        let fields = self.fields();
        let uses = fields.iter().flat_map(|(_, uses)| uses);
        let mut fields: Vec<_> = uses
            .filter(|used| used.keys.contains(key))
            .map(|used| (&used.object, &used.field))
            .collect();
        fields.sort_unstable();
        fields.dedup();
        fields.len()
    }

    /// Why a value may be taken.
    fn allowed(&self, setting: &Setting) -> Option<String> {
        match (&setting.origin, State::of(setting)) {
            (_, State::None) => None,
            (None, _) => Some("declared in the repository".to_owned()),
            (Some(origin), _) => Some(match self.settings.consent(origin) {
                Some(consent) => consent.to_owned(),
                None => "named on the command line".to_owned(),
            }),
        }
    }

    /// The value as one line of text, where values are shown.
    fn value(&self, setting: &Setting) -> Option<String> {
        let value = setting.value.as_ref().filter(|_| self.are_values_shown)?;
        Some(Value::String(value.reveal().clone()).to_json())
    }
}

impl State {
    fn of(setting: &Setting) -> Self {
        match (&setting.value, &setting.origin) {
            (None, _) => Self::None,
            (Some(_), Some(_)) => Self::Set,
            (Some(_), None) => Self::Default,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Set => "set",
            Self::Default => "default",
            Self::None => "none",
        }
    }
}

/// Where the value of a setting stands; where it has none, where it is declared.
const fn source(setting: &Setting) -> &Place {
    match (&setting.value, &setting.origin) {
        (Some(_), Some(origin)) => origin,
        (Some(_), None) => &setting.default_at,
        (None, _) => &setting.declared_at,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use kustomize::Options;

    use super::*;

    #[test]
    fn of_an_object_it_is_said_what_its_owner_allows() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/tools");
        let target = Target::here(&directory, Arc::default()).unwrap();
        let mut settings = Settings::default();
        let origin = Place {
            file: "Secret shop/values".into(),
            line: 0,
        };
        settings.insert("HOST", b"hunter2".to_vec(), origin);
        settings.add_object("Secret shop/values", "annotation `x` has `shop/*`");
        let rendered = render::render(&target, &Options::default(), &settings).unwrap();
        let report = Report {
            objects: Objects::of(&rendered.output),
            uses: rendered.record.uses.clone(),
            rendered: &rendered,
            settings: &settings,
            unknown: Vec::new(),
            are_values_shown: false,
        };
        let text = text::text(&report);
        let row = text.lines().find(|line| line.starts_with("HOST "));
        let cells: Vec<&str> = row
            .unwrap_or_default()
            .split("  ")
            .map(str::trim)
            .filter(|cell| !cell.is_empty())
            .collect();
        let consent = "annotation `x` has `shop/*`";
        let expected = ["HOST", "set", "Secret shop/values", consent, "0"];
        assert_eq!(cells, expected, "{text}");
        let json = json::text(&report);
        assert!(
            json.contains("\"allowedBy\": \"annotation `x` has `shop/*`\""),
            "{json}"
        );
        assert!(!(text + &json).contains("hunter2"));
    }
}
