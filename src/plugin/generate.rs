//! One render for Argo CD: from a call to resources.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use kustomize::Options;

use super::metrics::{Outcome, Progress};
use super::permits::Permits;
use super::request::Request;
use crate::cluster::{Access, Cluster};
use crate::external::{Allowed, Outside};
use crate::failure::{Failure, Problem};
use crate::files::{DiskFiles, plain};
use crate::render::{Rendered, render};
use crate::settings::digest::DigestKey;
use crate::settings::policy::Policy;
use crate::settings::reading::Audience;
use crate::settings::{Settings, Way};
use crate::target::Target;

/// How long the objects may take to be read once.
const READ: Duration = Duration::from_secs(10);
/// How long to wait for the objects that a digest speaks of, and how long between two looks.
const SETTLE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(250);

/// What an administrator has decided.
pub struct Administration {
    /// What Applications may ask for.
    pub policy: Policy,
    /// The key of digests; without it there is no controller that writes any.
    pub digest_key: Option<DigestKey>,
    /// The cluster that settings are in.
    pub access: Access,
    /// Argo CD's namespace; without it no settings are read.
    pub namespace: Option<String>,
    /// How many renders run at a time.
    pub permits: Permits,
}

/// One render: until when it has to be done, and how far it is.
#[derive(Clone, Copy)]
pub struct Work<'a> {
    /// When it is of no use any more.
    pub deadline: Instant,
    /// Where it notes what it does.
    pub progress: &'a Progress,
}

/// Renders the Application in a directory.
///
/// # Errors
/// Where anything is wrong with the call, its settings or its files. No message holds a value.
pub fn generate(
    request: &Request,
    directory: &Path,
    administration: &Administration,
    work: Work,
) -> Result<(Target, Rendered), Failure> {
    let Administration { permits, .. } = administration;
    let Work { deadline, progress } = work;
    // What nobody can tell apart shares.
    let project = request.project.as_deref().unwrap_or("unknown");
    progress.is_for(project);
    progress.enter(Outcome::Permit);
    let permit = permits.wait(project, deadline)?;
    progress.enter(Outcome::Settings);
    let settings = settings(request, administration, work)?;
    progress.enter(Outcome::Render);
    let target = target(directory)?;
    let options = Options {
        edits: request.parameters.edits.clone(),
        ..Options::default()
    };
    let rendered = render(&target, &options, &settings)?;
    drop(permit);
    Ok((target, rendered))
}

/// The directory of the Application, with no files but those of the call.
///
/// # Errors
/// Where it cannot be read.
pub(super) fn target(directory: &Path) -> Result<Target, Failure> {
    let nothing = Allowed {
        is_sidecar: true,
        ..Allowed::default()
    };
    let files = DiskFiles::within(&checkout(directory))
        .map_err(|error| Failure::input(format!("cannot read the checkout: {error}")))?
        .with_outside(Arc::new(Outside::new(nothing)));
    let root = directory
        .to_str()
        .ok_or_else(|| Failure::input("the directory's name is not UTF-8"))?;
    // The process ends at the time of the call, whatever it does.
    Target::new(Path::new("."), root, files).map(Target::without_deadline)
}

/// What the settings that the call names say.
fn settings(
    request: &Request,
    administration: &Administration,
    work: Work,
) -> Result<Settings, Failure> {
    let Work { deadline, progress } = work;
    let Administration {
        policy,
        digest_key,
        access,
        namespace,
        permits: _,
    } = administration;
    let references = &request.parameters.settings;
    if references.is_empty() {
        return Ok(Settings::default().given_by(Way::Parameter));
    }
    if request.digest.is_some() && digest_key.is_none() {
        return Err(Problem::new("the Application has a SETTINGS_DIGEST, and this sidecar has no key to check it with")
            .hint("give the sidecar the controller's key with `--digest-key`; without a controller, remove the variable from `spec.source.plugin.env`")
            .into_failure());
    }
    let cluster = Cluster::new(access)?;
    // The policy has not looked for Secrets of a namespace that nobody knows.
    let own = namespace.as_deref().ok_or_else(|| {
        Failure::input("Argo CD's namespace is not known, and settings are not read without it")
            .hint("name it with `--argocd-namespace`, or mount the pod's own")
    })?;
    let left = |most: Duration| most.min(deadline.saturating_duration_since(Instant::now()));
    let application = cluster.application(&request.application, own, left(READ))?;
    // An Application that is only about to be created is none yet, and nothing of it is hydrated.
    if application
        .as_ref()
        .is_some_and(|application| application.is_hydrated)
    {
        return Err(Problem::new("the Application has a `sourceHydrator`, which commits what is rendered to Git: it gets no settings")
            .hint("remove `sourceHydrator`, or the parameter `settings`")
            .into_failure());
    }
    let told = request.project.clone();
    let project = told.or_else(|| application.map(|application| application.project));
    let project = project.ok_or_else(|| {
        Failure::input("nobody tells the project of the Application: it is not in the cluster yet, and Argo CD says it since 3.0")
            .hint("create the Application with `kubectl apply` or `--validate=false`, or upgrade Argo CD")
    })?;
    let caller = request.caller(&project);
    let settle = Instant::now() + left(SETTLE);
    loop {
        progress.reads(references.len());
        let reading = cluster.read(references, Audience::Author, left(READ))?;
        let is_asked_for = match (digest_key, &request.digest) {
            (Some(key), Some(digest)) => reading.digest(key, &caller).is_in(digest),
            _ => true,
        };
        if is_asked_for {
            let settings = reading.settings(&caller)?;
            return Ok(settings.with_value_bytes(policy.value_bytes));
        }
        if Instant::now() + PAUSE >= settle {
            // Where an object gives nothing, that is the reason.
            drop(reading.settings(&caller)?);
            return Err(Problem::new("the settings are not those that SETTINGS_DIGEST speaks of")
                .hint("the controller writes a new digest within seconds; if this stays, see whether it runs, and whether it and the sidecar have the same key")
                .into_failure());
        }
        thread::sleep(PAUSE);
    }
}

/// The files that the call is about: the directory that cmp-server has made for it.
// Argo CD: cmpserver/plugin getTempDirMustCleanup, below common.GetCMPWorkDir
fn checkout(directory: &Path) -> PathBuf {
    let is_of_call = |candidate: &&Path| {
        let parent = candidate.parent().and_then(Path::file_name);
        parent.is_some_and(|name| name == "_cmp_server")
    };
    directory
        .ancestors()
        .find(is_of_call)
        .unwrap_or(directory)
        .to_owned()
}

/// The directory of the Application: cmp-server starts the plugin there.
///
/// # Errors
/// Where it is not there any more.
pub fn directory() -> Result<PathBuf, Failure> {
    std::env::current_dir().map_err(|error| {
        Failure::input(format!(
            "cannot tell the working directory: {}",
            plain(&error)
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checkout_is_what_cmp_server_made() {
        let of = |path: &str| checkout(Path::new(path)).display().to_string();
        assert_eq!(of("/tmp/_cmp_server/id/apps/lamp"), "/tmp/_cmp_server/id");
        assert_eq!(of("/tmp/_cmp_server/id"), "/tmp/_cmp_server/id");
        assert_eq!(
            of("/tmp/_cmp_server/id/_cmp_server/x/y"),
            "/tmp/_cmp_server/id/_cmp_server/x"
        );
        assert_eq!(of("/somewhere/else"), "/somewhere/else");
    }
}
