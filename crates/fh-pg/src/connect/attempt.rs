//! One attempt at one address: TLS or not, log in, start the task that drives the session.

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::tls::{MakeTlsConnect, NoTls, TlsConnect};
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::failure::Failure;
use super::merging::{Merging, MergingConnect};
use super::socket::{self, Address, Socket};
use crate::connection::driver::{self, Driver};
use crate::target::{ChannelBinding, ConnectionString, Server, SslMode};
use crate::tls::{self, TlsState};

/// How a session got through, so that a request to cancel can take the same way.
#[derive(Clone)]
pub(crate) struct Route {
    pub(crate) address: Address,
    pub(crate) tls: Option<TlsRoute>,
}

#[derive(Clone)]
pub(crate) struct TlsRoute {
    pub(crate) connector: MakeRustlsConnect,
    pub(crate) name: String,
    /// Begin with the handshake, without asking first.
    pub(crate) direct: bool,
}

/// A session that is logged in.
pub(crate) struct Opened {
    pub(crate) client: Client,
    pub(crate) driver: Driver,
    /// What the server calls its version.
    pub(crate) version: String,
    pub(crate) tls: TlsState,
    pub(crate) route: Route,
}

/// Tries one address as the `sslmode` says.
pub(crate) async fn attempt(
    target: &ConnectionString,
    server: &Server,
    address: &Address,
    config: &Config,
    merge_rows: bool,
) -> Result<Opened, Failure> {
    let attempt = Attempt {
        target,
        server,
        address,
        config,
        merge_rows,
    };
    if matches!(address, Address::Unix(_)) {
        return attempt.plain(TlsState::Socket).await;
    }
    let mode = target.ssl_mode(server);
    match mode {
        SslMode::Disable => attempt.plain(because("sslmode=disable")).await,
        SslMode::Allow => match attempt.plain(because("sslmode=allow")).await {
            Err(first) if first.is_rejection() => match attempt.encrypted(mode).await {
                // Without TLS on the server its first answer says more.
                Err(Failure::NoTls { .. }) => Err(first),
                second => second,
            },
            result => result,
        },
        SslMode::Prefer => {
            let why = match attempt.encrypted(mode).await {
                Err(Failure::NoTls { .. }) => "the server offers no TLS".to_owned(),
                Err(Failure::Handshake { error }) => format!("the TLS handshake failed: {error}"),
                // `hostnossl` in pg_hba.conf. If it was something else the second answer will say the same.
                Err(first) if first.is_rejection() => {
                    "the server accepts this role without TLS only".to_owned()
                }
                result => return result,
            };
            attempt
                .plain(because(&format!("{why}, and sslmode=prefer puts up with that")))
                .await
        }
        SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => attempt.encrypted(mode).await,
    }
}

fn because(why: &str) -> TlsState {
    TlsState::Plain {
        because: why.to_owned(),
    }
}

struct Attempt<'a> {
    target: &'a ConnectionString,
    server: &'a Server,
    address: &'a Address,
    config: &'a Config,
    merge_rows: bool,
}

impl Attempt<'_> {
    async fn dial(&self) -> Result<Socket, Failure> {
        socket::dial(self.address, &self.target.keepalives)
            .await
            .map_err(Failure::Dial)
    }

    async fn plain(&self, state: TlsState) -> Result<Opened, Failure> {
        let mut config = self.config.clone();
        config.ssl_mode(tokio_postgres::config::SslMode::Disable);
        let socket = self.dial().await?;
        let route = Route {
            address: self.address.clone(),
            tls: None,
        };
        if self.merge_rows {
            log_in(Merging::new(socket), NoTls, &config, state, route).await
        } else {
            log_in(socket.read_ahead(), NoTls, &config, state, route).await
        }
    }

    async fn encrypted(&self, mode: SslMode) -> Result<Opened, Failure> {
        let (tls_config, proven) = tls::client_config(self.target, mode).map_err(Failure::Ours)?;
        let mut route = TlsRoute {
            connector: MakeRustlsConnect::new(tls_config),
            name: tls::server_name(self.server),
            direct: self.target.tls.direct,
        };
        let mut socket = self.dial().await?;
        if !route.direct && !socket::ask_for_tls(&mut socket).await.map_err(Failure::Talk)? {
            return Err(Failure::NoTls { mode });
        }
        let mut config = self.config.clone();
        // We asked ourselves, so for the library every handshake is a direct one. It would otherwise not tell a server
        // without TLS from a failed handshake.
        config.ssl_mode(tokio_postgres::config::SslMode::Require);
        config.ssl_negotiation(tokio_postgres::config::SslNegotiation::Direct);
        let connect = rustls_connect(&mut route);
        let route = Route {
            address: self.address.clone(),
            tls: Some(route),
        };
        let (socket, state) = (socket.read_ahead(), TlsState::Encrypted { server: proven });
        if self.merge_rows {
            log_in(socket, MergingConnect(connect), &config, state, route).await
        } else {
            log_in(socket, connect, &config, state, route).await
        }
    }
}

/// The handshake for the route's name.
pub(crate) fn rustls_connect(
    route: &mut TlsRoute,
) -> <MakeRustlsConnect as MakeTlsConnect<Socket>>::TlsConnect {
    let name = route.name.clone();
    let Ok(connect) = MakeTlsConnect::<Socket>::make_tls_connect(&mut route.connector, &name);
    connect
}

async fn log_in<S, T>(
    stream: S,
    tls: T,
    config: &Config,
    state: TlsState,
    route: Route,
) -> Result<Opened, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: TlsConnect<S>,
    T::Stream: Send + 'static,
{
    let (client, connection) = config
        .connect_raw(stream, tls)
        .await
        .map_err(Failure::from_library)?;
    let version = connection
        .parameter("server_version")
        .unwrap_or_default()
        .to_owned();
    Ok(Opened {
        client,
        driver: driver::start(connection),
        version,
        tls: state,
        route,
    })
}

/// What the library needs to know of the target.
pub(crate) fn library_config(target: &ConnectionString, application_name: &str) -> Config {
    let mut config = Config::new();
    config.user(&target.user).dbname(&target.database);
    config.application_name(target.application_name.as_deref().unwrap_or(application_name));
    if let Some(options) = &target.options {
        config.options(options);
    }
    config.channel_binding(match target.channel_binding {
        ChannelBinding::Disable => tokio_postgres::config::ChannelBinding::Disable,
        ChannelBinding::Prefer => tokio_postgres::config::ChannelBinding::Prefer,
        ChannelBinding::Require => tokio_postgres::config::ChannelBinding::Require,
    });
    config
}
