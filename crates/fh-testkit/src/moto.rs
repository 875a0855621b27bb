//! The AWS emulator `moto_server` (Python) on a free loopback port.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::Signal;

use crate::process::{Daemon, Workdir};
use crate::service::Missing;
use crate::{host, http};

/// A running `moto_server`: every AWS service it knows at one endpoint, any credentials are good. Ends with this value.
///
/// moto is generous: it accepts wrong signatures and reports some missing CloudFormation types as created.
#[derive(Debug)]
pub struct Moto {
    /// Held for its Drop.
    _daemon: Daemon,
    port: u16,
}

impl Moto {
    /// Starts the emulator.
    ///
    /// # Panics
    /// When it does not start, also when it is not installed. Tests prefer `require!(Moto::try_start())`.
    #[expect(
        clippy::must_use_candidate,
        reason = "an emulator may be started only to see that it starts"
    )]
    pub fn start() -> Self {
        Self::try_start().unwrap_or_else(|error| panic!("{error:?}"))
    }

    /// Starts the emulator; for [`require!`](crate::require).
    ///
    /// # Errors
    /// [`Missing`] when it is not installed, else why it did not start.
    pub fn try_start() -> Result<Self> {
        let program = find()?;
        for _ in 0..5 {
            let port = host::free_port()?;
            let workdir = Workdir::new("moto_server", "fh-moto-", "KILL", None)?;
            let mut daemon = Daemon::new(workdir, Signal::KILL);
            let mut command = Command::new(&program);
            // Credentials of the person who runs the tests have no business in an emulator.
            command
                .env_remove("AWS_PROFILE")
                .args(["-H", "127.0.0.1", "-p", &port.to_string()]);
            daemon.spawn(command)?;
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            match daemon.wait_until(|| TcpStream::connect(address).is_ok()) {
                Err(error) if format!("{error:#}").contains("in use") => {}
                Err(error) => return Err(error.context("moto_server did not start")),
                // Somebody else's server may answer on a port that was taken: only ours lives on.
                Ok(()) if daemon.ended()?.is_none() => {
                    return Ok(Self {
                        _daemon: daemon,
                        port,
                    });
                }
                Ok(()) => {}
            }
        }
        bail!("no free port for moto_server")
    }

    /// `http://127.0.0.1:40123`, for `AWS_ENDPOINT_URL`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Forgets every resource.
    ///
    /// # Errors
    /// When the server does not answer.
    pub fn reset(&self) -> Result<()> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let answer = http::request(address, "POST", "/moto-api/reset", &[], b"").context("moto_server")?;
        ensure!(
            answer.status == 200,
            "moto_server answers {} to a reset",
            answer.status
        );
        Ok(())
    }
}

fn find() -> Result<PathBuf> {
    let ours = host::target_dir().join("tools/venv/bin/moto_server");
    host::program("FH_MOTO_SERVER", std::slice::from_ref(&ours), "moto_server").ok_or_else(|| {
        let remedy = format!(
            "Looked at FH_MOTO_SERVER, or without it for {} and in PATH. Run `cargo xtask setup`, or \
             `pip install 'moto[server]==5.2.5'`.",
            ours.display()
        );
        Missing {
            service: "moto_server",
            remedy,
        }
        .into()
    })
}
