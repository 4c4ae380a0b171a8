use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use goyaml::Node;

use super::*;
use crate::deadline::Deadline;
use crate::limits::Limits;

/// Appends a letter to the name of each resource, and fails at the names that it is told of.
struct Letter {
    name: &'static str,
    fails_at: &'static [&'static str],
    weight: usize,
}

impl OfEach for Letter {
    fn change(&self, resource: &mut Resource, _budget: &Budget) -> Result<()> {
        let name = resource.name().clone();
        if self.fails_at.contains(&name.as_str()) {
            return Err(Error::new(format!("{} fails at {name}", self.name)));
        }
        resource.set_name(&[name.as_str(), self.name].concat());
        Ok(())
    }

    fn weight(&self, _resource: &Resource) -> usize {
        self.weight
    }

    fn most(&self, _content: usize, resources: usize) -> usize {
        self.weight * resources
    }

    fn on_twins(&self) -> Option<fn(Error) -> Error> {
        (self.name == "!").then_some(|error| error.field("twins"))
    }
}

fn part(letter: &'static str, fails_at: &'static [&'static str], weight: usize) -> Part<'static> {
    Part {
        position: Position::at(1, u32::try_from(letter.len()).unwrap_or_default()),
        ..Part::of(Box::new(Letter {
            name: letter,
            fails_at,
            weight,
        }))
    }
}

fn resources(count: usize) -> Resources {
    let mut resources = Resources::new();
    for number in 0..count {
        let text = format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: n{number}}}}}");
        let node = goyaml::parse(text.as_bytes(), &goyaml::Limits::default());
        let node = node.unwrap().unwrap_or_else(Node::null);
        resources.append(Resource::new(node)).unwrap();
    }
    resources
}

fn run(parts: Vec<Part>, threads: Threads, budget: &Budget) -> (Result<()>, Vec<String>) {
    let mut pass = Pass::default();
    for part in parts {
        pass.push(part);
    }
    let mut resources = resources(600);
    let ended = pass.run(threads, budget, &mut resources);
    let names = resources.iter().map(|resource| resource.name().to_string());
    (ended, names.collect())
}

#[test]
fn changes_are_made_in_order() {
    for threads in [Threads::One, Threads::OfMachine] {
        let budget = Budget::default();
        let parts = vec![part("a", &[], 1), part("b", &[], 2)];
        let (ended, names) = run(parts, threads, &budget);
        ended.unwrap();
        assert_eq!(names[0], "n0ab");
        assert_eq!(names[599], "n599ab");
        assert_eq!(budget.spent().content, 1800);
    }
}

#[test]
fn the_error_is_that_of_one_change_after_the_other() {
    for threads in [Threads::One, Threads::OfMachine] {
        let message = |parts| {
            let (ended, _) = run(parts, threads, &Budget::default());
            ended.unwrap_err().details().message.clone()
        };
        let second_fails_early = vec![
            part("a", &["n500", "n450"], 0),
            part("b", &["n3a"], 0),
            part("c", &["n2ab"], 0),
        ];
        assert_eq!(message(second_fails_early), "a fails at n450");
        let both = vec![part("a", &[], 0), part("b", &["n599a", "n77a", "n76a"], 0)];
        assert_eq!(message(both), "b fails at n76a");
    }
}

#[test]
fn what_is_too_much_is_told_of_the_change_that_it_is() {
    let limits = Limits {
        content: 1000,
        ..Limits::default()
    };
    for threads in [Threads::One, Threads::OfMachine] {
        let budget = Budget::new(limits, Deadline::default());
        let parts = vec![part("a", &[], 1), part("bb", &[], 1), part("ccc", &[], 1)];
        let (ended, names) = run(parts, threads, &budget);
        let error = ended.unwrap_err();
        assert_eq!(error.details().position, Position::at(1, 2));
        assert_eq!(names[599], "n599a");
        let budget = Budget::new(limits, Deadline::default());
        let parts = vec![part("a", &["n9"], 1), part("b", &[], 1)];
        let (ended, _) = run(parts, threads, &budget);
        assert_eq!(ended.unwrap_err().details().message, "a fails at n9");
    }
}

#[test]
fn a_change_that_may_make_twins_is_the_last() {
    let mut pass = Pass::default();
    pass.push(part("a", &[], 0));
    assert!(!pass.is_full());
    pass.push(part("!", &[], 0));
    assert!(pass.is_full());
    let mut resources = resources(2);
    resources.as_mut_slice()[1].set_name("n0");
    let error = pass.run(Threads::One, &Budget::default(), &mut resources);
    let error = error.unwrap_err();
    assert_eq!(error.details().field.as_deref(), Some("twins"));
}

#[test]
fn each_change_of_all_looks_at_the_clock() {
    let is_over = Arc::new(AtomicBool::new(false));
    let clock = Arc::clone(&is_over);
    let elapsed = move || Duration::from_secs(u64::from(clock.load(Ordering::Relaxed)));
    let deadline = Deadline::new(Duration::from_secs(1), elapsed);
    let budget = Budget::new(Limits::default(), deadline);
    let mut resources = resources(1);
    part("a", &[], 0).run(&budget, &mut resources).unwrap();
    is_over.store(true, Ordering::Relaxed);
    let error = part("b", &[], 0).run(&budget, &mut resources).unwrap_err();
    assert!(error.details().message.contains("not done after"));
    assert_eq!(resources.as_slice()[0].name(), "n0a");
}
