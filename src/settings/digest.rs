//! The digest of an Application's settings: what tells Argo CD that they have changed.
//!
//! The controller writes it into the environment of the Application's plugin, so that a change misses Argo CD's cache of
//! manifests. The sidecar computes it again from what it has read and refuses to render under another one: so no render is
//! cached under the digest of other settings.
//!
//! It is keyed, because whoever may read an Application could otherwise try out values against it.

use std::fmt;
use std::path::Path;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::consent::{Admitted, Caller};
use super::object::ObjectName;
use crate::failure::{Failure, Problem};
use crate::files;
use crate::hex::hex;

/// The name of the variable of the plugin's environment, as an Application writes it.
pub const VARIABLE: &str = "SETTINGS_DIGEST";
/// How long a key has to be, in bytes.
const KEY_BYTES: usize = 32;
/// What comes first in every digest: the version of how it is made.
const VERSION: &str = "v1";

/// The key of an installation, which only the controller and the sidecar know. It can be neither printed nor formatted.
pub struct DigestKey(Hmac<Sha256>);

impl DigestKey {
    /// Takes a key.
    ///
    /// # Errors
    /// Where it is shorter than 32 bytes.
    pub fn new(bytes: &[u8]) -> Result<Self, Problem> {
        let key = Hmac::new_from_slice(bytes).ok();
        let key = key.filter(|_| bytes.len() >= KEY_BYTES).ok_or_else(|| {
            let message = format!("the key of the digest has fewer than {KEY_BYTES} bytes");
            Problem::new(message).hint("make one of 32 random bytes")
        })?;
        Ok(Self(key))
    }

    /// Reads a key from a file; its bytes are the key.
    ///
    /// # Errors
    /// Where the file cannot be read or is too short.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let bytes = files::read_regular(path).map_err(|error| {
            Problem::new(format!("cannot read the key of the digest: {error}"))
                .at(name.clone(), 0)
                .hint("mount the Secret that holds it, the same one for the controller and the sidecar")
                .into_failure()
        })?;
        Self::new(&bytes).map_err(|problem| problem.at(name, 0).into_failure())
    }
}

/// The digest of what one Application may read.
#[derive(Clone, Copy)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Makes the digest of what a caller may read of the objects that it names, in their order. What it may not read
    /// counts as what is not there.
    pub fn of<'a>(
        key: &DigestKey,
        caller: &Caller,
        objects: impl IntoIterator<Item = (&'a ObjectName, Option<&'a Admitted<'a>>)>,
    ) -> Self {
        let mut writer = Writer::new(key);
        writer.text(&caller.project);
        writer.text(&caller.application);
        for (name, admitted) in objects {
            writer.text(&name.to_string());
            let Some(admitted) = admitted else {
                writer.number(0);
                continue;
            };
            writer.number(1);
            writer.number(admitted.values.len());
            for (key, value) in &admitted.values {
                writer.text(key);
                writer.bytes(value);
            }
        }
        writer.finish()
    }

    /// Whether a text that was written for an Application has this digest, whenever it was written. It takes the same time
    /// wherever they differ.
    pub fn is_in(&self, text: &str) -> bool {
        let mut parts = text.split('.');
        let (Some(VERSION), Some(digest), Some(_), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return false;
        };
        let own = self.hex();
        let pairs = own.bytes().zip(digest.bytes());
        own.len() == digest.len()
            && pairs.fold(0, |differences, (own, other)| differences | (own ^ other)) == 0
    }

    /// The text to write for an Application: with the time of the change, so that Argo CD never sees the same text for
    /// settings that were in force before. The time is in seconds since 1970.
    pub fn at(&self, seconds: u64) -> String {
        format!("{VERSION}.{}.{seconds}", self.hex())
    }

    fn hex(&self) -> String {
        hex(&self.0)
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.is_in(&other.at(0))
    }
}

impl Eq for Digest {}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.hex())
    }
}

/// Writes parts so that no two lists of parts look the same: each behind its length.
struct Writer(Hmac<Sha256>);

impl Writer {
    fn new(key: &DigestKey) -> Self {
        let mut writer = Self(key.0.clone());
        writer.text("argocd-infisical settings");
        writer
    }

    fn number(&mut self, number: usize) {
        let number = u64::try_from(number).unwrap_or(u64::MAX);
        self.0.update(&number.to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len());
        self.0.update(bytes);
    }

    fn finish(self) -> Digest {
        Digest(self.0.finalize().into_bytes().into())
    }
}

#[cfg(test)]
mod tests {
    use super::super::consent::{ALLOWED, KEYS, LABEL, admit};
    use super::super::object::{Object, Reference};
    use super::*;

