//! Cases in which deciding of what a change concerns once gave something else than deciding of everything.

use super::*;

const PLATFORM: &str = "Secret argocd-infisical/a";
const OTHER: &str = "ConfigMap argocd-infisical/b";
/// Whether a thing is there.
const THERE: bool = true;
const GONE: bool = false;
/// When it is decided of what a step concerns: with a later one, or at once.
const LATER: bool = false;
const NOW: bool = true;

fn object(place: &'static str, labels: [&'static str; 2], key: &'static str) -> Step {
    let data = Some((key, "x")).filter(|(key, _)| !key.is_empty());
    Step::Object(place, labels, data.into_iter().collect(), THERE)
}

fn gone(place: &'static str) -> Step {
    Step::Object(place, ["", ""], Vec::new(), GONE)
}

fn application(name: &'static str, environment: &'static str, mark: &'static str) -> Step {
    Step::Application(name, [environment, "default", "dev", "", mark], THERE)
}

fn away(name: &'static str) -> Step {
    Step::Application(name, ["dev", "default", "dev", "", ""], GONE)
}

/// Both ways of deciding agree. `least` is how many changes the breaker lets through, and `outcomes` has what is among the
/// outcomes each time that it is decided.
fn agrees(least: usize, steps: &[(Step, bool)], outcomes: [&str; 2]) {
    let all = decided(&mut Case::new(least, 0), steps);
    assert_eq!(all.len(), outcomes.len());
    for (decided, outcome) in all.into_iter().zip(outcomes) {
        assert_eq!(decided.of_concerned, decided.of_all);
        let found = decided.outcomes;
        assert!(found.contains(outcome), "{outcome} of {found:?}");
    }
}

#[test]
fn a_key_stands_for_two_once_the_second_one_comes() {
    let key = "ARGOCD_TARGET_REVISION__TEAM_LAMP";
    let steps = [
        (object(PLATFORM, ["prod", ""], key), LATER),
        (application("team/lamp", "prod", ""), NOW),
        (application("argocd/team-lamp", "prod", ""), NOW),
    ];
    agrees(0, &steps, ["InvalidRevision", "KeyCollision"]);
}

#[test]
fn a_key_stands_for_one_once_the_other_one_goes() {
    let key = "ARGOCD_TARGET_REVISION__A_B";
    let steps = [
        (application("argocd/a-b", "dev", ""), LATER),
        (object(PLATFORM, ["dev", ""], key), LATER),
        (application("argocd/a.b", "dev", ""), NOW),
        (away("argocd/a-b"), NOW),
    ];
    agrees(0, &steps, ["KeyCollision", "InvalidRevision"]);
}

#[test]
fn a_breaker_counts_one_less_once_a_change_goes_that_it_has_stopped() {
    let steps = [
        (application("argocd/lamp", "prod", "r"), LATER),
        (application("team/lamp", "prod", "r"), NOW),
        (away("argocd/lamp"), NOW),
    ];
    agrees(0, &steps, ["Breaker", "Breaker"]);
}

#[test]
fn a_breaker_counts_one_less_in_an_environment_of_few_projects() {
    let steps = [
        (application("argocd/lamp", "stage", "r"), LATER),
        (application("team/lamp", "stage", "r"), LATER),
        (gone(PLATFORM), NOW),
        (away("argocd/lamp"), NOW),
    ];
    agrees(0, &steps, ["Breaker", "Breaker"]);
}

#[test]
fn a_breaker_counts_what_has_moved_and_stops_what_it_let_through() {
    let moved = ["prod", "default", "main", "", "moved"];
    let steps = [
        (application("argocd/lamp", "prod", "r"), NOW),
        (Step::Application("team/lamp", moved, THERE), NOW),
    ];
    agrees(1, &steps, ["change", "Breaker"]);
}

#[test]
fn an_override_is_over_and_a_breaker_stops_what_comes_after() {
    let until = ("ARGOCD_TARGET_REVISION_UNTIL", "2020-01-01T00:00:00Z");
    let steps = [
        (
            object(PLATFORM, ["prod", ""], "ARGOCD_TARGET_REVISION"),
            LATER,
        ),
        (application("argocd/lamp", "prod", "r"), NOW),
        (Step::Key(PLATFORM, until, THERE), LATER),
        (gone("ConfigMap argocd-infisical/a"), NOW),
    ];
    agrees(0, &steps, ["InvalidRevision", "Breaker"]);
}

#[test]
fn an_object_comes_that_is_named_and_holds_nothing_yet() {
    let named = ["dev", "default", "dev", "secret:home/a", ""];
    let steps = [
        (Step::Application("team/lamp", named, THERE), NOW),
        (object("Secret home/a", ["", ""], ""), NOW),
    ];
    agrees(0, &steps, ["SettingsAbsent", "NoConsent"]);
}

#[test]
fn an_object_speaks_of_the_environment_once_it_has_lost_the_label_of_an_application() {
    let key = "ARGOCD_TARGET_REVISION__A_B";
    let was = "was=x:ConfigMap:argocd-infisical/b:ARGOCD_TARGET_REVISION__A_B";
    let steps = [
        (object(OTHER, ["prod", "lamp"], ""), LATER),
        (application("team/lamp", "prod", was), NOW),
        (object(OTHER, ["prod", ""], key), NOW),
    ];
    agrees(0, &steps, ["OverrideGone", "Breaker"]);
}

#[test]
fn an_empty_object_of_the_own_namespace_gets_a_key() {
    let place = "Secret team/a";
    let steps = [
        (application("team/oven", "dev", ""), LATER),
        (object(place, ["dev", ""], ""), NOW),
        (Step::Key(place, ("TARGET_REVISION", "x"), THERE), NOW),
    ];
    agrees(0, &steps, ["same", "InvalidRevision"]);
}
