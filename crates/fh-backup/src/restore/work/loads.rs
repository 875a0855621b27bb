//! Loading and reading back.

use std::collections::BTreeMap;
use std::sync::Arc;

use fh_core::{Error, Result};
use fh_pg::qualified;
use fh_repository::SegmentRef;

use super::tables::Tables;
use super::{Load, Plan, Read, Whole, Work};
use crate::archive::Archive;
use crate::body::{Data, Database};
use crate::restore::schedule::{Hold, Task};
use crate::source::copy;

/// A part of a table is not made smaller than this.
const LEAST_PART: u64 = 32 << 20;

/// Smaller tables are not emptied first: the new file costs more than frozen rows save.
const LEAST_FROZEN: u64 = 1 << 20;

/// What loading a table means for later tasks.
#[derive(Debug, Default, Clone)]
pub(super) struct Loaded {
    /// Tasks that load it.
    pub(super) tasks: Vec<usize>,
    /// The task that gathers its statistics, which is done before a foreign key is proven.
    pub(super) analyzed: Option<usize>,
    /// Bytes of COPY text.
    pub(super) bytes: u64,
}

/// Adds the tasks that load and read back; gives those that load, by the dump id of the table.
pub(super) fn plan(
    plan: &mut Plan,
    archive: &Archive,
    database: &Database,
    tables: &Tables<'_>,
    jobs: usize,
) -> Result<BTreeMap<i64, Loaded>> {
    let copies = archive
        .copies()
        .map_err(|what| Error::bad(format!("the definitions of the set are not understood: {what}")))?;
    let total: u64 = database.tables.iter().map(|table| table.data.bytes).sum();
    // Parts small enough that no worker is left alone with a large one at the end.
    let part_bytes = (total / (jobs.max(1) as u64 * 4)).max(LEAST_PART);
    let mut loaded: BTreeMap<i64, Loaded> = BTreeMap::new();
    let mut reads: BTreeMap<String, (Read, Vec<usize>, Vec<i64>)> = BTreeMap::new();
    for table in &database.tables {
        let what = table.label();
        let name = qualified(&table.schema, &table.name);
        let copy = copies.get(&table.dump_id).ok_or_else(|| {
            Error::bad(format!(
                "the definitions of the set have no entry for the rows of {what}"
            ))
        })?;
        // A configuration table of an extension is made, and may be filled, by the extension: it has no entry.
        let id = tables.named(&name);
        let parts = parts(&table.data, part_bytes);
        let frozen =
            id.is_some() && parts.len() == 1 && copy.table == name && table.data.bytes >= LEAST_FROZEN;
        let whole = Arc::new(Whole::new(table.data.proof, parts.len()));
        let first = plan.tasks.len();
        for segments in parts {
            let cost = segments.iter().map(|segment| segment.size).sum();
            plan.tasks.push(Task {
                work: Work::Load(Load {
                    what: what.clone(),
                    statement: copy.load(),
                    empty_first: frozen.then(|| name.clone()),
                    segments,
                    whole: Arc::clone(&whole),
                }),
                holds: Vec::new(),
                after: Vec::new(),
                cost,
            });
        }
        let tasks: Vec<usize> = (first..plan.tasks.len()).collect();
        let (read, after, held) = reads.entry(copy.table.clone()).or_insert_with(|| {
            let read = Read {
                what: what.clone(),
                ..Read::default()
            };
            (read, Vec::new(), Vec::new())
        });
        read.statements.push(copy.read(&name));
        read.counts.push(format!("SELECT count(*) FROM ONLY {name}"));
        read.tables.push(what);
        read.wholes.push(whole);
        read.proof.merge(table.data.proof);
        read.bytes += table.data.bytes;
        after.extend(&tasks);
        held.extend(id);
        plan.bytes += table.data.bytes;
        if let Some(id) = id {
            let bytes = table.data.bytes;
            // A partition is looked at with its root, when all rows are there.
            let analyzed = (!tables.in_a_tree(id)).then(|| analyze(plan, &[id], name, tasks.clone(), bytes));
            let one = Loaded {
                tasks,
                analyzed,
                bytes,
            };
            loaded.insert(id, one);
        }
    }
    analyze_trees(plan, tables, &loaded);
    for (read, after, held) in reads.into_values() {
        plan.tasks.push(Task {
            cost: read.bytes / 3,
            work: Work::Read(read),
            holds: held.into_iter().map(|table| (table, Hold::Read)).collect(),
            after,
        });
    }
    Ok(loaded)
}

