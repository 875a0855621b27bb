//! The compliance cases that belong to RFC 9535, by its authors (tests/testdata/rfc9535, BSD-2-Clause).

use fh_http::jsonpath::Path;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Cases {
    tests: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    selector: String,
    document: Option<Value>,
    result: Option<Vec<Value>>,
    /// Several orders are right where an object's members are visited.
    results: Option<Vec<Vec<Value>>>,
    #[serde(default)]
    invalid_selector: bool,
}

#[test]
fn every_compliance_case_passes() {
    let cases: Cases = serde_json::from_str(include_str!("../testdata/rfc9535/cts.json")).unwrap();
    assert!(
        cases.tests.len() > 600,
        "{} cases are not all of them",
        cases.tests.len()
    );
    let wrong: Vec<String> = cases.tests.iter().filter_map(wrong).collect();
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        cases.tests.len(),
        wrong.join("\n")
    );
}

fn wrong(case: &Case) -> Option<String> {
    let path = case.selector.parse::<Path>();
    if case.invalid_selector {
        return path
            .is_ok()
            .then(|| format!("{}: {} is accepted", case.name, case.selector));
    }
    let path = match path {
        Ok(path) => path,
        Err(error) => return Some(format!("{}: {error}", case.name)),
    };
    let document = case.document.clone().unwrap();
    let found: Vec<Value> = path.all(&document).into_iter().cloned().collect();
    let right = match (&case.result, &case.results) {
        (Some(result), _) => found == *result,
        (None, Some(results)) => results.contains(&found),
        (None, None) => panic!("{} expects nothing", case.name),
    };
    (!right).then(|| format!("{}: {} finds {found:?}", case.name, case.selector))
}
