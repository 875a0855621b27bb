//! OpenSSL's program, for what no careful library makes any more: keys of 1024 bits, SHA-1, TLS 1.0.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::Signal;

use crate::certs::Identity;
use crate::host;
use crate::process::{Daemon, Workdir};
use crate::service::Missing;

/// The `openssl` of this machine. Its system-wide settings, which may forbid the old things, do not count.
#[derive(Debug)]
pub struct OpenSsl {
    program: PathBuf,
    work: tempfile::TempDir,
}

/// A certificate with the authority that signed it.
#[derive(Debug)]
pub struct Issued {
    /// What the server shows.
    pub identity: Identity,
    /// The authority's certificate, PEM.
    pub ca_pem: String,
}

/// A running `openssl s_server`. Ends with this value.
#[derive(Debug)]
pub struct OldServer {
    /// Held for its Drop.
    _daemon: Daemon,
    /// Where it listens.
    pub address: SocketAddr,
}

const CONFIG: &str = "\
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[server]
subjectAltName = DNS:localhost,IP:127.0.0.1
extendedKeyUsage = serverAuth
";

impl OpenSsl {
    /// Finds the program; for [`require!`](crate::require).
    ///
    /// # Errors
    /// [`Missing`] when it is not installed, or when it is LibreSSL, which no longer speaks the old protocols.
    pub fn try_start() -> Result<Self> {
        let missing = |what: &str| Missing {
            service: "OpenSSL",
            remedy: format!(
                "Looked at FH_OPENSSL, or without it in Homebrew's folders and PATH: {what}. Install it with `apt-get install openssl` or \
                 `brew install openssl@3`, or set FH_OPENSSL to its program."
            ),
        };
        // Homebrew keeps it away from PATH, where Apple's LibreSSL is.
        let homebrew =
            ["/opt/homebrew", "/usr/local"].map(|root| PathBuf::from(root).join("opt/openssl@3/bin/openssl"));
        let program =
            host::program("FH_OPENSSL", &homebrew, "openssl").ok_or_else(|| missing("there is none"))?;
        let told = Command::new(&program)
            .arg("version")
            .output()
            .with_context(|| format!("cannot run {}", program.display()))?;
        let version = String::from_utf8_lossy(&told.stdout).trim().to_owned();
        if !version.starts_with("OpenSSL ") {
            return Err(missing(&format!("{} is `{version}`", program.display())).into());
        }
        let work = tempfile::Builder::new().prefix("fh-openssl-").tempdir()?;
        fs_err::write(work.path().join("openssl.cnf"), CONFIG)?;
        Ok(Self { program, work })
    }

    /// A certificate for `localhost` and `127.0.0.1` with a key such as `rsa:1024`, signed with `digest` such as `sha1` by a
    /// new authority that has a good key.
    ///
    /// # Errors
    /// When OpenSSL refuses.
    pub fn issue(&self, key: &str, digest: &str) -> Result<Issued> {
        let authority = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -sha256 -days 3650 \
                         -subj /CN=authority -extensions authority -keyout ca.key -out ca.pem";
        self.run(authority)?;
        self.run(&format!(
            "req -new -newkey {key} -nodes -subj /CN=localhost -keyout key.pem -out request.pem"
        ))?;
        self.run(&format!(
            "x509 -req -in request.pem -CA ca.pem -CAkey ca.key -set_serial 2 -days 3650 -{digest} \
             -extfile openssl.cnf -extensions server -out cert.pem"
        ))?;
        let read = |name: &str| fs_err::read_to_string(self.work.path().join(name));
        Ok(Issued {
            identity: Identity {
                cert_pem: read("cert.pem")?,
                key_pem: read("key.pem")?,
            },
            ca_pem: read("ca.pem")?,
        })
    }

    /// A server that shows this identity and takes the weakest keys, hashes and protocols that OpenSSL has. `options` narrow
    /// that: `-tls1_1` speaks nothing but TLS 1.1.
    ///
    /// # Errors
    /// When it does not start.
    pub fn serve(&self, identity: &Identity, options: &[&str]) -> Result<OldServer> {
        for _ in 0..5 {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, host::free_port()?));
            let workdir = Workdir::new("openssl s_server", "fh-openssl-", "KILL", None)?;
            fs_err::write(workdir.path().join("cert.pem"), &identity.cert_pem)?;
            fs_err::write(workdir.path().join("key.pem"), &identity.key_pem)?;
            let mut daemon = Daemon::new(workdir, Signal::KILL);
            let mut command = self.command();
            command
                .args(["s_server", "-www", "-cert", "cert.pem", "-key", "key.pem"])
                .args(["-cipher", "ALL:@SECLEVEL=0", "-accept", &address.to_string()])
                .args(options);
            daemon.spawn(command)?;
            match daemon.wait_until(|| TcpStream::connect(address).is_ok()) {
                Err(error) if format!("{error:#}").contains("in use") => {}
                Err(error) => return Err(error.context("openssl s_server did not start")),
                // Somebody else's server may answer on a port that was taken: only ours lives on.
                Ok(()) if daemon.ended()?.is_none() => {
                    return Ok(OldServer {
                        _daemon: daemon,
                        address,
                    });
                }
                Ok(()) => {}
            }
        }
        bail!("no free port for openssl s_server")
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.env("OPENSSL_CONF", self.work.path().join("openssl.cnf"));
        command
    }

    fn run(&self, words: &str) -> Result<()> {
        let output = self
            .command()
            .args(words.split_whitespace())
            .current_dir(self.work.path())
            .output()?;
        ensure!(
            output.status.success(),
            "openssl {words} ended with {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }
}
