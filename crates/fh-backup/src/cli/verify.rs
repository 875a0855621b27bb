//! Command line of `fh-backup verify`.

use std::str::FromStr;

use clap::Args;
use jiff::Timestamp;

use super::SetChoice;
use crate::evidence::Part;

pub(super) const EXAMPLES: &str = "\
Examples:
  fh-backup verify latest
  fh-backup verify --full --identity backup-identity.txt 2026-11-23T020000Z-7f3a91
  fh-backup verify --all --subset date/7
  fh-backup verify --unverified";

/// Options of `verify`.
#[derive(Debug, Args)]
pub struct Verify {
    #[command(flatten)]
    pub(crate) set: SetChoice,
    /// Check every set. An object that several sets share is read once.
    #[arg(long, conflicts_with = "set")]
    pub all: bool,
    /// Check every set that has no good evidence yet, or none of a full verification with --full.
    #[arg(long, conflicts_with_all = ["set", "all", "subset"])]
    pub unverified: bool,
    /// Also decrypt and decompress everything and recount every row.
    #[arg(long)]
    pub full: bool,
    /// Read one part of the objects: 2/7 is the second of seven, date/7 another one each day, so that a week reads all.
    #[arg(long, value_name = "PART/PARTS", conflicts_with = "full")]
    pub subset: Option<Subset>,
    /// Write no evidence into the repository.
    #[arg(long)]
    pub no_evidence: bool,
}

/// `n/m` or `date/m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subset {
    /// Number of the part from 1; `None` means that the day decides.
    part: Option<u64>,
    /// Number of parts.
    of: u64,
}

impl Subset {
    /// The part that is meant on the day (in UTC) of `now`.
    #[must_use]
    pub fn on(&self, now: Timestamp) -> Part {
        let day = now.as_second().div_euclid(86_400).unsigned_abs();
        Part {
            part: self.part.unwrap_or(day % self.of + 1),
            of: self.of,
        }
    }
}

impl FromStr for Subset {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text:?} is no part: write 2/7 for the second of seven parts, or date/7 for one a day; {} parts at most",
                Part::MOST
            )
        };
        let (part, of) = text.split_once('/').ok_or_else(wrong)?;
        let of: u64 = of.parse().map_err(|_| wrong())?;
        let part = match part {
            "date" => None,
            number => Some(number.parse::<u64>().map_err(|_| wrong())?),
        };
        if of == 0 || of > Part::MOST || part.is_some_and(|part| part == 0 || part > of) {
            return Err(wrong());
        }
        Ok(Self { part, of })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_reads_every_part_once() {
        let daily: Subset = "date/7".parse().unwrap();
        let mut parts: Vec<u64> = (0..7)
            .map(|day| Timestamp::from_second(1_795_000_000 + day * 86_400).unwrap())
            .map(|now| daily.on(now).part)
            .collect();
        parts.sort_unstable();
        assert_eq!(parts, [1, 2, 3, 4, 5, 6, 7]);
        let fixed: Subset = "2/7".parse().unwrap();
        assert_eq!(fixed.on(Timestamp::UNIX_EPOCH).to_string(), "2/7");
    }

    #[test]
    fn what_is_no_part_is_refused() {
        for wrong in [
            "", "7", "0/7", "8/7", "1/0", "-1/7", "date/0", "day/7", "1/7/2", "1/101",
        ] {
            assert!(wrong.parse::<Subset>().is_err(), "{wrong}");
        }
    }
}
