//! Takes one tree: a thread reads and cuts, the async side stores what it gives, several segments at a time.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use fh_core::config::{BackupFiles, OnUnreadable};
use fh_core::progress::{Progress, Task};
use fh_core::{Error, Result};
use fh_repository::{SegmentRef, SegmentWriter};
use futures_util::StreamExt as _;
use tokio::sync::mpsc;

use super::exclude::Exclude;
use super::reader::Reader;
use super::{Counts, Tree};

/// How to take a tree.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Segments that are compressed and sent at the same time.
    pub jobs: usize,
}

/// A piece of the stream or of the index.
pub(super) enum Piece {
    Contents(Bytes),
    Index(Bytes),
}

/// What the reading thread found.
pub(super) struct Read {
    pub(super) counts: Counts,
    pub(super) bytes: u64,
    pub(super) warnings: Vec<String>,
}

/// Checks names and patterns before anything is begun.
///
/// # Errors
/// Exit code 2 when a name is missing or stands there twice, or a pattern is not understood.
pub fn check_names(trees: &[BackupFiles]) -> Result<()> {
    let mut names = BTreeSet::new();
    for tree in trees {
        if tree.name.trim().is_empty() || !names.insert(&tree.name) {
            return Err(Error::usage(format!(
                "backup.files has the name {:?} twice, or an empty one",
                tree.name
            ))
            .hint("give each tree a name of its own: restore asks for it"));
        }
        Exclude::parse(&tree.exclude)?;
    }
    Ok(())
}

/// Reads a tree and stores it.
///
/// # Errors
/// Exit code 3 when something in it cannot be read and the configuration does not say to leave it out, or when something
/// cannot be stored.
pub async fn take(
    tree: &BackupFiles,
    options: Options,
    writer: &Arc<SegmentWriter>,
    progress: &Progress,
) -> Result<Tree> {
    let exclude = Exclude::parse(&tree.exclude)?;
    let task = progress.bytes(format!("backing up {}", tree.name), None);
    // Room for one piece: with those that are stored and the one in the making, memory stays flat.
    let (sender, receiver) = mpsc::channel(1);
    let reading = read(tree, exclude, sender, task.clone());
    let mut taken = Tree {
        name: tree.name.clone(),
        path: tree.path.display().to_string(),
        ..Tree::default()
    };
    let stored = store(receiver, options, writer, &mut taken).await;
    let read = reading
        .await
        .map_err(|crashed| Error::unable("the thread that reads files ended early").because(crashed))?;
    // When storing failed, the thread only knows that nobody listens any more.
    stored?;
    let Read {
        counts,
        bytes,
        warnings,
    } = read?;
    task.finish(format!("{} backed up", tree.name));
    Ok(Tree {
        counts,
        bytes,
        warnings,
        ..taken
    })
}

fn read(
    tree: &BackupFiles,
    exclude: Exclude,
    sender: mpsc::Sender<Piece>,
    task: Task,
) -> tokio::task::JoinHandle<Result<Read>> {
    let (root, strict) = (tree.path.clone(), tree.on_unreadable == OnUnreadable::Fail);
    tokio::task::spawn_blocking(move || Reader::new(sender, task, strict).run(&root, &exclude))
}

async fn store(
    receiver: mpsc::Receiver<Piece>,
    options: Options,
    writer: &Arc<SegmentWriter>,
    taken: &mut Tree,
) -> Result<()> {
    let pieces = futures_util::stream::unfold(receiver, async |mut receiver| {
        receiver.recv().await.map(|piece| (piece, receiver))
    });
    let stored = pieces
        .map(async |piece| -> Result<(bool, SegmentRef)> {
            match piece {
                Piece::Contents(bytes) => Ok((true, writer.put(bytes).await?)),
                Piece::Index(bytes) => Ok((false, writer.put(bytes).await?)),
            }
        })
        .buffered(options.jobs.max(1));
    let mut stored = std::pin::pin!(stored);
    while let Some(result) = stored.next().await {
        let (contents, segment) = result?;
        if contents {
            taken.segments.push(segment);
        } else {
            taken.index.push(segment);
        }
    }
    Ok(())
}
