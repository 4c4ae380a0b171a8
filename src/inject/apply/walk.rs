//! The way through one template: every text is looked at, and what it asks for is put in.

use goyaml::{Data, Node, Position, Style, Tag, Text};
use kustomize::{Gvk, NamedPath, ResId, Resource};

use super::super::dollars::{Guarded, Part};
use super::super::empty;
use super::super::evaluate::{Evaluator, Outcome, Refusal};
use super::super::field::{Path, Room, Step};
use super::super::scanner::{self, Piece, Placeholder};
use super::super::secret_data;
use super::super::unmarked::locate;
use super::super::uses::Use;
use super::{Filler, not_declared};
use crate::failure::{Item, Problem};
use crate::settings::{Place, schema};

/// What a walk leaves to be looked after.
pub(super) struct Walked {
    /// The dollar signs of values.
    pub(super) guarded: Vec<Guarded>,
    /// The fields that blocks went into.
    pub(super) blocks: Vec<NamedPath>,
}

/// Fills a template.
pub(super) fn fill(filler: &mut Filler<'_>, resource: &mut Resource) -> Walked {
    let mut walk = Walk {
        filler,
        gvk: resource.gvk().clone(),
        id: resource.id().clone(),
        is_generated: resource.notes.behavior.is_some(),
        templates: Vec::new(),
        path: Path::default(),
        guarded: Vec::new(),
        blocks: Vec::new(),
        is_secret: resource.gvk().kind == "Secret",
    };
    walk.node(resource.node_mut());
    let Walk {
        guarded, blocks, ..
    } = walk;
    Walked { guarded, blocks }
}

/// The way through one template.
struct Walk<'w, 'a> {
    filler: &'w mut Filler<'a>,
    gvk: Gvk,
    id: ResId,
    is_generated: bool,
    /// The pod templates around what is being looked at.
    templates: Vec<Path>,
    path: Path,
    guarded: Vec<Guarded>,
    /// The fields that have become blocks out of values.
    blocks: Vec<NamedPath>,
    /// Whether texts may be in base64.
    is_secret: bool,
}

/// Whether a node is a scalar in which nothing can be filled.
fn is_plain(node: &Node) -> bool {
    match &node.data {
        Data::Scalar(text) => !text.as_bytes().contains(&b'$'),
        _ => false,
    }
}

impl Walk<'_, '_> {
    fn node(&mut self, node: &mut Node) {
        let is_template = empty::is_template(&self.path, node);
        if is_template {
            self.templates.push(self.path.clone());
        }
        self.inner(node);
        if is_template {
            self.templates.pop();
        }
    }

