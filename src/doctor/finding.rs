//! What is found.

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Something does not work, or is open that has to be closed.
    Error,
    /// It works, but not as well or as safely as it could, or not for long.
    Warning,
    /// Worth knowing.
    Note,
}

impl Severity {
    /// The severity in a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What kind of finding it is.
    pub code: Code,
    /// The object.
    pub what: String,
    /// What is the matter, in lower case and without a full stop.
    pub message: String,
    /// YAML or a command that cures it; lines that begin with `#` say where it goes.
    pub cure: String,
}

impl Finding {
    /// A finding as bad as its kind usually is.
    pub(super) fn new(code: Code, what: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            severity: code.severity(),
            code,
            what: what.into(),
            message: message.into(),
            cure: String::new(),
        }
    }

    /// Says what cures it.
    #[must_use]
    pub(super) fn cure(mut self, cure: impl Into<String>) -> Self {
        self.cure = cure.into();
        self
    }

    /// Says how bad it is here.
    #[must_use]
    pub(super) const fn of_severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }
}

/// The kinds of findings, each with its name and how bad it usually is.
macro_rules! codes {
    ($($name:ident $text:literal $severity:ident $doc:literal)*) => {
        /// What kind of finding it is. The names stay the same.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $doc] $name,)*
        }

        impl Code {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// How bad it usually is.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }
        }
    };
}

