//! Which revision an Application gets.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::objects::{KEY, Written};
use super::world::{World, application};
use crate::operator::Writer;

/// An Application, alone in an environment of its own name, the objects that are there before the controller is, and the
/// revision that it gets. The default of every environment is `main`, and the Application begins with `before`.
struct Case {
    name: &'static str,
    objects: Vec<Written>,
    expected: &'static str,
}

fn case(name: &'static str, objects: Vec<Written>, expected: &'static str) -> Case {
    Case {
        name,
        objects,
        expected,
    }
}

fn of_environment(name: &str) -> Written {
    Written::of_environment(name, name)
}

fn of_application(name: &str) -> Written {
    Written::of_application(&format!("{name}-own"), name, name)
}

/// An hour from now, or before.
fn hours(number: i64) -> String {
    let time = Timestamp::now() + jiff::SignedDuration::from_hours(number);
    time.to_string()
}

#[track_caller]
fn hold(world: &World, cases: &[Case]) {
    let environments = cases.iter().map(|case| case.name);
    world.environments(environments);
    for Case { name, objects, .. } in cases {
        for object in objects {
            world.put(object);
        }
        world.create(application(name, name, "before"));
    }
    let _controller = world.start();
    for Case { name, expected, .. } in cases {
        world.wait_for_revision(name, expected);
    }
    world.settle();
    for Case { name, expected, .. } in cases {
        assert_eq!(world.revision(name), *expected, "{name}");
        let moves = world.moves_of(name);
        assert_eq!(moves.len(), 1, "{name}: {moves:?}");
    }
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn each_environment_has_its_default_and_no_label_is_no_part() {
    let Some(world) = World::new("which-default") else {
        return;
    };
    let table = [
        ("prod", "main"),
        ("dev", "dev"),
        ("test", "dev"),
        ("staging", "dev"),
    ];
    for (environment, _) in table {
        world.create(application(environment, environment, "before"));
    }
    world.create(application("unknown", "qa", "before"));
    let mut unlabelled = application("unlabelled", "dev", "before");
    unlabelled["metadata"]["labels"] = json!({});
    world.create(unlabelled);
    let _controller = world.start();
    for (environment, revision) in table {
        world.wait_for_revision(environment, revision);
    }
    world.settle();
    for name in ["unknown", "unlabelled"] {
        assert_eq!(world.revision(name), "before");
        assert!(world.moves_of(name).is_empty());
    }
    for (environment, _) in table {
        assert_eq!(world.moves_of(environment).len(), 1);
    }
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn an_object_of_the_application_beats_one_of_the_environment_beats_the_default() {
    let Some(world) = World::new("which-rank") else {
        return;
    };
    let key = |name: &str| format!("{KEY}__{}", name.to_uppercase().replace('-', "_"));
    hold(
        &world,
        &[
            case("default", vec![], "main"),
            case(
                "environment",
                vec![of_environment("environment").revision("dev")],
                "dev",
            ),
            case(
                "other-key",
                vec![of_environment("other-key").with("TARGET_REVISION", "feature/login")],
                "feature/login",
            ),
            case(
                "both-keys",
                vec![
                    of_environment("both-keys")
                        .with("TARGET_REVISION", "loses")
                        .revision("wins"),
                ],
                "wins",
            ),
            case(
                "application",
                vec![
                    of_environment("application").revision("loses"),
                    of_application("application").revision("wins"),
                ],
                "wins",
            ),
            case(
                "key-of-application",
                vec![
                    of_environment("key-of-application")
                        .revision("loses")
                        .with(&key("key-of-application"), "wins"),
                ],
                "wins",
            ),
        ],
    );
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn what_is_more_specific_counts_where_it_says_something() {
    let Some(world) = World::new("which-specific") else {
        return;
    };
    let key = |name: &str| format!("{KEY}__{}", name.to_uppercase().replace('-', "_"));
    hold(
        &world,
        &[
            case(
                "object-beats-key",
                vec![
                    of_environment("object-beats-key").with(&key("object-beats-key"), "loses"),
                    of_application("object-beats-key").revision("wins"),
                ],
                "wins",
            ),
            case(
                "empty-object",
                vec![
                    of_environment("empty-object").revision("dev"),
                    of_application("empty-object").with("OTHER", "x"),
                ],
                "dev",
            ),
            case(
                "agreeing",
                vec![
                    of_environment("agreeing").revision("dev"),
                    Written::of_environment("agreeing-too", "agreeing")
                        .config_map()
                        .revision("dev"),
                ],
                "dev",
            ),
            case(
                "tag",
                vec![of_environment("tag").revision("refs/tags/v1.2.3")],
                "refs/tags/v1.2.3",
            ),
        ],
    );
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn whoever_wrote_the_object() {
    let Some(world) = World::new("which-writer") else {
        return;
    };
    let names = [
        ("secret-v1beta1", "map-v1beta1"),
        ("secret-v1alpha1", "map-v1alpha1"),
        ("secret-external", "map-external"),
    ];
    let cases = names
        .into_iter()
        .zip(Writer::ALL)
        .flat_map(|((secret, map), writer)| {
            let object = of_environment(secret).by(writer).revision("feature/login");
            let of_map = of_application(map).by(writer).config_map();
            [
                case(secret, vec![object], "feature/login"),
                case(map, vec![of_map.revision("feature/login")], "feature/login"),
            ]
        });
    hold(&world, &cases.collect::<Vec<_>>());
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn an_empty_value_is_none_and_so_is_an_expired_one() {
    let Some(world) = World::new("which-empty") else {
        return;
    };
    let until = format!("{KEY}_UNTIL");
    hold(
        &world,
        &[
            case("empty", vec![of_environment("empty").revision("")], "main"),
            case(
                "no-value",
                vec![of_environment("no-value").revision("<no value>")],
                "main",
            ),
            case(
                "still",
                vec![
                    of_environment("still")
                        .revision("dev")
                        .with(&until, &hours(1)),
                ],
                "dev",
            ),
            case(
                "expired",
                vec![
                    of_environment("expired")
                        .revision("dev")
                        .with(&until, &hours(-1)),
                ],
                "main",
            ),
        ],
    );
}

/// An override that is in force, what becomes of its object, and that the default is back.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn emptying_the_key_or_removing_it_or_its_time_releases_an_override() {
    let Some(world) = World::new("which-release") else {
        return;
    };
    let names = ["emptied", "removed", "expires", "no-data"];
    world.environments(names);
    for name in names {
        world.put(&of_environment(name).with("OTHER", "x").revision("dev"));
        world.create(application(name, name, "before"));
    }
    let _controller = world.start();
    for name in names {
        world.wait_for_revision(name, "dev");
    }
    let soon = Timestamp::now() + jiff::SignedDuration::from_secs(4);
    let until = soon.to_string();
    let of = |name| of_environment(name).with("OTHER", "x");
    world.put(&of("emptied").revision(""));
    world.put(&of("removed"));
    world.put(
        &of("expires")
            .revision("dev")
            .with("ARGOCD_TARGET_REVISION_UNTIL", &until),
    );
    world.put(&of_environment("no-data"));
    for name in names {
        world.wait_for_revision(name, "main");
    }
    assert!(Timestamp::now() > soon);
    world.settle();
    for name in names {
        assert_eq!(world.moves_of(name).len(), 2, "{name}");
    }
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn two_objects_that_disagree_change_nothing() {
    let Some(world) = World::new("which-conflict") else {
        return;
    };
    world.environments(["lamp"]);
    world.put(&of_environment("lamp").revision("dev"));
    world.create(application("lamp", "lamp", "before"));
    let _controller = world.start();
    world.wait_for_revision("lamp", "dev");
    let other = Written::of_environment("other", "lamp").config_map();
    world.put(&other.clone().revision("feature/login"));
    let event = world.wait_for_event("lamp", "Conflict");
    assert!(
        event.contains(&format!("ConfigMap {}/other", world.own)),
        "{event}"
    );
    world.settle();
    assert_eq!(world.revision("lamp"), "dev");
    // Neither of the two is followed, whichever changes.
    world.put(&of_environment("lamp").revision("third"));
    world.settle();
    assert_eq!(world.revision("lamp"), "dev");
    assert_eq!(world.moves_of("lamp").len(), 1);
    // As soon as they agree, they are.
    world.put(&other.revision("third"));
    world.wait_for_revision("lamp", "third");
}

/// Nothing that may be part of such a value comes to light.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn what_is_no_legal_revision_or_not_allowed_is_refused_and_not_echoed() {
    let Some(world) = World::new("which-refused") else {
        return;
    };
    let illegal = [
        ("dev", "-hunter2"),
        ("dev", "hunter2 x"),
        ("dev", "hunter2..x"),
        ("dev", "hunter2~1"),
        ("dev", ">=1.0.0-hunter2"),
        ("dev", "^1.0.0-hunter2"),
        ("dev", "1.x.hunter2*"),
        ("dev", "hunter2.lock"),
        ("dev", "hunter2@{1}"),
        ("dev", "refs/pull/1/hunter2"),
        ("dev", "refs/remotes/hunter2"),
        ("dev", " hunter2"),
        ("dev", "hunter2\n\n"),
        ("prod", "hunter2"),
        ("prod", "v1.2.3-hunter2"),
        ("prod", "refs/heads/hunter2"),
    ];
    let names: Vec<String> = (0..illegal.len())
        .map(|index| format!("app-{index}"))
        .collect();
    for (name, (environment, _)) in names.iter().zip(illegal) {
        world.create(application(name, environment, default_of(environment)));
    }
    let controller = world.start();
    for (name, (environment, value)) in names.iter().zip(illegal) {
        world.put(&Written::of_application(name, environment, name).revision(value));
    }
    for (name, (environment, _)) in names.iter().zip(illegal) {
        let code = if *environment == *"prod" {
            "NotAllowed"
        } else {
            "InvalidRevision"
        };
        let event = world.wait_for_event(name, code);
        assert!(
            event.contains(&format!("Secret {}/{name}", world.own)) && event.contains(KEY),
            "{event}"
        );
    }
    world.settle();
    for (name, (environment, value)) in names.iter().zip(illegal) {
        assert_eq!(world.revision(name), default_of(environment), "{value:?}");
    }
    let moves = world.moves();
    assert!(moves.is_empty(), "{moves:?}");
    let words = world.words() + &controller.get("/metrics").1;
    assert!(!words.contains("hunter2"), "{words}");
}

fn default_of(environment: &str) -> &'static str {
    if environment == "prod" { "main" } else { "dev" }
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn prod_takes_tags_and_commits_by_their_full_names() {
    let Some(world) = World::new("which-prod") else {
        return;
    };
    let commit = "0123456789abcdef0123456789abcdef01234567";
    world.create(application("tag", "prod", "main"));
    world.create(application("commit", "prod", "main"));
    world.create(application("main", "prod", "main"));
    let _controller = world.start();
    let put =
        |name, revision| world.put(&Written::of_application(name, "prod", name).revision(revision));
    put("tag", "refs/tags/v1.2.3");
    put("commit", commit);
    put("main", "refs/heads/main");
    world.wait_for_revision("tag", "refs/tags/v1.2.3");
    world.wait_for_revision("commit", commit);
    world.settle();
    assert_eq!(world.revision("main"), "main");
    assert!(world.moves_of("main").is_empty());
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn what_is_the_same_is_not_written() {
    let Some(world) = World::new("which-same") else {
        return;
    };
    for (name, revision) in [("short", "dev"), ("full", "refs/heads/dev")] {
        world.create(application(name, "dev", revision));
    }
    let controller = world.start();
    world.settle();
    world.put(&Written::of_environment("dev", "dev").revision("refs/heads/dev"));
    world.settle();
    assert_eq!(world.revision("short"), "dev");
    assert_eq!(world.revision("full"), "refs/heads/dev");
    assert!(world.moves().is_empty());
    // Nor when it starts again.
    let before = world.writes().len();
    assert_eq!(controller.stop(), Some(0));
    let _controller = world.start();
    world.settle();
    assert_eq!(world.writes().len(), before);
}

/// A change is on its Application in no time.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn a_change_is_written_within_seconds() {
    let Some(world) = World::new("which-fast") else {
        return;
    };
    world.create(application("lamp", "dev", "dev"));
    let _controller = world.start();
    world.put(&Written::of_environment("dev", "dev").revision("one"));
    world.wait_for_revision("lamp", "one");
    let start = std::time::Instant::now();
    world.put(&Written::of_environment("dev", "dev").revision("two"));
    world.wait_for_revision("lamp", "two");
    let time = start.elapsed();
    assert!(time < Duration::from_secs(10), "{time:?}");
}
