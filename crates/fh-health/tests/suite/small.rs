//! DNS, commands, the host.

use std::net::UdpSocket;

use crate::tool::{Tool, closed_port, of, said};

/// A name server that answers each question for `app.test` with two addresses, cuts `big.test` off over UDP and serves it
/// over TCP, and knows no other name.
fn name_server() -> u16 {
    use std::io::{Read as _, Write as _};
    let socket = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    let port = socket.local_addr().unwrap().port();
    let listener = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let _ = socket.send_to(&reply(&buffer[..length], false), from);
        }
    });
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut length = [0; 2];
            stream.read_exact(&mut length).unwrap();
            let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
            stream.read_exact(&mut question).unwrap();
            let answer = reply(&question, true);
            let length = u16::try_from(answer.len()).unwrap().to_be_bytes();
            // In two pieces, as a network may.
            stream.write_all(&length).unwrap();
            stream.write_all(&answer).unwrap();
        }
    });
    port
}

fn reply(question: &[u8], tcp: bool) -> Vec<u8> {
    let asks = |name: &[u8]| question.windows(name.len()).any(|part| part == name);
    let (flags, count): (u16, u16) = match (asks(b"\x03app\x04test"), asks(b"\x03big\x04test")) {
        (true, _) => (0x8180, 2),
        (_, true) if tcp => (0x8180, 2),
        (_, true) => (0x8380, 0),
        _ => (0x8183, 0),
    };
    let mut out = question[..2].to_vec();
    out.extend(flags.to_be_bytes());
    out.extend([0, 1]);
    out.extend(count.to_be_bytes());
    out.extend([0; 4]);
    out.extend(&question[12..]);
    for last in 0..u8::try_from(count).unwrap() {
        out.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 10 + last]);
    }
    out
}

#[test]
fn records_are_compared_with_what_they_should_be() {
    let port = name_server();
    let entry = |name: &str, domain: &str, rest: &str| {
        format!("[[health.dns]]\nname = '{name}'\ndomain = '{domain}'\nserver = '127.0.0.1:{port}'\n{rest}\n")
    };
    let dead = format!(
        "[[health.dns]]\nname = 'dead'\ndomain = 'app.test'\nserver = '127.0.0.1:{}'\n",
        closed_port()
    );
    let tool = Tool::new(
        &[
            entry("good", "app.test", "expect = ['192.0.2.11']"),
            entry("other", "app.test", "expect = ['192.0.2.99']"),
            entry("cut-off", "big.test", "expect = ['192.0.2.10', '192.0.2.11']"),
            entry("missing", "nowhere.test", ""),
            entry("none", "app.test", "record = 'TXT'"),
            dead,
        ]
        .concat(),
    );
    let report = tool.check(&[]);
    assert_eq!(
        said(&report, "dns.good"),
        "pass: app.test A: 192.0.2.10, 192.0.2.11"
    );
    assert_eq!(
        said(&report, "dns.other"),
        "fail: 192.0.2.99 is not among the A records of app.test"
    );
    assert_eq!(
        said(&report, "dns.cut-off"),
        "pass: big.test A: 192.0.2.10, 192.0.2.11"
    );
    assert!(
        said(&report, "dns.missing").starts_with("fail: nowhere.test does not exist"),
        "{report:#}"
    );
    assert_eq!(said(&report, "dns.none"), "fail: app.test has no TXT record");
    assert!(said(&report, "dns.dead").starts_with("fail: "), "{report:#}");
}

#[test]
fn commands_are_judged_by_their_exit_code_and_never_outlive_their_time() {
    let tool = Tool::new(
        "[[health.command]]\nname = 'good'\ncommand = ['true']\n\
         [[health.command]]\nname = 'bad'\ncommand = ['sh', '-c', 'echo queue is stuck >&2; exit 3']\n\
         [[health.command]]\nname = 'loud'\ncommand = ['sh', '-c', 'yes | head -c 3000000; exit 1']\n\
         [[health.command]]\nname = 'missing'\ncommand = ['/nonexistent/program']\n\
         [[health.command]]\nname = 'killed'\ncommand = ['sh', '-c', 'kill -9 $$']\n\
         [[health.command]]\nname = 'slow'\ntimeout = '300ms'\ncommand = ['sh', '-c', '(sleep 40; echo x > late) & echo $! > child; wait']\n\
         [[health.command]]\nname = 'warn'\nnagios = true\ncommand = ['sh', '-c', 'echo \"DISK WARNING - 85 % | used=85\"; exit 1']\n\
         [[health.command]]\nname = 'critical'\nnagios = true\ncommand = ['sh', '-c', 'exit 2']\n\
         [[health.command]]\nname = 'unknown'\nnagios = true\ncommand = ['sh', '-c', 'exit 3']\n",
    );
    let report = tool.check(&[]);
    for (name, expected) in [
        ("good", "pass: true ended with exit code 0"),
        ("bad", "fail: sh ended with exit code 3"),
        ("loud", "fail: sh ended with exit code 1"),
        ("missing", "unknown: cannot run /nonexistent/program"),
        ("killed", "fail: sh was ended by signal 9"),
        ("slow", "unknown: sh did not end within 300 ms and was killed"),
        ("warn", "warn: DISK WARNING - 85 %"),
        ("critical", "fail: exit code 2"),
        ("unknown", "unknown: exit code 3"),
    ] {
        assert_eq!(said(&report, &format!("command.{name}")), expected);
    }
    assert_eq!(of(&report, "command.bad")["evidence"][0], "queue is stuck");
    assert!(of(&report, "command.loud")["evidence"].as_array().unwrap().len() <= 11);
    // The whole group was killed, the grandchild too.
    let child = std::fs::read_to_string(tool.path("child")).unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.trim())).unwrap_or_default();
    assert!(
        stat.is_empty() || stat.contains(") Z "),
        "the grandchild lives: {stat}"
    );
}

#[test]
fn the_host_is_measured_and_a_path_that_is_not_there_is_unknown() {
    let tool = Tool::new(
        "[health.host]\ndisks = ['/', '/nonexistent/disk']\n[health.checks.'host.disk.root']\nwarn = '0%'\ncrit = 'off'\n",
    );
    let report = tool.check(&["--only", "host"]);
    let disk = of(&report, "host.disk.root");
    assert_eq!(disk["status"], "warn", "a threshold of nothing is always reached");
    assert!(
        said(&report, "host.disk.nonexistent-disk").starts_with("unknown: cannot look at /nonexistent/disk")
    );
    let memory = of(&report, "host.memory");
    let used = memory["measures"][0]["value"].as_f64().unwrap();
    assert!(used > 0.0 && used < 100.0, "{memory}");
    // A second run has something to compare with.
    assert_eq!(of(&report, "host.oom_kills")["status"], "skip");
    let second = tool.check(&["--only", "host"]);
    assert_ne!(of(&second, "host.oom_kills")["status"], "skip", "{second:#}");
}
