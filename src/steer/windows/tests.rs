use jiff::SignedDuration;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn application(destination: &Value) -> Application {
    serde_json::from_value(json!({
        "metadata": {"name": "lamp", "namespace": "argocd"},
        "spec": {"destination": destination},
    }))
    .unwrap()
}

fn project(windows: &Value) -> Project {
    serde_json::from_value(json!({"spec": {"syncWindows": windows}})).unwrap()
}

/// Whether the windows are for an Application is not what is asked: they are.
fn denied(windows: &Value, now: &str) -> Result<Option<Denied>, WrongWindow> {
    let mut project = project(windows);
    for window in project.spec.sync_windows.iter_mut().flatten() {
        window.applications = Some(vec!["*".into()]);
    }
    denial(&project, &application(&json!({})), time(now))
}

fn window(schedule: &str, duration: &str, zone: &str) -> SyncWindow {
    SyncWindow {
        schedule: schedule.into(),
        duration: duration.into(),
        time_zone: Some(zone.into()),
        ..SyncWindow::default()
    }
}

/// Schedule, duration, time zone, time, whether Argo CD takes the window for active, and until when (empty: for ever).
const PHASES: [(&str, &str, &str, &str, bool, &str); 42] = [
    (
        "* 10 * * *",
        "2h",
        "",
        "2024-05-01T11:00:00Z",
        true,
        "2024-05-01T12:59:00Z",
    ),
    (
        "* 10 * * *",
        "2h",
        "",
        "2024-05-01T13:00:00Z",
        false,
        "2024-05-02T10:00:00Z",
    ),
    (
        "* 10 * * *",
        "2h",
        "America/New_York",
        "2024-05-01T16:00:00Z",
        true,
        "2024-05-01T16:59:00Z",
    ),
    (
        "* 10 * * *",
        "2h",
        "America/New_York",
        "2024-05-01T11:00:00Z",
        false,
        "2024-05-01T14:00:00Z",
    ),
    (
        "* 8 * * *",
        "2h",
        "Asia/Dhaka",
        "2024-05-01T03:00:00Z",
        true,
        "2024-05-01T04:59:00Z",
    ),
    (
        "0 22 * * *",
        "1h",
        "",
        "2024-05-01T21:59:59.999Z",
        false,
        "2024-05-01T22:00:00Z",
    ),
    (
        "0 22 * * *",
        "1h",
        "",
        "2024-05-01T22:00:00Z",
        true,
        "2024-05-01T23:00:00Z",
    ),
    (
        "0 22 * * *",
        "1h",
        "",
        "2024-05-01T22:59:59.999Z",
        true,
        "2024-05-01T23:00:00Z",
    ),
    (
        "0 22 * * *",
        "1h",
        "",
        "2024-05-01T23:00:00Z",
        false,
        "2024-05-02T22:00:00Z",
    ),
    (
        "0 22 * * *",
        "0",
        "",
        "2024-05-01T22:00:00Z",
        false,
        "2024-05-02T22:00:00Z",
    ),
    (
        "0 22 * * *",
        "-1h",
        "",
        "2024-05-01T22:00:00.5Z",
        false,
        "2024-05-02T22:00:00Z",
    ),
    // It begins on one day and ends on the next, in another year.
    (
        "30 23 31 dec *",
        "1h",
        "",
        "2025-01-01T00:15:00Z",
        true,
        "2025-01-01T00:30:00Z",
    ),
    (
        "0 0 29 feb *",
        "24h",
        "",
        "2024-03-01T00:00:00Z",
        false,
        "2028-02-29T00:00:00Z",
    ),
    // As long as the time between two starts.
    (
        "0 * * * *",
        "1h",
        "",
        "2024-05-01T00:30:00Z",
        true,
        "2024-05-03T13:00:00Z",
    ),
    // Names, ranges, steps, lists.
    (
        "*/20 * * * *",
        "1m",
        "",
        "2024-05-01T00:21:00Z",
        false,
        "2024-05-01T00:40:00Z",
    ),
    (
        "5/20 * * * *",
        "1m",
        "",
        "2024-05-01T00:26:00Z",
        false,
        "2024-05-01T00:45:00Z",
    ),
    (
        "5-30/20 * * * *",
        "1m",
        "",
        "2024-05-01T00:26:00Z",
        false,
        "2024-05-01T01:05:00Z",
    ),
    (
        "0 9,17 * * *",
        "1m",
        "",
        "2024-05-01T10:00:00Z",
        false,
        "2024-05-01T17:00:00Z",
    ),
    (
        "0 0 * * Mon-FRI",
        "1h",
        "",
        "2024-05-03T12:00:00Z",
        false,
        "2024-05-06T00:00:00Z",
    ),
    (
        "0 0 1 jul-aug ?",
        "1h",
        "",
        "2024-08-02T12:00:00Z",
        false,
        "2025-07-01T00:00:00Z",
    ),
    (
        " 0\t0  * * *\n",
        "1h",
        "",
        "2024-05-01T12:00:00Z",
        false,
        "2024-05-02T00:00:00Z",
    ),
    (
        ",0,,30, +0 * * *",
        "1h",
        "",
        "2024-05-01T12:00:00Z",
        false,
        "2024-05-02T00:00:00Z",
    ),
    // One of day of the month and day of the week is enough, where neither is any: the 13th is a Monday.
    (
        "0 0 13 * fri",
        "1h",
        "",
        "2024-05-04T00:00:00Z",
        false,
        "2024-05-10T00:00:00Z",
    ),
    (
        "0 0 13 * fri",
        "1h",
        "",
        "2024-05-11T00:00:00Z",
        false,
        "2024-05-13T00:00:00Z",
    ),
    (
        "0 0 13 * *",
        "1h",
        "",
        "2024-05-04T00:00:00Z",
        false,
        "2024-05-13T00:00:00Z",
    ),
    (
        "0 0 ? * fri",
        "1h",
        "",
        "2024-05-04T00:00:00Z",
        false,
        "2024-05-10T00:00:00Z",
    ),
    // `*` with a step is not any, and `*/1` is.
    (
        "0 0 */31 * fri",
        "1h",
        "",
        "2024-05-29T00:00:00Z",
        false,
        "2024-05-31T00:00:00Z",
    ),
    (
        "0 0 */31 * mon",
        "1h",
        "",
        "2024-05-29T00:00:00Z",
        false,
        "2024-06-01T00:00:00Z",
    ),
    (
        "0 0 */1 * mon",
        "1h",
        "",
        "2024-05-29T00:00:00Z",
        false,
        "2024-06-03T00:00:00Z",
    ),
    (
        "0 0 *-9 * mon",
        "1h",
        "",
        "2024-05-29T00:00:00Z",
        false,
        "2024-06-03T00:00:00Z",
    ),
    // What never comes is always.
    ("0 0 30 2 *", "1h", "", "2024-05-01T00:00:00Z", true, ""),
    (
        "0 0 31 4,6,9,11 *",
        "1h",
        "",
        "2024-05-01T00:00:00Z",
        true,
        "",
    ),
    (", * * * *", "1h", "", "2024-05-01T00:00:00Z", true, ""),
    // The offset is that of the time that is asked for: a window over the end of summer time moves as a whole.
    (
        "0 1 * * *",
        "3h",
        "Europe/Berlin",
        "2024-10-26T23:30:00Z",
        true,
        "2024-10-27T01:00:00Z",
    ),
    (
        "0 1 * * *",
        "3h",
        "Europe/Berlin",
        "2024-10-27T01:00:00Z",
        true,
        "2024-10-27T03:00:00Z",
    ),
    (
        "0 9 * * *",
        "1h",
        "Europe/Berlin",
        "2024-03-30T12:00:00Z",
        false,
        "2024-03-31T01:00:00Z",
    ),
    // Time zones that Go does not know are UTC.
    (
        "0 22 * * *",
        "1h",
        "Nowhere/At_All",
        "2024-05-01T22:30:00Z",
        true,
        "2024-05-01T23:00:00Z",
    ),
    (
        "0 22 * * *",
        "1h",
        "europe/berlin",
        "2024-05-01T22:30:00Z",
        true,
        "2024-05-01T23:00:00Z",
    ),
    // A schedule may have one of its own, with summer time: 2:30 does not exist on this day.
    (
        "TZ=Europe/Berlin 30 2 * * *",
        "1h",
        "",
        "2024-03-30T12:00:00Z",
        false,
        "2024-04-01T00:30:00Z",
    ),
    (
        "CRON_TZ=Europe/Berlin 30 2 * * *",
        "1h",
        "",
        "2024-10-26T12:00:00Z",
        false,
        "2024-10-27T00:30:00Z",
    ),
    (
        "CRON_TZ=Europe/Berlin 30 2 * * *",
        "30m",
        "",
        "2024-10-27T01:10:00Z",
        false,
        "2024-10-27T01:30:00Z",
    ),
    (
        "TZ=UTC 0 9 * * *",
        "1h",
        "Asia/Dhaka",
        "2024-05-01T03:30:00Z",
        true,
        "2024-05-01T04:00:00Z",
    ),
];

