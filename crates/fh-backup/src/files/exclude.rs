//! What is left out of a tree.

use fh_core::{Error, Result};

/// The patterns of one tree.
#[derive(Debug, Clone, Default)]
pub struct Exclude(Vec<String>);

impl Exclude {
    /// Reads patterns: `*` and `?` match anything but a slash, `**` slashes too. A pattern without a slash is compared
    /// with names, one with a slash with whole paths below the root. What is below an excluded folder is excluded.
    ///
    /// # Errors
    /// Exit code 2 for what looks like a pattern of another language, or is empty.
    pub fn parse(patterns: &[String]) -> Result<Self> {
        for pattern in patterns {
            let bare = pattern.trim_matches('/');
            if bare.is_empty() || pattern.starts_with('!') || pattern.contains(['[', ']', '{', '}', '\\']) {
                return Err(
                    Error::usage(format!("the exclude pattern {pattern:?} is not understood"))
                        .hint("patterns know *, ? and **, and are written without a leading slash"),
                );
            }
        }
        Ok(Self(
            patterns
                .iter()
                .map(|pattern| {
                    // "cache/" means the folder; a leading slash would never match a path below the root.
                    let whole = pattern.trim_matches('/');
                    if pattern.starts_with('/') && !whole.contains('/') {
                        format!("./{whole}")
                    } else {
                        whole.to_owned()
                    }
                })
                .collect(),
        ))
    }

    /// Whether the path, given below the root, is excluded.
    #[must_use]
    pub fn covers(&self, path: &[u8]) -> bool {
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
        self.0.iter().any(|pattern| match pattern.strip_prefix("./") {
            Some(at_root) => matches(at_root.as_bytes(), path),
            None if pattern.contains('/') => matches(pattern.as_bytes(), path),
            None => matches(pattern.as_bytes(), name),
        })
    }
}

/// Backtracks over the stars; patterns and names are short.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'*', b'*', b'/', rest @ ..] => {
            // `**/x` also is `x` itself.
            matches(rest, text)
                || (0..text.len()).any(|at| text[at] == b'/' && matches(rest, &text[at + 1..]))
        }
        [b'*', b'*', rest @ ..] => (0..=text.len()).any(|at| matches(rest, &text[at..])),
        [b'*', rest @ ..] => (0..=text.len())
            .take_while(|at| *at == 0 || text[at - 1] != b'/')
            .any(|at| matches(rest, &text[at..])),
        [b'?', rest @ ..] => text.first().is_some_and(|byte| *byte != b'/') && matches(rest, &text[1..]),
        [byte, rest @ ..] => text.first() == Some(byte) && matches(rest, &text[1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_paths() {
        for (pattern, yes, no) in [
            (
                "*.tmp",
                &["a.tmp", "d/e.tmp", ".tmp"][..],
                &["a.tmpx", "tmp", "a.tmp/x"][..],
            ),
            ("cache", &["cache", "a/cache"], &["cache2", "cache/x"]),
            ("/cache", &["cache"], &["a/cache"]),
            ("cache/", &["cache", "b/cache"], &["xcache"]),
            ("a/*", &["a/b"], &["a/b/c", "b/a/c", "a"]),
            ("a/**", &["a/b", "a/b/c"], &["ab", "a"]),
            ("**/x", &["x", "a/x", "a/b/x"], &["ax", "a/bx"]),
            ("?.log", &["a.log"], &["ab.log", ".log"]),
        ] {
            let exclude = Exclude::parse(&[pattern.to_owned()]).unwrap();
            for path in yes {
                assert!(exclude.covers(path.as_bytes()), "{pattern} should match {path}");
            }
            for path in no {
                assert!(
                    !exclude.covers(path.as_bytes()),
                    "{pattern} should not match {path}"
                );
            }
        }
    }

    #[test]
    fn another_language_is_a_usage_error() {
        for wrong in ["", "/", "!keep", "[ab]", "*.{a,b}", "a\\b"] {
            let error = Exclude::parse(&[wrong.to_owned()]).unwrap_err();
            assert_eq!(error.exit(), fh_core::Exit::Usage, "{wrong}");
        }
    }
}
