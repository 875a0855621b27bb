//! Where a drill takes place: on a throw-away server of its own, or in a new database on one for the purpose.

use fh_core::app::Session;
use fh_core::report::Check;
use fh_core::{Error, Result, Secret};
use fh_pg::{ConnectOptions, ConnectionString};

use crate::body::Database;
use crate::cli::Drill;
use crate::context;
use crate::drill::cluster::{Cluster, Wanted};
use crate::drill::scratch::{self, Scratch};
use crate::restore::definitions::Ownership;

/// What was asked for.
#[derive(Debug)]
pub(super) enum Place {
    /// A throw-away server.
    Local,
    /// This one, in a database of the drill's own.
    Server(Box<ConnectionString>),
}

impl Place {
    /// The flags come before the configuration.
    pub(super) fn of(session: &Session, drill: &Drill) -> Result<Self> {
        let configured = &session.config().backup.drill.server_url;
        let url = match (&drill.server_url_env, configured) {
            (Some(variable), _) => from_variable(variable)?,
            (None, Some(source)) if !drill.local => {
                context::secret(session, source, "the URL of the drill's server")?
            }
            _ => return Ok(Self::Local),
        };
        let server = context::connection_string(session, &url)?;
        // The source need not be known where drills are run; where it is, it is protected.
        let source = match &session.config().database.url {
            Some(_) => Some(context::database(session)?),
            None => None,
        };
        scratch::refuse_source(&server, source.as_ref())?;
        Ok(Self::Server(Box::new(server)))
    }

    /// For reports.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Local => "a throw-away server on this machine".into(),
            Self::Server(server) => server.redacted(),
        }
    }

    /// On a server of others, roles are theirs.
    pub(super) fn ownership(&self) -> Ownership {
        let theirs = matches!(self, Self::Server(_));
        Ownership {
            no_owner: theirs,
            no_privileges: theirs,
        }
    }

    /// Takes out what must not be set here: the comment would hide that the database is a drill's, and settings of roles
    /// belong to a server's own roles.
    pub(super) fn fit(&self, database: &mut Database) {
        database.properties.comment = None;
        if matches!(self, Self::Server(_)) {
            database.settings.retain(|setting| setting.role.is_none());
        }
    }
}

fn from_variable(variable: &str) -> Result<Secret> {
    std::env::var(variable)
        .ok()
        .filter(|url| !url.is_empty())
        .map(Secret::new)
        .ok_or_else(|| {
            Error::usage(format!(
                "the environment variable {variable} of --server-url-env is not set"
            ))
            .hint("put the connection URL of the drill's server there")
        })
}

/// A server that takes connections.
#[derive(Debug)]
pub(super) struct Server {
    cluster: Option<Cluster>,
    /// The way in.
    pub(super) at: ConnectionString,
    /// Databases that killed drills had left.
    dropped: Vec<String>,
}

impl Server {
    pub(super) async fn start(
        session: &Session,
        place: &Place,
        database: &Database,
        options: &ConnectOptions,
    ) -> Result<Self> {
        if let Place::Server(server) = place {
            return Ok(Self {
                cluster: None,
                at: (**server).clone(),
                dropped: scratch::sweep(server, options).await?,
            });
        }
        let config = session.config();
        let rows = database.tables.iter().map(|table| &table.data);
        let wanted = Wanted {
            folder: config.backup.drill.folder.as_deref(),
            major: database.server_version / 10_000,
            bin_dir: config.database.bin_dir.as_deref(),
            rows: rows.chain(&database.large_objects).map(|data| data.bytes).sum(),
        };
        let task = session.progress.spinner("starting a throw-away server");
        let cluster = Cluster::start(wanted).await?;
        task.finish("a throw-away server runs");
        Ok(Self {
            at: cluster.server()?,
            cluster: Some(cluster),
            dropped: Vec::new(),
        })
    }

    pub(super) fn is_local(&self) -> bool {
        self.cluster.is_some()
    }

    /// What was cleaned up after drills that were killed.
    pub(super) fn swept(&self) -> Option<Check> {
        let folders = self.cluster.iter().flat_map(|cluster| &cluster.swept);
        let all: Vec<String> = folders
            .map(|path| path.display().to_string())
            .chain(self.dropped.iter().cloned())
            .collect();
        if all.is_empty() {
            return None;
        }
        let check = Check::warn(
            "leftovers",
            format!("{} thing(s) that killed drills had left were removed", all.len()),
        );
        Some(all.into_iter().fold(check, Check::evidence))
    }

    pub(super) async fn scratch(
        &self,
        options: &ConnectOptions,
        database: &Database,
    ) -> Result<(Scratch, Option<String>)> {
        Scratch::make(&self.at, options, &database.properties).await
    }

    /// Removes what was made, or leaves it for a look.
    pub(super) async fn end(self, scratch: Scratch, keep: bool) -> Result<Option<Check>> {
        let name = scratch.name().to_owned();
        match (self.cluster, keep) {
            (None, false) => Ok(scratch.remove().await.err().map(|error| {
                let check = Check::warn("cleanup", error.message());
                let check = error.causes().into_iter().fold(check, Check::evidence);
                check.hint(error.advice().unwrap_or_default())
            })),
            (None, true) => {
                scratch.keep().await?;
                Ok(Some(
                    Check::pass("kept", format!("the restored database stays: {name}"))
                        .hint(format!("drop it later: DROP DATABASE {name}")),
                ))
            }
            (Some(cluster), false) => {
                scratch.forget();
                drop(cluster);
                Ok(None)
            }
            (Some(cluster), true) => {
                scratch.forget();
                let folder = cluster.folder().display().to_string();
                let way = cluster.keep(&name)?;
                Ok(Some(
                    Check::pass(
                        "kept",
                        format!("the throw-away server goes on running in {folder}"),
                    )
                    .hint(way),
                ))
            }
        }
    }
}
