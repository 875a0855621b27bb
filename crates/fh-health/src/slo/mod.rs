//! Service level objectives: how many events were good, how much of the error budget is left, and how fast it burns (Google,
//! "The Site Reliability Workbook", chapter 5, "Alerting on SLOs": multiple windows, multiple burn rates).

mod alb;
mod budget;
mod log;
mod probe;

pub use budget::{Burn, Event, Standing, Tally, standing};
pub use log::Log;
pub(crate) use probe::probes;
