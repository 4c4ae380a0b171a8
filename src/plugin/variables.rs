//! Variables in parameters: `$NAME` and `${NAME}`, as Argo CD replaces them in its own Kustomize source.

use crate::failure::Problem;

/// The values of variables.
pub type Variables<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// The variables that there are.
// Argo CD: newEnv
const NAMES: [&str; 8] = [
    "ARGOCD_APP_NAME",
    "ARGOCD_APP_NAMESPACE",
    "ARGOCD_APP_PROJECT_NAME",
    "ARGOCD_APP_REVISION",
    "ARGOCD_APP_REVISION_SHORT",
    "ARGOCD_APP_REVISION_SHORT_8",
    "ARGOCD_APP_SOURCE_PATH",
    "ARGOCD_APP_SOURCE_REPO_URL",
];

/// One that Argo CD has as well. It may serve what it rendered for one branch when another one is asked for that leads to
/// the same commit, so nothing that is rendered may depend on it.
const REFUSED: &str = "ARGOCD_APP_SOURCE_TARGET_REVISION";

/// The text with the values of variables in their places; `$$` is a `$`.
///
/// # Errors
/// Where there is no such variable, which Argo CD takes for an empty one.
// Go: os.Expand
pub(super) fn substitute(text: &str, variables: &Variables) -> Result<String, Problem> {
    let mut done = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        done.push_str(before);
        let (name, length) = name_at(after)?;
        rest = after.get(length..).unwrap_or_default();
        match name {
            "" | "$" => done.push('$'),
            REFUSED => {
                let message = format!("what is rendered may not depend on `{REFUSED}`");
                let hint = "Argo CD may serve a render for another branch with the same commit; use `ARGOCD_APP_REVISION`";
                return Err(Problem::new(message).hint(hint));
            }
            name if NAMES.contains(&name) => done.push_str(&variables(name).unwrap_or_default()),
            name => {
                let hint = format!(
                    "there are {}; a `$` alone is written `$$`",
                    NAMES.join(", ")
                );
                return Err(Problem::new(format!("there is no variable `{name}`")).hint(hint));
            }
        }
    }
    done.push_str(rest);
    Ok(done)
}

/// The name behind a `$` and its length as written; an empty one where the `$` stands for itself.
fn name_at(text: &str) -> Result<(&str, usize), Problem> {
    if let Some(inner) = text.strip_prefix('{') {
        return match inner.split_once('}') {
            Some((name, _)) if !name.is_empty() => Ok((name, name.len() + 2)),
            _ => Err(Problem::new("a `${` is not followed by a name and `}`")
                .hint("write `${NAME}`, or `$${` for the characters themselves")),
        };
    }
    let is_special = |c: char| c.is_ascii_digit() || "*#$@!?-".contains(c);
    if text.starts_with(is_special) {
        return Ok((text.get(..1).unwrap_or_default(), 1));
    }
    let is_in_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let end = text.find(|c: char| !is_in_name(c)).unwrap_or(text.len());
    Ok((text.get(..end).unwrap_or_default(), end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn substituted(text: &str) -> Result<String, String> {
        let variables = |name: &str| match name {
            "ARGOCD_APP_NAME" => Some("lamp".to_owned()),
            "ARGOCD_APP_REVISION" => Some("$ARGOCD_APP_NAME".to_owned()),
            _ => None,
        };
        substitute(text, &variables).map_err(|problem| problem.message.clone())
    }

    #[test]
    fn names_and_what_is_none() {
        for (text, expected) in [
            ("", ""),
            ("a", "a"),
            ("$ARGOCD_APP_NAME", "lamp"),
            ("x${ARGOCD_APP_NAME}y", "xlampy"),
            ("$ARGOCD_APP_NAME-$ARGOCD_APP_NAME.", "lamp-lamp."),
            ("$$ARGOCD_APP_NAME", "$ARGOCD_APP_NAME"),
            ("${$}a", "$a"),
            ("a$", "a$"),
            ("a$ b$.", "a$ b$."),
            ("ä$ä", "ä$ä"),
            ("[$ARGOCD_APP_NAMESPACE]", "[]"),
            // A value is not read again.
            ("$ARGOCD_APP_REVISION", "$ARGOCD_APP_NAME"),
        ] {
            assert_eq!(substituted(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn no_other_variable_is_read() {
        for text in [
            "$HOME",
            "${PATH}",
            "$ARGOCD_ENV_X",
            "$1",
            "$ARGOCD_APP_NAMEX",
            "${ARGOCD_APP_NAME x}",
        ] {
            assert!(
                substituted(text)
                    .unwrap_err()
                    .contains("there is no variable"),
                "{text}"
            );
        }
        for text in ["${", "${}", "${A"] {
            assert!(
                substituted(text)
                    .unwrap_err()
                    .contains("is not followed by"),
                "{text}"
            );
        }
        let told = substituted("${ARGOCD_APP_SOURCE_TARGET_REVISION}").unwrap_err();
        assert!(told.contains("may not depend on"), "{told}");
    }
}
