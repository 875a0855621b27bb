//! `fh-backup copy` with the real binary: to another account's bucket and back, and everything that it must refuse.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod tool;

use fh_testkit::S3;
use tool::{Tool, files, small_server};

/// A second store with keys of its own, which only a profile knows. The first one's keys are in the environment.
fn with_second(tool: &mut Tool) -> S3 {
    let second = S3::start();
    second.create_bucket("elsewhere");
    let profile = tool.path("aws-config");
    std::fs::write(
        &profile,
        format!(
            "[profile second]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
            second.access_key(),
            second.secret_key()
        ),
    )
    .unwrap();
    std::fs::write(
        tool.path("financehub.toml"),
        format!(
            "[backup.copy]\nto = \"s3://elsewhere/second\"\n\
             s3 = {{ endpoint_url = \"{}\", profile = \"second\", region = \"eu-north-1\" }}\n",
            second.endpoint()
        ),
    )
    .unwrap();
    tool.set("AWS_CONFIG_FILE", profile.display().to_string());
    tool.set("AWS_ACCESS_KEY_ID", "AKIDOFANOTHERACCOUNT");
    tool.set("AWS_SECRET_ACCESS_KEY", "secret-of-another-account");
    second
}

#[test]
fn sets_are_copied_to_another_account_and_restored_from_there() {
    let Some(server) = small_server() else { return };
    let mut tool = Tool::new()
        .in_folder(true)
        .with("DATABASE_URL", server.url("shop"));
    let second = with_second(&mut tool);
    tool.run(&["copy"]).expect(3);
    tool.run(&["create"]).expect(0);
    let first = tool.newest();
    let copied = tool.run(&["copy", "--format", "json"]).expect(0).json();
    let set = &copied["data"]["sets"][0];
    assert_eq!(
        (set["set"].as_str(), set["present"].as_u64()),
        (Some(&*first), Some(0))
    );
    assert_eq!(copied["data"]["to"], "s3://elsewhere/second");

    server.psql("shop", "INSERT INTO empty VALUES (1)");
    tool.run(&["create"]).expect(0);
    let newest = tool.newest();
    let copied = tool.run(&["copy", "--all", "--format", "json"]).expect(0).json();
    let sets = &copied["data"]["sets"];
    assert_eq!(sets[0]["sent"], 0, "{sets}");
    assert!(sets[1]["sent"].as_u64() > Some(1), "{sets}");
    assert!(sets[1]["present"].as_u64() > Some(0), "{sets}");

    // The first repository is gone; the key files are all that is left, and open the second one.
    std::fs::rename(tool.path("repository"), tool.path("lost")).unwrap();
    tool.set("AWS_ACCESS_KEY_ID", second.access_key());
    tool.set("AWS_SECRET_ACCESS_KEY", second.secret_key());
    tool.set("AWS_REGION", "eu-north-1");
    tool.move_to("s3://elsewhere/second");
    let endpoint = second.endpoint();
    let at = ["--s3-endpoint", &*endpoint];
    tool.run(&["verify", "--full", &newest, at[0], at[1]]).expect(0);
    server.create_database("again");
    tool.run(&["restore", "--into", "again", at[0], at[1]]).expect(0);
    assert_eq!(server.psql("again", "SELECT count(*) FROM item"), "5000");
    assert_eq!(server.psql("again", "SELECT count(*) FROM empty"), "1");
}

#[test]
fn what_cannot_be_copied_is_said_with_the_right_exit_code() {
    let Some(server) = small_server() else { return };
    let tool = Tool::new()
        .in_folder(false)
        .with("DATABASE_URL", server.url("shop"));
    let error = |arguments: &[&str], code| tool.redact(tool.run(arguments).expect(code).stderr.trim());
    assert_eq!(
        error(&["copy"], 2),
        "error: no second repository is configured\n\
         hint: give --to (a folder or s3://BUCKET/PREFIX), or backup.copy.to in financehub.toml"
    );
    assert!(error(&["copy", "--to", "second"], 3).contains("there is no backup"));
    assert!(error(&["copy", "--to", "second", "--all"], 3).contains("there is no backup"));
    tool.run(&["create"]).expect(0);
    let set = tool.newest();
    std::os::unix::fs::symlink(tool.path("repository"), tool.path("link")).unwrap();
    for same in ["./repository", "repository/../repository", "link"] {
        assert!(error(&["copy", "--to", same], 2).contains("the second repository is the first one"));
    }
    assert!(error(&["copy", "--to", "second", "nothing"], 2).contains("there is no set"));
    tool.run(&["copy", "--to", "second", "--all", &set]).expect(2);
    assert!(!tool.path("second").exists());

    let other = Tool::new().in_folder(false);
    let place = other.path("repository").display().to_string();
    let before = files(&other.path("repository"));
    assert!(error(&["copy", "--to", &place], 4).contains("there is another repository in"));
    assert_eq!(files(&other.path("repository")), before);

    // One damaged set beside a good one: the good one is copied, and the exit code says that not all is well.
    server.psql("shop", "INSERT INTO empty VALUES (1)");
    tool.run(&["create"]).expect(0);
    let path = tool.path(&format!("repository/sets/{set}.set"));
    let mut bytes = std::fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let ran = tool.run(&["copy", "--to", "second", "--all"]).expect(1);
    assert!(ran.stdout.contains("its body was changed"), "{}", ran.stdout);
    assert!(!tool.path(&format!("second/sets/{set}.set")).exists());
    let sets = files(&tool.path("second/sets"));
    let whole = sets
        .keys()
        .filter(|path| path.extension().is_some_and(|ending| ending == "set"));
    assert_eq!(whole.count(), 1);
}