codes! {
    Unreadable "unreadable" Error "Something may not be read, so that nothing is known of it."
    OddObject "odd-object" Warning "An object is not made as its kind is."

    RepoServerMissing "repo-server-missing" Error "There is no repo-server of Argo CD."
    SidecarMissing "sidecar-missing" Error "The repo-server has no sidecar."
    SidecarCommand "sidecar-command" Error "The sidecar does not run cmp-server."
    SidecarMount "sidecar-mount" Error "The sidecar lacks a directory."
    SidecarToken "sidecar-token" Error "The sidecar has no token."
    TokenShared "token-shared" Error "Other containers of the pod have the token, too."
    SidecarUser "sidecar-user" Error "The sidecar's user cannot share the socket."
    SidecarUnconfined "sidecar-unconfined" Warning "The sidecar may do more than it needs."
    SidecarMemory "sidecar-memory" Warning "The sidecar has no limit of memory."
    SidecarNotReady "sidecar-not-ready" Warning "Pods of the repo-server are not ready."
    OtherSidecars "other-sidecars" Warning "Other containers can call the plugin."
    LogLevel "log-level" Error "The sidecar logs manifests."
    PluginFile "plugin-file" Error "The plugin.yaml that is mounted cannot be used."
    PluginDiscover "plugin-discover" Warning "The plugin discovers sources."
    PluginPolicy "plugin-policy" Error "The plugin is held to no policy."
    SidecarPolicy "sidecar-policy" Error "The sidecar's policy is not there or not valid."
    ImageName "image-name" Warning "An image names no registry."
    ImageTag "image-tag" Warning "An image may be another one tomorrow."
    ImageVersions "image-versions" Warning "Sidecar and controller are of different versions."

    ArgocdVersion "argocd-version" Warning "The version of Argo CD is not supported."
    ArgocdVersionUnknown "argocd-version-unknown" Note "The version of Argo CD is not known."
    ArgocdRefreshLost "argocd-refresh-lost" Note "This version of Argo CD may lose a refresh."
    GitInTar "git-in-tar" Warning "The repository's history is sent to the sidecar."

    ControllerMissing "controller-missing" Error "There is no controller."
    ControllerNotReady "controller-not-ready" Warning "Pods of the controller are not ready."
    ControllerLease "controller-lease" Error "No controller holds the Lease."
    ModeObserve "mode-observe" Warning "The controller writes nothing."
    ControllerPaused "controller-paused" Warning "The controller is paused."
    ControllerPolicy "controller-policy" Error "The controller's policy is not there or not valid."
    PolicyNamespaces "policy-namespaces" Error "The controller's policy names other namespaces."
    DigestNotMounted "digest-not-mounted" Error "The key of digests is not mounted."
    DigestKeyMissing "digest-key-missing" Error "The key of digests is not there."
    DigestKeyShort "digest-key-short" Error "The key of digests is too short."
    DigestKeysDiffer "digest-keys-differ" Error "Sidecar and controller have different keys."
    AdmissionPolicy "admission-policy" Warning "Nothing bounds what the controller's token can change."

    RbacWildcard "rbac-wildcard" Error "A rule with `*` reaches Secrets."
    RbacSecretsUnnamed "rbac-secrets-unnamed" Error "The sidecar may read Secrets that are not named."
    RbacArgocdSecrets "rbac-argocd-secrets" Error "Secrets of Argo CD can be read."
    RbacWrites "rbac-writes" Error "More can be written than there is a need for."
    RbacControllerWide "rbac-controller-wide" Warning "The controller may read Secrets that it does not watch."
    RbacSettingsMissing "rbac-settings-missing" Error "The sidecar may not read settings that are asked for."
    RbacApplicationsMissing "rbac-applications-missing" Error "The sidecar may not look at Applications."
    RbacControllerMissing "rbac-controller-missing" Error "The controller may not do what it has to."

    ArgocdMissing "argocd-missing" Error "Argo CD's types are not installed."
    PluginName "plugin-name" Error "An Application calls the plugin by another name."
    PluginUnnamed "plugin-unnamed" Error "An Application does not name the plugin."
    PluginAndTool "plugin-and-tool" Error "An Application has another tool beside the plugin."
    PluginUnknown "plugin-unknown" Warning "The controller does not know the plugin by this name."
    SettingsParameter "settings-parameter" Error "An Application names settings in no known form."
    SettingsDenied "settings-denied" Error "The sidecar's policy denies settings."
    Hydrated "hydrated" Error "Settings would be committed to Git."
    EnvironmentMissing "environment-missing" Warning "An Application has settings and no environment."
    EnvironmentUnknown "environment-unknown" Error "The policy does not have an Application's environment."
    ProjectNotInEnvironment "project-not-in-environment" Error "An Application's project may not be in its environment."
    ApplicationNotWatched "application-not-watched" Warning "The controller does not look where an Application is."
    IgnoreRulesMissing "ignore-rules-missing" Error "An owner would put back what the controller writes."
    OwnerUnknown "owner-unknown" Warning "It is not known what an owner would put back."
    AutomationOff "automation-off" Warning "Argo CD does not sync an Application by itself."
    NeverDeploys "never-deploys" Error "A changed setting is rendered and never deployed."
    RetryLimit "retry-limit" Warning "Retries of a sync can hold up another revision for long."
    Held "held" Note "An Application is held."
    SyncWindow "sync-window" Warning "A sync window denies."
    SyncWindowInvalid "sync-window-invalid" Error "A sync window cannot be read."
    RevisionRefused "revision-refused" Error "The revision that is asked for is refused."
    RevisionUnknown "revision-unknown" Warning "It is not known which revision is wanted."
    RevisionContested "revision-contested" Warning "Somebody else writes the revision."
    RevisionWaits "revision-waits" Note "The revision changes later."
    RevisionNotFound "revision-not-found" Error "The repository does not have the revision or the directory."
    RenderPaused "render-paused" Warning "Argo CD does not try to render again."

    SettingsAbsent "settings-absent" Error "Settings that are asked for are not there."
    SettingsUnlabelled "settings-unlabelled" Error "Settings lack the label."
    SettingsNotAllowed "settings-not-allowed" Error "Settings are not for the Application."
    SettingsNoKeys "settings-no-keys" Error "A Secret with settings names no keys."
    SettingsEmpty "settings-empty" Error "Settings hold nothing yet."
    SettingsNotWatched "settings-not-watched" Warning "The controller does not look where settings are."
    ValueMissing "value-missing" Warning "A key that may be read has no value."
    OverrideUnlabelled "override-unlabelled" Warning "An object with a revision lacks the label."
    OverrideNotWatched "override-not-watched" Warning "The controller does not look where an object with a revision is."
    OverrideEnvironment "override-environment" Warning "An object with a revision is of an environment that the policy does not have."
    OverrideUnheard "override-unheard" Warning "A key or a label for a revision is misspelt, or names nobody."

    OperatorMissing "operator-missing" Note "The Infisical operator is not installed."
    NotSynced "not-synced" Error "The operator does not sync."
    NeverSynced "never-synced" Warning "The operator has not looked at it yet."
    RefreshInterval "refresh-interval" Warning "It is synced too seldom for two minutes."
    RefreshIntervalInvalid "refresh-interval-invalid" Error "The operator cannot read the interval."
    ConnectionAddress "connection-address" Warning "The address of Infisical is not one for this kind."

    ReloaderMissing "reloader-missing" Error "Nothing restarts pods when their Secret changes."
    ReloaderFlags "reloader-flags" Warning "Reloader misses changes."
    ReloaderStrategy "reloader-strategy" Warning "Reloader restarts everything when it starts."
    ReloaderNamespaces "reloader-namespaces" Warning "Reloader does not look where a workload is."
    TwoReloaders "two-reloaders" Warning "A workload is restarted twice."
    EmptyField "empty-field" Warning "A field drifts once somebody has added to it."
    FileMissing "file-missing" Error "A file that a workload mounts is not there."
    FileEmpty "file-empty" Warning "A file that a workload mounts is empty."
    ObjectLarge "object-large" Warning "What the operator writes is nearly as large as an object can be."
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_in_kebab_case() {
        let names: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        for name in names {
            let is_plain = |c: char| c.is_ascii_lowercase() || c == '-';
            assert!(name.chars().all(is_plain), "{name}");
        }
    }
}
