//! What is read of Argo CD itself: the owners of Applications, when decisions need them, and `argocd-cm` from time to time.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::Deserialize;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::metrics::Verb;
use super::owners::Owners;
use super::pause::Pause;
use super::request::{Api, Ask, Refusal, contained};
use crate::cluster::{owner_of, path_of_argocd_config, path_of_owner};
use crate::steer::application::Name;
use crate::steer::owner::{Instance, Owner, OwnerName};

/// How long it may take in all, and one answer of it.
const READ: Duration = Duration::from_secs(10);
const ANSWER: Duration = Duration::from_secs(5);
/// How long to wait after a failure, at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));
/// How often Argo CD's settings are read.
const INSTANCE: Duration = Duration::from_mins(1);

/// What was read.
pub(super) enum Reading {
    /// An owner.
    Owner(OwnerName, Owner),
    /// Argo CD's settings; `None` where there are none or the API server does not say.
    Instance(Option<Instance>),
}

/// What is being read, and what is known of when it was.
#[derive(Default)]
pub(super) struct Readings {
    /// Which owners are wanted.
    pub(super) owners: Owners,
    tasks: JoinSet<Reading>,
    /// When Argo CD's settings were read; decisions wait for the first time.
    instance_at: Option<Instant>,
    is_reading_instance: bool,
}

impl Readings {
    /// Whether Argo CD's settings were asked for, so that decisions may be made.
    pub(super) const fn has_instance(&self) -> bool {
        self.instance_at.is_some()
    }

    /// Asks for what is wanted.
    pub(super) fn start(&mut self, api: &Api, argocd: &str, now: Instant) {
        let is_due = self.instance_at.is_none_or(|at| now >= at + INSTANCE);
        if is_due && !self.is_reading_instance {
            self.is_reading_instance = true;
            let (api, path) = (api.clone(), path_of_argocd_config(argocd));
            self.tasks.spawn(async move {
                let asked =
                    async move { Ok(get(&api, &path).await?.as_deref().and_then(instance)) };
                Reading::Instance(contained(asked).await.ok().flatten())
            });
        }
        while let Some(name) = self.owners.next(now) {
            let (api, asked) = (api.clone(), name.clone());
            self.tasks.spawn(async move {
                let owner = contained(async move { owner(&api, &asked).await });
                Reading::Owner(name, owner.await.unwrap_or(Owner::Unreadable))
            });
        }
    }

    /// The next thing that was read; `None` where nothing is being read.
    pub(super) async fn next(&mut self) -> Option<Reading> {
        // None ends by itself: what could is contained.
        self.tasks.join_next().await?.ok()
    }

    /// Argo CD's settings were asked for.
    pub(super) const fn instance_came(&mut self, now: Instant) {
        self.is_reading_instance = false;
        self.instance_at = Some(now);
    }

    /// An owner was asked for; the Applications that wait for it.
    pub(super) fn owner_came(
        &mut self,
        name: &OwnerName,
        owner: &Owner,
        now: Instant,
    ) -> impl Iterator<Item = Name> + use<> {
        let is_readable = !matches!(owner, Owner::Unreadable);
        self.owners.found(name, is_readable, now).into_iter()
    }
}

async fn owner(api: &Api, name: &OwnerName) -> Result<Owner, Refusal> {
    let found = get(api, &path_of_owner(name)).await?;
    Ok(found.map_or(Owner::Absent, |text| owner_of(name, &text)))
}

/// Reads one object; `None` where there is none. Another try is made where that may help.
async fn get(api: &Api, path: &str) -> Result<Option<String>, Refusal> {
    let end = Instant::now() + READ;
    let mut pause = Pause::new(PAUSE.0, PAUSE.1);
    loop {
        let limit = ANSWER.min(end.saturating_duration_since(Instant::now()));
        let ask = Ask::get(Verb::Get, path.to_owned());
        let refusal = match api.ask(ask, limit).await {
            Ok(bytes) => {
                let odd = |_| Refusal::silent("its answer is no text");
                return String::from_utf8(bytes).map(Some).map_err(odd);
            }
            Err(refusal) if refusal.code == 404 => return Ok(None),
            Err(refusal) => refusal,
        };
        let wait = pause.next(refusal.retry_after);
        if !refusal.is_passing() || Instant::now() + wait >= end {
            return Err(refusal);
        }
        sleep(wait).await;
    }
}

fn instance(text: &str) -> Option<Instance> {
    #[derive(Deserialize)]
    struct Config {
        data: Option<BTreeMap<String, String>>,
    }
    let Config { data } = serde_json::from_str(text).ok()?;
    Some(Instance::from_config(&data.unwrap_or_default()))
}

#[cfg(test)]
mod tests;
