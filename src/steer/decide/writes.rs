//! What is written of a decision.

use super::moves::Moves;
use super::settings::Digests;
use super::work::Work;
use crate::steer::application::OperationState;
use crate::steer::digests;
use crate::steer::operation;
use crate::steer::ownership;
use crate::steer::patch::Builder;
use crate::steer::plan::{Answers, Origin, Outcome, Patch};
use crate::steer::record::{self, Record, Recorded, Refresh};
use crate::steer::revision::same;
use crate::steer::sources::Moving;

impl<'a> Work<'_, 'a> {
    /// What is written.
    pub(super) fn patch(
        &self,
        moves: &Moves<'a>,
        digests: Option<&Digests<'a>>,
        is_held: bool,
    ) -> Option<Patch> {
        if is_held {
            return None;
        }
        let now = self.decider.now;
        let mut builder = Builder::new(self.application, self.decider.policy);
        let wanted = moves.wanted.as_ref();
        let is_change = moves.outcome == Outcome::Change;
        if let Some(wanted) = wanted.filter(|_| is_change) {
            for Moving { pointer, source } in &moves.sources {
                if !same(source.revision(), &wanted.revision) {
                    builder.revision(pointer, source, &wanted.revision, &wanted.origin);
                }
            }
        }
        for (rendered, new) in digests.iter().flat_map(|digests| &digests.sources) {
            if let Some(new) = new {
                builder.digest(&rendered.pointer, rendered.source, rendered.plugin, new);
            }
        }
        if let Some(operation) = self.outdated(moves, digests) {
            builder.terminate(operation);
        }
        let is_set = |digests: &Digests<'_>| digests.answers && digests.outcome == Outcome::Change;
        builder.answer(Answers {
            revision: is_change && moves.answers,
            digest: digests.is_some_and(is_set),
        });
        let refresh = digests.and_then(|digests| digests.refresh.as_ref());
        if let Some(cause) = refresh {
            builder.refresh(&now.to_string(), cause);
        }
        let record = self.recorded(moves, written_digests(digests), refresh);
        let record = record.filter(|record| self.last.as_ref() != Some(record));
        let stays = || ownership::keeps_annotation(&self.owners, record::ANNOTATION);
        if let Some(record) = record.filter(|_| stays()) {
            builder.record(&record);
        }
        builder.finish()
    }

    /// The operation that waits to be tried again with what is no longer wanted.
    pub(super) fn outdated(
        &self,
        moves: &Moves<'_>,
        digests: Option<&Digests<'_>>,
    ) -> Option<&'a OperationState> {
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
    pub(super) fn recorded(
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
                self.environment.clone_into(&mut record.environment);
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
            self.environment.clone_into(&mut record.environment);
        }
        let is_empty = before.is_none()
            && record.revision.is_none()
            && record.origin.is_none()
            && record.digest.is_none()
            && record.refresh.is_none();
        (!is_empty).then_some(record)
    }
}

/// The digests of all sources after the patch, with blanks between them; `None` where none changes.
fn written_digests(digests: Option<&Digests<'_>>) -> Option<String> {
    let sources = &digests?.sources;
    sources.iter().find_map(|(_, new)| new.as_ref())?;
    let texts = sources.iter().filter_map(|(rendered, new)| {
        let current = || digests::current(rendered.plugin).map(|(_, text)| text);
        new.as_deref().or_else(current)
    });
    Some(texts.collect::<Vec<_>>().join(" "))
}
