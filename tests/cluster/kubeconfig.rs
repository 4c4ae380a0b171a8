//! Who there is in the cluster, and their kubeconfig files.

use std::path::Path;

/// Somebody with a token.
#[derive(Clone, Copy)]
pub(crate) struct User {
    pub(crate) name: &'static str,
    pub(crate) token: &'static str,
    group: Option<&'static str>,
    is_known: bool,
}

impl User {
    /// May do everything.
    pub(crate) const ADMIN: Self = Self {
        name: "admin",
        token: "token-of-the-admin",
        group: Some("system:masters"),
        is_known: true,
    };

    /// May get what the Roles of the tests name.
    pub(crate) const SIDECAR: Self = Self {
        name: "sidecar",
        token: "token-of-the-sidecar",
        group: None,
        is_known: true,
    };

    /// May get nothing.
    pub(crate) const NOBODY: Self = Self {
        name: "nobody",
        token: "token-of-nobody",
        group: None,
        is_known: true,
    };

    /// May get what the Roles of the tests name, and is one too many for the server.
    pub(crate) const THROTTLED: Self = Self {
        name: "throttled",
        token: "token-of-the-throttled",
        group: None,
        is_known: true,
    };

    /// Has a token that the server does not know.
    pub(crate) const STRANGER: Self = Self {
        name: "stranger",
        token: "token-of-a-stranger",
        group: None,
        is_known: false,
    };

    /// The controller.
    pub(crate) const CONTROLLER: Self = Self {
        name: "controller",
        token: "token-of-the-controller",
        group: None,
        is_known: true,
    };

    /// A controller of all namespaces.
    pub(crate) const EVERYWHERE: Self = Self {
        name: "everywhere",
        token: "token-of-the-controller-of-everywhere",
        group: None,
        is_known: true,
    };

    /// All of them.
    pub(crate) const ALL: [Self; 7] = [
        Self::ADMIN,
        Self::SIDECAR,
        Self::CONTROLLER,
        Self::EVERYWHERE,
        Self::NOBODY,
        Self::THROTTLED,
        Self::STRANGER,
    ];
}

/// The file that tells the server whose token it is.
pub(crate) fn tokens() -> String {
    let known = User::ALL.into_iter().filter(|user| user.is_known);
    let lines: Vec<String> = known
        .map(|user| {
            let User {
                name, token, group, ..
            } = user;
            let group = group.map(|group| format!(",{group}")).unwrap_or_default();
            format!("{token},{name},{name}{group}\n")
        })
        .collect();
    lines.concat()
}

/// A kubeconfig file with a context for everybody, of which a user's is the current one, and a port on 127.0.0.1.
pub(crate) fn write(user: User, port: u16, authority: &Path) -> String {
    let of_all = |of_one: fn(User) -> String| User::ALL.map(of_one).concat();
    let users =
        of_all(|User { name, token, .. }| format!("- name: {name}\n  user: {{token: {token}}}\n"));
    let contexts = of_all(|User { name, .. }| {
        format!("- name: {name}\n  context: {{cluster: cluster, user: {name}}}\n")
    });
    format!(
        "apiVersion: v1
kind: Config
clusters:
- name: cluster
  cluster:
    server: https://127.0.0.1:{port}
    certificate-authority: {}
users:
{users}contexts:
{contexts}current-context: {}
",
        authority.display(),
        user.name
    )
}
