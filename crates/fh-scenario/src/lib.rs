//! The TOML language of HTTP scenarios.
//!
//! A suite names environments, variables and scenarios. Everything that can be known to be wrong is an error before the
//! first request: unknown keys, undefined variables, captures that nobody uses, steps that assert nothing.
//!
//! ```
//! let text = r#"
//! [env.local]
//! base = "http://127.0.0.1:8000"
//!
//! [[scenario]]
//! name = "health"
//! [[scenario.step]]
//! get = "/api/health/"
//! expect = { status = 200, json = { "$.database" = "connected" } }
//! "#;
//! let loaded = fh_scenario::parse(text, std::path::Path::new("suite.toml")).unwrap();
//! assert_eq!(loaded.suite.scenario[0].step[0].expect.count(), 2);
//!
//! let wrong = text.replace("expect", "expct");
//! let error = fh_scenario::parse(&wrong, std::path::Path::new("suite.toml")).unwrap_err();
//! assert_eq!(error.message(), "unknown key `expct` in [scenario[0].step[0]] (suite.toml:9:1)");
//! ```

mod cause;
pub mod html;
mod judge;
mod load;
mod matcher;
pub mod run;
#[cfg(feature = "schema")]
mod schema;
mod scope;
mod step;
mod suite;
mod template;
mod validate;
mod variable;

pub use judge::{Miss, regex};
pub use load::{Loaded, load, parse};
pub use matcher::{Conditions, JsonType, Matcher, StatusSet};
#[cfg(feature = "schema")]
pub use schema::json_schema;
pub use scope::{RUN_ID, Scope};
pub use step::{Backoff, Basic, Capture, Cause, Expect, Part, Retry, Step};
pub use suite::{
    Addresses, Assets, Cache, Certificate, DEFAULT_ROUTE, Environment, Integrity, Scenario, Security,
    Settings, Suite, Variable, VersionGate,
};
pub use template::{render, render_value};
