//! fh-smoke: forty requests beside curl in bash and Newman, and a deadline against servers that hang.

use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Result, ensure};

use super::hung::{Hung, Phase};
use super::table::Table;
use super::{Runs, bash, program};
use crate::host::on_path;
use crate::process::Workdir;
use crate::webhook::{Reply, Webhook};

/// Requests of the suite.
const REQUESTS: usize = 40;
/// Seconds that a run against a server that hangs may take.
const DEADLINE: f64 = 5.0;

pub(super) fn bench(runs: &Runs) -> Result<Vec<Table>> {
    let workdir = Workdir::new("the benchmark", "fh-bench-", "TERM", None)?;
    let server = Webhook::answering(|request| {
        Reply::status(200)
            .header("content-type", "application/json")
            .body(format!("{{\"path\":\"{}\",\"status\":\"ok\"}}", request.path))
    });
    Ok(vec![
        requests(runs, &workdir, &server)?,
        deadline(runs, &workdir)?,
    ])
}

fn requests(runs: &Runs, workdir: &Workdir, server: &Webhook) -> Result<Table> {
    let (mut suite, mut script) = (suite(&server.url("")), String::from("set -euo pipefail\n"));
    let mut items = Vec::new();
    for number in 1..=REQUESTS {
        let _ = write!(
            suite,
            "\n[[scenario]]\nname = \"r{number}\"\n[[scenario.step]]\nget = \"/r{number}\"\nexpect = {{ status = 200, json = {{ \"$.status\" = \"ok\" }} }}\n"
        );
        let url = server.url(&format!("/r{number}"));
        let _ = writeln!(
            script,
            "curl -sf --max-time 10 '{url}' | grep -q '\"status\":\"ok\"'"
        );
        items.push(format!(
            r#"{{"name":"r{number}","request":{{"method":"GET","url":"{url}"}},"event":[{{"listen":"test","script":{{"exec":["pm.test('ok', () => {{ pm.response.to.have.status(200); pm.expect(pm.response.json().status).to.eql('ok'); }})"]}}}}]}}"#
        ));
    }
    let collection = format!(
        r#"{{"info":{{"name":"bench","schema":"https://schema.getpostman.com/json/collection/v2.1.0/collection.json"}},"item":[{}]}}"#,
        items.join(",")
    );
    let [suite_file, script_file, collection_file] =
        ["suite.toml", "suite.sh", "suite.json"].map(|name| workdir.path().join(name));
    fs_err::write(&suite_file, suite)?;
    fs_err::write(&script_file, script)?;
    fs_err::write(&collection_file, collection)?;

    let mut table = Table::new(format!(
        "fh-smoke: {REQUESTS} requests with two expectations each"
    ));
    let mut ours = program(runs, "fh-smoke", workdir)?;
    ours.args(["suite.toml", "--env", "here"]);
    let mut peers = vec![("fh-smoke", ours)];
    if on_path("curl").is_some() {
        peers.push(("curl and grep in bash", bash(&script_file)));
    } else {
        table.note("not measured: curl, which is not on this machine");
    }
    if let Some(newman) = on_path("newman") {
        let mut command = Command::new(newman);
        command.arg("run").arg(&collection_file);
        peers.push(("Newman", command));
    } else {
        table.note("not measured: Newman, which is not on this machine");
    }
    let before = server.requests().len();
    table.measure(runs.runs, &mut peers)?;
    // Nobody is fast by leaving requests out.
    let sent = server.requests().len() - before;
    let wanted = REQUESTS * peers.len() * runs.runs as usize;
    ensure!(sent == wanted, "{sent} requests came instead of {wanted}");
    Ok(table)
}

fn suite(base: &str) -> String {
    format!(
        "[suite]\nname = \"bench\"\ndeadline = \"1m\"\nconcurrency = 8\n\n[env.here]\nbase = \"{}\"\n",
        base.trim_end_matches('/')
    )
}

/// How much longer than its deadline a run takes.
fn deadline(runs: &Runs, workdir: &Workdir) -> Result<Table> {
    let mut table = Table::new(format!(
        "fh-smoke: a deadline of {DEADLINE} s, and a server that hangs"
    ));
    for phase in Phase::ALL {
        let hung = Hung::start(phase)?;
        let base = format!("{}://{}", phase.scheme(), hung.address);
        let text = format!(
            "{}\n[[scenario]]\nname = \"one\"\n[[scenario.step]]\nget = \"/\"\nexpect = {{ status = 200 }}\n",
            suite(&base)
        );
        fs_err::write(workdir.path().join("hung.toml"), text)?;
        let mut command = program(runs, "fh-smoke", workdir)?;
        command
            .args([
                "hung.toml",
                "--env",
                "here",
                "--deadline",
                &format!("{DEADLINE}s"),
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let began = Instant::now();
        let status = command.status()?;
        let over = (began.elapsed().as_secs_f64() - DEADLINE) * 1000.0;
        ensure!(
            !status.success(),
            "a server that hangs in {} was called good",
            phase.name()
        );
        table.note(format!(
            "{}: {over:+.0} ms, exit code {}",
            phase.name(),
            status.code().unwrap_or(-1)
        ));
    }
    Ok(table)
}
