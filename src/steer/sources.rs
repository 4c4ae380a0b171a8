//! Which sources of an Application follow its environment.

use super::application::{Application, Source};
use super::reason::{Code, Reason};

/// How many sources an Application may have: the admission policy reads no longer list either.
pub(super) const MOST: usize = 100;

/// A source that moves.
#[derive(Clone, Debug)]
pub(super) struct Moving<'a> {
    /// The JSON pointer to it.
    pub(super) pointer: String,
    /// The source.
    pub(super) source: &'a Source,
}

/// The sources that move: all those of one Git repository.
///
/// # Errors
/// Why none does.
pub(super) fn moving(application: &Application) -> Result<Vec<Moving<'_>>, Reason> {
    if application.spec.is_hydrated {
        return Err(Reason::new(
            Code::Hydrated,
            "it has a `sourceHydrator`, which is left alone",
        )
        .hint("set the revision of `spec.sourceHydrator.drySource` in Git"));
    }
    let all = application.spec.sources.len();
    if all > MOST {
        let message = format!("it has {all} sources, and no more than {MOST} are looked at");
        return Err(
            Reason::new(Code::TooManySources, message).hint("make several Applications of it")
        );
    }
    let sources: Vec<_> = application
        .sources()
        .into_iter()
        .filter(|(_, source)| is_git(source))
        .map(|(pointer, source)| Moving { pointer, source })
        .collect();
    let chosen = application.annotations().sources;
    let Some(chosen) = chosen else {
        let mut repositories: Vec<_> = sources.iter().map(Moving::repository).collect();
        repositories.sort();
        repositories.dedup();
        return match repositories.as_slice() {
            [] => Err(Reason::new(Code::NoGitSource, "none of its sources is a Git repository")
                .hint("take the label of the environment away: Helm charts and OCI artifacts have versions, not branches")),
            [_] => Ok(sources),
            _ => Err(Reason::new(
                Code::AmbiguousSources,
                "its sources are of several Git repositories, and nothing says which one follows the environment",
            )
            .hint("name its `repoURL` in the annotation `argocd-infisical.io/sources`, several with commas between them")),
        };
    };
    let mut chosen: Vec<_> = chosen.split([',', '\n']).map(str::trim).collect();
    chosen.retain(|chosen| !chosen.is_empty());
    let is_chosen = |chosen: &str, moving: &Moving<'_>| normal(chosen) == moving.repository();
    let is_unknown = |chosen: &&str| !sources.iter().any(|moving| is_chosen(chosen, moving));
    if chosen.is_empty() || chosen.iter().any(is_unknown) {
        return Err(Reason::new(
            Code::UnknownSource,
            "the annotation `argocd-infisical.io/sources` names something that is no Git repository of its sources",
        )
        .hint("write each `repoURL` as it stands in the source"));
    }
    let is_moving = |moving: &Moving<'_>| chosen.iter().any(|chosen| is_chosen(chosen, moving));
    Ok(sources.into_iter().filter(is_moving).collect())
}

impl Moving<'_> {
    fn repository(&self) -> String {
        normal(&self.source.repo_url)
    }
}

/// Whether a source is of a Git repository. Charts and OCI artifacts have versions instead of branches.
// Argo CD: ApplicationSource.IsHelm, IsOCI
fn is_git(source: &Source) -> bool {
    let is_chart = source
        .chart
        .as_deref()
        .is_some_and(|chart| !chart.is_empty());
    let scheme = source.repo_url.trim_start().get(..6);
    let is_oci = scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("oci://"));
    !is_chart && !is_oci && !source.repo_url.is_empty()
}

/// One address for the several that a repository has.
// Argo CD: git.NormalizeGitURL
fn normal(address: &str) -> String {
    let address = address.trim().to_lowercase();
    let address = match (address.contains("://"), address.split_once(':')) {
        (false, Some((host, path))) if !host.contains('/') => format!("ssh://{host}/{path}"),
        _ => address,
    };
    let address = address.trim_end_matches('/');
    let address = address.strip_suffix(".git").unwrap_or(address);
    // `git` is who everybody is at such a server.
    address
        .strip_prefix("ssh://git@")
        .map_or_else(|| address.to_owned(), |rest| format!("ssh://{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn application(spec: &str, annotation: Option<&str>) -> Application {
        let annotations =
            annotation.map(|sources| serde_json::json!({"argocd-infisical.io/sources": sources}));
        let spec: serde_json::Value = serde_json::from_str(spec).unwrap();
        serde_json::from_value(serde_json::json!({
            "metadata": {"name": "lamp", "namespace": "argocd", "annotations": annotations},
            "spec": spec,
        }))
        .unwrap()
    }

    /// The pointers of what moves, or the code of the reason.
    fn shown(spec: &str, annotation: Option<&str>) -> String {
        let application = application(spec, annotation);
        match moving(&application) {
            Ok(moving) => {
                let pointers = moving.into_iter().map(|moving| moving.pointer);
                pointers.collect::<Vec<_>>().join(" ")
            }
            Err(reason) => reason.code.to_string(),
        }
    }

    #[test]
    fn what_moves() {
        let one = r#"{"source": {"repoURL": "https://g/a.git", "path": "x"}}"#;
        let chart =
            r#"{"source": {"repoURL": "https://charts", "chart": "x", "targetRevision": "1"}}"#;
        let oci = r#"{"source": {"repoURL": "OCI://registry/x"}}"#;
        let both = r#"{"source": {"repoURL": "https://g/old"}, "sources": [{"repoURL": "https://g/a"}, {"repoURL": "https://charts", "chart": "x"},
            {"repoURL": "https://g/A.git/", "ref": "values"}]}"#;
        let two = r#"{"sources": [{"repoURL": "git@g:a.git"}, {"repoURL": "https://g/b"}, {"repoURL": "ssh://git@g/a"}]}"#;
        let hydrated = r#"{"sourceHydrator": {"drySource": {}}}"#;
        let many = format!(
            r#"{{"sources": [{}]}}"#,
            [r#"{"repoURL": "x"}"#; 101].join(",")
        );
        for (spec, annotation, expected) in [
            (one, None, "/spec/source"),
            (one, Some("https://g/a"), "/spec/source"),
            (one, Some("https://g/b"), "UnknownSource"),
            (one, Some(" , "), "UnknownSource"),
            (chart, None, "NoGitSource"),
            (oci, None, "NoGitSource"),
            ("{}", None, "NoGitSource"),
            (both, None, "/spec/sources/0 /spec/sources/2"),
            (two, None, "AmbiguousSources"),
            (
                two,
                Some("ssh://git@g/a.git"),
                "/spec/sources/0 /spec/sources/2",
            ),
            (
                two,
                Some("git@g:a, https://g/b\n"),
                "/spec/sources/0 /spec/sources/1 /spec/sources/2",
            ),
            (two, Some("https://g/b, https://g/c"), "UnknownSource"),
            (hydrated, None, "Hydrated"),
            (&many, None, "TooManySources"),
        ] {
            assert_eq!(shown(spec, annotation), expected, "{spec} {annotation:?}");
        }
    }
}
