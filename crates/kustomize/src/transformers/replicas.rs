//! `replicas`.

use goyaml::{Node, Tag};

use crate::decode;
use crate::error::{Error, Result};
use crate::field_spec::{Create, FieldSpec};
use crate::kustomization::Replica;
use crate::metadata;
use crate::resource::Resource;
use crate::resources::Resources;

/// Sets the replica count of the resources of a name.
///
/// # Errors
/// Where there is none of that name among the kinds that have replicas.
// kustomize: ReplicaCountTransformer
pub(crate) fn apply(
    replica: &Replica,
    specs: &[FieldSpec],
    resources: &mut Resources,
) -> Result<()> {
    let mut found = false;
    for spec in specs {
        let matches =
            resources.positions_by_any_id(&replica.name, |id| id.gvk.is_selected_by(&spec.gvk));
        for index in matches {
            let Some(resource) = resources.get_mut(index) else {
                continue;
            };
            found = true;
            let count = Node::scalar(replica.count.to_string(), Tag::Int);
            let result = spec.apply(resource.node_mut(), Create::Scalar(Tag::Int), &mut |node| {
                if !node.is_scalar() {
                    return Err(Error::new("a replica count can only replace a number")
                        .position(node.position)
                        .hint("write a number there, or correct the path in `configurations`"));
                }
                metadata::replace_scalar(node, count.clone());
                Ok(())
            });
            result.map_err(|error| error.resource(resource.id()))?;
        }
    }
    if found {
        return Ok(());
    }
    let kinds: Vec<&str> = specs.iter().map(|spec| spec.gvk.kind.as_str()).collect();
    let of_kind = |resource: &&Resource| {
        let gvk = resource.gvk();
        specs.iter().any(|spec| gvk.is_selected_by(&spec.gvk))
    };
    let names: Vec<&str> = (resources.iter().filter(of_kind))
        .map(|resource| resource.name().as_str())
        .collect();
    let meant =
        decode::nearest(&replica.name, &names).map(|near| format!("did you mean `{near}`?"));
    Err(Error::new(format!("no resource named `{}` has replicas", replica.name))
        .position(replica.position)
        .field("replicas")
        .hint(meant.unwrap_or_else(|| format!("the kinds that have replicas are {}; the name is the one without prefix and suffix", kinds.join(", ")))))
}
