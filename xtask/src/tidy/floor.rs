//! The coverage floor only goes up. Compared with every committed version of its file that this clone has.

use super::Finding;
use crate::coverage::{FLOOR_FILE, floor};
use crate::workspace::Workspace;

/// Checks the floor against its own past.
pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let now = std::fs::read_to_string(workspace.root.join(FLOOR_FILE)).unwrap_or_default();
    judge(&now, &past(workspace))
}

fn judge(now: &str, past: &[String]) -> Vec<Finding> {
    let finding = |what: String| vec![Finding::new(FLOOR_FILE, 0, what)];
    let now = match floor(now) {
        Ok(now) => now,
        Err(error) => return finding(format!("{error:#}; please write a number into it")),
    };
    // A version that cannot be read was never a floor.
    let highest = past
        .iter()
        .filter_map(|text| floor(text).ok())
        .fold(0.0, f64::max);
    if now < highest {
        return finding(format!(
            "the floor was {highest} % and is {now} %; please add tests instead of lowering it"
        ));
    }
    Vec::new()
}

/// The file in every commit that changed it. None where git knows none: no repository yet, or a shallow clone.
fn past(workspace: &Workspace) -> Vec<String> {
    let git = |arguments: &[&str]| {
        let output = std::process::Command::new("git")
            .args(arguments)
            .current_dir(&workspace.root)
            .output()
            .ok()?;
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let commits = git(&["log", "--format=%H", "--", FLOOR_FILE]).unwrap_or_default();
    commits
        .lines()
        .filter_map(|commit| git(&["show", &format!("{commit}:{FLOOR_FILE}")]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_goes_up() {
        let past = [
            "85\n".to_owned(),
            "# better\n90\n".to_owned(),
            "broken".to_owned(),
        ];
        assert!(judge("90\n", &past).is_empty());
        assert!(judge("91.5\n", &past).is_empty());
        assert!(judge("85\n", &[]).is_empty());
        assert!(
            judge("89\n", &past)[0]
                .to_string()
                .contains("was 90 % and is 89 %")
        );
        assert!(judge("", &past)[0].to_string().contains("no number"));
    }

    #[test]
    fn the_past_is_read_from_git() {
        let root = std::env::temp_dir().join(format!("xtask-floor-{}", std::process::id()));
        std::fs::create_dir_all(root.join(".config")).unwrap();
        let git = |arguments: &[&str]| {
            let mut command = std::process::Command::new("git");
            command.args([
                "-c",
                "user.name=t",
                "-c",
                "user.email=t@example.com",
                "-c",
                "commit.gpgsign=false",
            ]);
            assert!(
                command
                    .args(arguments)
                    .current_dir(&root)
                    .output()
                    .unwrap()
                    .status
                    .success(),
                "{arguments:?}"
            );
        };
        git(&["init", "--quiet"]);
        let workspace = Workspace::at(root.clone()).unwrap();
        assert!(past(&workspace).is_empty());
        for number in ["85\n", "87\n"] {
            std::fs::write(root.join(FLOOR_FILE), number).unwrap();
            git(&["add", "."]);
            git(&["commit", "--quiet", "--message", "floor"]);
        }
        assert_eq!(past(&workspace), ["87\n", "85\n"]);
        std::fs::write(root.join(FLOOR_FILE), "86\n").unwrap();
        assert_eq!(check(&workspace).len(), 1);
        std::fs::remove_dir_all(root).unwrap();
    }
}
