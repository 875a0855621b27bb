//! How bad it is.

use fh_core::report::Status;
use serde::{Deserialize, Serialize};

/// How bad a check is, from good to bad. Not knowing is worse than a warning: it may be anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Pass,
    /// Somebody should look at it.
    Warn,
    /// Could not be found out.
    Unknown,
    /// Not as it should be.
    Fail,
}

impl Level {
    /// `None` for a check that was not judged.
    #[must_use]
    pub const fn of(status: Status) -> Option<Self> {
        match status {
            Status::Pass => Some(Self::Pass),
            Status::Warn => Some(Self::Warn),
            Status::Unknown => Some(Self::Unknown),
            Status::Fail => Some(Self::Fail),
            Status::Skip => None,
        }
    }

    /// The status of a report.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::Pass => Status::Pass,
            Self::Warn => Status::Warn,
            Self::Unknown => Status::Unknown,
            Self::Fail => Status::Fail,
        }
    }

    /// The word people know.
    #[must_use]
    pub const fn word(self) -> &'static str {
        self.status().word()
    }
}
