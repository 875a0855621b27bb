//! Man pages, completions and the schemas of configuration and suites, from the same types as the tools themselves.

use std::path::Path;

use anyhow::Result;
use clap_complete::Shell;

use crate::trees;

/// Writes a man page for each tool and each of its subcommands; returns how many.
///
/// # Errors
/// When the folder cannot be written.
pub fn man(out: &Path) -> Result<usize> {
    fs_err::create_dir_all(out)?;
    let before = fs_err::read_dir(out)?.count();
    for tree in trees::tools() {
        clap_mangen::generate_to(tree, out)?;
    }
    Ok(fs_err::read_dir(out)?.count() - before)
}

/// Writes completions of bash, zsh and fish for each tool; returns how many files.
///
/// # Errors
/// When the folder cannot be written.
pub fn completions(out: &Path) -> Result<usize> {
    fs_err::create_dir_all(out)?;
    let mut count = 0;
    for mut tree in trees::tools() {
        let name = tree.get_name().to_owned();
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            clap_complete::generate_to(shell, &mut tree, &name, out)?;
            count += 1;
        }
    }
    Ok(count)
}

/// The JSON Schema of `financehub.toml`, with a final newline.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn schema() -> Result<String> {
    pretty(&fh_core::config::json_schema())
}

/// The JSON Schema of the suites of fh-smoke, with a final newline.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn suite_schema() -> Result<String> {
    pretty(&fh_scenario::json_schema())
}

fn pretty(schema: &serde_json::Value) -> Result<String> {
    let mut text = serde_json::to_string_pretty(schema)?;
    text.push('\n');
    Ok(text)
}
