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

/// Writes the object of an Application, and every now and then an annotation of the Application itself.
fn write(world: &World, chance: &mut Chance, number: usize, value: &str) {
    let name = format!("lamp-{number}");
    let labels =
        json!({"argocd-infisical.io/environment": "one", "argocd-infisical.io/application": name});
    let metadata = json!({"name": format!("of-{name}"), "labels": labels});
    let data = data(number, value);
    if number.is_multiple_of(2) {
        let object = json!({"metadata": metadata, "stringData": data});
        world.admin.put::<Secret>(&world.own, object);
    } else {
        let object = json!({"metadata": metadata, "data": data});
        world.admin.put::<ConfigMap>(&world.own, object);
    }
    if number.is_multiple_of(5) {
        let (key, text) = match chance.below(3) {
            0 => ("state", *chance.one_of(&RECORDS)),
            1 => ("sources", value),
            _ => ("hold", value),
        };
        annotate(
            world,
            &name,
            &json!({format!("argocd-infisical.io/{key}"): text}),
        );
    }
}

fn annotate(world: &World, name: &str, annotations: &Value) {
    let change = json!({"metadata": {"annotations": annotations}});
    world.change(name, "kubectl-annotate", change);
}

/// Asks for something that may be, of Applications as they were at first.
fn mend(world: &World) {
    for number in 0..MANY {
        let name = format!("lamp-{number}");
        let keys = ["hold", "sources", "state"].map(|key| format!("argocd-infisical.io/{key}"));
        annotate(
            world,
            &name,
            &keys.iter().map(|key| (key.clone(), Value::Null)).collect(),
        );
        let object = Written::of_application(&format!("of-{name}"), "one", &name);
        let object = if number.is_multiple_of(2) {
            object
        } else {
            object.config_map()
        };
        world.put(&object.revision("r/last"));
    }
}

/// Whether a text may be written at all, as far as can be said in a few words.
fn is_plain(text: &str) -> bool {
    let is_bad = |c: char| c.is_control() || c.is_whitespace();
    let bad = ["-", "/", "refs/pull", "pull/"];
    !text.contains(is_bad)
        && !bad.iter().any(|bad| text.starts_with(bad))
        && !["HEAD", "", "*", "1.x"].contains(&text)
}

/// Rounds of values, each in the place of those before; the controller goes on, and what it writes was asked for.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn whatever_stands_in_objects_nothing_is_written_but_what_may_be() {
    let Some(world) = World::new("hostile-values") else {
        return;
    };
    let mut chance = Chance::new("hostile values");
    world.environments(["one"]);
    world.policy(json!({"flap": {"changes": 100_000, "minutes": 1}}));
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
    let texts = texts();
    let mut made = || texts.new_tree(&mut runner).unwrap().current();
    let mut asked = vec![vec!["main".to_owned(), "r/1".to_owned()]; MANY];
    let rounds = long_or(25, 4);
    for round in 0..rounds {
        for (number, asked) in asked.iter_mut().enumerate() {
            let picked = PICKED.get(round * MANY + number);
            let value = picked.map_or_else(&mut made, |picked| (*picked).to_owned());
            asked.push(written(&value).to_owned());
            write(&world, &mut chance, number, &value);
        }
        // It goes on with what is well meant, whatever stands beside it.
        world.control(&json!({"acknowledged": made(), "pause": "false"}));
        world.settle();
        assert_eq!(controller.get("/healthz").0, 200);
        assert!(controller.is_ready());
    }
    world.wrote_only(|name, revision| {
        let number = name.strip_prefix("lamp-");
        let number = number.and_then(|number| number.parse::<usize>().ok());
        let is_asked = |number: usize| asked[number].iter().any(|text| text == revision);
        number.is_none_or(|number| is_plain(revision) && is_asked(number))
    });
    mend(&world);
    let name = |number| (format!("lamp-{number}"), "r/last".to_owned());
    world.comes_to_rest(&(0..MANY).map(name).collect());
    let (objects, writes) = (MANY * rounds, world.moves().len());
    say(&format!(
        "FIGURE hostile values: {objects} objects, {writes} writes of revisions"
    ));
}