    struct Case {
        data: Vec<(&'static str, &'static str)>,
        allowed: &'static str,
        keys: Option<&'static str>,
        caller: (&'static str, &'static str),
        key: u8,
    }

    impl Default for Case {
        fn default() -> Self {
            Self {
                data: vec![("A", "1"), ("B", "2")],
                allowed: "home/lamp",
                keys: None,
                caller: ("home", "lamp"),
                key: 7,
            }
        }
    }

    impl Case {
        fn digest(&self) -> Digest {
            let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
            let mut annotations = vec![(ALLOWED, self.allowed)];
            annotations.extend(self.keys.map(|keys| (KEYS, keys)));
            let object = Object {
                labels: [own(&(LABEL, "true"))].into(),
                annotations: annotations.iter().map(own).collect(),
                data: self
                    .data
                    .iter()
                    .map(|(key, value)| ((*key).to_owned(), value.as_bytes().to_vec()))
                    .collect(),
            };
            let caller = Caller {
                project: self.caller.0.into(),
                application: self.caller.1.into(),
            };
            let reference: Reference = "home/settings".parse().unwrap();
            let admitted = admit(&reference, Some(&object), &caller).ok();
            let key = DigestKey::new(&[self.key; 32]).unwrap_or_else(|problem| panic!("{problem}"));
            Digest::of(&key, &caller, [(&reference.object, admitted.as_ref())])
        }
    }

    #[test]
    fn whatever_counts_changes_it() {
        let usual = Case::default().digest();
        let cases = [
            Case {
                data: vec![("A", "1"), ("B", "3")],
                ..Case::default()
            },
            Case {
                data: vec![("A", "1")],
                ..Case::default()
            },
            Case {
                data: vec![("A", "1"), ("B", "2"), ("C", "")],
                ..Case::default()
            },
            // What moves from one value to the next, or from a key to its value.
            Case {
                data: vec![("A", "12"), ("B", "")],
                ..Case::default()
            },
            Case {
                data: vec![("A1", ""), ("B", "2")],
                ..Case::default()
            },
            Case {
                keys: Some("A"),
                ..Case::default()
            },
            Case {
                allowed: "other/lamp",
                ..Case::default()
            },
            Case {
                allowed: "home/*,work/*",
                caller: ("work", "lamp"),
                ..Case::default()
            },
            Case {
                key: 8,
                ..Case::default()
            },
        ];
        for (index, case) in cases.iter().enumerate() {
            assert_ne!(case.digest(), usual, "{index}");
        }
    }

    #[test]
    fn nothing_else_does() {
        let usual = Case::default().digest();
        let cases = [
            Case {
                allowed: "home/*, work/lamp",
                ..Case::default()
            },
            Case {
                keys: Some("B,A,Z"),
                ..Case::default()
            },
            Case {
                data: vec![
                    ("A", "1"),
                    ("B", "2"),
                    ("ARGOCD_TARGET_REVISION", "dev"),
                    ("ARGOCD_TARGET_REVISION__LAMP", "x"),
                ],
                ..Case::default()
            },
        ];
        for (index, case) in cases.iter().enumerate() {
            assert_eq!(case.digest(), usual, "{index}");
        }
    }

    #[test]
    fn denied_and_absent_are_the_same() {
        let denied = Case {
            allowed: "",
            ..Case::default()
        }
        .digest();
        let reference: Reference = "home/settings".parse().unwrap();
        let key = DigestKey::new(&[7; 32]).unwrap_or_else(|problem| panic!("{problem}"));
        let caller = Caller {
            project: "home".into(),
            application: "lamp".into(),
        };
        assert_eq!(
            Digest::of(&key, &caller, [(&reference.object, None)]),
            denied
        );
    }

    #[test]
    fn the_text_is_compared_without_its_time() {
        let digest = Case::default().digest();
        assert!(digest.is_in(&digest.at(0)) && digest.is_in(&digest.at(u64::MAX)));
        let text = digest.at(5);
        for other in [
            "",
            "v1",
            "v1..5",
            &text.replace("v1", "v2"),
            &text.replacen('a', "b", 1).replacen('0', "1", 1),
            &format!("{text}.x"),
            text.rsplit_once('.').map_or("", |(start, _)| start),
            &text.to_uppercase(),
        ] {
            assert!(!digest.is_in(other), "{other}");
        }
    }

    /// An independent reckoning of the bytes that are signed, so that no later version reads them another way unnoticed.
    #[test]
    fn it_stays_what_it_is() {
        let expected = "58639677c3d171c12fc2ae15bb06e51515391667227f1b9d4f625b1c6a4202e2";
        assert_eq!(Case::default().digest().hex(), expected);
    }

    #[test]
    fn a_short_key_is_refused() {
        assert!(DigestKey::new(&[0; 31]).is_err());
    }
}
