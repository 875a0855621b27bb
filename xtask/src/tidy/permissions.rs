//! Scripts can be started.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{File, Finding};

/// Every file that begins with `#!/` must be executable, and so must every shell script by name.
pub(super) fn check(root: &Path, files: &[File]) -> Vec<Finding> {
    files
        .iter()
        .filter(|file| !file.is_data() && (file.text.starts_with("#!/") || file.has_extension("sh")))
        .filter(|file| {
            let mode = std::fs::metadata(root.join(&file.path)).map(|meta| meta.permissions().mode());
            mode.is_ok_and(|mode| mode & 0o111 == 0)
        })
        .map(|file| {
            let what = format!(
                "the script is not executable; please run `chmod +x {}`",
                file.path
            );
            Finding::new(&file.path, 0, what)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::file;
    use super::*;

    #[test]
    fn scripts_are_executable() {
        let root = std::env::temp_dir().join(format!("xtask-permissions-{}", std::process::id()));
        std::fs::create_dir_all(&root).unwrap();
        let script = file("run", "#!/usr/bin/env bash\n");
        std::fs::write(root.join("run"), &script.text).unwrap();
        let set =
            |mode| std::fs::set_permissions(root.join("run"), std::fs::Permissions::from_mode(mode)).unwrap();
        set(0o644);
        let findings = check(&root, std::slice::from_ref(&script));
        assert!(findings[0].to_string().contains("chmod +x run"), "{findings:?}");
        set(0o755);
        assert!(check(&root, &[script]).is_empty());
        assert!(check(&root, &[file("lib.rs", "#![warn(x)]\n")]).is_empty());
        std::fs::remove_dir_all(root).unwrap();
    }
}
