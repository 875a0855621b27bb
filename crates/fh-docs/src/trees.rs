//! The command lines of every tool.

use clap::Command;

/// The tools that are shipped: they get man pages and completions.
#[must_use]
pub fn tools() -> Vec<Command> {
    vec![
        fh_core::app::command::<fh_backup::Cli>(),
        fh_core::app::command::<fh_health::Cli>(),
        fh_core::app::command::<fh_smoke::Cli>(),
    ]
}

/// Everything that documentation may show: the tools, and `cargo xtask` as `xtask`.
#[must_use]
pub fn all() -> Vec<Command> {
    let mut trees = tools();
    trees.push(xtask::command().name("xtask"));
    trees
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_tree_is_sound() {
        for tree in super::all() {
            tree.debug_assert();
        }
    }
}