#[test]
fn windows_are_active_as_argo_cd_has_it() {
    for (schedule, duration, zone, now, is_active, until) in PHASES {
        let phase = clock::phase(&window(schedule, duration, zone), time(now)).unwrap();
        let until = (!until.is_empty()).then(|| time(until));
        assert_eq!(
            phase,
            Phase { is_active, until },
            "{schedule} {duration} {zone} at {now}"
        );
    }
}

#[test]
fn a_window_that_goes_on_and_on_is_looked_at_again() {
    let now = time("2024-05-01T11:00:00Z");
    let phase = clock::phase(&window("* * * * *", "1h", ""), now).unwrap();
    let until = Some(time("2024-05-01T12:01:00Z"));
    assert_eq!(
        phase,
        Phase {
            is_active: true,
            until
        }
    );
}

/// A schedule, and what is wrong with it.
const WRONG: [(&str, &str); 22] = [
    ("", "has 0 fields and not 5"),
    ("* * * *", "has 4 fields and not 5"),
    ("0 * * * * *", "has 6 fields and not 5"),
    ("@daily", "is a descriptor, which Argo CD does not read"),
    ("@every 1h", "is a descriptor, which Argo CD does not read"),
    (
        "60 * * * *",
        "has a field for the minute that has a number out of its range",
    ),
    (
        "* 24 * * *",
        "has a field for the hour that has a number out of its range",
    ),
    (
        "* * 0 * *",
        "has a field for the day of the month that has a number out of its range",
    ),
    (
        "* * * 13 *",
        "has a field for the month that has a number out of its range",
    ),
    (
        "* * * * 7",
        "has a field for the day of the week that has a number out of its range",
    ),
    (
        "* * * * fri-mon",
        "has a field for the day of the week that has a range that ends before it begins",
    ),
    (
        "* * * january *",
        "has a field for the month that has something that is no number",
    ),
    (
        "mon * * * *",
        "has a field for the minute that has something that is no number",
    ),
    (
        "-1 * * * *",
        "has a field for the minute that has something that is no number",
    ),
    (
        "1-2-3 * * * *",
        "has a field for the minute that has too many `-`",
    ),
    (
        "*/2/3 * * * *",
        "has a field for the minute that has too many `/`",
    ),
    (
        "*/0 * * * *",
        "has a field for the minute that has a step of 0",
    ),
    (
        "*/ * * * *",
        "has a field for the minute that has something that is no number",
    ),
    (
        "* * L * *",
        "has a field for the day of the month that has something that is no number",
    ),
    (
        "* * * * 5#3",
        "has a field for the day of the week that has something that is no number",
    ),
    ("TZ=Nowhere 0 0 * * *", "has a time zone that is not known"),
    ("TZ=UTC", "has a time zone and nothing else"),
];

