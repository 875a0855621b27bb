//! One cause, one alarm: which checks are silent because of another one.

use fh_core::Check;
use fh_core::report::Status;

/// The ids of the checks that were not judged because they stand on `root`, directly or through others.
#[must_use]
pub fn dependents<'c>(checks: &'c [Check], root: &str) -> Vec<&'c str> {
    let mut found: Vec<&str> = Vec::new();
    let mut front = vec![root];
    while let Some(ground) = front.pop() {
        for check in checks {
            let id = check.id.as_str();
            let stands_on = check.depends_on.iter().any(|other| other == ground);
            if stands_on && check.status == Status::Skip && id != root && !found.contains(&id) {
                found.push(id);
                front.push(id);
            }
        }
    }
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_silent_above_is_found_also_in_a_circle() {
        let checks = [
            Check::fail("db", "refused"),
            Check::skip("api", "").depends_on("db"),
            Check::skip("login", "").depends_on("api"),
            Check::skip("loop", "").depends_on("login").depends_on("loop"),
            Check::pass("static", "").depends_on("db"),
            Check::skip("other", ""),
        ];
        assert_eq!(dependents(&checks, "db"), ["api", "login", "loop"]);
        assert!(dependents(&checks, "static").is_empty());
    }
}
