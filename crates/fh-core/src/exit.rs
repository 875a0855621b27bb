//! Exit codes: the part of the contract that cron, CI steps and operators read.

/// How a run ended, as the operating system sees it. Every binary uses these numbers and no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// 0: the thing was done, or every check passed.
    Good = 0,
    /// 1: the answer is bad: a check failed, data differs, a budget or objective was missed.
    Bad = 1,
    /// 2: the command line or the configuration is wrong. (clap uses 2 for the same.)
    Usage = 2,
    /// 3: could not run, or could not verify: unreachable, no permission, no data.
    Unable = 3,
    /// 4: refused for safety: a lock is held, the target is not empty, a confirmation is missing.
    Refused = 4,
    /// 130: stopped by SIGINT after cleaning up.
    Interrupted = 130,
    /// 143: stopped by SIGTERM after cleaning up.
    Terminated = 143,
}

impl Exit {
    /// The number the process ends with.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