    fn inner(&mut self, node: &mut Node) {
        match &mut node.data {
            Data::Alias(_) => {}
            Data::Scalar(_) => self.scalar(node),
            Data::Sequence(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.path.0.push(Step::Index(index));
                    self.node(item);
                    self.path.0.pop();
                }
            }
            Data::Mapping(entries) => {
                for (key, value) in entries {
                    // Most fields are texts without anything to fill, and need no path.
                    if !self.is_secret && is_plain(key) && is_plain(value) {
                        continue;
                    }
                    self.path
                        .0
                        .push(Step::Key(key.to_text().unwrap_or_default()));
                    if key.as_str().and_then(scanner::first_setting).is_some() {
                        let hint = "move the placeholder into the value";
                        self.report(
                            key.position,
                            Problem::new("no setting may go into a key").hint(hint),
                        );
                    }
                    self.node(value);
                    self.path.0.pop();
                }
            }
        }
    }

    fn scalar(&mut self, node: &mut Node) {
        let Some(text) = node.to_text() else { return };
        if scanner::may_hold_placeholders(&text) {
            match self.path.room(&self.gvk) {
                room @ (Room::Any | Room::Text | Room::Base64) => self.fill(node, &text, room),
                Room::Identity => self.refuse(
                    node,
                    &text,
                    &format!("no setting may go into `{}`", self.path),
                ),
                Room::Decision => self.refuse(
                    node,
                    &text,
                    "a placeholder stands in an annotation that decides what becomes of the object",
                ),
                Room::Permissions => {
                    self.refuse(
                        node,
                        &text,
                        "no setting may go into an RBAC object, which says who may do what",
                    );
                }
            }
        } else if self.path.room(&self.gvk) == Room::Base64 {
            self.fill_encoded(node, &text);
        }
    }

    fn refuse(&mut self, node: &Node, text: &str, message: &str) {
        if let Some(offset) = scanner::first_setting(text) {
            let problem = Problem::new(message).hint("write the value into the repository");
            self.report(locate(node, text, offset), problem);
        }
    }

    fn fill(&mut self, node: &mut Node, text: &str, room: Room) {
        let Some(pieces) = self.pieces(node, text) else {
            return;
        };
        if let ([Piece::Placeholder(placeholder)], Room::Any) = (pieces.as_slice(), room) {
            if let Some(outcome) = self.evaluate(node, text, *placeholder) {
                let position = node.position;
                let made = whole(outcome);
                let mut templates = empty::templates(&made, &self.path);
                templates.extend_from_slice(&self.templates);
                if let Some((field, _)) = empty::below(&made, &self.path, &templates).first() {
                    return self.refuse_empty(locate(node, text, placeholder.offset), field);
                }
                self.guarded.extend(Guarded::all(&self.path, &made));
                if !made.is_scalar() {
                    self.blocks.push(self.path.named());
                }
                *node = made;
                node.position = position;
                node.protect();
            }
        } else if let Some(filled) = self.join(node, text, &pieces) {
            if room == Room::Base64 && !secret_data::is_base64(&filled) {
                let problem =
                    Problem::new("the field holds base64, and the placeholder makes none")
                        .hint("add the filter `b64encode`, or move the field to `stringData`");
                return self.report(node.position, problem);
            }
            let is_plain_text = matches!(node.tag, Tag::Str);
            node.data = Data::Scalar(filled.clone());
            if is_plain_text {
                node.style = text_style(&filled);
            }
            node.protect();
        }
    }

    /// Complains of a value that would make a field empty which somebody else adds to.
    fn refuse_empty(&mut self, position: Position, field: &Path) {
        let keys: Vec<String> = self.filler.evaluator.keys_read().into_iter().collect();
        let names: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
        let last = field.last_key().unwrap_or_default();
        let message = format!(
            "setting {} makes an empty `{last}` in a pod template",
            names.join(" or ")
        );
        let hint = "give it at least one entry: once Reloader or the like has added to an empty one, Argo CD reports a difference for ever";
        let mut problem = Problem::new(message).hint(hint);
        problem.field = Some(empty::without_value(field, &self.path).to_string());
        self.add_sources(&keys, &mut problem);
        self.report(position, problem);
    }

    fn add_sources(&self, keys: &[String], problem: &mut Problem) {
        let resolved = self.filler.evaluator.resolved();
        problem.items.extend(keys.iter().filter_map(|key| {
            let setting = resolved.get(key)?;
            setting.value.as_ref()?;
            let (text, place, is_in_repository) = setting.source();
            let Place { file, line } = place.clone();
            Some(Item {
                text: text.into(),
                file,
                line,
                is_in_repository,
            })
        }));
    }

    /// Fills a value of a Secret that holds its text in base64.
    fn fill_encoded(&mut self, node: &mut Node, text: &str) {
        let Some(decoded) =
            secret_data::decode(text).filter(|decoded| scanner::may_hold_placeholders(decoded))
        else {
            return;
        };
        let Some(pieces) = self.pieces(node, &decoded) else {
            return;
        };
        let Some(filled) = self.join(node, &decoded, &pieces) else {
            return;
        };
        let is_wrapped = self.is_generated || text.trim_end().contains('\n');
        let encoded = secret_data::encode(filled.as_bytes(), is_wrapped);
        node.style = text_style(&encoded);
        node.data = Data::Scalar(encoded);
    }

    fn pieces<'t>(&mut self, node: &Node, text: &'t str) -> Option<Vec<Piece<'t>>> {
        match scanner::scan(text) {
            Ok(pieces) => Some(pieces),
            Err(open) => {
                let problem = Problem::new("a placeholder begins with `${{` and does not end")
                    .hint("close it with `}}`, or write `$${{` for the text `${{`");
                self.report(locate(node, text, open.offset), problem);
                None
            }
        }
    }

    /// Puts the pieces of a text together; all of its placeholders are tried, so that all that is wrong is reported.
    fn join(&mut self, node: &Node, text: &str, pieces: &[Piece<'_>]) -> Option<Text> {
        let mut parts = Some(Vec::with_capacity(pieces.len()));
        for piece in pieces {
            let part = match piece {
                Piece::Text(part) => Some((Text::from(*part), false)),
                Piece::Escape => Some((Text::from("${{"), false)),
                Piece::Placeholder(placeholder) => {
                    self.evaluate(node, text, *placeholder).and_then(|outcome| match outcome {
                        Outcome::Text(text) | Outcome::Scalar(text, _) => Some((text, true)),
                        Outcome::Block(_) => {
                            let problem = Problem::new("`yaml` and `json` make a block, and this field is a text")
                                .hint("remove the filter, or make the placeholder the whole value of the field");
                            self.report(locate(node, text, placeholder.offset), problem);
                            None
                        }
                    })
                }
            };
            match (&mut parts, part) {
                (Some(parts), Some(part)) => parts.push(part),
                _ => parts = None,
            }
        }
        let parts = parts?;
        let guarded = parts.iter().map(|(part, is_value)| {
            if *is_value {
                Part::Value(part)
            } else {
                Part::Repository(part)
            }
        });
        let guarded: Vec<Part<'_>> = guarded.collect();
        self.guarded.extend(Guarded::new(&self.path, &guarded));
        Some(parts.iter().map(|(part, _)| part.as_str()).collect())
    }

    fn evaluate(
        &mut self,
        node: &Node,
        text: &str,
        placeholder: Placeholder<'_>,
    ) -> Option<Outcome> {
        if self.filler.budget.is_spent() {
            return None;
        }
        let evaluated = self.filler.evaluator.evaluate(placeholder.expression);
        let position = locate(node, text, placeholder.offset);
        self.note_use(position);
        let read = self.filler.evaluator.bytes_read();
        if let Err(problem) = self.filler.budget.charge(read, evaluated.as_ref().ok()) {
            self.report(position, problem);
            return None;
        }
        let problem = match evaluated {
            Ok(outcome) => return Some(outcome),
            // All missing settings of a build are reported together.
            Err(Refusal::Missing(keys)) => {
                self.note_missing(keys, position);
                return None;
            }
            // What its rule says of the value is reported already.
            Err(Refusal::WrongType { keys, .. }) if self.is_refused(&keys) => return None,
            Err(Refusal::NoBlock(keys)) => no_block(&keys),
            Err(Refusal::Undeclared(key)) => {
                let problem = self.undeclared(&key);
                self.filler.undeclared.insert(key);
                problem
            }
            Err(Refusal::WrongType { keys, expected }) => wrong_type(&keys, &expected, self.filler.evaluator),
            Err(Refusal::Syntax(message)) => Problem::new(message)
                .hint("a placeholder is `${{ settings.KEY }}` or `${{ settings.KEY | filter }}`; `$${{` is the text `${{`"),
        };
        self.report(position, problem);
        None
    }

    fn note_use(&mut self, position: Position) {
        let place = Place::of(position, self.filler.names);
        let keys = self.filler.evaluator.keys_read();
        if !keys.is_empty() {
            let noted = Use::of(&self.id, &self.path, place, keys);
            self.filler.uses.push(noted);
        }
    }

    fn note_missing(&mut self, keys: Vec<String>, position: Position) {
        let place = Place::of(position, self.filler.names);
        for key in keys {
            self.filler
                .asked
                .entry(key)
                .or_default()
                .insert(place.clone());
        }
    }

    fn is_refused(&self, keys: &[String]) -> bool {
        let resolved = self.filler.evaluator.resolved();
        keys.iter()
            .filter_map(|key| resolved.get(key))
            .any(|setting| !setting.violations().is_empty())
    }

    fn undeclared(&self, key: &str) -> Problem {
        let resolved = self.filler.evaluator.resolved();
        let problem = Problem::new(not_declared(key));
        match resolved.nearest(key) {
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None => problem.hint("add the key to the ConfigMap that declares the settings"),
        }
    }

    fn report(&mut self, position: Position, mut problem: Problem) {
        let usual = || self.path.to_string();
        problem.field = Some(problem.field.take().unwrap_or_else(usual));
        let problem = problem
            .in_repository(self.filler.names.get(position.file), position)
            .resource(&self.id);
        self.filler.problems.push(problem);
    }
}

