//! `vars`: values of fields that take the place of `$(NAME)` in others.

mod substitute;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use goyaml::{Node, Tag, Text};

use crate::config::Config;
use crate::error::{Error, Result};
use crate::field_path;
use crate::field_spec::Create;
use crate::kustomization::Var;
use crate::limits::Budget;
use crate::meant;
use crate::resource::Resource;
use crate::resources::Resources;

use substitute::{Substitution, Value};

/// The variables that the kustomizations so far have defined, by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Variables(BTreeMap<Text, Var>);

impl Variables {
    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the variables of a kustomization, and notes them in the resources that their values are read from.
    ///
    /// # Errors
    /// Where a name is taken, and where several resources could be meant.
    // kustomize: ResAccumulator.MergeVars
    pub(crate) fn add(&mut self, variables: &[Var], resources: &mut Resources) -> Result<()> {
        for variable in variables {
            let target = &variable.object;
            let matches = resources.positions_by_any_id(&target.name, |id| {
                target.is_same_but_namespace(id)
                    && (target.namespace.is_empty() || target.is_in_namespace_of(id))
            });
            match matches.as_slice() {
                [] => {}
                [index] => {
                    if let Some(resource) = resources.get_mut(*index) {
                        resource.variables.push(variable.name.clone());
                    }
                }
                several => {
                    let places = several.iter().map(|index| resources.place(*index));
                    return Err(Error::new(format!(
                        "several resources match `objref` of variable `{}`",
                        variable.name
                    ))
                    .related_to_each("one stands at", places)
                    .position(variable.position)
                    .hint("add the namespace of the one that is meant to `objref`"));
                }
            }
        }
        variables
            .iter()
            .try_for_each(|variable| self.insert(variable.clone()))
    }

    /// Adds the variables of another kustomization.
    ///
    /// # Errors
    /// Where a name is taken.
    // kustomize: VarSet.MergeSet
    pub(crate) fn merge(&mut self, other: Self) -> Result<()> {
        other
            .0
            .into_values()
            .try_for_each(|variable| self.insert(variable))
    }

    fn insert(&mut self, variable: Var) -> Result<()> {
        match self.0.entry(variable.name.clone()) {
            Entry::Vacant(slot) => {
                slot.insert(variable);
                Ok(())
            }
            Entry::Occupied(known) => Err(Error::new(format!(
                "variable `{}` is defined twice",
                known.key()
            ))
            .position(variable.position)
            .related("the other one stands at", known.get().position)
            .field("vars")
            .hint("give one of the two another name")),
        }
    }

    /// Puts the values of the variables into the fields, and warns of variables that no field refers to.
    ///
    /// # Errors
    /// Where a variable has no value, and where a field that may refer to variables is of another type.
    // kustomize: ResAccumulator.ResolveVars and refVarTransformer.Transform
    pub(crate) fn resolve(
        &self,
        config: &Config,
        resources: &mut Resources,
        budget: &Budget,
        warnings: &mut Vec<String>,
    ) -> Result<()> {
        let mut substitution = Substitution::new(self.values(resources)?, budget);
        for resource in resources.as_mut_slice() {
            budget.check_time()?;
            for spec in config.get().var_reference.iter() {
                if spec.covers(resource.node()) {
                    let id = resource.id().clone();
                    // A field spec of some configuration may be what is wrong: then this is the nearest place.
                    let position = resource.node().position;
                    spec.apply(resource.node_mut(), Create::Never, &mut |node| {
                        substitution.apply(node)
                    })
                    .map_err(|error| error.position(position).resource(&id))?;
                    resource.settle_shared();
                }
            }
        }
        let unused = substitution.unused();
        if !unused.is_empty() {
            warnings.push(format!(
                "well-defined vars that were never replaced: {}",
                unused.join(",")
            ));
        }
        Ok(())
    }

    // kustomize: ResAccumulator.makeVarReplacementMap
    fn values(&self, resources: &Resources) -> Result<BTreeMap<Text, Value>> {
        let mut values = BTreeMap::new();
        for (name, variable) in &self.0 {
            let source = resources.iter().find(|resource| resource.variables.contains(name)).ok_or_else(|| {
                Error::new(format!("no resource matches `objref` of variable `{name}`"))
                    .position(variable.position)
                    .field("vars")
                    .hint(meant::hint(&variable.object, resources).unwrap_or_else(|| "`objref` needs the apiVersion, kind and name that the resource has in its file".to_owned()))
            })?;
            values.insert(name.clone(), value_of(variable, source)?);
        }
        Ok(values)
    }
}

// kustomize: ResAccumulator.findVarValueFromResources and RNode.GetFieldValue
fn value_of(variable: &Var, source: &Resource) -> Result<Value> {
    let path = if variable.field_path.is_empty() {
        "metadata.name"
    } else {
        &variable.field_path
    };
    let missing = || {
        Error::new(format!(
            "variable `{}` has no value: there is no field `{path}`",
            variable.name
        ))
        .position(variable.position)
        .related("the resource stands at", source.node().position)
        .field("vars")
        .resource(source.id())
        .hint("check `fieldref.fieldpath`; without it, it is `metadata.name`")
    };
    let found = field_path::lookup(source.node(), &with_indices(path)).map_err(|_| missing())?;
    let node = found.ok_or_else(missing)?;
    read(node).ok_or_else(|| {
        Error::new(format!(
            "variable `{}` cannot have the number in `{path}` as its value",
            variable.name
        ))
        .position(node.position)
        .resource(source.id())
        .hint("write the number in plain decimal digits, or put it in quotes")
    })
}

/// A number is read by Go's functions for numbers, which know less than YAML does.
fn read(node: &Node) -> Option<Value> {
    let Some(text) = node.to_text() else {
        return Some(Value::Collection);
    };
    if node.is_untyped() {
        return Some(Value::Text(text));
    }
    Some(match node.tag {
        Tag::Int => Value::Int(text.parse().ok()?),
        Tag::Float => Value::Float(
            text.parse()
                .ok()
                .filter(|number: &f64| number.is_finite())?,
        ),
        Tag::Bool => Value::Bool(text.eq_ignore_ascii_case("true")),
        _ => Value::Text(text),
    })
}

/// Splits a path and turns `ports[0]` into two parts.
// kustomize: kyaml convertSliceIndex
fn with_indices(path: &str) -> Vec<String> {
    let mut parts = Vec::new();
    for part in field_path::split(path) {
        let index = part
            .strip_suffix(']')
            .and_then(|part| part.rsplit_once('['));
        match index.filter(|(_, index)| {
            !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit())
        }) {
            Some((field, index)) => parts.extend([field, index].into_iter().map(str::to_owned)),
            None => parts.push(part),
        }
    }
    parts
}
