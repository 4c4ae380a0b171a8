//! What is known of a cluster, with the indexes that tell what a change concerns.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::application::{Application, Name};
use super::owner::{Instance, Owner, OwnerName};
use super::project::Project;
use crate::settings::digest::DigestKey;
use crate::settings::object::{Object, ObjectName};

/// What is known of a cluster: everything that decisions are made from, besides the policy and the time.
#[derive(Default)]
pub struct State {
    /// The Applications that have the label of an environment, by name.
    pub applications: BTreeMap<Name, Application>,
    /// The watched objects: those with a label of ours.
    pub objects: BTreeMap<ObjectName, Object>,
    /// The projects, by name; `None` where they cannot be had, so that no sync window is known.
    pub projects: Option<BTreeMap<String, Project>>,
    /// The owners that were asked for.
    pub owners: BTreeMap<OwnerName, Owner>,
    /// What `argocd-cm` says.
    pub instance: Instance,
    /// What people told the controller.
    pub controls: Controls,
    /// What was written, as far as it is remembered.
    pub memory: Memory,
    /// The key of digests; without one, settings are not watched over.
    pub digest_key: Option<DigestKey>,
}

/// What people told the controller, in its own namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Controls {
    /// Nothing is written.
    pub is_paused: bool,
    /// The hashes of changes that a breaker stopped, and that may happen.
    pub acknowledged: BTreeSet<String>,
}

/// What was written by this process. It is lost when it ends, and nothing rests on it alone.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// By Application and its uid.
    pub applications: BTreeMap<Name, Written>,
}

/// What was written of one Application.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Which object of this name.
    pub uid: String,
    /// The revision that was set last.
    pub revision: Option<String>,
    /// When revisions were set, oldest first; no more than matter.
    pub moves: Vec<Timestamp>,
    /// The digest that was set last, with its time.
    pub digest: Option<String>,
    /// When a refresh was asked for last, and for what cause.
    pub refresh: Option<(Timestamp, String)>,
}
