//! Hooks and notifications: what people, watchdogs and other programs hear of a run.

mod tool;

use fh_testkit::webhook::{Reply, Webhook};
use tool::{Tool, small_server};

fn paths(server: &Webhook) -> Vec<String> {
    server
        .requests()
        .into_iter()
        .map(|request| request.path)
        .collect()
}

#[test]
fn a_watchdog_hears_of_every_run_and_people_of_every_change() {
    let Some(server) = small_server() else { return };
    let (ping, slack) = (
        Webhook::start([]),
        Webhook::start([Reply::status(200).body("ok")]),
    );
    let mut tool = Tool::new()
        .in_folder(false)
        .with("DATABASE_URL", server.url("shop"))
        .with("PING_URL", ping.url("/uuid"))
        .with("SLACK_WEBHOOK", slack.url("/services/T0/B0/secret"));
    tool.run(&["create"]).expect(0);
    assert_eq!(paths(&ping), ["/uuid/start", "/uuid"]);
    assert_eq!(slack.requests().len(), 0, "good as ever");

    for code in [3, 3] {
        tool.set("DATABASE_URL", server.url("nowhere"));
        tool.run(&["create"]).expect(code);
    }
    tool.set("DATABASE_URL", "mysql://x");
    tool.run(&["create"]).expect(2);
    assert_eq!(paths(&ping)[2..], ["/uuid/start", "/uuid/fail"].repeat(3));
    let told = slack.requests();
    assert_eq!(told.len(), 2, "each change once");
    assert!(told[0].text().contains("nowhere"), "{}", told[0].text());
    tool.set("DATABASE_URL", server.url("shop"));
    tool.run(&["create"]).expect(0);
    assert_eq!(slack.requests().len(), 3);

    // Another command must not pass for the backup.
    let before = ping.requests().len();
    tool.run(&["status"]).expect(0);
    tool.run(&["prune", "--gc-only"]).expect(0);
    assert_eq!(ping.requests().len(), before);
    std::fs::write(
        tool.path("financehub.toml"),
        format!("backup.ping.status = '{}'\n", ping.url("/other")),
    )
    .unwrap();
    tool.run(&["status", "--max-age", "1ms"]).expect(1);
    assert_eq!(paths(&ping)[before..], ["/other/start", "/other/fail"]);

    // What cannot be told is a warning, and no more.
    let broken = Webhook::start([Reply::status(404)]);
    tool.set("PING_URL", broken.url("/gone"));
    let ran = tool.run(&["create"]).expect(0);
    assert!(ran.stdout.contains("notify.ping"), "{}", ran.stdout);
    tool.set("SLACK_WEBHOOK", "");
    tool.set("PING_URL", "no address");
    let ran = tool.run(&["create"]).expect(0);
    assert!(ran.stdout.contains("notify.ping"), "{}", ran.stdout);
}

#[test]
fn hooks_run_in_their_order_and_know_what_happened() {
    let Some(server) = small_server() else { return };
    let mut tool = Tool::new()
        .in_folder(false)
        .with("DATABASE_URL", server.url("shop"));
    let (log, file) = (tool.path("log"), tool.path("financehub.toml"));
    let config = |before: &str, after: &str, more: &str| {
        let say = format!(
            "echo $FH_BACKUP_HOOK $FH_BACKUP_COMMAND $FH_BACKUP_EXIT_CODE ${{FH_BACKUP_SET:+set}} \"$FH_BACKUP_ERROR\" >> {}",
            log.display()
        );
        std::fs::write(
            &file,
            format!(
                "[backup.hooks]\nbefore = ['''{say}''', '''{before}''']\nafter = ['''{say}''', '''{after}''']\n\
                 failed = ['''{say}''']\nfinally = ['''{say}''']\n{more}"
            ),
        )
        .unwrap();
    };
    let said = || {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        let _ = std::fs::remove_file(&log);
        text.lines()
            .map(|line| line.trim().to_owned())
            .collect::<Vec<_>>()
    };

    config("true", "true", "");
    tool.run(&["create"]).expect(0);
    assert_eq!(
        said(),
        ["before create", "after create 0 set", "finally create 0 set"]
    );
    tool.run(&["list"]).expect(0);
    assert_eq!(said(), [""; 0]);

    // A failed hook afterwards is a warning, with what it said.
    config("true", "echo disk on fire >&2; exit 7", "");
    let ran = tool.run(&["create"]).expect(0);
    assert!(
        ran.stdout.contains("hooks.after") && ran.stdout.contains("disk on fire"),
        "{}",
        ran.stdout
    );
    assert_eq!(
        said(),
        ["before create", "after create 0 set", "finally create 0 set"]
    );

    // One before it stops the backup.
    let sets = tool.sets();
    config("echo connect to $DATABASE_URL; exit 1", "true", "");
    let url = format!("{}&password=correct-horse", server.url("shop"));
    let url = if url.contains('?') {
        url
    } else {
        url.replacen('&', "?", 1)
    };
    tool.set("DATABASE_URL", url);
    let ran = tool.run(&["create", "-v"]).expect(3);
    assert!(
        ran.stderr.contains("command 2 of backup.hooks.before failed"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("connect to"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("correct-horse"), "{}", ran.stderr);
    assert_eq!(tool.sets(), sets);
    assert_eq!(
        said(),
        [
            "before create",
            "failed create 3 command 2 of backup.hooks.before failed: exit status: 1",
            "finally create 3 command 2 of backup.hooks.before failed: exit status: 1"
        ]
    );

    // One that does not end is ended, with what it started.
    config("sleep 4713 & sleep 4713; true", "true", "timeout = '300ms'\n");
    let ran = tool.run(&["create"]).expect(3);
    assert!(ran.stderr.contains("took longer than"), "{}", ran.stderr);
    let folder = tool.folder.path();
    let left = std::fs::read_dir("/proc").unwrap().filter(|process| {
        let path = process.as_ref().unwrap().path();
        let ours = std::fs::read_link(path.join("cwd")).is_ok_and(|cwd| cwd == folder);
        ours && std::fs::read(path.join("cmdline")).is_ok_and(|line| line.starts_with(b"sleep"))
    });
    assert_eq!(left.count(), 0);
    assert_eq!(tool.sets(), sets);
}
