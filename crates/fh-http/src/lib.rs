//! One bounded HTTP/1.1 exchange: what was asked, what came back, how long each phase took, and what the server's
//! certificate says. A server that hangs, drips, lies about lengths or never ends costs no more than the deadline and
//! the sizes that the caller set.
//!
//! ```no_run
//! use fh_core::{Cancel, Deadline};
//! use fh_http::{Request, exchange};
//!
//! let request = Request::get("https://app.example.com/api/health/").unwrap();
//! let deadline = Deadline::after(std::time::Duration::from_secs(5));
//! match exchange(&request, deadline, &Cancel::new()) {
//!     Ok(response) => println!("{} after {:?}", response.status, response.phases.total),
//!     Err(failure) => println!("{failure}"),
//! }
//! ```
//!
//! Why not a library that does all of this: see docs/decisions/0005-http.md.

mod bounded;
mod connect;
mod exchange;
mod failure;
mod follow;
pub mod jsonpath;
mod request;
mod resolve;
mod response;
pub mod tls;

pub use connect::first_open;
pub use exchange::exchange;
pub use failure::{Failure, Kind, Phase};
pub use follow::{Hops, follow, redirected};
pub use request::{Request, RequestError, TlsOptions};
pub use resolve::{Lookup, Places, resolve, resolve_with, routable, system};
pub use response::{Phases, Response};
