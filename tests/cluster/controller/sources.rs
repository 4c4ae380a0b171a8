//! Which sources of an Application move.

use serde_json::{Value, json};

use super::world::{World, application};

/// The name of an Application, its sources, its annotation that chooses, and the revisions that they have in the end.
type Row = (&'static str, Value, Value, &'static str);

fn table() -> Vec<Row> {
    let git = |repository: &str| json!({"repoURL": repository, "path": "app", "targetRevision": "before"});
    let chart = json!({"repoURL": "https://charts.example.org", "chart": "lamp", "targetRevision": "1.2.3"});
    let oci = json!({"repoURL": "oci://registry.example.org/lamp", "path": ".", "targetRevision": "1.2.3"});
    let (home, work) = (
        "https://git.example.org/home.git",
        "https://git.example.org/work.git",
    );
    vec![
        (
            "with-chart",
            json!([git(home), chart]),
            Value::Null,
            "dev 1.2.3",
        ),
        (
            "with-oci",
            json!([oci, git(home)]),
            Value::Null,
            "1.2.3 dev",
        ),
        (
            "same-twice",
            json!([git(home), git(home)]),
            Value::Null,
            "dev dev",
        ),
        (
            "ambiguous",
            json!([git(home), git(work)]),
            Value::Null,
            "before before",
        ),
        (
            "chosen",
            json!([git(home), git(work)]),
            json!(work),
            "before dev",
        ),
        ("chart-only", json!([chart]), Value::Null, "1.2.3"),
    ]
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn of_several_sources_those_of_one_git_repository_move() {
    let Some(world) = World::new("which-sources") else {
        return;
    };
    let table = table();
    for (name, sources, chosen, _) in &table {
        let mut app = application(name, "dev", "before");
        app["spec"]["source"] = Value::Null;
        app["spec"]["sources"] = sources.clone();
        if chosen.is_string() {
            app["metadata"]["annotations"] = json!({"argocd-infisical.io/sources": chosen});
        }
        world.create(app);
    }
    let _controller = world.start();
    for (name, _, _, expected) in &table {
        world.wait_for(&format!("{name} to have {expected}"), || {
            world.revision(name) == *expected
        });
    }
    world.settle();
    for (name, _, _, expected) in &table {
        assert_eq!(world.revision(name), *expected, "{name}");
        let moved = expected.contains("dev");
        assert_eq!(world.moves_of(name).len(), usize::from(moved), "{name}");
    }
    for (name, code) in [
        ("ambiguous", "AmbiguousSources"),
        ("chart-only", "NoGitSource"),
    ] {
        world.wait_for_event(name, code);
    }
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn a_chart_and_what_is_hydrated_stay_as_they_are() {
    let Some(world) = World::new("which-no-git") else {
        return;
    };
    let chart = json!({"repoURL": "https://charts.example.org", "chart": "lamp", "targetRevision": "1.2.3"});
    let home = "https://git.example.org/home.git";
    let mut single = application("chart", "dev", "before");
    single["spec"]["source"] = chart;
    world.create(single);
    let mut hydrated = application("hydrated", "dev", "before");
    hydrated["spec"]["source"] = Value::Null;
    hydrated["spec"]["sourceHydrator"] = json!({
        "drySource": {"repoURL": home, "path": "app", "targetRevision": "before"},
        "syncSource": {"targetBranch": "env/dev", "path": "app"},
    });
    world.create(hydrated);
    let _controller = world.start();
    world.wait_for_event("chart", "NoGitSource");
    world.wait_for_event("hydrated", "Hydrated");
    world.settle();
    assert_eq!(world.revision("chart"), "1.2.3");
    let writes = world.moves_of("chart").len() + world.moves_of("hydrated").len();
    assert_eq!(writes, 0);
    let hydrated = &world.application("hydrated")["spec"]["sourceHydrator"];
    assert_eq!(hydrated["drySource"]["targetRevision"], "before");
    assert_eq!(hydrated["syncSource"]["targetBranch"], "env/dev");
}
