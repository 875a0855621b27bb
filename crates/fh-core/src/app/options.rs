//! The options that every tool has.

use std::path::PathBuf;

use crate::config::ConfigSource;
use crate::deadline::Deadline;
use crate::duration::Period;
use crate::output::{Color, OutputOptions};
use crate::render::Format;
use crate::report::FailOn;

const HEADING: &str = "Common options";

/// The options that every tool has, before and after its sub-commands.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Common {
    /// Read the configuration from this file instead of financehub.toml here or in a folder above.
    #[arg(long, value_name = "FILE", global = true, help_heading = HEADING, value_hint = clap::ValueHint::FilePath)]
    pub config: Option<PathBuf>,

    /// Work on this environment, as [env.NAME] in the configuration describes it; FH_ENV says the same.
    #[arg(short, long, value_name = "NAME", global = true, help_heading = HEADING)]
    pub env: Option<String>,

    /// Print the report in this format.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t, global = true, help_heading = HEADING)]
    pub format: Format,

    /// Write the report to this file, in one step, instead of stdout.
    #[arg(long, value_name = "FILE", global = true, help_heading = HEADING, value_hint = clap::ValueHint::FilePath)]
    pub output: Option<PathBuf>,

    /// Show only what is wrong.
    #[arg(short, long, global = true, help_heading = HEADING)]
    pub quiet: bool,

    /// Log more to stderr; -vv and -vvv still more.
    #[arg(short, long, action = clap::ArgAction::Count, global = true, help_heading = HEADING)]
    pub verbose: u8,

    /// Use colours; auto means at a terminal, unless NO_COLOR is set.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t, global = true, help_heading = HEADING)]
    pub color: Color,

    /// Draw no progress bars.
    #[arg(long, global = true, help_heading = HEADING)]
    pub no_progress: bool,

    /// Stop with exit code 3 when the run takes longer than this, such as 90s, 10m or 2h.
    #[arg(long, value_name = "DURATION", global = true, help_heading = HEADING)]
    pub deadline: Option<Period>,

    /// End with exit code 1 on failed checks, or on warnings too.
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t, global = true, help_heading = HEADING)]
    pub fail_on: FailOn,

    /// Name the protected environment to change, instead of being asked for it.
    #[arg(long, value_name = "NAME", global = true, help_heading = HEADING)]
    pub confirm: Option<String>,
}

impl Common {
    /// The deadline, counted from now.
    #[must_use]
    pub fn deadline(&self) -> Deadline {
        self.deadline
            .map_or_else(Deadline::never, |limit| Deadline::after(limit.get()))
    }

    /// What the command line says about the configuration.
    pub(super) fn source(&self, flags: Vec<(String, String, &'static str)>) -> ConfigSource {
        ConfigSource {
            file: self.config.clone(),
            environment: self.env.clone(),
            flags,
        }
    }

    /// What the command line says about the output.
    pub(super) fn output_options(&self, version: String) -> OutputOptions {
        OutputOptions {
            format: self.format,
            file: self.output.clone(),
            color: self.color,
            quiet: self.quiet,
            fail_on: self.fail_on,
            version,
            stdout_is_data: false,
        }
    }
}
