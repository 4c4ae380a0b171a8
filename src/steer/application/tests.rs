//! What is kept of an Application is kept once, and without room ahead.

use serde_json::json;

use super::*;

#[test]
fn sources_that_are_the_same_are_held_once_and_others_stay_what_they_are() {
    let of = |revision: &str| json!({"repoURL": "r", "targetRevision": revision});
    let (wanted, before) = (of("b"), of("a"));
    let whole = |compared: &serde_json::Value| {
        json!({
            "metadata": {"name": "lamp"},
            "spec": {"source": wanted},
            "status": {
                "sync": {"comparedTo": {"source": compared}},
                "operationState": {
                    "operation": {"sync": {"sources": [before]}},
                    "syncResult": {"source": before},
                },
            },
        })
    };
    for compared in [&wanted, &before] {
        let plain: Application = serde_json::from_value(whole(compared)).unwrap();
        let mut shared = plain.clone();
        shared.share();
        assert_eq!(format!("{shared:?}"), format!("{plain:?}"));
        let state = shared.status.operation_state.as_ref().unwrap();
        let compared_to = shared.status.sync.compared_to.source.as_ref().unwrap();
        let is_wanted = Arc::ptr_eq(compared_to, shared.spec.source.as_ref().unwrap());
        let is_result = Arc::ptr_eq(compared_to, state.sync_result.source.as_ref().unwrap());
        assert_eq!(is_wanted, compared == &wanted);
        assert_eq!(is_result, compared == &before);
    }
}

#[test]
fn lists_have_no_room_ahead() {
    let application: Application = serde_json::from_value(json!({
        "metadata": {"name": "lamp", "managedFields": [
            {"manager": "a", "operation": "Update", "fieldsV1": {"f:spec": {"f:source": {"f:targetRevision": {}}}}},
        ]},
        "spec": {"source": {"plugin": {"env": [{"name": "A", "value": "1"}], "parameters": null}}},
    }))
    .unwrap();
    let plugin = application
        .spec
        .source
        .as_ref()
        .and_then(|source| source.plugin.as_ref());
    let plugin = plugin.unwrap();
    assert_eq!(plugin.env.as_ref().map(Vec::capacity), Some(1));
    assert!(plugin.parameters.is_empty());
    assert_eq!(application.metadata.managers.target_revision.capacity(), 1);
}

#[test]
fn what_argo_cd_calls_an_application_is_read_as_it_is_written() {
    for (namespace, instance) in [("argocd", "lamp"), ("team", "team_lamp")] {
        let name = Name::new(namespace, "lamp");
        assert_eq!(name.instance("argocd"), instance);
        assert_eq!(Name::of_instance(instance, "argocd"), name);
    }
}
