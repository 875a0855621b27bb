//! What a person is asked, at a real terminal: `script` of util-linux gives one.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod tool;

use std::io::Write as _;
use std::process::{Command, Stdio};

use tool::{Ran, Tool, ran, small_server};

/// Runs the tool at a terminal at which `typed` is typed. What it shows is in `stdout`.
fn at_a_terminal(tool: &Tool, arguments: &[&str], typed: &str) -> Ran {
    let wanted = tool.command(arguments);
    let words = std::iter::once(wanted.get_program()).chain(wanted.get_args());
    let line: Vec<String> = words
        .map(|word| format!("'{}'", word.to_str().unwrap().replace('\'', r"'\''")))
        .collect();
    let mut command = Command::new("script");
    command
        .args(["--quiet", "--return", "--command", &line.join(" "), "/dev/null"])
        .env_clear()
        .envs(wanted.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .current_dir(wanted.get_current_dir().unwrap())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut keys = child.stdin.take().unwrap();
    keys.write_all(typed.as_bytes()).unwrap();
    // The keyboard stays until the end: a terminal that hangs up is another case.
    let output = child.wait_with_output().unwrap();
    drop(keys);
    ran(&output)
}

#[test]
fn a_person_chooses_the_set_and_types_the_name_of_what_is_replaced() {
    let Some(server) = small_server() else { return };
    let tool = Tool::new()
        .in_folder(true)
        .with("DATABASE_URL", server.url("shop"));
    tool.run(&["create"]).expect(0);
    server.psql("shop", "DELETE FROM item WHERE id > 4900");
    tool.run(&["create"]).expect(0);
    let rows = || server.psql("shop", "SELECT count(*) FROM item");
    let sets = tool.sets();

    let refused = at_a_terminal(&tool, &["restore", "--replace"], "2\nshopp\n");
    assert_eq!(refused.code, 4, "{}", refused.stdout);
    for shown in [
        "Which set?",
        &sets[0],
        &sets[1],
        "Type the name of the database",
        "not confirmed",
    ] {
        assert!(refused.stdout.contains(shown), "{shown:?} in {}", refused.stdout);
    }
    assert_eq!(rows(), "4900", "nothing was changed");

    let done = at_a_terminal(&tool, &["restore", "--replace"], "2\nshop\n");
    assert_eq!(done.code, 0, "{}", done.stdout);
    assert!(
        done.stdout.contains(&format!("by the set {}", sets[0])),
        "{}",
        done.stdout
    );
    assert_eq!(rows(), "5000", "the older set was chosen");
}
