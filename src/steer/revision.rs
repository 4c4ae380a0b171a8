//! Which texts are revisions that may be written into an Application.
//!
//! What is refused here would not be what it looks like: Argo CD resolves a range of versions to whichever tag is the newest,
//! takes digits for a commit, and knows the changes that strangers propose by short names too.

mod git;
mod range;

use std::fmt;

/// As long as hosts of repositories let a ref be, in bytes.
const LONGEST: usize = 255;
/// How a branch in full begins.
pub(super) const BRANCH: &str = "refs/heads/";
/// How a tag in full begins.
pub(super) const TAG: &str = "refs/tags/";

/// How short names of refs begin that are neither branches nor tags; the admission policy has them, too.
const OTHERS: [&str; 8] = [
    "changes",
    "keep-around",
    "merge-requests",
    "notes",
    "pipelines",
    "pull",
    "pull-requests",
    "remotes",
];

/// A revision that may be written into an Application.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision {
    text: String,
    kind: Kind,
}

/// What a revision is, as far as its text tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A branch or a tag by its short name.
    Name,
    /// `refs/heads/…`.
    Branch,
    /// `refs/tags/…`.
    Tag,
    /// The full SHA of a commit.
    Commit,
}

/// Why a text is no revision that may be written. It never has the text in it, which may be anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Illegal {
    /// Nothing.
    Empty,
    /// White space at an end.
    Blank,
    /// More than [`LONGEST`] bytes.
    Long,
    /// It looks like an option of `git`.
    Dash,
    /// `HEAD`.
    Head,
    /// A range of versions.
    Range,
    /// A ref, full or short, of another kind.
    OtherRef,
    /// Hexadecimal digits, fewer than a SHA has.
    ShortCommit,
    /// Hexadecimal digits, more than a SHA has.
    LongCommit,
    /// As many hexadecimal digits as a SHA has, not all in lower case.
    UpperCommit,
    /// A character that Git allows in no ref.
    Character,
    /// A character that cannot be seen.
    Unseen,
    /// Slashes in the wrong place.
    Slash,
    /// Dots in the wrong place.
    Dot,
    /// A part that ends with `.lock`.
    Lock,
    /// `@` in the wrong place.
    At,
}

impl Revision {
    /// Reads a revision. Nothing is trimmed but one line break at the end, which files have and Infisical keeps.
    ///
    /// # Errors
    /// Where it is none that may be written.
    pub fn parse(text: &str) -> Result<Self, Illegal> {
        let line = text.strip_suffix("\r\n").or(text.strip_suffix('\n'));
        let text = line.unwrap_or(text);
        check_outside(text)?;
        let kind = if let Some(name) = text.strip_prefix(BRANCH) {
            git::check(name)?;
            Kind::Branch
        } else if let Some(name) = text.strip_prefix(TAG) {
            git::check(name)?;
            Kind::Tag
        } else {
            short(text)?
        };
        let text = text.to_owned();
        Ok(Self { text, kind })
    }

