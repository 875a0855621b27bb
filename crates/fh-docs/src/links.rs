//! Whether links within the repository lead somewhere.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use crate::markdown::Page;

/// Checks the links of one page. `pages` holds every Markdown file by its path from the root.
#[must_use]
pub fn check(root: &Path, path: &Path, page: &Page, pages: &BTreeMap<PathBuf, Page>) -> Vec<String> {
    page.links
        .iter()
        .filter_map(|(line, link)| {
            broken(root, path, link, pages).map(|why| format!("{}:{line}: {why}", path.display()))
        })
        .collect()
}

fn broken(root: &Path, from: &Path, link: &str, pages: &BTreeMap<PathBuf, Page>) -> Option<String> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = if file.is_empty() {
        from.to_owned()
    } else {
        normal(&from.parent().unwrap_or(Path::new("")).join(file))
    };
    if !root.join(&target).exists() {
        return Some(format!("link to {link}: there is no {}", target.display()));
    }
    let known = pages
        .get(&target)
        .is_none_or(|page| page.anchors.iter().any(|known| known == anchor));
    (!anchor.is_empty() && !known)
        .then(|| format!("link to {link}: {} has no heading of that name", target.display()))
}

/// Resolves `.` and `..` by name.
fn normal(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut out, part| {
        match part {
            Component::ParentDir => {
                out.pop();
            }
            Component::CurDir => {}
            part => out.push(part),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markdown::parse;

    #[test]
    fn missing_files_and_headings_are_found() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("docs")).unwrap();
        let text = "# Here\n[a](../README.md) [b](#here) [c](../README.md#top) [d](gone.md) [e](#there) [f](https://x.y/z)\n";
        std::fs::write(folder.path().join("docs/a.md"), text).unwrap();
        std::fs::write(folder.path().join("README.md"), "# Top").unwrap();
        let path = PathBuf::from("docs/a.md");
        let pages = BTreeMap::from([(path.clone(), parse(text)), ("README.md".into(), parse("# Top"))]);
        assert_eq!(
            check(folder.path(), &path, &pages[&path], &pages),
            [
                "docs/a.md:2: link to gone.md: there is no docs/gone.md",
                "docs/a.md:2: link to #there: docs/a.md has no heading of that name"
            ]
        );
    }
}
