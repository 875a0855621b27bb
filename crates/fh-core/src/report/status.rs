//! The five answers a check can give.

use std::fmt;

use serde::Serialize;

/// What a check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// As it should be.
    Pass,
    /// Still working, but somebody should look at it.
    Warn,
    /// Not as it should be.
    Fail,
    /// Could not be found out: no connection, no permission, no data. Never the same as a pass.
    Unknown,
    /// Not looked at, and the summary says why.
    Skip,
}

impl Status {
    /// Every status, the most important to a reader first.
    pub const BY_IMPORTANCE: [Self; 5] = [Self::Fail, Self::Unknown, Self::Warn, Self::Skip, Self::Pass];

    /// The word in machine formats: `pass warn fail unknown skip`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::Skip => "skip",
        }
    }

    /// The place in [`Self::BY_IMPORTANCE`]: 0 is what people must see first.
    #[must_use]
    pub const fn rank(self) -> u8 {
        match self {
            Self::Fail => 0,
            Self::Unknown => 1,
            Self::Warn => 2,
            Self::Skip => 3,
            Self::Pass => 4,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}
