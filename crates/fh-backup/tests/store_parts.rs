//! A row so large that its segment goes in parts, and a signal in the middle of them.

mod tool;

use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

use fh_testkit::{S3, S3Refusal};
use tool::{Tool, ran, small_server};

#[test]
fn a_signal_in_the_middle_of_an_upload_leaves_nothing_behind() {
    let Some(server) = small_server() else { return };
    // 30 MB of text that packs to 22: more than four parts of 5 MiB.
    server.psql(
        "shop",
        "CREATE TABLE large (text text);
         COPY large FROM PROGRAM 'head -c 22500000 /dev/urandom | base64 | tr -d \"\\n\"'",
    );
    let s3 = S3::start();
    let tool = Tool::new()
        .with("DATABASE_URL", server.url("shop"))
        .in_s3(&s3, false);
    std::fs::write(
        tool.path("financehub.toml"),
        "[backup.s3]\npart_size = \"5MiB\"\n",
    )
    .unwrap();

    let (begun, wait) = mpsc::channel();
    s3.refuse_when(move |call| {
        call.path.contains("partNumber=").then(|| {
            let _ = begun.send(());
            S3Refusal::new(503, "SlowDown")
        })
    });
    let child = tool
        .command(&["create"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait.recv_timeout(Duration::from_secs(100)).unwrap();
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    ran(&child.wait_with_output().unwrap()).expect(143);
    let aborts = |method: &str| {
        let requests = s3.requests();
        requests
            .iter()
            .filter(|request| request.method == method && request.path.contains("uploadId="))
            .count()
    };
    assert_eq!((aborts("DELETE"), aborts("POST")), (1, 0));
    s3.heal();
    assert_eq!(tool.sets(), [""; 0]);
}
