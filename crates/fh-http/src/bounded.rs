//! Work that ends when the time is up or somebody asks for a stop, and knows how far it came.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use fh_core::Cancel;

use crate::failure::{Failure, Kind, Phase};
use crate::response::Phases;
use crate::tls::TlsFacts;

/// How far an exchange came.
pub(crate) struct Trace(RefCell<State>);

struct State {
    phase: Phase,
    began: Instant,
    phases: Phases,
    peer: Option<SocketAddr>,
    tls: Option<TlsFacts>,
    /// What the time-out's message adds, such as how much of a body came.
    note: String,
}

impl Trace {
    pub(crate) fn new() -> Self {
        Self(RefCell::new(State {
            phase: Phase::Request,
            began: Instant::now(),
            phases: Phases::default(),
            peer: None,
            tls: None,
            note: String::new(),
        }))
    }

    pub(crate) fn enter(&self, phase: Phase) {
        self.0.borrow_mut().phase = phase;
    }

    pub(crate) fn phases(&self, set: impl FnOnce(&mut Phases)) {
        set(&mut self.0.borrow_mut().phases);
    }

    pub(crate) fn spoke_to(&self, peer: SocketAddr) {
        self.0.borrow_mut().peer = Some(peer);
    }

    pub(crate) fn showed(&self, facts: TlsFacts) {
        self.0.borrow_mut().tls = Some(facts);
    }

    pub(crate) fn note(&self, note: String) {
        self.0.borrow_mut().note = note;
    }

    /// The phases with the time until now.
    pub(crate) fn finished(&self) -> Phases {
        let state = self.0.borrow();
        Phases {
            total: state.began.elapsed(),
            ..state.phases
        }
    }

    pub(crate) fn tls(&self) -> Option<TlsFacts> {
        self.0.borrow().tls.clone()
    }

    fn timed_out(&self, limit: Duration) -> Failure {
        let state = self.0.borrow();
        let to = state.peer.map_or(String::new(), |peer| format!(" ({peer})"));
        let note = if state.note.is_empty() {
            String::new()
        } else {
            format!(", {}", state.note)
        };
        let text = format!(
            "no answer within {}: the time was up while {}{to}{note}",
            fh_core::render::duration(limit),
            doing(state.phase)
        );
        Failure::new(state.phase, Kind::Timeout, text)
    }
}

/// The phase after "while".
fn doing(phase: Phase) -> &'static str {
    match phase {
        Phase::Request => "making the request",
        Phase::Dns => "looking up the name",
        Phase::Connect => "connecting",
        Phase::Tls => "in the TLS handshake",
        Phase::FirstByte => "waiting for the answer",
        Phase::Body => "reading the body",
    }
}

/// Runs `work` on this thread until it is done, `limit` has passed, or `cancel` is triggered.
pub(crate) fn run<T>(
    limit: Option<Duration>,
    cancel: &Cancel,
    trace: &Trace,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let result = match tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
    {
        Ok(runtime) => runtime.block_on(async {
            tokio::select! {
                biased;
                done = work => done,
                stopped = cancel.cancelled() => {
                    let phase = trace.0.borrow().phase;
                    Err(Failure::new(phase, Kind::Cancelled, stopped.message()))
                }
                limit = up(limit) => Err(trace.timed_out(limit)),
            }
        }),
        Err(error) => Err(Failure::new(
            Phase::Request,
            Kind::Request,
            format!("cannot start a runtime: {error}"),
        )),
    };
    result.map_err(|failure| {
        let peer = trace.0.borrow().peer;
        failure.after(trace.finished(), peer).with_tls(trace.tls())
    })
}

/// Ends when the time is up; never, without a limit.
async fn up(limit: Option<Duration>) -> Duration {
    match limit {
        Some(limit) => {
            tokio::time::sleep(limit).await;
            limit
        }
        None => std::future::pending().await,
    }
}