/// Roots of partitioned tables, once every partition is loaded.
fn analyze_trees(plan: &mut Plan, tables: &Tables<'_>, loaded: &BTreeMap<i64, Loaded>) {
    for root in tables.roots() {
        let tree = tables.with_partitions(root);
        let parts: Vec<&Loaded> = tree.iter().filter_map(|table| loaded.get(table)).collect();
        let after: Vec<usize> = parts.iter().flat_map(|part| part.tasks.clone()).collect();
        let bytes = parts.iter().map(|part| part.bytes).sum();
        if let Some(name) = tables.name(root).filter(|_| !after.is_empty()) {
            analyze(plan, &tree, name, after, bytes);
        }
    }
}

fn analyze(plan: &mut Plan, held: &[i64], table: String, after: Vec<usize>, bytes: u64) -> usize {
    plan.analyzed.insert(table.clone());
    plan.tasks.push(Task {
        work: Work::Analyze(table),
        holds: held.iter().map(|table| (*table, Hold::Analyze)).collect(),
        after,
        // A sample is read, not the table.
        cost: bytes / 20,
    });
    plan.tasks.len() - 1
}

/// Adds the tasks for large objects.
pub(super) fn large_objects(plan: &mut Plan, data: &Data) {
    let load = plan.tasks.len();
    plan.tasks.push(Task {
        work: Work::LargeObjects(data.clone()),
        holds: Vec::new(),
        after: Vec::new(),
        cost: data.bytes,
    });
    let read = Read {
        what: "the large objects".into(),
        statements: vec![copy::LARGE_OBJECTS.to_owned()],
        proof: data.proof,
        bytes: data.bytes,
        ..Read::default()
    };
    plan.tasks.push(Task {
        work: Work::Read(read),
        holds: Vec::new(),
        after: vec![load],
        cost: data.bytes / 3,
    });
    plan.bytes += data.bytes;
}

/// The segments in order, in parts of about `part_bytes`; one part without segments for an empty table.
fn parts(data: &Data, part_bytes: u64) -> Vec<Vec<SegmentRef>> {
    let count = usize::try_from(data.bytes / part_bytes)
        .unwrap_or(usize::MAX)
        .max(1);
    let wanted = data.bytes.div_ceil(count as u64);
    let mut parts = vec![Vec::new()];
    let mut bytes = 0;
    for segment in &data.segments {
        if bytes >= wanted {
            parts.push(Vec::new());
            bytes = 0;
        }
        bytes += segment.size;
        if let Some(last) = parts.last_mut() {
            last.push(segment.clone());
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(sizes: &[u64]) -> Data {
        let segments = sizes.iter().enumerate().map(|(index, size)| SegmentRef {
            object: format!("{index}.zst"),
            id: index.to_string(),
            size: *size,
        });
        Data {
            bytes: sizes.iter().sum(),
            segments: segments.collect(),
            ..Data::default()
        }
    }

    fn sizes(data: &Data, part: u64) -> Vec<usize> {
        parts(data, part).iter().map(Vec::len).collect()
    }

    #[test]
    fn parts_hold_every_segment_once() {
        assert_eq!(sizes(&data(&[]), 10), [0]);
        assert_eq!(sizes(&data(&[5, 5, 5]), 100), [3]);
        assert_eq!(sizes(&data(&[5; 8]), 10), [2, 2, 2, 2]);
        assert_eq!(sizes(&data(&[30, 1, 1]), 10), [1, 2]);
    }
}
