//! What a session may show of a statement: its shape, without the values in it.

/// Characters shown of a statement.
const SHOWN: usize = 120;

/// The statement in one line, with `?` for every constant, cut to a length that a table bears. A password in
/// `ALTER ROLE … PASSWORD '…'` is such a constant.
pub(super) fn shape(query: &str) -> String {
    let mut out = String::new();
    let mut rest = query;
    while let Some(next) = rest.chars().next() {
        if out.chars().count() > SHOWN {
            break;
        }
        let word_before = out.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$');
        rest = if next.is_whitespace() {
            if !out.is_empty() && !out.ends_with(' ') {
                out.push(' ');
            }
            &rest[next.len_utf8()..]
        } else if rest.starts_with("--") {
            rest.find('\n').map_or("", |end| &rest[end..])
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or("", |end| &rest[end + 2..])
        } else if next == '\'' {
            let escapes = out.ends_with(['e', 'E']);
            out.push('?');
            after_text(&rest[1..], escapes)
        } else if let Some(tag) = dollar_tag(rest).filter(|_| !word_before) {
            out.push('?');
            let body = &rest[tag.len()..];
            body.find(tag).map_or("", |end| &body[end + tag.len()..])
        } else if next == '"' {
            let end = rest[1..].find('"').map_or(rest.len(), |end| end + 2);
            out.push_str(&rest[..end]);
            &rest[end..]
        } else if next.is_ascii_digit() && !word_before {
            out.push('?');
            rest.trim_start_matches(|c: char| c.is_alphanumeric() || c == '.' || c == '_')
        } else {
            out.push(next);
            &rest[next.len_utf8()..]
        };
    }
    if out.chars().count() > SHOWN {
        let cut: String = out.chars().take(SHOWN).collect();
        return format!("{cut}…");
    }
    out.trim_end().to_owned()
}

/// What stands behind a constant in quotes. A backslash escapes in `E'…'`; in other constants it does or does not, by a
/// setting of the session that nobody sees from outside, so that everything behind it is kept back.
fn after_text(mut rest: &str, escapes: bool) -> &str {
    loop {
        let Some(at) = rest.find(['\'', '\\']) else {
            return "";
        };
        if rest[at..].starts_with('\\') {
            if !escapes {
                return "";
            }
            let skipped = rest[at + 1..].chars().next().map_or(0, char::len_utf8);
            rest = &rest[at + 1 + skipped..];
        } else if rest[at + 1..].starts_with('\'') {
            rest = &rest[at + 2..];
        } else {
            return &rest[at + 1..];
        }
    }
}

/// `$tag$` at the beginning of the text.
fn dollar_tag(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('$')?;
    let end = inner.find('$')?;
    let tag = &inner[..end];
    let fits = tag.chars().all(|c| c.is_alphanumeric() || c == '_')
        && !tag.starts_with(|c: char| c.is_ascii_digit());
    fits.then(|| &text[..end + 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_never_show() {
        for (query, shown) in [
            ("ALTER ROLE app PASSWORD 'hunter2'", "ALTER ROLE app PASSWORD ?"),
            (
                "select *\n  from t1 -- a secret note\n where id = 42 and x = 'it''s' and y = 1.5e3",
                "select * from t1 where id = ? and x = ? and y = ?",
            ),
            (r"select E'a\'b', 'c'", "select E?, ?"),
            (r"select 'a\', 'secret'", "select ?"),
            ("do $x$ secret $x$; select $1, $$secret$$", "do ?; select $1, ?"),
            (
                "select /* secret */ \"Name 1\" from t",
                "select \"Name 1\" from t",
            ),
            ("select 'cut off secret", "select ?"),
            ("", ""),
        ] {
            assert_eq!(shape(query), shown, "{query}");
        }
    }

    #[test]
    fn long_ones_are_cut() {
        let long = shape(&format!("select {}", "ä, ".repeat(200)));
        assert_eq!(long.chars().count(), 121);
        assert!(long.ends_with('…'));
    }
}
