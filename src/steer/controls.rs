//! What people tell the controller by a `ConfigMap` in its namespace.

use std::collections::BTreeMap;

use super::state::Controls;

/// The name of the `ConfigMap`.
pub const NAME: &str = "argocd-infisical-controls";
/// The key that stops all writes; `false` and nothing at all let them go on.
pub const PAUSE: &str = "pause";
/// The key with the hashes that are acknowledged, separated by commas.
pub const ACKNOWLEDGED: &str = "acknowledged";

impl Controls {
    /// What the data of the `ConfigMap` say.
    pub fn of(data: &BTreeMap<String, String>) -> Self {
        let text = |key: &str| data.get(key).map_or("", |text| text.trim());
        let hashes = text(ACKNOWLEDGED).split([',', ' ', '\n']);
        Self {
            is_paused: !matches!(text(PAUSE), "" | "false"),
            acknowledged: hashes
                .filter(|hash| !hash.is_empty())
                .map(str::to_owned)
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_taken_back_is_paused() {
        let of = |pairs: &[(&str, &str)]| {
            let own = |(key, text): &(&str, &str)| ((*key).to_owned(), (*text).to_owned());
            Controls::of(&pairs.iter().map(own).collect())
        };
        for text in ["true", "True", "yes", " true\n"] {
            assert!(of(&[(PAUSE, text)]).is_paused, "{text:?}");
        }
        for text in ["", "false", " false "] {
            assert!(!of(&[(PAUSE, text)]).is_paused, "{text:?}");
        }
        assert_eq!(of(&[]), Controls::default());
        let hashes = of(&[(ACKNOWLEDGED, "a, b,\nc,,")]).acknowledged;
        assert_eq!(hashes.into_iter().collect::<Vec<_>>(), ["a", "b", "c"]);
    }
}
