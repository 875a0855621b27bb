//! Texts with variables in them: `/api/users/${id}/`. `$${` is a literal `${`.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::scope::Scope;

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece<'t> {
    Text(&'t str),
    Variable(&'t str),
}

/// Cuts a text at its variables.
fn pieces(text: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        // An escaped one: the second dollar goes, the rest stays.
        if rest[..at].ends_with('$') {
            found.push(Piece::Text(&rest[..at - 1]));
            found.push(Piece::Text("${"));
            rest = &rest[at + 2..];
            continue;
        }
        found.push(Piece::Text(&rest[..at]));
        let inner = &rest[at + 2..];
        let end = inner.find('}').ok_or_else(|| {
            format!("a variable that begins with ${{ has no end in `{text}`; a literal ${{ is written $${{")
        })?;
        let name = &inner[..end];
        if !is_name(name) {
            return Err(format!(
                "`{name}` cannot be a variable's name; use letters, digits and _, or write $${{ for a literal ${{"
            ));
        }
        found.push(Piece::Variable(name));
        rest = &inner[end + 1..];
    }
    found.push(Piece::Text(rest));
    Ok(found)
}

/// Whether a variable can have this name.
pub(crate) fn is_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && chars.all(|char| char.is_ascii_alphanumeric() || char == '_')
}

/// The variables that a text names are added to `names`.
///
/// # Errors
/// When the text is no template.
pub(crate) fn names(text: &str, names: &mut BTreeSet<String>) -> Result<(), String> {
    for piece in pieces(text)? {
        if let Piece::Variable(name) = piece {
            names.insert(name.to_owned());
        }
    }
    Ok(())
}

/// The same for every text inside a JSON value.
pub(crate) fn names_in(value: &Value, found: &mut BTreeSet<String>) -> Result<(), String> {
    match value {
        Value::String(text) => names(text, found),
        Value::Array(items) => items.iter().try_for_each(|item| names_in(item, found)),
        Value::Object(members) => members.iter().try_for_each(|(key, value)| {
            names(key, found)?;
            names_in(value, found)
        }),
        _ => Ok(()),
    }
}

/// The text with its variables filled in.
///
/// # Errors
/// The first variable that has no value.
pub fn render(text: &str, scope: &Scope) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    for piece in pieces(text)? {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Variable(name) => out.push_str(&scope.text(name)?),
        }
    }
    Ok(out)
}

/// A JSON value with the variables in its texts filled in. A text that is one variable and nothing else becomes the
/// variable's own value, so that a captured number stays a number.
///
/// # Errors
/// The first variable that has no value.
pub fn render_value(value: &Value, scope: &Scope) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) => match pieces(text)?.as_slice() {
            [Piece::Text(""), Piece::Variable(name), Piece::Text("")] => scope.value(name)?,
            _ => Value::String(render(text, scope)?),
        },
        Value::Array(items) => Value::Array(
            items
                .iter()
                .map(|item| render_value(item, scope))
                .collect::<Result<_, _>>()?,
        ),
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(key, value)| Ok((render(key, scope)?, render_value(value, scope)?)))
                .collect::<Result<_, String>>()?,
        ),
        other => other.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn scope() -> Scope {
        let mut scope = Scope::default();
        scope.set("id", json!(42), false);
        scope.set("name", json!("Ann"), false);
        scope
    }

    #[test]
    fn variables_are_filled_in() {
        let render = |text: &str| render(text, &scope());
        assert_eq!(render("/users/${id}/${name}"), Ok("/users/42/Ann".into()));
        assert_eq!(
            render("costs $5, literal $${id}, ${id}"),
            Ok("costs $5, literal ${id}, 42".into())
        );
        assert!(render("${missing}").unwrap_err().contains("missing"));
        assert!(render("${id").unwrap_err().contains("no end"));
        assert!(render("${not a name}").is_err());
    }

    #[test]
    fn a_number_stays_a_number() {
        let value = json!({"id": "${id}", "text": "no. ${id}", "list": ["${name}", 1, null]});
        assert_eq!(
            render_value(&value, &scope()),
            Ok(json!({"id": 42, "text": "no. 42", "list": ["Ann", 1, null]}))
        );
    }

    proptest! {
        #[test]
        fn a_text_without_variables_stays_as_it_is(text in "[^$]*") {
            prop_assert_eq!(render(&text, &Scope::default()), Ok(text));
        }
    }
}