#[test]
fn what_argo_cd_does_not_read_is_wrong() {
    for (schedule, cause) in WRONG {
        let windows = json!([
            {"kind": "allow", "schedule": "* * * * *", "duration": "1h"},
            {"kind": "other", "schedule": schedule, "duration": "1h"},
        ]);
        let wrong = denied(&windows, "2024-05-01T00:00:00Z").unwrap_err();
        let expected = format!("`schedule` of entry 2 of `spec.syncWindows` {cause}");
        assert_eq!(wrong.to_string(), expected, "{schedule}");
    }
    let windows = json!([{"kind": "deny", "schedule": "* * * * *", "duration": "1d"}]);
    assert_eq!(
        denied(&windows, "2024-05-01T00:00:00Z")
            .unwrap_err()
            .to_string(),
        "`duration` of entry 1 of `spec.syncWindows` is no duration as Go writes them"
    );
}

#[test]
fn one_that_is_wrong_and_not_for_the_application_is_not_looked_at() {
    let windows = json!([{"kind": "deny", "schedule": "never", "applications": ["other"]}]);
    let found = denial(
        &project(&windows),
        &application(&json!({})),
        time("2024-05-01T00:00:00Z"),
    );
    assert_eq!(found, Ok(None));
}

#[test]
fn windows_decide_together() {
    let now = "2024-05-01T12:00:00Z";
    // What is active lasts until 13:00 or 14:00, what is not begins at 18:00 or 20:00.
    let allowing = json!({"kind": "allow", "schedule": "0 11 * * *", "duration": "2h"});
    let allowing_later = json!({"kind": "allow", "schedule": "0 18 * * *", "duration": "1h"});
    let denying =
        json!({"kind": "deny", "schedule": "0 11 * * *", "duration": "3h", "manualSync": true});
    let denying_later = json!({"kind": "deny", "schedule": "0 20 * * *", "duration": "1h"});
    let other = json!({"kind": "Deny", "schedule": "* * * * *", "duration": "1h"});
    for (windows, until) in [
        (json!([]), None),
        (json!([allowing]), None),
        (json!([allowing_later]), Some(18)),
        (json!([denying]), Some(14)),
        (json!([denying_later]), None),
        (json!([allowing, allowing_later]), None),
        (json!([allowing_later, denying_later]), Some(18)),
        (json!([allowing, denying_later]), None),
        (json!([allowing, denying]), Some(13)),
        (json!([allowing_later, denying]), Some(14)),
        (json!([denying, denying_later]), Some(14)),
        (json!([other]), None),
        (json!([other, allowing_later]), Some(18)),
    ] {
        let expected = until.map(|hour| Denied {
            until: Some(time(&format!("2024-05-01T{hour}:00:00Z"))),
        });
        assert_eq!(denied(&windows, now), Ok(expected), "{windows}");
    }
    assert_eq!(
        denial(&Project::default(), &application(&json!({})), time(now)),
        Ok(None)
    );
}

