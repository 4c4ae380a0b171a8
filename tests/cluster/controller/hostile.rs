//! Values that nobody means well with, by way of a real API server.

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngSeed, TestRunner};
use serde_json::{Value, json};

use super::chance::{Chance, long_or, say};
use super::objects::{KEY, Written};
use super::world::{World, application};
use crate::hostile_values::{PICKED, RECORDS, texts};

/// How many Applications there are, each with a Secret or a `ConfigMap` of its own.
const MANY: usize = 40;

/// What a value may come out as: it, without the line break at its end.
fn written(value: &str) -> &str {
    value.trim_end_matches(['\n', '\r'])
}

/// The keys of an object with a value that may be anything.
fn data(number: usize, value: &str) -> Value {
    match number % 8 {
        6 => json!({KEY: "r/1", "ARGOCD_TARGET_REVISION_UNTIL": value}),
        7 => json!({"TARGET_REVISION": value}),
        _ => json!({KEY: value}),
    }
}

/// Rounds of values, each in the place of those before; the controller goes on, and what it writes was asked for.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn whatever_stands_in_objects_nothing_is_written_but_what_may_be() {
    let Some(world) = World::new("hostile-values") else {
        return;
    };
    let mut chance = Chance::new("hostile values");
    world.policy(json!({
        "environments": {
            "one": {"default": "main", "allowed": ["*"]},
            "test": {"default": "main", "allowed": ["*"]},
        },
        "flap": {"changes": 100_000, "minutes": 1},
    }));
    for number in 0..MANY {
        world.create(application(&format!("lamp-{number}"), "one", "main"));
    }
    let flags = ["--in-flight", "0", "--revisions-per-second", "0"];
    let controller = world.launch("controller", &flags);
    controller.wait();
    let mut runner = TestRunner::new(Config {
        rng_seed: RngSeed::Fixed(u64::try_from(chance.below(1 << 30)).unwrap()),
        ..Config::default()
    });
    // etcd takes no more than a megabyte and a half.
    let texts = texts().prop_map(|text| text.chars().take(10_000).collect::<String>());
    let mut asked = vec![vec!["main".to_owned(), "r/1".to_owned()]; MANY];
    for round in 0..long_or(25, 4) {
        for (number, asked) in asked.iter_mut().enumerate() {
            let name = format!("lamp-{number}");
            let picked = PICKED.get(round * MANY + number);
            let made = || texts.new_tree(&mut runner).unwrap().current();
            let value = picked.map_or_else(made, |picked| (*picked).to_owned());
            asked.push(written(&value).to_owned());
            let labels = json!({"argocd-infisical.io/environment": "one", "argocd-infisical.io/application": name});
            let metadata = json!({"name": format!("of-{name}"), "labels": labels});
            if number % 2 == 0 {
                let object = json!({"metadata": metadata, "stringData": data(number, &value)});
                world.admin.put::<Secret>(&world.own, object);
            } else {
                let object = json!({"metadata": metadata, "data": data(number, &value)});
                world.admin.put::<ConfigMap>(&world.own, object);
            }
            if number % 5 == 0 {
                let key = *chance.one_of(&["state", "sources", "hold"]);
                let annotation = if key == "state" {
                    RECORDS[(round + number) % RECORDS.len()]
                } else {
                    &*value
                };
                let annotations = json!({format!("argocd-infisical.io/{key}"): annotation});
                world.change(
                    &name,
                    "kubectl-annotate",
                    json!({"metadata": {"annotations": annotations}}),
                );
            }
        }
        // It goes on with what is well meant, whatever stands beside it.
        world.control(&json!({"acknowledged": texts.new_tree(&mut runner).unwrap().current(), "pause": "false"}));
        world.settle();
        assert_eq!(controller.get("/healthz").0, 200);
        assert!(controller.is_ready());
    }
    world.wrote_only(|name, revision| {
        let number = name
            .strip_prefix("lamp-")
            .and_then(|number| number.parse::<usize>().ok());
        let is_plain = !revision.contains(|c: char| c.is_control() || c.is_whitespace())
            && !revision.starts_with(['-', '/'])
            && !revision.starts_with("refs/pull")
            && !revision.starts_with("pull/")
            && !["HEAD", "", "*", "1.x"].contains(&revision);
        number.is_none_or(|number| is_plain && asked[number].iter().any(|text| text == revision))
    });
    // Each of them follows again once something is asked of it that may be.
    for number in 0..MANY {
        let name = format!("lamp-{number}");
        let annotations = json!({
            "argocd-infisical.io/hold": null, "argocd-infisical.io/sources": null, "argocd-infisical.io/state": null,
        });
        world.change(
            &name,
            "kubectl-annotate",
            json!({"metadata": {"annotations": annotations}}),
        );
        let object = Written::of_application(&format!("of-{name}"), "one", &name);
        let object = if number % 2 == 0 {
            object
        } else {
            object.config_map()
        };
        world.put(&object.revision("r/last"));
    }
    let expected = (0..MANY)
        .map(|number| (format!("lamp-{number}"), "r/last".to_owned()))
        .collect();
    world.comes_to_rest(&expected);
    let writes = world.moves();
    say(&format!(
        "FIGURE hostile values: {} objects, {} writes of revisions",
        MANY * long_or(25, 4),
        writes.len()
    ));
}
