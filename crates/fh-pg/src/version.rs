//! Versions of servers and programs.

use std::fmt;

/// A server's version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerVersion {
    number: u32,
    text: String,
}

impl ServerVersion {
    /// From the server's own words, such as `15.18 (Debian 15.18-0+deb12u1)`, `9.6.24` or `18beta1`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.split_whitespace().next()?;
        let (major, minor, patch) = numbers(text)?;
        // Two numbers since version 10, three before.
        let number = if major >= 10 {
            major * 10_000 + minor
        } else {
            major * 10_000 + minor * 100 + patch
        };
        Some(Self {
            number,
            text: text.to_owned(),
        })
    }

    /// As `server_version_num` counts: 150018 is 15.18.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The major version, such as 15.
    #[must_use]
    pub fn major(&self) -> u32 {
        self.number / 10_000
    }
}

impl fmt::Display for ServerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Up to three numbers at the beginning; `18beta1` and `17devel` are 18 and 17.
pub(crate) fn numbers(text: &str) -> Option<(u32, u32, u32)> {
    let digits = text
        .find(|letter: char| !letter.is_ascii_digit() && letter != '.')
        .unwrap_or(text.len());
    let mut parts = text[..digits]
        .split('.')
        .map(|part| part.parse::<u32>().ok().filter(|number| *number < 10_000));
    let major = parts.next().flatten()?;
    let minor = parts.next().flatten().unwrap_or(0);
    Some((major, minor, parts.next().flatten().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_servers_say() {
        for (text, number) in [
            ("15.18 (Debian 15.18-0+deb12u1)", Some(150_018)),
            ("9.6.24", Some(90_624)),
            ("18beta1", Some(180_000)),
            ("17devel", Some(170_000)),
            ("16.4", Some(160_004)),
            ("", None),
            ("unknown", None),
            ("99999999999999", None),
        ] {
            assert_eq!(
                ServerVersion::parse(text).map(|version| version.number()),
                number,
                "{text}"
            );
        }
        assert_eq!(ServerVersion::parse("15.18 (x)").unwrap().major(), 15);
        assert_eq!(ServerVersion::parse("15.18 (x)").unwrap().to_string(), "15.18");
    }
}