#[test]
fn at_the_time_that_is_told_the_answer_is_another_one() {
    let windows = json!([
        {"kind": "allow", "schedule": "0 9 * * mon-fri", "duration": "8h", "timeZone": "Europe/Berlin"},
        {"kind": "deny", "schedule": "0 12 * * *", "duration": "1h", "timeZone": "Europe/Berlin"},
    ]);
    let mut now = time("2024-03-29T16:30:00Z");
    let mut times = Vec::new();
    while let Some(Denied { until: Some(until) }) = denied(&windows, &now.to_string()).unwrap() {
        assert!(until > now);
        now = until;
        times.push(until.to_string());
    }
    assert_eq!(
        times,
        [
            "2024-03-30T11:00:00Z",
            "2024-03-30T12:00:00Z",
            // Summer time begins.
            "2024-03-31T01:00:00Z",
            "2024-03-31T10:00:00Z",
            "2024-03-31T11:00:00Z",
            "2024-04-01T07:00:00Z",
        ]
    );
}

const HOME: &str = "{server: https://home.example.org, namespace: living-room}";
const NAMED: &str = "{name: home, namespace: living-room}";
/// It is in no cluster, and its namespace is one without a name.
const NOWHERE: &str = "{server: '', name: ''}";

/// A window, a destination, and whether the window is for the Application `lamp` that goes there.
const MATCHES: [(&str, &str, bool); 26] = [
    ("{}", HOME, false),
    ("{andOperator: true}", HOME, false),
    ("{applications: [], andOperator: true}", HOME, false),
    ("{applications: [lamp]}", HOME, true),
    ("{applications: [tv, l*]}", HOME, true),
    ("{applications: ['*']}", HOME, true),
    (
        "{applications: [argocd_lamp, argocd/lamp, '!tv']}",
        HOME,
        false,
    ),
    ("{namespaces: [living-*]}", HOME, true),
    ("{namespaces: [kitchen]}", HOME, false),
    ("{clusters: ['https://*.example.org']}", HOME, true),
    ("{clusters: [home]}", HOME, false),
    ("{clusters: [home]}", NAMED, true),
    ("{clusters: ['*']}", NAMED, true),
    (
        "{applications: [tv], clusters: [x], namespaces: [living-room]}",
        HOME,
        true,
    ),
    ("{applications: [tv], clusters: ['https://*']}", HOME, true),
    (
        "{applications: [lamp], clusters: [x], namespaces: [y]}",
        HOME,
        true,
    ),
    (
        "{applications: [lamp], clusters: [x], andOperator: true}",
        HOME,
        false,
    ),
    (
        "{applications: [lamp], namespaces: [y], andOperator: true}",
        HOME,
        false,
    ),
    (
        "{applications: [tv], namespaces: [living-room], andOperator: true}",
        HOME,
        false,
    ),
    (
        "{clusters: [x], namespaces: [living-room], andOperator: true}",
        HOME,
        false,
    ),
    (
        "{clusters: ['https://*'], namespaces: [living-room], andOperator: true}",
        HOME,
        true,
    ),
    ("{applications: [lamp], andOperator: true}", HOME, true),
    ("{namespaces: [living-room], andOperator: true}", HOME, true),
    (
        "{applications: [lamp], clusters: ['https://*'], namespaces: [living-room], andOperator: true}",
        HOME,
        true,
    ),
    ("{clusters: ['*']}", NOWHERE, false),
    ("{namespaces: ['*']}", NOWHERE, true),
];

