//! The decision: everything that is known of an Application, put together.

use jiff::Timestamp;

use super::application::{Annotations, Application, Cause, Manager};
use super::breaker;
use super::desired::{Desired, Overrides, Rank};
use super::digests::{self, Rendered};
use super::holds;
use super::operation;
use super::owner::{Owner, OwnerName};
use super::ownership::{self, Field};
use super::patch::Builder;
use super::plan::{Decision, Origin, Outcome, Plan, Revision, Settings, Wanted};
use super::policy::{Environment, Policy};
use super::reason::{Class, Reason};
use super::record::{self, Record, Recorded, Refresh};
use super::revision::same;
use super::sources::{self, Moving};
use super::state::{Remembered, State};

/// Decides of all Applications.
pub fn decide(state: &State, policy: &Policy, now: Timestamp) -> Plan {
    Decider::new(state, policy, now).plan()
}

/// Decides of Applications, one or all.
pub struct Decider<'a> {
    state: &'a State,
    policy: &'a Policy,
    now: Timestamp,
    overrides: Overrides<'a>,
}

impl<'a> Decider<'a> {
    /// Looks at what is known once, for any number of Applications.
    pub fn new(state: &'a State, policy: &'a Policy, now: Timestamp) -> Self {
        Self {
            state,
            policy,
            now,
            overrides: Overrides::new(state, policy, now),
        }
    }

    /// Decides of all Applications.
    pub fn plan(&self) -> Plan {
        let applications = self.state.applications.values();
        let decisions = applications.filter_map(|application| self.decision(application));
        self.together(decisions.collect())
    }

    /// Decides of one Application, whatever happens to others; `None` where it does not take part.
    pub fn decision(&self, application: &'a Application) -> Option<Decision> {
        Work::new(self, application).map(|work| work.decision(None))
    }

    /// Puts decisions together: those of a protected environment may be too many.
    pub fn together(&self, mut decisions: Vec<Decision>) -> Plan {
        let breakers = breaker::tripped(self.state, self.policy, &decisions, self.now);
        for decision in decisions.iter_mut().filter(|decision| decision.moves()) {
            let reason = breakers.iter().find_map(|tripped| tripped.stops(decision));
            let application = self.state.applications.get(&decision.application);
            let work = application.and_then(|application| Work::new(self, application));
            if let (Some(reason), Some(work)) = (reason, work) {
                *decision = work.decision(Some(reason));
            }
        }
        Plan {
            decisions,
            breakers,
        }
    }
}

/// One Application that is decided of.
struct Work<'w, 'a> {
    decider: &'w Decider<'a>,
    application: &'a Application,
    annotations: Annotations,
    environment: &'a str,
    /// What was decided last of it, in the same environment.
    record: Option<Record>,
    /// The same, whatever environment it was in.
    last: Option<Record>,
    remembered: Option<&'a Remembered>,
    owners: Vec<(OwnerName, &'a Owner)>,
    again: Option<Timestamp>,
}

/// What is found of the revision.
struct Moves<'a> {
    default: Option<String>,
    wanted: Option<Wanted>,
    rank: Option<Rank>,
    sources: Vec<Moving<'a>>,
    outcome: Outcome,
}

/// What is found of the settings.
struct Digests<'a> {
    sources: Vec<(Rendered<'a>, Option<String>)>,
    outcome: Outcome,
    /// For what cause the render is asked for once more.
    refresh: Option<String>,
}

impl<'w, 'a> Work<'w, 'a> {
    fn new(decider: &'w Decider<'a>, application: &'a Application) -> Option<Self> {
        let metadata = &application.metadata;
        let environment = metadata.labels.get(&decider.policy.environment_label)?;
        let annotations = application.annotations();
        let last = annotations.state.as_deref().and_then(Record::read);
        let record = last.clone();
        let record = record.filter(|record| record.environment == *environment);
        let state = decider.state;
        let owners = ownership::owners(application, &state.instance, decider.policy);
        let owners = owners.into_iter().map(|name| {
            let owner = state.owners.get(&name).unwrap_or(&Owner::Unreadable);
            (name, owner)
        });
        Some(Self {
            decider,
            application,
            environment,
            record,
            last,
            remembered: state.memory.of(&application.name(), &metadata.uid),
            owners: owners.collect(),
            annotations,
            again: None,
        })
    }

