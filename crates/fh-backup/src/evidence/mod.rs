//! Evidence: what verifications and drills found. The documents and what they mean are in [`fh_repository::evidence`]; how
//! a run of this tool keeps them is here.

mod keeping;

pub use fh_repository::evidence::{
    Answer, Details, Drill, Evidence, Kind, Last, Outcome, Part, Rto, Standing, Standings, newest, of_set,
};
pub use keeping::{Keeping, doubts};