    /// What it is.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The revision, as it is written into an Application.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The revision without `refs/heads/` or `refs/tags/`.
    pub fn name(&self) -> &str {
        let prefix = match self.kind {
            Kind::Name | Kind::Commit => "",
            Kind::Branch => BRANCH,
            Kind::Tag => TAG,
        };
        self.text.strip_prefix(prefix).unwrap_or(&self.text)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// What is wrong with a text whatever it names.
fn check_outside(text: &str) -> Result<(), Illegal> {
    if text.is_empty() {
        Err(Illegal::Empty)
    } else if text.trim().len() != text.len() {
        Err(Illegal::Blank)
    } else if text.len() > LONGEST {
        Err(Illegal::Long)
    } else if text.starts_with('-') {
        Err(Illegal::Dash)
    } else {
        Ok(())
    }
}

/// What a text names that is no full ref of a branch or a tag.
fn short(text: &str) -> Result<Kind, Illegal> {
    if text == "HEAD" {
        return Err(Illegal::Head);
    }
    if range::is_range(text) {
        return Err(Illegal::Range);
    }
    // Git lets a full ref end with `@`, but by itself it is another word for HEAD.
    if text == "@" {
        return Err(Illegal::At);
    }
    if text.starts_with("refs/") || is_other_ref(text) {
        return Err(Illegal::OtherRef);
    }
    git::check(text)?;
    if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(Kind::Name);
    }
    // Argo CD: IsCommitSHA, IsTruncatedCommitSHA
    match text.len() {
        ..7 => Ok(Kind::Name),
        7..40 => Err(Illegal::ShortCommit),
        40 if text.bytes().any(|byte| byte.is_ascii_uppercase()) => Err(Illegal::UpperCommit),
        40 => Ok(Kind::Commit),
        41.. => Err(Illegal::LongCommit),
    }
}

/// Whether a short name is one of a ref that hosts make for what others propose or run, or that is a copy: to Argo CD
/// `pull/1/head` is `refs/pull/1/head`, which whoever may open a pull request fills with what he likes.
// Argo CD: lsRemote compares with go-git's ReferenceName.Short, which takes `refs/` off every ref
fn is_other_ref(text: &str) -> bool {
    let kind = text.split_once('/').map(|(kind, _)| kind);
    kind.is_some_and(|kind| OTHERS.contains(&kind))
}

/// Whether two values of `targetRevision` mean the same: a branch by its name and its full ref do, and none is `HEAD`.
pub fn same(one: &str, other: &str) -> bool {
    let is_branch = |full: &str, name: &str| {
        full.strip_prefix(BRANCH) == Some(name)
            && Revision::parse(name).is_ok_and(|revision| revision.kind == Kind::Name)
    };
    let [one, other] = [one, other].map(|text| if text.is_empty() { "HEAD" } else { text });
    one == other || is_branch(one, other) || is_branch(other, one)
}

impl Illegal {
    /// What to do about it.
    pub const fn hint(self) -> &'static str {
        match self {
            Self::Range | Self::OtherRef | Self::ShortCommit | Self::LongCommit => {
                "write a branch of that name as `refs/heads/…` and a tag as `refs/tags/…`"
            }
            Self::UpperCommit => "write the SHA in lower case",
            Self::Empty
            | Self::Blank
            | Self::Long
            | Self::Dash
            | Self::Head
            | Self::Character
            | Self::Unseen
            | Self::Slash
            | Self::Dot
            | Self::Lock
            | Self::At => {
                "write a branch or a tag by its name, `refs/heads/…`, `refs/tags/…`, or the full SHA of a commit"
            }
        }
    }
}

