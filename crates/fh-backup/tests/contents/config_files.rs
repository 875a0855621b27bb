//! Configuration files: complete, encrypted, and in no output.

use std::os::unix::fs::PermissionsExt as _;

use super::tool::{Tool, files, small_server};
use super::{assert_parts, configure};

const CANARY: &str = "canary-of-the-environment-file";

#[test]
fn an_env_file_is_stored_complete_and_only_encrypted() {
    let Some(server) = small_server() else { return };
    let content = format!("# comment\nSECRET_KEY=\"{CANARY}\"\nEMPTY=\n\nMULTI=a=b\n");
    let prepare = |encrypted| {
        let tool = Tool::new()
            .in_folder(encrypted)
            .with("DATABASE_URL", server.url("shop"));
        std::fs::write(tool.path(".env"), &content).unwrap();
        std::fs::create_dir(tool.path("etc")).unwrap();
        std::fs::write(tool.path("etc/settings.toml"), "").unwrap();
        configure(&tool, "[backup]\nconfig_files = ['.env', 'etc/settings.toml']\n");
        tool
    };

    let clear = prepare(false);
    let before = files(&clear.path("repository"));
    let refused = clear.run(&["create"]).expect(4);
    assert_parts(
        &refused.stderr,
        &["would be stored in clear", "hint: ", "nothing was written"],
    );
    assert_eq!(files(&clear.path("repository")), before);

    let tool = prepare(true);
    let mut said = Vec::new();
    for command in [
        &["create", "-v", "-v"][..],
        &["show"],
        &["show", "--format", "json"],
        &["verify", "--full", "-v"],
        &["restore", "--config-files", "--to", "out", "-v", "-v"],
        &["config", "show"],
    ] {
        let ran = tool.run(command).expect(0);
        said.push(format!("{}{}", ran.stdout, ran.stderr));
    }
    assert!(said.iter().all(|text| !text.contains(CANARY)), "{said:?}");
    assert_parts(&said[1], &["Configuration files", ".env", "settings.toml"]);
    for (path, stored) in files(&tool.path("repository")) {
        assert!(
            memchr::memmem::find(&stored, CANARY.as_bytes()).is_none(),
            "{}",
            path.display()
        );
    }

    let out = tool.path("out");
    let restored = files(&out);
    let below = |name: &str| {
        let whole = tool.path(name);
        let whole = whole.canonicalize().unwrap();
        out.join(whole.strip_prefix("/").unwrap())
    };
    assert_eq!(restored.len(), 2, "{restored:?}");
    assert_eq!(restored[&below(".env")], content.as_bytes());
    assert_eq!(restored[&below("etc/settings.toml")], b"");
    for path in restored.keys() {
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    tool.run(&["restore", "--config-files", "--to", "out"]).expect(4);
    tool.run(&["restore", "--config-files"]).expect(2);
    tool.run(&["restore", "--config-files", "--to", "x", "--dry-run"])
        .expect(2);

    std::fs::remove_file(tool.path(".env")).unwrap();
    let sets = tool.sets();
    assert_parts(
        &tool.run(&["create"]).expect(3).stderr,
        &["cannot read the configuration file", ".env"],
    );
    assert_eq!(tool.sets(), sets);
    configure(&tool, "");
    tool.run(&["create"]).expect(0);
    let none = tool
        .run(&["restore", "--config-files", "--to", "other"])
        .expect(2);
    assert_parts(&none.stderr, &["the set holds no configuration files"]);
}
