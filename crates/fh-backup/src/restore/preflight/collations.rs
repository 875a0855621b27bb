//! Whether texts sort as they did where the backup comes from.
//!
//! Indexes are made anew by a restore, so they are right in any case. But the order of texts may differ, and with it
//! what lies between two bounds: partitions by text, CHECK constraints, results of queries (PostgreSQL manual, 24.2.2.4).

use fh_core::Result;
use fh_pg::{Connection, query_error};

use super::{Findings, Question};

pub(super) async fn check(
    findings: &mut Findings,
    target: &Connection,
    question: &Question<'_>,
) -> Result<()> {
    let properties = &question.database.properties;
    let row = target
        .query_one(
            "SELECT datcollate::text, datctype::text, facts ->> 'datlocprovider',
                    coalesce(facts ->> 'datlocale', facts ->> 'daticulocale'), facts ->> 'datcollversion'
             FROM pg_database d, LATERAL (SELECT to_jsonb(d) AS facts) AS seen WHERE datname = current_database()",
            &[],
        )
        .await
        .map_err(|error| query_error("cannot read the target's locale", error))?;
    let (collate, ctype): (String, String) = (row.get(0), row.get(1));
    let (provider, locale, version): (Option<String>, Option<String>, Option<String>) =
        (row.get(2), row.get(3), row.get(4));
    let same_provider = properties.provider.is_none() || provider == properties.provider;
    if !question.to_be_made {
        let same = collate == properties.collate
            && ctype == properties.ctype
            && same_provider
            && (properties.locale.is_none() || locale == properties.locale);
        if !same {
            let theirs = describe(
                &properties.collate,
                &properties.ctype,
                properties.locale.as_deref(),
            );
            let ours = describe(&collate, &ctype, locale.as_deref());
            findings.warn(
                "locale",
                format!(
                    "the backup comes from locale {theirs}, the target has {ours}: texts sort differently"
                ),
                "let --create make the database as it was",
            );
            return Ok(());
        }
    }
    // Versions can be compared where the same library provides the same locale.
    match (&properties.collation_version, version) {
        (Some(before), Some(now)) if same_provider && *before != now => findings.warn(
            "collation",
            format!("the collation library has version {now} here and had {before}: texts may sort differently"),
            "check what depends on the order of texts: partitions by text, CHECK constraints, reports; indexes are made anew",
        ),
        (Some(before), Some(_)) if same_provider => {
            findings.good("collation", format!("texts sort by the same library, version {before}"));
        }
        _ => findings.unknown("collation", "the version of the collation library is not known on both sides"),
    }
    Ok(())
}

fn describe(collate: &str, ctype: &str, locale: Option<&str>) -> String {
    match locale {
        Some(locale) => format!("{collate}/{ctype} ({locale})"),
        None => format!("{collate}/{ctype}"),
    }
}
