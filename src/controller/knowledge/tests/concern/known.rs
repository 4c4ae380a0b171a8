//! The changes that were once decided of otherwise than everything, as short as they can be.

use super::*;

/// Each with how many changes the breaker lets through.
fn once_wrong() -> Vec<(&'static str, usize, Vec<(Step, bool)>)> {
    let object = |place, labels, data: &[_]| Step::Object(place, labels, data.to_vec(), true);
    let gone = |place| Step::Object(place, ["", ""], Vec::new(), false);
    let lamp = |name, environment, revision, mark| {
        Step::Application(name, [environment, "default", revision, "", mark], true)
    };
    let away = |name| Step::Application(name, ["dev", "default", "dev", "", ""], false);
    let platform = "Secret argocd-infisical/a";
    let other = "ConfigMap argocd-infisical/b";
    let of_other = "was=x:ConfigMap:argocd-infisical/b:ARGOCD_TARGET_REVISION__A_B";
    let with_settings = ["dev", "default", "dev", "secret:home/a", ""];
    vec![
        (
            "a key stands for two once the second one comes",
            0,
            vec![
                (
                    object(
                        platform,
                        ["prod", ""],
                        &[("ARGOCD_TARGET_REVISION__TEAM_LAMP", "x")],
                    ),
                    false,
                ),
                (lamp("team/lamp", "prod", "dev", ""), true),
                (lamp("argocd/team-lamp", "prod", "dev", ""), true),
            ],
        ),
        (
            "a key stands for one once the other one goes",
            0,
            vec![
                (lamp("argocd/a-b", "dev", "dev", ""), false),
                (
                    object(
                        platform,
                        ["dev", ""],
                        &[("ARGOCD_TARGET_REVISION__A_B", "x")],
                    ),
                    false,
                ),
                (lamp("argocd/a.b", "dev", "dev", ""), true),
                (away("argocd/a-b"), true),
            ],
        ),
        (
            "a breaker counts one less once a change goes that it has stopped",
            0,
            vec![
                (lamp("argocd/lamp", "prod", "dev", "r"), false),
                (lamp("team/lamp", "prod", "x", "r"), true),
                (away("argocd/lamp"), true),
            ],
        ),
        (
            "a breaker counts one less in an environment of few projects",
            0,
            vec![
                (lamp("argocd/lamp", "stage", "dev", "r"), false),
                (lamp("team/lamp", "stage", "dev", "r"), false),
                (gone(platform), true),
                (away("argocd/lamp"), true),
            ],
        ),
        (
            "a breaker counts what has moved just now, which stops a change that it let through",
            1,
            vec![
                (lamp("argocd/lamp", "prod", "dev", "r"), true),
                (lamp("team/lamp", "prod", "main", "moved"), true),
            ],
        ),
        (
            "a key comes that has no Application in it",
            0,
            vec![
                (
                    object(platform, ["prod", ""], &[("ARGOCD_TARGET_REVISION", "x")]),
                    false,
                ),
                (lamp("argocd/lamp", "prod", "dev", "r"), true),
                (
                    Step::Key(
                        platform,
                        ("ARGOCD_TARGET_REVISION_UNTIL", "2020-01-01T00:00:00Z"),
                        true,
                    ),
                    false,
                ),
                (gone("ConfigMap argocd-infisical/a"), true),
            ],
        ),
        (
            "an object comes that is named and holds nothing yet",
            0,
            vec![
                (Step::Application("team/lamp", with_settings, true), true),
                (object("Secret home/a", ["", ""], &[]), true),
            ],
        ),
        (
            "an object speaks of the environment once it has lost the label of an Application",
            0,
            vec![
                (object(other, ["prod", "lamp"], &[]), false),
                (lamp("team/lamp", "prod", "dev", of_other), true),
                (
                    object(other, ["prod", ""], &[("ARGOCD_TARGET_REVISION__A_B", "x")]),
                    true,
                ),
            ],
        ),
        (
            "an empty object of an Application's own namespace gets a key",
            0,
            vec![
                (lamp("team/oven", "dev", "dev", ""), false),
                (object("Secret team/a", ["dev", ""], &[]), true),
                (
                    Step::Key("Secret team/a", ("TARGET_REVISION", "x"), true),
                    true,
                ),
            ],
        ),
    ]
}

#[test]
fn what_was_once_wrong_is_right() {
    for (what, least, steps) in once_wrong() {
        let both = decided(&mut Case::new(least, 0), &steps);
        assert!(!both.is_empty());
        for [of_concerned, of_all] in both {
            assert_eq!(of_concerned, of_all, "{what}");
        }
    }
}
