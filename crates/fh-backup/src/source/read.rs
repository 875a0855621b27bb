//! Sessions that read rows, several at a time.
//!
//! Each has a thread and a runtime of its own: rows come in pieces of eight kilobytes, and handing each of them from one
//! thread to another would cost as much as all the rest of reading. What is read goes to the shared runtime to be stored,
//! while the session reads on.

use std::sync::Arc;

use bytes::Bytes;
use fh_core::progress::Task;
use fh_core::{Context as _, Error, Result};
use fh_pg::{Connection, ConnectionString};
use fh_repository::{SegmentRef, SegmentWriter};
use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use super::backup::Options;
use super::copy::{self, Pieces};
use super::cutter::{Cutter, Piece};
use super::leader;
use super::plan::TableWork;
use crate::proof::Proof;
use crate::workers::Queue;

/// One statement to run, and where its rows belong.
pub(super) struct Item {
    table: Option<usize>,
    order: usize,
    statement: String,
    what: String,
    bytes: u64,
}

/// One stored segment, and where it belongs.
pub(super) struct Part {
    /// Index of the table; none for large objects.
    pub table: Option<usize>,
    /// Number of the statement, and of the segment in it.
    pub order: (usize, usize),
    pub proof: Proof,
    pub bytes: u64,
    pub segment: SegmentRef,
}

/// Everything to read, what takes longest first.
pub(super) fn items(work: &[TableWork], large_objects: bool) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    for (index, table) in work.iter().enumerate() {
        let share = table.heap_bytes / table.statements.len().max(1) as u64;
        for (order, statement) in table.statements.iter().enumerate() {
            items.push(Item {
                table: Some(index),
                order,
                statement: statement.clone(),
                what: format!("{}.{}", table.schema, table.name),
                bytes: share,
            });
        }
    }
    if large_objects {
        let statement = copy::LARGE_OBJECTS.to_owned();
        items.push(Item {
            table: None,
            order: 0,
            statement,
            what: "the large objects".into(),
            bytes: 0,
        });
    }
    // What cannot be cut goes first: a long piece begun last would leave the other workers waiting for it.
    items.sort_by_key(|item| (item.table.is_some(), std::cmp::Reverse(item.bytes)));
    items
}

/// Reads everything on as many sessions as `options` says. The first failure ends the others.
pub(super) async fn all(
    source: &ConnectionString,
    options: &Options,
    snapshot: &str,
    items: Vec<Item>,
    writer: &Arc<SegmentWriter>,
    task: &Task,
) -> Result<Vec<Part>> {
    let sessions = options.jobs.clamp(1, items.len().max(1));
    let queue = Queue::new(items);
    // Whatever ends this function also drops the sender, and that ends the threads.
    let (_alive, watched) = watch::channel(());
    let mut running = futures_util::stream::FuturesUnordered::new();
    for number in 0..sessions {
        let (done, ended) = oneshot::channel();
        let mut gone = watched.clone();
        let reader = Reader {
            source: source.clone(),
            options: options.clone(),
            snapshot: snapshot.to_owned(),
            queue: queue.clone(),
            writer: Arc::clone(writer),
            storing: Handle::current(),
            task: task.clone(),
        };
        let work = move || {
            let result = own_runtime().and_then(|runtime| {
                runtime.block_on(async {
                    tokio::select! {
                        result = reader.run() => result,
                        _ = gone.changed() => Err(Error::unable("the backup was stopped")),
                    }
                })
            });
            // Nobody listens any more when the backup was stopped.
            let _ = done.send(result);
        };
        std::thread::Builder::new()
            .name(format!("reader-{number}"))
            .spawn(work)
            .or_unable(|| "cannot start a thread")?;
        running.push(ended);
    }
    let mut parts = Vec::new();
    while let Some(ended) = futures_util::StreamExt::next(&mut running).await {
        parts.extend(ended.map_err(|_| Error::unable("a reading thread ended early"))??);
    }
    Ok(parts)
}

fn own_runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .or_unable(|| "cannot start a session's runtime")
}

/// One session.
struct Reader {
    source: ConnectionString,
    options: Options,
    snapshot: String,
    queue: Queue<Item>,
    writer: Arc<SegmentWriter>,
    storing: Handle,
    task: Task,
}

/// A segment that is on its way into the repository.
struct Storing {
    part: JoinHandle<Result<(Part, Bytes)>>,
}

impl Reader {
    async fn run(self) -> Result<Vec<Part>> {
        let connection = leader::follower(
            &self.source,
            &self.options.connect,
            self.options.lock_timeout,
            &self.snapshot,
        )
        .await?;
        let mut parts = Vec::new();
        let mut cutter = Cutter::default();
        // One segment is stored while the next one is read: memory stays at two for each session.
        let mut before: Option<Storing> = None;
        while let Some(item) = self.queue.next() {
            self.read(&connection, &item, &mut cutter, &mut before, &mut parts)
                .await?;
            self.task.inc(item.bytes);
        }
        finish(before.take(), &mut cutter, &mut parts).await?;
        Ok(parts)
    }

    async fn read(
        &self,
        connection: &Connection,
        item: &Item,
        cutter: &mut Cutter,
        before: &mut Option<Storing>,
        parts: &mut Vec<Part>,
    ) -> Result<()> {
        let mut pieces = Pieces::open(connection, &item.statement, &item.what).await?;
        let mut number = 0;
        while let Some(piece) = pieces.next(cutter).await? {
            finish(before.take(), cutter, parts).await?;
            *before = Some(self.store(item, number, piece));
            number += 1;
        }
        Ok(())
    }

    fn store(&self, item: &Item, number: usize, piece: Piece) -> Storing {
        let writer = Arc::clone(&self.writer);
        let (table, order) = (item.table, (item.order, number));
        let part = self.storing.spawn(async move {
            let Piece { text, proof } = piece;
            let segment = writer.put(text.clone()).await?;
            let part = Part {
                table,
                order,
                proof,
                bytes: text.len() as u64,
                segment,
            };
            Ok((part, text))
        });
        Storing { part }
    }
}

impl Drop for Storing {
    fn drop(&mut self) {
        self.part.abort();
    }
}

async fn finish(storing: Option<Storing>, cutter: &mut Cutter, parts: &mut Vec<Part>) -> Result<()> {
    let Some(mut storing) = storing else {
        return Ok(());
    };
    let (part, text) = (&mut storing.part)
        .await
        .map_err(|crashed| Error::unable("storing a segment ended early").because(crashed))??;
    cutter.recycle(text);
    parts.push(part);
    Ok(())
}
