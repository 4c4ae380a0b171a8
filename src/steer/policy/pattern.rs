//! Patterns of revisions, in which `*` stands for any text.

use crate::steer::revision::{BRANCH, Kind, Revision, TAG};

/// Whether a pattern is for a branch, a tag or a name.
pub(super) fn allows(pattern: &str, revision: &Revision) -> bool {
    if pattern == "*" {
        return revision.kind() != Kind::Commit;
    }
    let is_in_full = pattern.starts_with(BRANCH) || pattern.starts_with(TAG);
    match revision.kind() {
        Kind::Tag => is_in_full && matches(pattern, revision.as_str()),
        Kind::Branch if is_in_full => matches(pattern, revision.as_str()),
        Kind::Branch | Kind::Name => !is_in_full && matches(pattern, revision.name()),
        Kind::Commit => false,
    }
}

/// What is wrong with a pattern, if anything, without the pattern.
pub(super) fn fault(pattern: &str) -> Option<String> {
    // `z` is no digit and means nothing by itself: what is wrong with it there would be wrong with any text.
    match Revision::parse(&pattern.replace('*', "z")) {
        Ok(revision) if revision.kind() == Kind::Commit => {
            Some("is a commit: `commits` says whether those are allowed".into())
        }
        Ok(_) => None,
        Err(illegal) => Some(illegal.to_string()),
    }
}

/// Whether a pattern in which `*` alone means something is for a text. Each piece between stars is looked for once, behind the one before it.
pub(in crate::steer) fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    let inner = text
        .strip_prefix(start)
        .and_then(|text| text.strip_suffix(end));
    let behind = |text: &'_ str, piece: &str| text.find(piece).map(|at| at + piece.len());
    let found = inner.and_then(|inner| {
        middle.split('*').try_fold(inner, |text, piece| {
            behind(text, piece).and_then(|at| text.get(at..))
        })
    });
    found.is_some()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::steer::policy::{Environment, Policy};

    fn environment(allowed: &[&str], commits: bool) -> Environment {
        Environment {
            default: String::new(),
            allowed: allowed.iter().map(ToString::to_string).collect(),
            commits,
            is_protected: false,
            projects: None,
        }
    }

    fn allowed(environment: &Environment, text: &str) -> bool {
        environment.allows(&Revision::parse(text).unwrap())
    }

    /// A pattern, a revision, and whether the one is for the other.
    const PATTERNS: [(&str, &str, bool); 31] = [
        ("main", "main", true),
        ("main", "refs/heads/main", true),
        ("main", "refs/tags/main", false),
        ("main", "Main", false),
        ("main", "main2", false),
        ("main", "a/main", false),
        ("*", "main", true),
        ("*", "a/b", true),
        ("*", "refs/heads/a/b", true),
        ("*", "refs/tags/v1", true),
        ("feature/*", "feature/a", true),
        ("feature/*", "feature/a/b", true),
        ("feature/*", "refs/heads/feature/a", true),
        ("feature/*", "refs/tags/feature/a", false),
        ("feature/*", "features/a", false),
        ("*/a", "feature/b/a", true),
        ("r*-*.z", "release-1.z", true),
        ("r*-*.z", "release-1.y", false),
        ("aa*aa", "aaa", false),
        ("aa*aa", "aaaa", true),
        ("a*b*b", "ab", false),
        ("a*b*b", "abb", true),
        ("refs/tags/*", "refs/tags/v1", true),
        ("refs/tags/v*", "refs/tags/w1", false),
        ("refs/tags/*", "v1", false),
        ("refs/tags/*", "refs/heads/v1", false),
        ("refs/heads/*", "refs/heads/v1", true),
        ("refs/heads/*", "v1", false),
        ("refs/heads/*", "refs/tags/v1", false),
        // A branch may be called that.
        ("refs/tags/*", "refs/heads/refs/tags/v1", false),
        ("ref*", "refs/tags/v1", false),
    ];

    #[test]
    fn patterns_are_for_revisions() {
        for (pattern, revision, expected) in PATTERNS {
            let environment = environment(&[pattern], true);
            let found = allowed(&environment, revision);
            assert_eq!(found, expected, "{pattern} for {revision}");
        }
    }

    #[test]
    fn commits_are_allowed_by_themselves() {
        let sha = "0123456789abcdef0123456789abcdef01234567";
        assert!(allowed(&environment(&[], true), sha));
        assert!(!allowed(&environment(&["*", sha], false), sha));
        let branch = format!("refs/heads/{sha}");
        assert!(allowed(&environment(&["*"], false), &branch));
        assert!(!allowed(&environment(&[], true), &branch));
    }

    #[test]
    fn the_usual_environments() {
        let policy = Policy::default();
        let prod = &policy.environments["prod"];
        for text in ["main", "refs/heads/main", "refs/tags/v1"] {
            assert!(allowed(prod, text), "{text}");
        }
        for text in ["v1.2.3", "dev", "refs/heads/v1", "mainly"] {
            assert!(!allowed(prod, text), "{text}");
        }
        for environment in policy.environments.values() {
            assert!(allowed(environment, &environment.default));
            let mut patterns = environment.allowed.iter();
            assert!(patterns.all(|pattern| fault(pattern).is_none()));
        }
    }

    #[test]
    fn what_is_a_pattern() {
        for pattern in [
            "*",
            "main",
            "*main*",
            "deadbee*",
            "1.*",
            "refs/tags/*",
            "refs/heads/1.x",
            "v*",
            "*/*",
        ] {
            assert_eq!(fault(pattern), None, "{pattern}");
        }
        for pattern in [
            "",
            " main",
            "a *",
            "a?",
            "[ab]",
            "refs/*",
            "refs/pull/*",
            "pull/*",
            "HEAD",
            "1.x",
            "deadbeef",
            "*..*",
            "/*",
            "0123456789abcdef0123456789abcdef01234567",
        ] {
            assert!(fault(pattern).is_some(), "{pattern}");
        }
    }

    #[test]
    fn a_pattern_of_many_stars_takes_no_time() {
        let pattern = "a*".repeat(50_000);
        let text = "a".repeat(50_000);
        assert!(matches(&pattern, &text));
        assert!(!matches(&format!("{pattern}b"), &text));
    }

    proptest! {
        #[test]
        fn a_pattern_is_what_an_expression_is(pattern in "[ab*é]{0,8}", text in "[abé]{0,10}") {
            let expression = format!("^{}$", pattern.replace('*', ".*"));
            let expected = regex::Regex::new(&expression).unwrap().is_match(&text);
            prop_assert_eq!(matches(&pattern, &text), expected);
        }
    }
}
