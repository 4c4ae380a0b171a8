//! A clock that jumps: what is due by it is done or undone, and nothing else.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

use argocd_infisical::cluster::Access;
use argocd_infisical::controller::{self, Clock, Config, Limits, LogFormat, Mode};
use argocd_infisical::settings::digest::DigestKey;
use argocd_infisical::steer::Policy;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::endings::Expected;
use super::objects::Written;
use super::process::{CLOCK, ROLE};
use super::world::{World, application};
use crate::access::Kind;

const HOUR: i64 = 3600;
const YEAR: i64 = 366 * 24 * HOUR;

/// The time of day, so many seconds after what it is.
fn after(seconds: i64) -> Timestamp {
    let by = SignedDuration::from_secs(seconds);
    let end = if seconds < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    };
    Timestamp::now().checked_add(by).unwrap_or(end)
}

fn set(clock: &Path, seconds: i64) {
    let unfinished = clock.with_extension("unfinished");
    fs::write(&unfinished, seconds.to_string()).unwrap();
    fs::rename(unfinished, clock).unwrap();
}

fn seconds(clock: &Path) -> i64 {
    fs::read_to_string(clock).unwrap().parse().unwrap()
}

/// Is the controller, with the arguments that the binary would get.
fn run(arguments: &str, clock: PathBuf) {
    let arguments: Vec<&str> = arguments.split('\n').collect();
    let of = |flag: &str| {
        let place = arguments.iter().position(|argument| *argument == flag);
        arguments[place.unwrap() + 1]
    };
    let result = controller::run(Config {
        access: Access::Kubeconfig {
            file: Some(of("--kubeconfig").into()),
            context: None,
        },
        policy: Policy::of_text(&fs::read(of("--policy")).unwrap())
            .ok()
            .unwrap(),
        mode: Mode::Enforce,
        digest_key: Some(DigestKey::read(Path::new(of("--digest-key"))).ok().unwrap()),
        listen: of("--listen").parse().unwrap(),
        log: LogFormat::Json,
        lease: "argocd-infisical".into(),
        identity: of("--identity").into(),
        limits: Limits {
            in_flight: 0,
            revisions_per_second: 0,
            digests_per_second: 0,
        },
        clock: Clock::new(move || after(seconds(&clock))),
    });
    assert!(result.is_ok());
}

fn of_desk(world: &World, number: usize) {
    let object = Written::of_application("of-desk", "one", "desk");
    world.put(&object.revision(&format!("r/{number}")));
}

fn put_setting(world: &World, tenant: &str, number: usize) {
    let settings = Written::settings("settings", "default/desk").config_map();
    let settings = settings.with("A", &number.to_string());
    settings.put(&world.admin, tenant);
}

/// Applications with an override that ends in an hour, with settings, and with a sync window; the namespace of the settings.
fn populate(world: &World) -> String {
    let tenant = world.tenant("tenant");
    world.environments(["one"]);
    let until = after(HOUR).to_string();
    let of_lamp = Written::of_application("of-lamp", "one", "lamp")
        .revision("r/until")
        .with("ARGOCD_TARGET_REVISION_UNTIL", &until);
    world.put(&of_lamp);
    of_desk(world, 0);
    put_setting(world, &tenant, 0);
    world.create(application("lamp", "one", "before"));
    let mut desk = application("desk", "one", "before");
    desk["spec"]["source"]["plugin"] = json!({
        "name": "argocd-infisical",
        "parameters": [{"name": "settings", "array": [format!("{tenant}/settings")]}],
    });
    world.create(desk);
    // It may stay where it is, but must not stop the others.
    let windows = json!([{
        "kind": "deny", "schedule": "0 22 * * *", "duration": "1h", "timeZone": "Europe/Berlin", "applications": ["*"],
    }]);
    let project = json!({"metadata": {"name": "windows"}, "spec": {"syncWindows": windows}});
    world.admin.create_of(Kind::PROJECT, &world.argocd, project);
    let mut oven = application("oven", "one", "main");
    oven["spec"]["project"] = json!("windows");
    world.create(oven);
    tenant
}

/// Where the clock is, and what `lamp` has then.
const JUMPS: [(i64, &str); 8] = [
    (0, "r/until"),
    (2 * HOUR, "main"),
    (0, "r/until"),
    (-5 * YEAR, "r/until"),
    (50 * YEAR, "main"),
    (i64::MAX / 2, "main"),
    (i64::MIN / 2, "r/until"),
    (0, "r/until"),
];

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn what_is_due_by_a_clock_that_jumps_is_done_and_nothing_else() {
    const THIS: &str =
        "controller::faults_clock::what_is_due_by_a_clock_that_jumps_is_done_and_nothing_else";
    if let (Ok(arguments), Some(clock)) = (env::var(ROLE), env::var_os(CLOCK)) {
        run(&arguments, clock.into());
        return;
    }
    let Some(world) = World::new("clock-jumps") else {
        return;
    };
    let tenant = populate(&world);
    let clock = world.path("clock");
    set(&clock, 0);
    let controller = world.launch_test("jumping", (THIS, &clock));
    controller.wait();
    let mut digests = Vec::new();
    for (number, (jump, of_lamp)) in JUMPS.into_iter().enumerate() {
        set(&clock, jump);
        let expected = |number: usize| -> Expected {
            let of_desk = format!("r/{number}");
            [
                ("lamp".to_owned(), of_lamp.to_owned()),
                ("desk".to_owned(), of_desk),
            ]
            .into()
        };
        // By itself, within seconds.
        world.comes_to_rest_at(&expected(number), || after(jump));
        of_desk(&world, number + 1);
        put_setting(&world, &tenant, number + 1);
        world.comes_to_rest_at(&expected(number + 1), || after(jump));
        let desk = world.application("desk");
        digests.push(desk["spec"]["source"]["plugin"]["env"][0]["value"].to_string());
        assert_eq!(controller.get("/healthz").0, 200, "{jump}");
        assert!(controller.is_ready(), "{jump}");
    }
    // Each render has another digest, whatever the clock said.
    let others: BTreeSet<&String> = digests.iter().collect();
    assert_eq!(others.len(), digests.len(), "{digests:?}");
    world.wrote_only(|_, revision| revision == "main" || revision.starts_with("r/"));
    let moves = |name: &str| {
        let moves = world.moves_of(name);
        moves.iter().filter(|write| write.code == 200).count()
    };
    // At first, and where the clock came from one side of the hour to the other.
    assert_eq!(moves("lamp"), 5);
    assert_eq!(moves("desk"), JUMPS.len() + 1);
    assert_eq!(controller.stop(), Some(0));
}