impl fmt::Display for Illegal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Empty => "is empty",
            Self::Blank => "begins or ends with white space",
            Self::Long => "is longer than 255 bytes",
            Self::Dash => "begins with `-`",
            Self::Head => "is `HEAD`, which is whatever branch the repository calls its default",
            Self::Range => "is a semver range, which Argo CD resolves against tags",
            Self::OtherRef => "is a ref that is neither a branch nor a tag",
            Self::ShortCommit => {
                "is an abbreviated commit: 7 to 39 hexadecimal digits are read as a commit"
            }
            Self::LongCommit => "has more hexadecimal digits than a commit, and is read as one",
            Self::UpperCommit => "is a commit that is not written in lower case",
            Self::Character => "has a character that no Git ref may have",
            Self::Unseen => "has a character that cannot be seen",
            Self::Slash => "begins or ends with `/`, or has `//`",
            Self::Dot => "ends with `.`, has `..`, or has `.` at the beginning of a part",
            Self::Lock => "has a part that ends with `.lock`",
            Self::At => "is `@`, or has `@{`",
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

    /// What is refused here is refused by the API server, too, and nothing else is.
    #[test]
    fn the_admission_policy_knows_the_same_refs() {
        let policy = include_str!("../../manifests/install/admission-policy.yaml");
        let expected = format!("targetRevision.matches(\"^({})/\")", OTHERS.join("|"));
        assert_eq!(policy.matches(&expected).count(), 1, "{expected}");
    }

    #[test]
    fn what_may_be_written() {
        for (text, kind, name) in [
            ("main", Kind::Name, "main"),
            ("feature/a-b_c.d", Kind::Name, "feature/a-b_c.d"),
            ("v1.2.3", Kind::Name, "v1.2.3"),
            ("1.2", Kind::Name, "1.2"),
            ("20.04", Kind::Name, "20.04"),
            ("release-1.x", Kind::Name, "release-1.x"),
            ("head", Kind::Name, "head"),
            ("a@b", Kind::Name, "a@b"),
            ("zürich/日本", Kind::Name, "zürich/日本"),
            ("facade", Kind::Name, "facade"),
            ("deadbeef-1", Kind::Name, "deadbeef-1"),
            ("pull", Kind::Name, "pull"),
            ("pulls/1", Kind::Name, "pulls/1"),
            ("refs", Kind::Name, "refs"),
            ("main\n", Kind::Name, "main"),
            ("main\r\n", Kind::Name, "main"),
            ("refs/heads/main", Kind::Branch, "main"),
            ("refs/heads/1.x", Kind::Branch, "1.x"),
            ("refs/heads/deadbeef", Kind::Branch, "deadbeef"),
            ("refs/heads/pull/1/head", Kind::Branch, "pull/1/head"),
            ("refs/heads/refs/heads/a", Kind::Branch, "refs/heads/a"),
            ("refs/heads/@", Kind::Branch, "@"),
            ("refs/tags/v1.2.3", Kind::Tag, "v1.2.3"),
            (SHA, Kind::Commit, SHA),
        ] {
            let revision = Revision::parse(text).unwrap();
            assert_eq!((revision.kind(), revision.name()), (kind, name), "{text}");
            assert_eq!(revision.as_str(), text.trim_end());
        }
    }

    /// A text, and why it is none.
    const ILLEGAL: [(&str, Illegal); 79] = [
        ("", Illegal::Empty),
        ("\n", Illegal::Empty),
        (" main", Illegal::Blank),
        ("main ", Illegal::Blank),
        ("main\t", Illegal::Blank),
        ("main\n\n", Illegal::Blank),
        ("main\r", Illegal::Blank),
        ("\nmain", Illegal::Blank),
        ("main\u{a0}", Illegal::Blank),
        (" ", Illegal::Blank),
        ("-", Illegal::Dash),
        ("-b", Illegal::Dash),
        ("--upload-pack=x", Illegal::Dash),
        ("HEAD", Illegal::Head),
        ("x", Illegal::Range),
        ("X", Illegal::Range),
        ("*", Illegal::Range),
        ("1.x", Illegal::Range),
        ("v1.*", Illegal::Range),
        ("x-feature", Illegal::Range),
        (">=1", Illegal::Range),
        ("^1", Illegal::Range),
        ("~1.2", Illegal::Range),
        ("1 - 2", Illegal::Range),
        (">1,<2", Illegal::Range),
        ("1||2", Illegal::Range),
        ("=1.2.3", Illegal::Range),
        ("refs/pull/1/head", Illegal::OtherRef),
        ("refs/remotes/origin/main", Illegal::OtherRef),
        ("refs/notes/commits", Illegal::OtherRef),
        ("refs/stash", Illegal::OtherRef),
        ("refs/heads", Illegal::OtherRef),
        ("refs/", Illegal::OtherRef),
        ("refs/HEADS/main", Illegal::OtherRef),
        ("pull/1/head", Illegal::OtherRef),
        ("pull/1/merge", Illegal::OtherRef),
        ("merge-requests/1/head", Illegal::OtherRef),
        ("pull-requests/1/from", Illegal::OtherRef),
        ("changes/34/1234/1", Illegal::OtherRef),
        ("remotes/origin/main", Illegal::OtherRef),
        ("0123456", Illegal::ShortCommit),
        ("deadbeef", Illegal::ShortCommit),
        ("DEADBEEF", Illegal::ShortCommit),
        ("20240101", Illegal::ShortCommit),
        (
            "0123456789abcdef0123456789abcdef0123456",
            Illegal::ShortCommit,
        ),
        (
            "0123456789abcdef0123456789abcdef012345678",
            Illegal::LongCommit,
        ),
        (
            "0123456789ABCDEF0123456789abcdef01234567",
            Illegal::UpperCommit,
        ),
        ("a b", Illegal::Character),
        ("a\nb", Illegal::Character),
        ("a\0b", Illegal::Character),
        ("a\u{7f}b", Illegal::Character),
        ("a~1", Illegal::Character),
        ("a^", Illegal::Character),
        ("a:b", Illegal::Character),
        ("a?", Illegal::Character),
        ("a*", Illegal::Character),
        ("a[b", Illegal::Character),
        ("a\\b", Illegal::Character),
        ("refs/heads/a b", Illegal::Character),
        ("a\u{9b}31m", Illegal::Unseen),
        ("a\u{202e}b", Illegal::Unseen),
        ("a\u{2066}b", Illegal::Unseen),
        ("a\u{200b}b", Illegal::Unseen),
        ("a\u{3000}b", Illegal::Unseen),
        ("refs/tags/a\u{feff}b", Illegal::Unseen),
        ("/a", Illegal::Slash),
        ("a/", Illegal::Slash),
        ("a//b", Illegal::Slash),
        ("refs/heads/", Illegal::Slash),
        ("refs/heads//a", Illegal::Slash),
        ("refs/tags/", Illegal::Slash),
        (".a", Illegal::Dot),
        ("a/.b", Illegal::Dot),
        ("a..b", Illegal::Dot),
        ("a.", Illegal::Dot),
        ("a.lock", Illegal::Lock),
        ("a.lock/b", Illegal::Lock),
        ("@", Illegal::At),
        ("a@{1}", Illegal::At),
    ];

    #[test]
    fn what_may_not_be_written() {
        for (text, why) in ILLEGAL {
            assert_eq!(Revision::parse(text).err(), Some(why), "{text:?}");
        }
        let long = "a".repeat(LONGEST + 1);
        assert_eq!(Revision::parse(&long).err(), Some(Illegal::Long));
        assert!(Revision::parse(&long.replace("aa", "az")[1..]).is_ok());
    }

    #[test]
    fn what_is_the_same() {
        for (one, other) in [
            ("dev", "dev"),
            ("dev", "refs/heads/dev"),
            ("a/b", "refs/heads/a/b"),
            ("", "HEAD"),
            ("", ""),
            (SHA, SHA),
            ("x y", "x y"),
        ] {
            assert!(same(one, other), "{one} {other}");
            assert!(same(other, one), "{other} {one}");
        }
        let branch = format!("refs/heads/{SHA}");
        for (one, other) in [
            ("dev", "Dev"),
            ("dev", "refs/tags/dev"),
            ("refs/heads/v1", "refs/tags/v1"),
            ("HEAD", "refs/heads/HEAD"),
            ("", "refs/heads/"),
            ("", "refs/heads/HEAD"),
            ("main", "HEAD"),
            ("refs/tags/v1", "refs/heads/refs/tags/v1"),
            ("refs/heads/a", "refs/heads/refs/heads/a"),
            // These are no branches by their short names.
            (SHA, &branch),
            ("deadbeef", "refs/heads/deadbeef"),
            ("1.x", "refs/heads/1.x"),
            ("pull/1/head", "refs/heads/pull/1/head"),
        ] {
            assert!(!same(one, other), "{one} {other}");
            assert!(!same(other, one), "{other} {one}");
        }
    }

    proptest! {
        #[test]
        fn what_is_wrong_is_told_without_the_text(text in "\\PC{4,40}") {
            if let Err(illegal) = Revision::parse(&text) {
                prop_assert!(!illegal.to_string().contains(&text));
            }
        }

        #[test]
        fn what_is_read_is_written_as_it_was(text in "[ -~é\u{202e}\n]{0,30}") {
            if let Ok(revision) = Revision::parse(&text) {
                prop_assert_eq!(revision.as_str(), text.strip_suffix('\n').unwrap_or(&text));
                prop_assert_eq!(Revision::parse(revision.as_str()), Ok(revision));
            }
        }

        #[test]
        fn a_branch_by_name_may_be_written_in_full(name in "[a-f0-9x./@{-]{1,12}") {
            let full = Revision::parse(&format!("refs/heads/{name}"));
            if Revision::parse(&name).is_ok() {
                prop_assert!(full.is_ok_and(|full| full.kind() == Kind::Branch && full.name() == name));
            }
        }

        #[test]
        fn the_same_is_the_same_both_ways(one in "(refs/(heads|tags)/)?(HEAD|dev|1\\.x)?", other in "(refs/(heads|tags)/)?(HEAD|dev|1\\.x)?") {
            prop_assert_eq!(same(&one, &other), same(&other, &one));
            prop_assert!(same(&one, &one));
        }
    }
}