#[test]
fn windows_are_for_applications() {
    for (window, destination, expected) in MATCHES {
        let read: SyncWindow = serde_saphyr::from_str(window).unwrap();
        let destination = serde_saphyr::from_str(destination).unwrap();
        let found = is_for(&read, &application(&destination));
        assert_eq!(found, expected, "{window} {destination}");
    }
}

proptest! {
    #[test]
    fn until_the_time_that_is_told_nothing_changes(
        schedule in "(\\*|0|\\*/7|5-50) (\\*|0|1-3|9,17|\\*/5) (\\*|1|13|\\*/2) (\\*|3|jan-apr|10) (\\*|sun|1-5)",
        prefix in prop::sample::select(&["", "", "TZ=America/New_York "][..]),
        duration in prop::sample::select(&["1s", "1m", "30m", "1h", "90m", "24h", "300h"][..]),
        zone in prop::sample::select(&["", "Europe/Berlin", "America/New_York", "Asia/Kolkata"][..]),
        second in 1_700_000_000_i64..1_780_000_000,
        between in prop::collection::vec(0_f64..1.0, 8),
    ) {
        let window = window(&format!("{prefix}{schedule}"), duration, zone);
        let now = Timestamp::from_second(second).unwrap();
        let phase = clock::phase(&window, now).unwrap();
        let until = phase.until.unwrap_or(Timestamp::MAX);
        prop_assert!(until > now);
        let whole = until.duration_since(now).as_secs_f64();
        let last = until - SignedDuration::from_nanos(1);
        let inner = between.iter().map(|part| now + SignedDuration::from_secs_f64(whole * part));
        for time in inner.chain([last]) {
            let later = clock::phase(&window, time).unwrap();
            prop_assert_eq!(later.is_active, phase.is_active, "{}", time);
        }
    }
}
