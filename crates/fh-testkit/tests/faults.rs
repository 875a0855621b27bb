//! The proxy injures connections, and the kill runner strikes at the right moment.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use fh_testkit::kill::{Signal, When, interrupt, kill9};
use fh_testkit::proxy::{Direction, Faults, Proxy};

/// An echo server behind a proxy.
fn echo() -> Proxy {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || std::io::copy(&mut &stream, &mut &stream));
        }
    });
    Proxy::to(address)
}

fn connect(proxy: &Proxy) -> TcpStream {
    let stream = TcpStream::connect(proxy.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

fn round_trip(stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    stream.write_all(bytes)?;
    let mut back = vec![0; bytes.len()];
    stream.read_exact(&mut back)?;
    Ok(back)
}

#[test]
fn a_healthy_proxy_changes_nothing() {
    let proxy = echo();
    let mut stream = connect(&proxy);
    let bytes: Vec<u8> = (0..1_000_000_u32).map(|i| (i % 251) as u8).collect();
    let mut writer = stream.try_clone().unwrap();
    let sent = bytes.clone();
    std::thread::spawn(move || {
        writer.write_all(&sent).unwrap();
        writer.shutdown(std::net::Shutdown::Write).unwrap();
    });
    let mut back = Vec::new();
    stream.read_to_end(&mut back).unwrap();
    assert!(back == bytes);
    assert_eq!(
        (
            proxy.carried(Direction::ToServer),
            proxy.carried(Direction::ToClient)
        ),
        (1_000_000, 1_000_000)
    );
    assert_eq!(proxy.accepted(), 1);
}

#[test]
fn a_connection_is_reset_after_so_many_bytes() {
    let proxy = echo();
    proxy.set(
        Direction::ToClient,
        Faults {
            reset_after: Some(1000),
            ..Faults::default()
        },
    );
    let mut stream = connect(&proxy);
    assert_eq!(round_trip(&mut stream, &[1; 900]).unwrap(), [1; 900]);
    stream.write_all(&[2; 900]).unwrap();
    let mut rest = Vec::new();
    let error = stream.read_to_end(&mut rest).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(rest, [2; 100]);
    // The next connection counts anew.
    assert_eq!(round_trip(&mut connect(&proxy), &[3; 900]).unwrap(), [3; 900]);
}

#[test]
fn a_cut_line_resets_and_refuses_until_it_heals() {
    let proxy = echo();
    let mut stream = connect(&proxy);
    assert_eq!(round_trip(&mut stream, b"before").unwrap(), b"before");
    proxy.cut();
    assert_eq!(
        stream.read(&mut [0; 8]).unwrap_err().kind(),
        ErrorKind::ConnectionReset
    );
    assert_eq!(
        TcpStream::connect(proxy.address()).unwrap_err().kind(),
        ErrorKind::ConnectionRefused
    );
    proxy.cut();
    proxy.heal();
    assert_eq!(round_trip(&mut connect(&proxy), b"after").unwrap(), b"after");
}

#[test]
fn a_stall_holds_bytes_back_until_it_is_lifted() {
    let proxy = echo();
    let mut stream = connect(&proxy);
    assert_eq!(round_trip(&mut stream, b"before").unwrap(), b"before");
    proxy.set(
        Direction::ToServer,
        Faults {
            bytes_per_second: Some(0),
            ..Faults::default()
        },
    );
    stream.write_all(b"held").unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    assert!(matches!(
        stream.read(&mut [0; 8]).unwrap_err().kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut
    ));
    assert_eq!(proxy.carried(Direction::ToServer), 6);
    proxy.set(
        Direction::ToServer,
        Faults {
            bytes_per_second: Some(1_000_000),
            ..Faults::default()
        },
    );
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut back = [0; 4];
    stream.read_exact(&mut back).unwrap();
    assert_eq!(&back, b"held");
}

#[test]
fn latency_and_throttling_take_their_time() {
    let proxy = echo();
    proxy.set(
        Direction::ToServer,
        Faults {
            latency: Duration::from_millis(150),
            ..Faults::default()
        },
    );
    // Two pauses of a tenth of a second at 1000 bytes a second for 200 bytes.
    proxy.set(
        Direction::ToClient,
        Faults {
            bytes_per_second: Some(1000),
            ..Faults::default()
        },
    );
    let started = std::time::Instant::now();
    let mut stream = connect(&proxy);
    assert_eq!(round_trip(&mut stream, &[9; 200]).unwrap(), [9; 200]);
    // A lower bound cannot fail on a slow machine: the waits are asked for, never hoped for.
    assert!(
        started.elapsed() >= Duration::from_millis(250),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn a_server_that_is_away_gives_a_reset() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let proxy = Proxy::to(address);
    assert!(round_trip(&mut connect(&proxy), b"x").is_err());
}

fn shell(script: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]);
    command
}

#[test]
fn the_kill_runner_waits_for_its_moment() {
    let dir = tempfile::tempdir().unwrap();
    let outcome = kill9(
        shell("echo one; sleep 0.2; echo two >&2; exec sleep 60"),
        When::Stderr("two"),
    )
    .unwrap();
    assert!(outcome.killed && outcome.signalled);
    assert_eq!(
        (outcome.stdout.as_str(), outcome.stderr.as_str()),
        ("one\n", "two\n")
    );
    let outcome = kill9(
        shell("sleep 0.2; echo ready; exec sleep 60"),
        When::Stdout("ready"),
    )
    .unwrap();
    assert!(outcome.killed && outcome.stdout == "ready\n");
    let script = format!(
        "mkdir -p {0}/a/b; touch {0}/a/b/1.seg; sleep 0.2; touch {0}/a/2.seg; exec sleep 60",
        dir.path().display()
    );
    let outcome = kill9(
        shell(&script),
        When::Files {
            under: dir.path(),
            name: ".seg",
            count: 2,
        },
    )
    .unwrap();
    assert!(outcome.killed);
    assert!(dir.path().join("a/2.seg").exists());
    let mut asked = 0;
    let mut third = || {
        asked += 1;
        asked == 3
    };
    assert!(
        kill9(shell("exec sleep 60"), When::Condition(&mut third))
            .unwrap()
            .killed
    );
    assert!(
        kill9(shell("exec sleep 60"), When::After(Duration::from_millis(5)))
            .unwrap()
            .killed
    );
}

#[test]
fn a_program_that_ends_first_was_not_killed() {
    let outcome = kill9(shell("echo done; exit 7"), When::Stdout("never")).unwrap();
    assert!(!outcome.killed && !outcome.signalled);
    assert_eq!(
        (outcome.status.code(), outcome.stdout.as_str()),
        (Some(7), "done\n")
    );
}

#[test]
fn a_program_may_catch_a_gentle_signal() {
    let script = "trap 'echo bye; exit 143' TERM; echo up; while :; do sleep 0.01; done";
    let outcome = interrupt(shell(script), Signal::TERM, When::Stdout("up")).unwrap();
    assert!(outcome.signalled && !outcome.killed);
    assert_eq!(
        (outcome.status.code(), outcome.stdout.as_str()),
        (Some(143), "up\nbye\n")
    );
}
