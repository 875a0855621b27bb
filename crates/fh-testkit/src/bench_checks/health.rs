//! fh-health: thirty web addresses of which one is slow, the start of one check, and PostgreSQL beside check_pgactivity.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use super::table::Table;
use super::{Runs, bash, program};
use crate::host::on_path;
use crate::process::Workdir;
use crate::webhook::{Reply, Webhook};
use crate::{Postgres, finance};

/// How long the slowest of the addresses takes.
const SLOW: Duration = Duration::from_millis(500);
/// Checks of the first table.
const CHECKS: usize = 30;
/// Rows of the database that is looked at.
const ROWS: u64 = 20_000;

/// Where Debian puts plugins of Nagios, which is not on the PATH.
const PACKAGED: &str = "/usr/lib/nagios/plugins";

/// Services of check_pgactivity that look at what our checks look at, with the arguments each insists on.
const SERVICES: [&str; 17] = [
    "connection",
    "backends -w 80% -c 95%",
    "backends_status -w idle_xact=10 -c idle_xact=20",
    "longest_query -w 1h -c 2h",
    "oldest_idlexact -w 1h -c 2h",
    "oldest_2pc -w 1h -c 2h",
    "oldest_xmin -w 10000000 -c 20000000",
    "locks -w 80% -c 95%",
    "max_freeze_age -w 50% -c 80%",
    "invalid_indexes",
    "sequences_exhausted -w 80% -c 95%",
    "hit_ratio -w 10% -c 5%",
    "bgwriter",
    "temp_files -w 100GB -c 200GB",
    "replication_slots",
    "database_size -w size=1TB -c size=2TB",
    "table_bloat -w 90% -c 99%",
];

pub(super) fn bench(runs: &Runs) -> Result<Vec<Table>> {
    let workdir = Workdir::new("the benchmark", "fh-bench-", "TERM", None)?;
    let server = Webhook::answering(|request| {
        let reply = Reply::status(200)
            .header("content-type", "application/json")
            .body("{\"database\":\"connected\"}");
        if request.path == "/slow" {
            reply.delay(SLOW)
        } else {
            reply
        }
    });
    Ok(vec![
        many(runs, &workdir, &server)?,
        one(runs, &workdir, &server)?,
        postgres(runs, &workdir)?,
    ])
}

fn health(runs: &Runs, workdir: &Workdir, config: &str, file: &str) -> Result<Command> {
    fs_err::write(workdir.path().join(file), config)?;
    let mut command = program(runs, "fh-health", workdir)?;
    command.args(["check", "--stateless", "--config", file]);
    Ok(command)
}

fn address(name: &str, url: &str) -> String {
    format!(
        "[[health.http]]\nname = \"{name}\"\nurl = \"{url}\"\njson = [\"$.database == \\\"connected\\\"\"]\n\n"
    )
}

fn many(runs: &Runs, workdir: &Workdir, server: &Webhook) -> Result<Table> {
    let (mut config, mut script) = (String::new(), String::from("set -euo pipefail\n"));
    for number in 1..=CHECKS {
        let path = if number == CHECKS {
            "/slow".to_owned()
        } else {
            format!("/c{number}")
        };
        let url = server.url(&path);
        config.push_str(&address(&format!("c{number}"), &url));
        let _ = writeln!(
            script,
            "curl -sf --max-time 10 '{url}' | grep -q '\"database\":\"connected\"'"
        );
    }
    let script_file = workdir.path().join("many.sh");
    fs_err::write(&script_file, script)?;
    let mut table = Table::new(format!(
        "fh-health: {CHECKS} web addresses, one of which takes {} ms",
        SLOW.as_millis()
    ));
    let mut peers = vec![("fh-health", health(runs, workdir, &config, "many.toml")?)];
    if on_path("curl").is_some() {
        peers.push(("curl and grep in bash", bash(&script_file)));
    }
    table.measure(runs.runs, &mut peers)?;
    if let Some(wall) = table.wall_ms("fh-health") {
        let over = wall - SLOW.as_secs_f64() * 1000.0;
        table.note(format!("fh-health: {over:.0} ms more than the slowest check"));
    }
    Ok(table)
}

fn one(runs: &Runs, workdir: &Workdir, server: &Webhook) -> Result<Table> {
    let url = server.url("/");
    let mut table = Table::new("fh-health: one web address, from start to end");
    let mut peers = vec![(
        "fh-health",
        health(runs, workdir, &address("one", &url), "one.toml")?,
    )];
    if let Some(curl) = on_path("curl") {
        let mut command = Command::new(curl);
        command.args(["-sf", "--max-time", "10", &url]);
        peers.push(("curl", command));
    }
    table.measure(runs.runs, &mut peers)?;
    Ok(table)
}

fn postgres(runs: &Runs, workdir: &Workdir) -> Result<Table> {
    let postgres = Postgres::try_start()?;
    postgres.create_database("financehub");
    finance::load(&postgres, "financehub", ROWS);
    let _ = postgres.psql("financehub", "vacuum analyze");
    let mut ours = program(runs, "fh-health", workdir)?;
    ours.args(["check", "--stateless", "--only", "postgres.*"])
        .env("DATABASE_URL", postgres.url("financehub"));
    let mut table = Table::new(format!(
        "fh-health: one PostgreSQL, beside {} services of check_pgactivity one by one",
        SERVICES.len()
    ));
    let mut peers = vec![("fh-health, every check", ours)];
    let packaged = PathBuf::from(PACKAGED).join("check_pgactivity");
    let found = on_path("check_pgactivity").or_else(|| packaged.is_file().then_some(packaged));
    match found {
        Some(program) => {
            let mut script = String::from("set -u\n");
            for service in SERVICES {
                let _ = writeln!(
                    script,
                    "'{}' -F human --status-file status -h '{}' -p {} -U {} -d financehub -s {service} || [ $? -le 2 ] || exit 9",
                    program.display(),
                    postgres.socket_dir().display(),
                    postgres.port(),
                    postgres.superuser(),
                );
            }
            let file = workdir.path().join("services.sh");
            fs_err::write(&file, script)?;
            let mut command = bash(&file);
            command.current_dir(workdir.path());
            peers.push(("check_pgactivity", command));
        }
        None => table.note("not measured: check_pgactivity, which is not on this machine"),
    }
    table.measure(runs.runs.min(5), &mut peers)?;
    Ok(table)
}
