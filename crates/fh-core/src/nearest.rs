//! "Did you mean …?": the known name that a mistyped one is closest to.

/// The candidate closest to `word`, if one is close enough to be what was meant: at most a third of its letters
/// (and always up to two) wrong, missing, added or swapped.
///
/// ```
/// use fh_core::nearest::nearest;
/// assert_eq!(nearest("recipient", ["recipients", "repository"]), Some("recipients"));
/// assert_eq!(nearest("colour", ["recipients", "repository"]), None);
/// ```
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).max(2);
    candidates
        .into_iter()
        .map(|candidate| {
            (
                strsim::damerau_levenshtein(&word.to_lowercase(), &candidate.to_lowercase()),
                candidate,
            )
        })
        // Two letters off is nothing alike in a name of two letters.
        .filter(|(distance, candidate)| *distance <= limit && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_what_was_meant() {
        let known = ["production", "staging", "s3", "slack_webhook"];
        assert_eq!(nearest("prodction", known), Some("production"));
        assert_eq!(nearest("stagign", known), Some("staging"));
        assert_eq!(nearest("slackWebhook", known), Some("slack_webhook"));
        assert_eq!(nearest("S3", known), Some("s3"));
        assert_eq!(nearest("xy", known), None);
        assert_eq!(nearest("development", known), None);
        assert_eq!(nearest("x", []), None);
    }
}
