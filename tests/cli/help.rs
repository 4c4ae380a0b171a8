//! `completions`, `man` and `--help`: every command is in all of them.

use std::fs;

use crate::workspace::{Run, Workspace};

/// Every command, by the words that lead to it.
const COMMANDS: [&str; 20] = [
    "build",
    "compare",
    "completions",
    "controller",
    "diff",
    "doctor",
    "explain",
    "lint",
    "man",
    "plugin",
    "plugin generate",
    "plugin metrics",
    "plugin parameters",
    "plugin probe",
    "render",
    "revisions",
    "revisions acknowledge",
    "revisions pause",
    "revisions release",
    "revisions resume",
];

/// The commands that a help lists below `prefix`.
fn listed(workspace: &Workspace, prefix: &str) -> Vec<String> {
    let mut arguments: Vec<&str> = prefix.split_whitespace().collect();
    arguments.push("--help");
    let help = workspace.prints(&arguments);
    let Some((_, list)) = help.split_once("Commands:\n") else {
        return Vec::new();
    };
    let lines = list.lines().take_while(|line| line.starts_with("  "));
    let names = lines.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let names = names.filter(|name| !name.is_empty() && *name != "help");
    names
        .map(|name| format!("{prefix} {name}").trim_start().to_owned())
        .collect()
}

#[test]
fn the_help_lists_every_command() {
    let workspace = Workspace::new(&[]);
    let mut found: Vec<String> = ["", "plugin", "revisions"]
        .into_iter()
        .flat_map(|prefix| listed(&workspace, prefix))
        .collect();
    found.sort();
    assert_eq!(found, COMMANDS);
}

#[test]
fn every_command_has_a_manual_page() {
    let workspace = Workspace::new(&[("pages/.keep", "")]);
    assert_eq!(workspace.prints(&["man", "--output", "pages"]), "");
    let mut expected = vec![".keep".to_owned(), "argocd-infisical.1".to_owned()];
    for command in COMMANDS {
        let file = format!("argocd-infisical-{}.1", command.replace(' ', "-"));
        let words: Vec<&str> = command.split(' ').collect();
        let page = workspace.prints(&[&["man"], words.as_slice()].concat());
        assert_eq!(workspace.read(&format!("pages/{file}")), page, "{command}");
        assert!(
            page.contains(".SH NAME") && page.contains("Examples:"),
            "{page}"
        );
        expected.push(file);
    }
    let program = workspace.prints(&["man"]);
    assert_eq!(workspace.read("pages/argocd-infisical.1"), program);
    assert!(
        program.contains("argocd\\-infisical\\-doctor(1)"),
        "{program}"
    );
    let entries = fs::read_dir(workspace.path().join("pages")).unwrap();
    let mut files: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    expected.sort();
    assert_eq!(files, expected);
}

#[test]
fn a_manual_page_that_cannot_be_had_is_an_error() {
    let workspace = Workspace::new(&[]);
    let Run {
        code,
        stdout,
        stderr,
    } = workspace.run(&["man", "plugin", "generte"]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert_eq!(
        stderr,
        "error: there is no command `plugin generte`\nhint: `argocd-infisical --help` lists the commands\n"
    );
    workspace.fails(
        &["man", "--output", "absent"],
        "error: absent/argocd-infisical-build.1: cannot write the page: no such file or directory\n\
         hint: name a directory that is there and can be written to\n",
    );
}

#[test]
fn every_shell_knows_every_command() {
    let workspace = Workspace::new(&[]);
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = workspace.prints(&["completions", shell]);
        for word in COMMANDS.iter().flat_map(|command| command.split(' ')) {
            assert!(script.contains(word), "{shell}: {word}");
        }
        for flag in ["settings", "from-cluster", "enable-helm"] {
            assert!(script.contains(flag), "{shell}: {flag}");
        }
    }
}
