//! What becomes of the revision of an Application.

use super::work::Work;
use crate::steer::application::Manager;
use crate::steer::desired::{Desired, Rank};
use crate::steer::holds;
use crate::steer::owner::OwnerName;
use crate::steer::ownership::Field;
use crate::steer::plan::{Outcome, Wanted};
use crate::steer::policy::Environment;
use crate::steer::reason::{Code, Reason};
use crate::steer::revision::same;
use crate::steer::sources::{self, Moving};

/// What is found of the revision.
pub(super) struct Moves<'a> {
    pub(super) default: Option<String>,
    pub(super) wanted: Option<Wanted>,
    pub(super) rank: Option<Rank>,
    pub(super) sources: Vec<Moving<'a>>,
    pub(super) outcome: Outcome,
    /// Whether it is set once more, since an owner put it back by mistake.
    pub(super) answers: bool,
}

impl<'a> Work<'_, 'a> {
    /// The environment, where the Application may be in it.
    pub(super) fn environment(&self) -> Result<&'a Environment, Reason> {
        let name = self.environment;
        let environment = self.decider.policy.environments.get(name).ok_or_else(|| {
            let label = &self.decider.policy.environment_label;
            Reason::new(
                Code::UnknownEnvironment,
                format!("its label `{label}` names an environment that the policy does not have"),
            )
            .hint("name one of the policy's environments, or add it there")
        })?;
        let projects = environment.projects.as_ref();
        let project = self.application.project();
        if projects.is_some_and(|projects| !projects.contains(project)) {
            return Err(Reason::new(
                Code::ProjectNotAllowed,
                format!(
                    "Applications of the project `{project}` may not be in the environment `{name}`"
                ),
            )
            .hint("ask whoever keeps the policy to add the project to the environment"));
        }
        Ok(environment)
    }

    /// What becomes of the revision.
    pub(super) fn moves(&mut self, held: Option<&Reason>, stopped: Option<Reason>) -> Moves<'a> {
        let mut moves = Moves {
            default: None,
            wanted: None,
            rank: None,
            sources: Vec::new(),
            outcome: Outcome::Same,
            answers: false,
        };
        if let Err(reason) = self.look(&mut moves, held, stopped) {
            moves.outcome = Outcome::Stays(reason);
        }
        moves
    }

    pub(super) fn look(
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
        moves.answers = self.left_to_others(&wanted.revision)?;
        self.judge(self.field(Field::TargetRevision))?;
        self.calm()?;
        stopped.map_or(Ok(()), Err)?;
        moves.outcome = Outcome::Change;
        Ok(())
    }

    /// The field that a patch touches: a list of sources is one field.
    pub(super) fn field(&self, field: Field) -> Field {
        if self.application.spec.sources.is_empty() {
            field
        } else {
            Field::Sources
        }
    }

    /// Who last wrote the revision.
    pub(super) fn managers(&self) -> &[Manager] {
        let managers = &self.application.metadata.managers;
        match self.field(Field::TargetRevision) {
            Field::Sources => &managers.sources,
            _ => &managers.target_revision,
        }
    }

    /// Whether the revision was set here and is not the default, as far as the fields' managers tell.
    pub(super) fn was_set(&self, sources: &[Moving<'_>], environment: &Environment) -> bool {
        let is_default = |moving: &Moving<'_>| same(moving.source.revision(), &environment.default);
        let managers = self.managers();
        !managers.is_empty()
            && managers.iter().all(holds::is_own)
            && !sources.iter().all(is_default)
    }

    /// Somebody else changed what was set here: it stays until another revision is wanted. Gives whether an owner did so by
    /// mistake, so that it is set once more.
    pub(super) fn left_to_others(&self, wanted: &str) -> Result<bool, Reason> {
        let record = self.record.as_ref();
        let set = self.last_set(
            record.and_then(|record| record.revision.as_deref()),
            |remembered| remembered.revision.as_deref(),
        );
        let managers = self.managers();
        let is_set = |owner: &OwnerName| matches!(owner, OwnerName::ApplicationSet(_));
        let is_generated = self.owners.iter().any(|(name, _)| is_set(name));
        match set {
            // A digest makes the whole list of sources ours, and says nothing of who wrote the revisions in it.
            Some(set)
                if same(set, wanted)
                    && (self.field(Field::TargetRevision) == Field::Sources
                        || !managers.iter().any(holds::is_own)) =>
            {
                let moved = self.last_set(
                    record.and_then(|record| record.moved.as_ref()),
                    |remembered| remembered.moves.last(),
                );
                if self.is_relapse(managers, moved.copied(), |answered| answered.revision) {
                    return Ok(true);
                }
                Err(holds::changed(managers))
            }
            // What an ApplicationSet made may have no record, and a person did not create it.
            None if is_generated && holds::is_of_person(managers) => {
                let left = self
                    .remembered
                    .and_then(|remembered| remembered.left.as_deref());
                match left {
                    Some(left) if !same(left, wanted) => Ok(false),
                    _ => Err(holds::changed(managers)),
                }
            }
            _ => Ok(false),
        }
    }

    /// The revision has not changed too often.
    pub(super) fn calm(&mut self) -> Result<(), Reason> {
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
}
