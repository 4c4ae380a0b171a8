//! What becomes of the digest of an Application's settings.

use super::Decider;
use super::work::Work;
use crate::settings::object::ObjectName;
use crate::steer::application::Cause;
use crate::steer::digests::{self, Rendered};
use crate::steer::holds;
use crate::steer::ownership::Field;
use crate::steer::plan::Outcome;
use crate::steer::reason::{Class, Reason};

/// What is found of the settings.
pub(super) struct Digests<'a> {
    pub(super) sources: Vec<(Rendered<'a>, Option<String>)>,
    pub(super) outcome: Outcome,
    /// For what cause the render is asked for once more.
    pub(super) refresh: Option<String>,
    /// Whether a digest is set once more, since an owner put it back by mistake.
    pub(super) answers: bool,
}

impl<'a> Work<'_, 'a> {
    /// What becomes of the settings; `None` where it has none, or none that are watched over.
    pub(super) fn digests(&mut self, held: Option<&Reason>) -> Option<Digests<'a>> {
        let Decider { state, policy, .. } = self.decider;
        if self.application.spec.is_hydrated || state.digest_key.is_none() {
            return None;
        }
        let rendered = digests::rendered(self.application, policy);
        if rendered.is_empty() {
            return None;
        }
        let mut digests = Digests {
            sources: rendered
                .into_iter()
                .map(|rendered| (rendered, None))
                .collect(),
            outcome: Outcome::Same,
            refresh: None,
            answers: false,
        };
        if let Err(reason) = self.look_at_settings(&mut digests, held) {
            digests.outcome = Outcome::Stays(reason);
        }
        Some(digests)
    }

    pub(super) fn look_at_settings(
        &mut self,
        digests: &mut Digests<'a>,
        held: Option<&Reason>,
    ) -> Result<(), Reason> {
        self.environment()?;
        let Decider {
            state, policy, now, ..
        } = *self.decider;
        let seconds = u64::try_from(now.as_second()).unwrap_or_default();
        let (mut refusal, mut causes) = (None, Vec::new());
        let (mut is_set, mut is_there) = (false, false);
        for (rendered, new) in &mut digests.sources {
            let references = rendered.references.as_ref().map_err(Clone::clone)?;
            let Some(told) = digests::told(state, policy, self.application, references)? else {
                continue;
            };
            let current = digests::current(rendered.plugin).map(|(_, text)| text);
            refusal = refusal.or(told.refusal);
            causes.push(told.digest.at(0));
            let set = self.set_digests();
            let is_in = |text: &str| text.split(' ').any(|text| told.digest.is_in(text));
            // A source that has it still shows that nobody takes it away.
            is_there |= current.is_some_and(|current| told.digest.is_in(current));
            is_set |= set.is_some_and(is_in);
            // A first digest of what the plugin would refuse helps nobody.
            let is_worth_it = refusal.is_none() || current.is_some();
            if is_worth_it && !current.is_some_and(|current| told.digest.is_in(current)) {
                let before = current.or(set);
                *new = Some(digests::text(&told.digest, before, seconds));
            }
        }
        let cause = causes.join(" ");
        if digests.sources.iter().all(|(_, new)| new.is_none()) {
            let is_paused = |cause| cause == Cause::Paused;
            let mut conditions = self.application.status.conditions.iter();
            if held.is_none() && conditions.any(|condition| is_paused(condition.cause)) {
                let returns = self.remembered.map_or(0, |remembered| remembered.returns);
                digests.refresh = self.refresh(format!("paused {returns} {cause}"));
            }
            return refusal.map_or(Ok(()), Err);
        }
        if let Some(reason) = held {
            return Err(reason.clone());
        }
        let kept = self.may_set_digest(is_set && !is_there);
        if let Err(reason) = kept.map(|answers| digests.answers = answers) {
            for (_, new) in &mut digests.sources {
                *new = None;
            }
            if reason.class() == Class::Contested {
                digests.refresh = self.refresh(cause);
            }
            return Err(reason);
        }
        digests.outcome = Outcome::Change;
        Ok(())
    }

    /// Whether it has settings that are watched over.
    pub(super) fn has_settings(&self) -> bool {
        let Decider { state, policy, .. } = self.decider;
        let is_watched = !self.application.spec.is_hydrated && state.digest_key.is_some();
        is_watched && !digests::rendered(self.application, policy).is_empty()
    }

    /// The digests that were set last, with blanks between those of several sources.
    pub(super) fn set_digests(&self) -> Option<&str> {
        let recorded = self.last.as_ref();
        self.last_set(
            recorded.and_then(|record| record.digest.as_deref()),
            |remembered| remembered.digest.as_deref(),
        )
    }

    /// Whether a digest will stay. `is_set` tells that this very one was set before, and is not there. Gives whether an owner
    /// took it away by mistake.
    pub(super) fn may_set_digest(&self, is_set: bool) -> Result<bool, Reason> {
        let managers = &self.application.metadata.managers;
        let field = self.field(Field::Env);
        let managers = match field {
            Field::Sources => &managers.sources,
            _ => &managers.env,
        };
        let is_gone = is_set && !managers.iter().any(holds::is_own);
        let set = || self.set_digests().and_then(digests::set_at);
        if is_gone && !self.is_relapse(managers, set(), |answered| answered.digest) {
            return Err(holds::digest_removed());
        }
        self.judge(field).map(|()| is_gone)
    }

    /// The cause of a refresh, where it is still to be asked for.
    pub(super) fn refresh(&mut self, cause: String) -> Option<String> {
        let recorded = self.last.as_ref();
        let before = self.last_set(
            recorded.and_then(|record| record.refresh.as_ref()),
            |remembered| remembered.refresh.as_ref(),
        );
        let at = before.filter(|refresh| refresh.cause == cause);
        let at = at.map(|refresh| refresh.at);
        let Some(at) = at else {
            return Some(cause);
        };
        let due = holds::refresh_is_due(self.application, &self.annotations, at, self.decider.now);
        match due {
            Ok(is_due) => is_due.then_some(cause),
            Err(until) => {
                self.look_again(Some(until));
                None
            }
        }
    }
}

impl Digests<'_> {
    pub(super) fn objects(&self) -> Vec<ObjectName> {
        let references = self
            .sources
            .iter()
            .flat_map(|(rendered, _)| rendered.references.iter().flatten());
        references
            .map(|reference| reference.object.clone())
            .collect()
    }
}
