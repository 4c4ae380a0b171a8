//! The digests of the settings that Applications have, in the environment of the plugin.

use jiff::Timestamp;

use super::application::{Application, Plugin, Source};
use super::policy::{Namespaces, Policy};
use super::reason::{Code, Reason};
use super::sources;
use super::state::State;
use crate::plugin::parameters::SETTINGS;
use crate::settings::consent::{ALLOWED, Admitted, Caller, KEYS, LABEL, Refusal, admit};
use crate::settings::digest::{Digest, VARIABLE};
use crate::settings::object::{ObjectKind, ObjectName, Reference};

/// How many objects a source may name. The sidecar allows 16, unless its policy says otherwise.
const OBJECTS: usize = 64;

/// A source that the plugin renders with settings.
pub(super) struct Rendered<'a> {
    /// The JSON pointer to the source.
    pub(super) pointer: String,
    /// The source.
    pub(super) source: &'a Source,
    /// Its plugin.
    pub(super) plugin: &'a Plugin,
    /// The objects that it names, or why they cannot be told.
    pub(super) references: Result<Vec<Reference>, Reason>,
}

/// What the settings of a source are told by.
pub(super) struct Told {
    /// The digest; with a reason where it is one that the plugin will refuse.
    pub(super) digest: Digest,
    /// Why the plugin renders nothing with it.
    pub(super) refusal: Option<Reason>,
}

/// The sources that the plugin renders with settings.
pub(super) fn rendered<'a>(application: &'a Application, policy: &Policy) -> Vec<Rendered<'a>> {
    let mut rendered = Vec::new();
    if application.spec.sources.len() > sources::MOST {
        return rendered;
    }
    for (pointer, source) in application.sources() {
        let plugin = source.plugin.as_ref().filter(|plugin| {
            let name = plugin.name.as_deref();
            name.is_some_and(|name| policy.plugins.contains(name))
        });
        let Some(plugin) = plugin else { continue };
        let named = plugin
            .parameters
            .iter()
            .filter(|one| one.name == SETTINGS.name);
        let texts: Vec<&String> = named.flat_map(|one| one.array.iter().flatten()).collect();
        if texts.is_empty() {
            continue;
        }
        let references: Result<Vec<Reference>, _> = if texts.len() > OBJECTS {
            Err("names more objects than there can be settings from")
        } else {
            texts.into_iter().map(|text| text.parse()).collect()
        };
        rendered.push(Rendered {
            pointer,
            source,
            plugin,
            references: references.map_err(invalid),
        });
    }
    rendered
}

fn invalid(what: &'static str) -> Reason {
    let message = format!("the plugin parameter `{}` {what}", SETTINGS.name);
    Reason::new(Code::InvalidSettings, message).hint(
        "each entry is `namespace/name` for a ConfigMap or `secret:namespace/name` for a Secret",
    )
}

/// The digest of the settings of an Application.
///
/// # Errors
/// Why it is not known: an object that is needed is not to be seen, so that what was set last stays.
pub(super) fn told(
    state: &State,
    policy: &Policy,
    application: &Application,
    references: &[Reference],
) -> Result<Option<Told>, Reason> {
    let Some(key) = &state.digest_key else {
        return Ok(None);
    };
    let instance = application.name().instance(&policy.argocd_namespace);
    let caller = Caller::new(application.project(), &instance).map_err(|what| {
        let message = format!("what it is called {what}");
        Reason::new(Code::InvalidSettings, message)
    })?;
    let mut objects: Vec<(&ObjectName, Option<Admitted<'_>>)> = Vec::new();
    let mut refusal = None;
    for reference in references {
        let name = &reference.object;
        if !is_watched(name, policy) {
            let message = format!("{name} is in a namespace that the controller does not watch");
            return Err(Reason::new(Code::SettingsNotWatched, message).hint(
                "add its namespace to `objectNamespaces` of the policy, with the RBAC for it",
            ));
        }
        let admitted = admit(reference, state.objects.get(name), &caller);
        let is_needed = !reference.is_optional;
        match &admitted {
            Err(Refusal::Absent | Refusal::Unlabelled) if is_needed => {
                let message = format!("{name} is not there, or lacks the label `{LABEL}`");
                return Err(Reason::new(Code::SettingsAbsent, message)
                    .hint("see whether the operator has written it, with its labels"));
            }
            Err(Refusal::NotSynced) if is_needed => {
                let message = format!("{name} holds nothing yet");
                return Err(Reason::new(Code::SettingsNotSynced, message)
                    .hint("see what the operator says of what it is synced from"));
            }
            Err(Refusal::NotAllowed | Refusal::NoKeys) if is_needed => {
                refusal.get_or_insert_with(|| no_consent(name, &caller));
            }
            _ => {}
        }
        objects.push((name, admitted.ok()));
    }
    let objects = objects.iter();
    let digest = Digest::of(
        key,
        &caller,
        objects.map(|(name, admitted)| (*name, admitted.as_ref())),
    );
    Ok(Some(Told { digest, refusal }))
}

fn no_consent(name: &ObjectName, caller: &Caller) -> Reason {
    let Caller {
        project,
        application,
    } = caller;
    let keys = match name.kind {
        ObjectKind::ConfigMap => String::new(),
        ObjectKind::Secret => format!(", and in `{KEYS}` the keys that may be read"),
    };
    Reason::new(
        Code::NoConsent,
        format!("{name} does not allow this Application to read it"),
    )
    .hint(format!(
        "its owner sets the annotation `{ALLOWED}: {project}/{application}`{keys}"
    ))
}

/// Whether objects of this name are watched.
fn is_watched(name: &ObjectName, policy: &Policy) -> bool {
    let is_in = policy.override_namespaces.contains(&name.namespace)
        || match &policy.object_namespaces {
            Namespaces::All => true,
            Namespaces::Only(names) => names.contains(&name.namespace),
        };
    is_in && (name.kind == ObjectKind::ConfigMap || name.namespace != policy.argocd_namespace)
}

/// The digest that a source has: its place among the entries, and its text.
pub(super) fn current(plugin: &Plugin) -> Option<(usize, &str)> {
    let entries = plugin.env.as_deref().unwrap_or_default();
    // The last one of a name counts.
    let place = entries.iter().rposition(|entry| entry.name == VARIABLE)?;
    Some((place, entries.get(place)?.value.as_str()))
}

/// When a digest was set, or the last one of several with blanks between them.
pub(super) fn set_at(text: &str) -> Option<Timestamp> {
    let seconds = i64::try_from(time(text)?).ok()?;
    Timestamp::from_second(seconds).ok()
}

fn time(text: &str) -> Option<u64> {
    text.rsplit('.').next()?.parse().ok()
}

/// A text for a digest that no earlier one can be equal to: Argo CD has the renders of those in its cache.
pub(super) fn text(digest: &Digest, before: Option<&str>, now: u64) -> String {
    /// A time that is further away was written by somebody else, and would leave none after it.
    const YEAR: u64 = 365 * 24 * 3600;
    let time = before.and_then(time);
    let time = time.filter(|time| *time < now.saturating_add(YEAR));
    digest.at(time.map_or(now, |time| now.max(time + 1)))
}
