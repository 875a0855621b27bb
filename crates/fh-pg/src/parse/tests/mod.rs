//! Tables of connection strings.

mod errors;
mod forms;
mod meaning;

use fh_core::Secret;

use crate::environment::Environment;
use crate::target::{ConnectionString, Place, Server};

fn environment() -> Environment {
    Environment::empty().with_user("me")
}

fn parse_in(text: &str, environment: &Environment) -> ConnectionString {
    ConnectionString::parse(&Secret::new(text), environment)
        .unwrap_or_else(|error| panic!("{text}: {}", error.render()))
}

fn parse(text: &str) -> ConnectionString {
    parse_in(text, &environment())
}

fn tcp(host: &str, port: u16) -> Server {
    Server {
        place: Place::Tcp {
            host: host.into(),
            address: None,
        },
        port,
    }
}

fn socket(folder: &str, port: u16) -> Server {
    Server {
        place: Place::Socket(folder.into()),
        port,
    }
}

fn password(target: &ConnectionString) -> Option<&str> {
    target.password.as_ref().map(Secret::expose)
}
