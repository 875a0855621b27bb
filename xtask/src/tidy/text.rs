//! Rules on every text file: line ends, and no promises in place of work.

use super::{File, Finding};

/// Words that stand for work not done. Built from halves, so that this file does not find itself.
const PROMISES: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

/// The same as macros and phrases, in lower case.
const PROMISE_PHRASES: &[&str] = &[
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
    concat!("coming", " soon"),
];

/// Checks one file.
pub(super) fn check(file: &File) -> Vec<Finding> {
    if file.is_data() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (number, line) in file.lines() {
        let mut found = |what: String| findings.push(Finding::new(&file.path, number, what));
        if line.ends_with([' ', '\t', '\r']) {
            found("the line ends with white space; please take it away".to_owned());
        }
        if file.has_extension("rs") && line.contains('\t') {
            found("there is a tab; please run `cargo xtask fmt --fix`, or write \\t".to_owned());
        }
        let lower = line.to_lowercase();
        let promise = PROMISES
            .iter()
            .find(|word| has_word(line, word))
            .or_else(|| PROMISE_PHRASES.iter().find(|phrase| lower.contains(**phrase)));
        if let Some(promise) = promise {
            found(format!(
                "{promise:?} promises what is not there; please do it now or leave it out"
            ));
        }
    }
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        findings.push(Finding::new(
            &file.path,
            0,
            "the last line has no end; please add a newline",
        ));
    }
    findings
}

/// Whether `word` is in `line` and no part of a longer one, such as the template in `mktemp xyz.XXXXXX`.
fn has_word(line: &str, word: &str) -> bool {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(word).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = line[start + word.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::file;
    use super::*;

    fn texts(path: &str, text: &str) -> Vec<String> {
        check(&file(path, text)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn line_ends() {
        assert!(texts("a.md", "fine\n").is_empty());
        assert!(texts("a.md", "").is_empty());
        assert!(texts("a.md", "one\ntwo \n")[0].starts_with("a.md:2: the line ends with white space"));
        assert!(texts("a.md", "no end")[0].starts_with("a.md: the last line"));
        assert!(texts("a.rs", "\tlet\n")[0].contains("tab"));
        assert!(texts("Makefile", "\tcc\n").is_empty());
        assert!(texts("LICENSE-MIT", "text \nno end").is_empty());
    }

    #[test]
    fn promises() {
        let upper = format!("// {}: later\n", PROMISES[0]);
        assert!(texts("a.rs", &upper)[0].contains("promises what is not there"));
        assert_eq!(
            texts("a.rs", &format!("    {}\"x\")\n", PROMISE_PHRASES[0])).len(),
            1
        );
        assert_eq!(
            texts(
                "README.md",
                &format!("Restore: {}\n", PROMISE_PHRASES[2].to_uppercase())
            )
            .len(),
            1
        );
    }

    #[test]
    fn words_within_words_are_not_promises() {
        let template = format!("mktemp /tmp/x.{0}{0}\n", PROMISES[2]);
        assert!(texts("a.sh", &template).is_empty());
        assert!(texts("Cargo.toml", "todo = \"deny\"\n").is_empty());
        assert!(texts("a.md", &format!("{}S_ALL\n", PROMISES[0])).is_empty());
    }
}
