//! Which texts Argo CD takes for a range of versions.
//!
//! Its library reads more as one than one would think: `x-feature` is every version, with `feature` as a pre-release.
// Argo CD: versions.IsConstraint, with Masterminds/semver

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// A number, or a letter for every number; the `|` is a slip of the library's.
const PART: &str = r"[0-9xX*|]+";
/// The parts of a pre-release or of build metadata.
const WORDS: &str = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*";
/// Longer ones come later where the shorter one would do, as the library has them.
const OPERATOR: &str = r"(?:=||!=|>|<|>=|=>|<=|=<|~|~>|\^)";
/// White space of Go's expressions.
const BLANK: &str = r"[\t\n\x0c\r ]";

/// `1 - 2`: from one version to another.
static SPAN: LazyLock<Regex> = LazyLock::new(|| {
    let version = version();
    compile(&format!(
        "{BLANK}*({version}){BLANK}+-{BLANK}+({version}){BLANK}*"
    ))
});

/// One comparison after another.
static ALL: LazyLock<Regex> = LazyLock::new(|| {
    let one = format!("{BLANK}*{OPERATOR}{BLANK}*{}{BLANK}*", version());
    compile(&format!("^{one}(?:(?:{BLANK}+|,{BLANK}*){one})*$"))
});

/// One comparison, with the parts of its version.
static ONE: LazyLock<Regex> = LazyLock::new(|| {
    compile(&format!(
        r"{OPERATOR}{BLANK}*v?(?<major>{PART})(?:\.(?<minor>{PART}))?(?:\.(?<patch>{PART}))?(?:-(?<pre>{WORDS}))?(?:\+{WORDS})?"
    ))
});

/// One version, with its parts.
static VERSION: LazyLock<Regex> = LazyLock::new(|| {
    compile(&format!(
        r"^v?(?<major>[0-9]+)(?:\.(?<minor>[0-9]+))?(?:\.(?<patch>[0-9]+))?(?:-(?<pre>{WORDS}))?(?:\+{WORDS})?$"
    ))
});

fn version() -> String {
    format!(r"v?{PART}(?:\.{PART})?(?:\.{PART})?(?:-{WORDS})?(?:\+{WORDS})?")
}

fn compile(expression: &str) -> Regex {
    Regex::new(expression).expect("a fixed expression is a valid one")
}

/// Whether a text is a range of versions, and not one version.
pub(super) fn is_range(text: &str) -> bool {
    let is_version = VERSION.captures(text).is_some_and(|parts| {
        let numbers = ["major", "minor", "patch"];
        numbers.iter().all(|part| is_number(part_of(&parts, part))) && has_pre_release(&parts)
    });
    !is_version && spelt_out(text).split("||").all(is_conjunction)
}

/// The text with comparisons in place of `1 - 2`.
fn spelt_out(text: &str) -> String {
    let mut spelt_out = text.to_owned();
    for span in SPAN.captures_iter(text) {
        let [from, to] = [1, 2].map(|group| span.get(group).map_or("", |group| group.as_str()));
        let comparisons = format!(">= {from}, <= {to} ");
        spelt_out = spelt_out.replacen(&span[0], &comparisons, 1);
    }
    spelt_out
}

fn is_conjunction(text: &str) -> bool {
    ALL.is_match(text) && ONE.captures_iter(text).all(|parts| is_comparison(&parts))
}

/// Whether the version of a comparison is one: what stands behind the first part that means every number counts for
/// nothing, but the pre-release does.
fn is_comparison(parts: &Captures<'_>) -> bool {
    let numbers = ["major", "minor", "patch"].map(|part| part_of(parts, part));
    let mut definite = numbers
        .into_iter()
        .take_while(|part| !matches!(*part, "" | "x" | "X" | "*"));
    definite.all(is_number) && has_pre_release(parts)
}

fn part_of<'a>(parts: &'a Captures<'_>, name: &str) -> &'a str {
    parts.name(name).map_or("", |part| part.as_str())
}

/// Whether a part of a version is a number; one that is missing is zero.
fn is_number(part: &str) -> bool {
    part.is_empty() || part.parse::<u64>().is_ok()
}

/// Whether the pre-release, if any, is one: its numbers begin with no zero.
fn has_pre_release(parts: &Captures<'_>) -> bool {
    let is_padded = |word: &str| {
        word.len() > 1 && word.starts_with('0') && word.bytes().all(|byte| byte.is_ascii_digit())
    };
    !part_of(parts, "pre").split('.').any(is_padded)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Masterminds/semver v3.4.0 says of them.
    #[test]
    fn ranges() {
        for text in [
            "x",
            "X",
            "*",
            "vx",
            "1.x",
            "1.X.2",
            "1.2.x",
            "v1.*",
            "x.1",
            "x-feature",
            "x-1.2",
            "1.x+a",
            ">1",
            ">=1.2",
            "=>1",
            "<=1.2.3",
            "=<1",
            "!=1",
            "=1",
            "~1",
            "~>1.2",
            "^1",
            "^v1.2.3-rc.1",
            "> 1",
            ">1 <2",
            ">1,<2",
            ">1, <2",
            "1 2",
            "1 - 2",
            "1.2 - 3.x",
            "1 - 2 || 4 - 5",
            "1||2",
            "1.x || >=2.5.0 || 5.0.0 - 7.2.3",
            " 1",
            "1 ",
            "*.99999999999999999999",
        ] {
            assert!(is_range(text), "{text}");
        }
    }

    /// What it says of these.
    #[test]
    fn no_ranges() {
        for text in [
            "",
            "main",
            "1",
            "v1",
            "1.2",
            "v1.2.3",
            "01.02",
            "1.2.3-rc.1+build",
            "1.2.3-01",
            "1.x-01",
            "xx",
            "1x",
            "x1",
            "1|2",
            "||",
            "1||",
            "|",
            "v",
            "vv1",
            "1.",
            ".1",
            "1.2.3.4",
            "1.2.3.x",
            "> =1",
            "><1",
            "1 -2",
            "1- 2",
            "1,,2",
            ",1",
            "refs/heads/1.x",
            "release-1.x",
            "99999999999999999999",
            ">99999999999999999999",
            "1.x-",
            "x.y",
            "x_1",
            "1\u{a0}2",
            "1\u{b}2",
        ] {
            assert!(!is_range(text), "{text}");
        }
    }
}