fn wrong_type(keys: &[String], expected: &str, evaluator: &Evaluator) -> Problem {
    let [key] = keys else {
        return Problem::new(format!("a setting of the placeholder is not {expected}"))
            .hint("change the value, or take another filter");
    };
    let mut problem = Problem::new(format!("setting `{key}` is not {expected}"))
        .hint("change the value, or take a filter that fits it");
    if let Some(setting) = evaluator.resolved().get(key) {
        let (text, place, is_in_repository) = setting.source();
        let Place { file, line } = place.clone();
        problem.items.push(Item {
            text: text.into(),
            file,
            line,
            is_in_repository,
        });
    }
    problem
}

fn no_block(keys: &[String]) -> Problem {
    let key = keys.first().map(String::as_str).unwrap_or_default();
    Problem::new(format!(
        "`yaml` and `json` are for settings that the schema gives such a type, and `{key}` is none"
    ))
    .hint(format!(
        "add `{key}: {{type: yaml}}` to the annotation `{}` of the ConfigMap that declares it",
        schema::ANNOTATION
    ))
}

fn whole(outcome: Outcome) -> Node {
    match outcome {
        Outcome::Text(text) => {
            let style = text_style(&text);
            Node::new(Data::Scalar(text), Tag::Str, style)
        }
        Outcome::Scalar(text, tag) => Node::scalar(text, tag),
        Outcome::Block(node) => node,
    }
}

fn text_style(text: &str) -> Style {
    if text.contains('\n') {
        Style::LITERAL
    } else {
        Style::PLAIN
    }
}
