//! What holds for all Applications and objects.

use proptest::prelude::*;
use proptest::sample::select;

use std::collections::BTreeSet;

use super::*;
use crate::steer::Decider;

fn names() -> impl Strategy<Value = &'static str> {
    select(vec![
        "argocd/lamp",
        "argocd/a-b",
        "argocd/a.b",
        "team/lamp",
        "team/a-b",
    ])
}

fn applications() -> impl Strategy<Value = Vec<String>> {
    let revision = select(vec![
        "",
        "dev",
        "main",
        "feature",
        "refs/heads/dev",
        "refs/tags/v1",
        "mine",
    ]);
    let environment = select(vec!["dev", "prod", "staging", "qa"]);
    let marks = select(vec![
        "",
        "hold",
        "manual",
        "by=argocd-infisical",
        "by=argocd-server",
        "by=kubectl-patch set=dev",
        "set=feature",
        "chart",
        "project=other",
        "was=feature:Secret:argocd-infisical/a#ARGOCD_TARGET_REVISION:environment",
        "was=feature:ConfigMap:argocd-infisical/b#ARGOCD_TARGET_REVISION__LAMP:key",
        "by=argocd-infisical was=main:Secret:team/c#TARGET_REVISION:application",
    ]);
    let one = (names(), environment, revision, marks);
    let text = one.prop_map(|(name, environment, revision, marks)| {
        format!("{name} {environment}@{revision} {marks}")
    });
    prop::collection::vec(text, 1..5)
}

fn objects() -> impl Strategy<Value = Vec<String>> {
    let place = select(vec![
        "Secret argocd-infisical/a",
        "ConfigMap argocd-infisical/b",
        "Secret team/c",
        "Secret argocd/d",
        "Secret argocd-infisical/e",
    ]);
    let labels = select(vec![
        "dev",
        "prod",
        "staging",
        "-",
        "dev/lamp",
        "prod/lamp",
        "dev/team_lamp",
        "staging/a-b",
    ]);
    let key = select(vec![
        "ARGOCD_TARGET_REVISION",
        "TARGET_REVISION",
        "ARGOCD_TARGET_REVISION__LAMP",
        "ARGOCD_TARGET_REVISION__A_B",
        "ARGOCD_TARGET_REVISION__TEAM_LAMP",
        "OTHER",
    ]);
    let value = select(vec![
        "",
        "dev",
        "main",
        "feature",
        "refs/heads/feature",
        "refs/tags/v1",
        "1.x",
        "--x",
        "refs/pull/1/head",
        "HEAD",
    ]);
    let data = prop::collection::vec((key, value), 0..3);
    let text = (place, labels, data).prop_map(|(place, labels, data)| {
        let data: Vec<_> = data
            .into_iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        format!("{place} {labels} {}", data.join(" "))
    });
    prop::collection::vec(text, 0..5)
}

fn texts(all: &[String]) -> Vec<&str> {
    all.iter().map(String::as_str).collect()
}

/// The last text of each Application: an API server has no two of a name.
fn manifests(all: &[String]) -> Vec<Value> {
    let mut by_name = std::collections::BTreeMap::new();
    for text in all {
        let manifest = manifest(text);
        by_name.insert(text.split(' ').next().unwrap().to_owned(), manifest);
    }
    by_name.into_values().collect()
}

fn world(manifests: &[Value], objects: &[String]) -> State {
    let mut state = state(&[], &texts(objects));
    for manifest in manifests {
        let application: Application = serde_json::from_value(manifest.clone()).unwrap();
        let name = application.name();
        state.applications.insert(name, Box::new(application));
    }
    state
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_decision_that_is_carried_out_leaves_nothing_to_do(applications in applications(), objects in objects()) {
        let before = manifests(&applications);
        let plan = decide(&world(&before, &objects), &Policy::default(), now());
        let mut after = Vec::new();
        for manifest in &before {
            let name = &manifest["metadata"]["name"];
            let is_of = |decision: &&Decision| decision.application.name == *name
                && decision.application.namespace == manifest["metadata"]["namespace"];
            let decision = plan.decisions.iter().find(is_of).unwrap();
            after.push(patched(manifest, operations(decision)).unwrap());
        }
        let again = decide(&world(&after, &objects), &Policy::default(), now());
        for decision in &again.decisions {
            prop_assert!(decision.patch.is_none(), "{decision:#?}");
        }
    }

    #[test]
    fn the_order_of_things_does_not_matter(applications in applications(), objects in objects()) {
        let manifests = manifests(&applications);
        let forwards = decide(&world(&manifests, &objects), &Policy::default(), now());
        let names: BTreeSet<_> = objects.iter().map(|text| text.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect();
        prop_assume!(names.len() == objects.len());
        let (mut manifests, mut objects) = (manifests, objects);
        manifests.reverse();
        objects.reverse();
        let backwards = decide(&world(&manifests, &objects), &Policy::default(), now());
        prop_assert_eq!(format!("{forwards:?}"), format!("{backwards:?}"));
    }

    #[test]
    fn what_is_decided_of_some_is_what_is_decided_of_all(applications in applications(), objects in objects(), of_which in 0_usize..16, least in 0_usize..3) {
        let state = world(&manifests(&applications), &objects);
        let mut policy = Policy::default();
        policy.breaker.least = least;
        policy.breaker.percent = 0;
        let all = decide(&state, &policy, now());
        let decider = Decider::new(&state, &policy, now());
        let some = state.applications.values().enumerate().filter(|(place, _)| of_which >> place & 1 == 1);
        let some: Vec<Decision> = some.filter_map(|(_, application)| decider.decision(application)).collect();
        let names: Vec<_> = some.iter().map(|decision| decision.application.clone()).collect();
        let found = decider.with_breakers(some, BTreeSet::new());
        for name in names {
            let of = |decisions: &[Decision]| {
                let of: Vec<_> = decisions.iter().filter(|decision| decision.application == name).map(|decision| format!("{decision:?}")).collect();
                of
            };
            prop_assert_eq!(of(&found), of(&all.decisions));
        }
    }

    #[test]
    fn a_patch_is_a_difference_and_sets_one_revision(applications in applications(), objects in objects()) {
        let manifests = manifests(&applications);
        let plan = decide(&world(&manifests, &objects), &Policy::default(), now());
        for decision in &plan.decisions {
            let changes = decision.patch.iter().flat_map(|patch| &patch.changes);
            let revisions: Vec<_> = changes.filter(|change| change.field.ends_with("targetRevision")).collect();
            prop_assert_eq!(!revisions.is_empty(), decision.revision.outcome == Outcome::Change);
            for change in revisions {
                prop_assert_ne!(change.old.as_ref(), Some(&change.new));
                prop_assert_eq!(Some(&change.new), decision.revision.wanted.as_ref().map(|wanted| &wanted.revision));
            }
        }
    }

    #[test]
    fn nothing_is_written_for_what_is_unknown(applications in applications(), objects in objects()) {
        // Whatever was in force, the objects that it came from are gone.
        let manifests = manifests(&applications);
        let mut state = world(&manifests, &objects);
        state.objects = crate::steer::objects::Objects::default();
        for decision in decide(&state, &Policy::default(), now()).decisions {
            let manifest = manifests.iter().find(|manifest| manifest["metadata"]["name"] == decision.application.name && manifest["metadata"]["namespace"] == decision.application.namespace).unwrap();
            let text = manifest.to_string();
            let was_overridden = text.contains("override") && manifest["metadata"]["annotations"]["argocd-infisical.io/state"].is_string();
            prop_assert!(!(was_overridden && decision.patch.is_some()), "{decision:#?}");
        }
    }
}
