//! A backup that went well of a database that did not: it is kept, and it is not green.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod tool;

use serde_json::Value;
use tool::{Ran, Tool, small_server};

/// The check of that name.
fn check(ran: &Ran, id: &str) -> Value {
    let report = ran.json();
    let checks = report["checks"].as_array().unwrap();
    let found = checks.iter().find(|check| check["id"] == id);
    assert!(found.is_some(), "no check {id} in {checks:#?}");
    found.unwrap().clone()
}

#[test]
fn a_table_that_vanished_is_noticed_without_the_private_key() {
    let Some(server) = small_server() else { return };
    server.psql("shop", "CREATE TABLE note AS SELECT 1 AS n");
    let tool = Tool::new()
        .in_folder(true)
        .without_identity()
        .with("DATABASE_URL", server.url("shop"));
    let create = |code| tool.run(&["create", "--format", "json"]).expect(code);
    let first = check(&create(0), "collapse");
    assert!(
        first["summary"].as_str().unwrap().contains("nothing to compare"),
        "{first}"
    );
    assert_eq!(check(&create(0), "collapse")["status"], "pass");
    let good = tool.newest();

    server.psql("shop", "DROP TABLE note; DELETE FROM item WHERE id > 2000");
    let collapsed = check(&create(1), "collapse");
    assert_eq!(collapsed["status"], "fail");
    let evidence = collapsed["evidence"].to_string();
    for part in [
        "table public.note of shop vanished; it held 1 rows",
        "table public.item of shop went from 5,000 rows to 2,000",
        "all together went from",
    ] {
        assert!(evidence.contains(part), "{evidence}");
    }
    assert_eq!(tool.sets().len(), 3, "both are kept");

    // The next one is compared with the last that held everything, not with the collapsed one.
    let again = check(&create(1), "collapse");
    assert!(again["summary"].as_str().unwrap().contains(&good), "{again}");
    let status = tool.run(&["status", "--format", "json"]).expect(1);
    assert_eq!(check(&status, "collapse.shop")["status"], "fail");
    assert_eq!(check(&status, "age.shop")["status"], "pass");

    tool.run(&["accept", "latest"]).expect(0);
    tool.run(&["accept", "latest"]).expect(0);
    let status = tool.run(&["status", "--format", "json"]).expect(0);
    assert_eq!(check(&status, "collapse.shop")["status"], "pass");
    assert_eq!(check(&create(0), "collapse")["status"], "pass");

    server.psql("shop", "DROP TABLE item");
    let ran = tool
        .run(&["create", "--accept-collapse", "--format", "json"])
        .expect(0);
    assert_eq!(check(&ran, "collapse")["status"], "pass");
    tool.run(&["status"]).expect(0);
}

#[test]
fn an_empty_database_is_not_a_good_first_backup() {
    let Some(server) = small_server() else { return };
    server.create_database("bare");
    server.psql("bare", "CREATE TABLE item (n int)");
    let tool = Tool::new()
        .in_folder(false)
        .with("DATABASE_URL", server.url("bare"));
    let ran = tool.run(&["create", "--format", "json"]).expect(1);
    let evidence = check(&ran, "collapse")["evidence"].to_string();
    assert!(
        evidence.contains("database bare holds no row at all"),
        "{evidence}"
    );
    tool.run(&["status"]).expect(1);
    tool.run(&["create", "--accept-collapse"]).expect(0);
    tool.run(&["status"]).expect(0);

    // Limits are the user's.
    server.psql("bare", "INSERT INTO item SELECT generate_series(1, 2000)");
    tool.run(&["create"]).expect(0);
    server.psql("bare", "DELETE FROM item WHERE n > 1500");
    std::fs::write(
        tool.path("financehub.toml"),
        "[backup.collapse]\nmax_drop = 10\nmax_total_drop = 30\n",
    )
    .unwrap();
    let ran = tool.run(&["create", "--format", "json"]).expect(1);
    let evidence = check(&ran, "collapse")["evidence"].to_string();
    assert!(evidence.contains("from 2,000 rows to 1,500"), "{evidence}");
    assert!(!evidence.contains("all together"), "{evidence}");
    std::fs::write(
        tool.path("financehub.toml"),
        "[backup.collapse]\nmax_drop = 10\nignore = ['public.it*']\n",
    )
    .unwrap();
    tool.run(&["create"]).expect(0);
}
