//! LLVM's coverage tools. They must be of the major version that the compiler was built with: profiles of another
//! version cannot be read. Looked for only; cargo-llvm-cov would change the toolchain unasked when it finds none, so it
//! is always told where they are.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::find::Missing;

/// The two programs that cargo-llvm-cov needs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Tools {
    pub(crate) cov: PathBuf,
    pub(crate) profdata: PathBuf,
}

/// What the compiler says about itself (`rustc -vV`).
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Compiler {
    pub(crate) llvm_major: u32,
    host: String,
    sysroot: PathBuf,
}

impl Compiler {
    /// Asks `rustc`.
    pub(crate) fn ask() -> anyhow::Result<Self> {
        let about = rustc(&["-vV"])?;
        let sysroot = rustc(&["--print", "sysroot"])?;
        Self::parse(&about, sysroot.trim())
    }

    fn parse(about: &str, sysroot: &str) -> anyhow::Result<Self> {
        let field = |name: &str| {
            about
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .map(str::trim)
        };
        let llvm = field("LLVM version:").context("rustc -vV names no LLVM version")?;
        let major = llvm.split('.').next().and_then(|text| text.parse().ok());
        Ok(Self {
            llvm_major: major.with_context(|| format!("rustc -vV names the LLVM version {llvm:?}"))?,
            host: field("host:").context("rustc -vV names no host")?.to_owned(),
            sysroot: sysroot.into(),
        })
    }

    /// Folders that may hold the tools, the best first.
    fn folders(&self) -> Vec<PathBuf> {
        let major = self.llvm_major;
        vec![
            // `rustup component add llvm-tools`
            self.sysroot.join("lib/rustlib").join(&self.host).join("bin"),
            // Debian's and Ubuntu's llvm-N
            format!("/usr/lib/llvm-{major}/bin").into(),
            // Homebrew's llvm@N, on Apple and Intel processors
            format!("/opt/homebrew/opt/llvm@{major}/bin").into(),
            format!("/usr/local/opt/llvm@{major}/bin").into(),
        ]
    }
}

/// The tools: those named by `LLVM_COV` and `LLVM_PROFDATA`, else the first pair found.
pub(crate) fn find(compiler: &Compiler) -> Result<Tools, Missing> {
    let named = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if let (Some(cov), Some(profdata)) = (named("LLVM_COV"), named("LLVM_PROFDATA")) {
        return Ok(Tools { cov, profdata });
    }
    compiler.folders().iter().find_map(|folder| pair(folder)).ok_or_else(|| {
        let major = compiler.llvm_major;
        Missing(format!(
            "llvm-cov and llvm-profdata {major} are not installed; please run `cargo xtask setup`, or set LLVM_COV and \
             LLVM_PROFDATA"
        ))
    })
}

fn pair(folder: &Path) -> Option<Tools> {
    let tools = Tools {
        cov: folder.join("llvm-cov"),
        profdata: folder.join("llvm-profdata"),
    };
    (tools.cov.is_file() && tools.profdata.is_file()).then_some(tools)
}

fn rustc(args: &[&str]) -> anyhow::Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = std::process::Command::new(rustc)
        .args(args)
        .output()
        .context("starting rustc")?;
    anyhow::ensure!(output.status.success(), "rustc {} failed", args.join(" "));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABOUT: &str =
        "rustc 1.95.0 (59807616e 2026-04-14)\nhost: x86_64-unknown-linux-gnu\nLLVM version: 22.1.2\n";

    #[test]
    fn the_compiler_names_its_llvm() {
        let compiler = Compiler::parse(ABOUT, "/sysroot").unwrap();
        assert_eq!(compiler.llvm_major, 22);
        assert_eq!(
            compiler.folders()[0],
            Path::new("/sysroot/lib/rustlib/x86_64-unknown-linux-gnu/bin")
        );
        assert_eq!(compiler.folders()[1], Path::new("/usr/lib/llvm-22/bin"));
        assert!(Compiler::parse("rustc 1.0.0\n", "/").is_err());
    }

    #[test]
    fn half_a_pair_is_none() {
        let folder = std::env::temp_dir().join(format!("xtask-llvm-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("llvm-cov"), "").unwrap();
        assert_eq!(pair(&folder), None);
        std::fs::write(folder.join("llvm-profdata"), "").unwrap();
        assert_eq!(pair(&folder).unwrap().profdata, folder.join("llvm-profdata"));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