    fn decision(mut self, stopped: Option<Reason>) -> Decision {
        let held = holds::standing(
            self.decider.state,
            self.decider.policy,
            self.application,
            self.decider.now,
        );
        self.look_again(held.again);
        let moves = self.moves(held.reason.as_ref(), stopped);
        let digests = self.digests(held.reason.as_ref());
        let patch = self.patch(&moves, digests.as_ref(), held.reason.is_some());
        let current = moves
            .sources
            .iter()
            .map(|moving| moving.source.revision().to_owned());
        let mut current: Vec<String> = current.collect();
        current.dedup();
        let Moves {
            default,
            wanted,
            outcome,
            ..
        } = moves;
        Decision {
            application: self.application.name(),
            uid: self.application.metadata.uid.clone(),
            environment: self.environment.to_owned(),
            project: self.application.project().to_owned(),
            revision: Revision {
                default,
                wanted,
                current,
                outcome,
            },
            settings: digests.map(|digests| Settings {
                objects: digests.objects(),
                outcome: digests.outcome,
            }),
            patch,
            again: self.again,
        }
    }

    fn look_again(&mut self, at: Option<Timestamp>) {
        self.again = match (self.again, at) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }

    /// The environment, where the Application may be in it.
    fn environment(&self) -> Result<&'a Environment, Reason> {
        let name = self.environment;
        let refused = |code, message| Reason::new(Class::Refused, code, message);
        let environment = self.decider.policy.environments.get(name).ok_or_else(|| {
            let label = &self.decider.policy.environment_label;
            refused(
                "UnknownEnvironment",
                format!("its label `{label}` names an environment that the policy does not have"),
            )
            .hint("name one of the policy's environments, or add it there")
        })?;
        let projects = environment.projects.as_ref();
        let project = self.application.project();
        if projects.is_some_and(|projects| !projects.contains(project)) {
            return Err(refused(
                "ProjectNotAllowed",
                format!(
                    "Applications of the project `{project}` may not be in the environment `{name}`"
                ),
            )
            .hint("ask whoever keeps the policy to add the project to the environment"));
        }
        Ok(environment)
    }

    /// What becomes of the revision.
    fn moves(&mut self, held: Option<&Reason>, stopped: Option<Reason>) -> Moves<'a> {
        let mut moves = Moves {
            default: None,
            wanted: None,
            rank: None,
            sources: Vec::new(),
            outcome: Outcome::Same,
        };
        if let Err(reason) = self.look(&mut moves, held, stopped) {
            moves.outcome = Outcome::Stays(reason);
        }
        moves
    }

    fn look(
        &mut self,
        moves: &mut Moves<'a>,
        held: Option<&Reason>,
        stopped: Option<Reason>,
    ) -> Result<(), Reason> {
        let environment = self.environment()?;
        moves.default = Some(environment.default.clone());
        moves.sources = sources::moving(self.application)?;
        let was_set = self.was_set(&moves.sources, environment);
        let Desired {
            wanted,
            rank,
            again,
        } = self.decider.overrides.desired(
            self.application,
            (self.environment, environment),
            self.record.as_ref(),
            was_set,
        );
        self.look_again(again);
        let wanted = wanted?;
        moves.rank = rank;
        moves.wanted = Some(wanted.clone());
        let is_same = |moving: &Moving<'_>| same(moving.source.revision(), &wanted.revision);
        if moves.sources.iter().all(is_same) {
            return Ok(());
        }
        if let Some(reason) = held {
            return Err(reason.clone());
        }
        self.left_to_others(&wanted.revision)?;
        let field = self.field(Field::TargetRevision);
        ownership::judge(
            self.application,
            &[field],
            &self.owners,
            &self.decider.state.instance,
        )?;
        self.calm()?;
        stopped.map_or(Ok(()), Err)?;
        moves.outcome = Outcome::Change;
        Ok(())
    }

    /// The field that a patch touches: a list of sources is one field.
    fn field(&self, field: Field) -> Field {
        if self.application.spec.sources.is_empty() {
            field
        } else {
            Field::Sources
        }
    }

    /// Who last wrote the revision.
    fn managers(&self) -> &[Manager] {
        let managers = &self.application.metadata.managers;
        match self.field(Field::TargetRevision) {
            Field::Sources => &managers.sources,
            _ => &managers.target_revision,
        }
    }

    /// Whether the revision was set here and is not the default, as far as the fields' managers tell.
    fn was_set(&self, sources: &[Moving<'_>], environment: &Environment) -> bool {
        let is_default = |moving: &Moving<'_>| same(moving.source.revision(), &environment.default);
        let managers = self.managers();
        !managers.is_empty()
            && managers.iter().all(holds::is_own)
            && !sources.iter().all(is_default)
    }

    /// Somebody else changed what was set here: it stays until another revision is wanted.
    fn left_to_others(&self, wanted: &str) -> Result<(), Reason> {
        let record = self
            .record
            .as_ref()
            .and_then(|record| record.revision.as_deref());
        let remembered = self
            .remembered
            .and_then(|remembered| remembered.revision.as_deref());
        let set = record.or(remembered);
        let managers = self.managers();
        let is_generated = self
            .owners
            .iter()
            .any(|(name, _)| matches!(name, OwnerName::ApplicationSet(_)));
        match set {
            Some(set) if same(set, wanted) && !managers.iter().any(holds::is_own) => {
                Err(holds::changed(managers))
            }
            // What an ApplicationSet made has no record, and a person did not create it.
            None if is_generated && holds::is_of_person(managers) => Err(holds::changed(managers)),
            _ => Ok(()),
        }
    }

    /// The revision has not changed too often.
    fn calm(&mut self) -> Result<(), Reason> {
        let flap = self.decider.policy.flap;
        let moves = self
            .remembered
            .map(|remembered| remembered.moves.as_slice());
        let Err((reason, until)) = holds::calm(moves.unwrap_or_default(), flap, self.decider.now)
        else {
            return Ok(());
        };
        self.look_again(Some(until));
        Err(reason)
    }

    /// What becomes of the settings; `None` where it has none, or none that are watched over.
    fn digests(&mut self, held: Option<&Reason>) -> Option<Digests<'a>> {
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
        };
        if let Err(reason) = self.look_at_settings(&mut digests, held) {
            digests.outcome = Outcome::Stays(reason);
        }
        Some(digests)
    }

    fn look_at_settings(
        &mut self,
        digests: &mut Digests<'a>,
        held: Option<&Reason>,
    ) -> Result<(), Reason> {
        self.environment()?;
        let Decider {
            state, policy, now, ..
        } = *self.decider;
        let seconds = u64::try_from(now.as_second()).unwrap_or_default();
        let (mut refusal, mut causes, mut is_set) = (None, Vec::new(), false);
        for (rendered, new) in &mut digests.sources {
            let references = rendered.references.as_ref().map_err(Clone::clone)?;
            let Some(told) = digests::told(state, policy, self.application, references)? else {
                continue;
            };
            let current = digests::current(rendered.plugin).map(|(_, text)| text);
            refusal = refusal.or(told.refusal);
            causes.push(told.digest.at(0));
            let set = self.set_digest();
            is_set |= set.is_some_and(|set| told.digest.is_in(set));
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
        let kept = self.may_set_digest(is_set);
        if let Err(reason) = kept {
            for (_, new) in &mut digests.sources {
                *new = None;
            }
            if reason.class == Class::Contested {
                digests.refresh = self.refresh(cause);
            }
            return Err(reason);
        }
        digests.outcome = Outcome::Change;
        Ok(())
    }

    /// The digest that was set last.
    fn set_digest(&self) -> Option<&str> {
        let recorded = self
            .last
            .as_ref()
            .and_then(|record| record.digest.as_deref());
        let remembered = self
            .remembered
            .and_then(|remembered| remembered.digest.as_deref());
        remembered.or(recorded)
    }

    /// Whether a digest will stay. `is_set` tells that this very one was set before, and is not there.
    fn may_set_digest(&self, is_set: bool) -> Result<(), Reason> {
        let managers = &self.application.metadata.managers;
        let field = self.field(Field::Env);
        let managers = match field {
            Field::Sources => &managers.sources,
            _ => &managers.env,
        };
        if is_set && !managers.iter().any(holds::is_own) {
            return Err(holds::digest_removed());
        }
        ownership::judge(
            self.application,
            &[field],
            &self.owners,
            &self.decider.state.instance,
        )
    }

    /// The cause of a refresh, where it is still to be asked for.
    fn refresh(&mut self, cause: String) -> Option<String> {
        let recorded = self
            .last
            .as_ref()
            .and_then(|record| record.refresh.as_ref());
        let remembered = self
            .remembered
            .and_then(|remembered| remembered.refresh.as_ref());
        let before = remembered
            .or(recorded)
            .filter(|refresh| refresh.cause == cause);
        let Some(Refresh { at, .. }) = before else {
            return Some(cause);
        };
        let due = holds::refresh_is_due(self.application, &self.annotations, *at, self.decider.now);
        match due {
            Ok(is_due) => is_due.then_some(cause),
            Err(until) => {
                self.look_again(Some(until));
                None
            }
        }
    }

    /// What is written.
    fn patch(
        &self,
        moves: &Moves<'a>,
        digests: Option<&Digests<'a>>,
        is_held: bool,
    ) -> Option<super::plan::Patch> {
        if is_held {
            return None;
        }
        let now = self.decider.now;
        let mut builder = Builder::new(self.application, self.decider.policy);
        let wanted = moves.wanted.as_ref();
        let moved = wanted.filter(|_| moves.outcome == Outcome::Change);
        if let Some(wanted) = moved {
            for Moving { pointer, source } in &moves.sources {
                if !same(source.revision(), &wanted.revision) {
                    builder.revision(pointer, source, &wanted.revision, &wanted.origin);
                }
            }
        }
        let mut digest = None;
        for (rendered, new) in digests.iter().flat_map(|digests| &digests.sources) {
            if let Some(new) = new {
                builder.digest(&rendered.pointer, rendered.source, rendered.plugin, new);
                digest = Some(new.clone());
            }
        }
        if let Some(operation) = self.outdated(moves, digests) {
            builder.terminate(operation);
        }
        let refresh = digests.and_then(|digests| digests.refresh.as_ref());
        if let Some(cause) = refresh {
            builder.refresh(&now.to_string(), cause);
        }
        let record = self.recorded(moves, digest, refresh);
        if let Some(record) = record.filter(|record| self.last.as_ref() != Some(record)) {
            if ownership::keeps_annotation(&self.owners, record::ANNOTATION) {
                builder.record(&record);
            }
        }
        builder.finish()
    }

    /// The operation that waits to be tried again with what is no longer wanted.
    fn outdated(
        &self,
        moves: &Moves<'_>,
        digests: Option<&Digests<'_>>,
    ) -> Option<&'a super::application::OperationState> {
        let wanted = moves.wanted.as_ref()?;
        if matches!(moves.outcome, Outcome::Stays(_)) {
            return None;
        }
        let all = self.application.sources();
        operation::outdated(self.application, |place, tried| {
            let Some((pointer, source)) = all.get(place) else {
                return true;
            };
            let is_moving = moves
                .sources
                .iter()
                .any(|moving| moving.pointer == *pointer);
            let revision = if is_moving {
                wanted.revision.as_str()
            } else {
                source.revision()
            };
            let mut rendered = digests.iter().flat_map(|digests| &digests.sources);
            let rendered = rendered.find(|(rendered, _)| rendered.pointer == *pointer);
            let digest = match rendered {
                Some((_, Some(new))) => Some(new.as_str()),
                _ => source
                    .plugin
                    .as_ref()
                    .and_then(|plugin| Some(digests::current(plugin)?.1)),
            };
            operation::is_alike(tried, revision, digest)
        })
    }

    /// What is known after this decision, where it is worth a note.
    fn recorded(
        &self,
        moves: &Moves<'_>,
        digest: Option<String>,
        refresh: Option<&String>,
    ) -> Option<Record> {
        let before = self.last.clone();
        let mut record = before.clone().unwrap_or_default();
        let is_settled = !matches!(moves.outcome, Outcome::Stays(_));
        if let Some(wanted) = moves.wanted.as_ref().filter(|_| is_settled) {
            let origin = Recorded::of(&wanted.origin, moves.rank);
            let is_change = moves.outcome == Outcome::Change;
            let is_override = wanted.origin != Origin::Default;
            if is_change || is_override || before.is_some() {
                // What nobody set here is nobody else's change either.
                let was_set = self
                    .record
                    .as_ref()
                    .is_some_and(|record| record.revision.is_some());
                let is_known = is_change || is_override || was_set;
                record.environment = self.environment.to_owned();
                record.revision = is_known.then(|| wanted.revision.clone());
                record.origin = origin;
            }
            if is_change {
                record.moved = Some(record::seconds(self.decider.now));
            }
        }
        if digest.is_some() {
            record.digest = digest;
        }
        if let Some(cause) = refresh {
            record.refresh = Some(Refresh {
                cause: cause.clone(),
                at: record::seconds(self.decider.now),
            });
        }
        if record.environment.is_empty() {
            record.environment = self.environment.to_owned();
        }
        let is_empty = before.is_none()
            && record.revision.is_none()
            && record.origin.is_none()
            && record.digest.is_none()
            && record.refresh.is_none();
        (!is_empty).then_some(record)
    }
}

impl Digests<'_> {
    fn objects(&self) -> Vec<crate::settings::object::ObjectName> {
        let references = self
            .sources
            .iter()
            .flat_map(|(rendered, _)| rendered.references.iter().flatten());
        references
            .map(|reference| reference.object.clone())
            .collect()
    }
}

#[cfg(test)]
mod specification;
