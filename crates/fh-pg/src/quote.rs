//! Names and texts inside SQL (PostgreSQL manual, 4.1.1 and 4.1.2).
//!
//! PostgreSQL has no text with a NUL character; a statement with one is rejected before it is sent.

/// Every keyword of PostgreSQL 18 and before that cannot stand everywhere as a name (PostgreSQL manual, appendix C: all
/// but the non-reserved ones), in alphabetical order.
const KEYWORDS: &str = "\
    all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case cast \
    char character check coalesce collate collation column concurrently constraint create cross current_catalog \
    current_date current_role current_schema current_time current_timestamp current_user dec decimal default deferrable \
    desc distinct do else end except exists extract false fetch float for foreign freeze from full grant greatest group \
    grouping having ilike in initially inner inout int integer intersect interval into is isnull join json json_array \
    json_arrayagg json_exists json_object json_objectagg json_query json_scalar json_serialize json_table json_value \
    lateral leading least left like limit localtime localtimestamp merge_action national natural nchar none normalize not \
    notnull null nullif numeric offset on only or order out outer overlaps overlay placing position precision primary \
    real references returning right row select session_user setof similar smallint some substring symmetric system_user \
    table tablesample then time timestamp to trailing treat trim true union unique user using values varchar variadic \
    verbose when where window with xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi \
    xmlroot xmlserialize xmltable";

/// A name as SQL needs it: as it is when it is plain, in double quotes when it is not (a keyword, capitals, spaces, quotes).
/// Equal to the `quote_ident` of a server that has the same keywords.
///
/// ```
/// assert_eq!(fh_pg::quote_ident("app"), "app");
/// assert_eq!(fh_pg::quote_ident("Order"), "\"Order\"");
/// assert_eq!(fh_pg::quote_ident("order"), "\"order\"");
/// assert_eq!(fh_pg::quote_ident("say \"hi\""), "\"say \"\"hi\"\"\"");
/// ```
#[must_use]
pub fn quote_ident(name: &str) -> String {
    if is_plain(name) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

fn is_plain(name: &str) -> bool {
    name.starts_with(|letter: char| letter.is_ascii_lowercase() || letter == '_')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        && !KEYWORDS.split(' ').any(|keyword| keyword == name)
}

/// A text in single quotes, with PostgreSQL's `E''` form when it has backslashes, so that it does not matter what
/// `standard_conforming_strings` is. Equal to the server's own `quote_literal`.
///
/// ```
/// assert_eq!(fh_pg::quote_literal("it's"), "'it''s'");
/// assert_eq!(fh_pg::quote_literal(r"C:\"), r"E'C:\\'");
/// ```
#[must_use]
pub fn quote_literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') {
        format!("E'{}'", quoted.replace('\\', "\\\\"))
    } else {
        format!("'{quoted}'")
    }
}

/// A name with its schema, each quoted where it must be.
///
/// ```
/// assert_eq!(fh_pg::qualified("public", "Order"), "public.\"Order\"");
/// ```
#[must_use]
pub fn qualified(schema: &str, name: &str) -> String {
    format!("{}.{}", quote_ident(schema), quote_ident(name))
}
