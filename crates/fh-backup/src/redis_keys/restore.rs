//! Loads keys into an empty server, and looks whether they are there.

use fh_core::progress::{Progress, Task};
use fh_core::{Error, Hint as _, Result};
use fh_repository::Repository;
use redis::Value;
use tokio::sync::mpsc;

use super::info::rdb_version_of;
use super::record::{Record, Records};
use super::server::{Server, Target};
use super::{Keys, mismatch};
use crate::proof::Proof;

/// Keys and bytes of one batch at most, the last key excepted.
const BATCH: (usize, usize) = (500, 4 << 20);
/// How far expiry times may be apart afterwards, in milliseconds.
const TOLERANCE: i64 = 2000;

/// What is in the target now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Restored {
    /// Keys that are there, with the expiry that they had.
    pub keys: u64,
    /// Keys whose time had come before or while they were loaded.
    pub expired: u64,
}

/// Restores all keys and compares.
///
/// # Errors
/// Exit code 4 when the target has keys, 3 when it is too old or cannot be reached, 1 when something stored is damaged or
/// a key is missing afterwards.
pub async fn restore(
    repository: &Repository,
    keys: &Keys,
    target: &Target,
    progress: &Progress,
) -> Result<Restored> {
    if keys.data.proof.rows == 0 {
        return Err(
            Error::unable("the set holds no key of Redis").hint("there was none when the backup was taken")
        );
    }
    let (needed, databases) = (
        keys.rdb_version,
        keys.databases.keys().copied().collect::<Vec<_>>(),
    );
    let server = run_on_thread({
        let target = target.clone();
        move || preflight(&target, needed, &databases)
    })
    .await?;
    let unfinished = || "the target is unfinished: empty it with FLUSHALL before you try again";
    let task = progress.items("restoring Redis", Some(keys.data.proof.rows));
    let server = pass(repository, keys, server, load, &task)
        .await
        .hint(unfinished)?
        .0;
    let task = progress.items("looking for every key", Some(keys.data.proof.rows));
    let (_, restored) = pass(repository, keys, server, compare, &task)
        .await
        .hint(unfinished)?;
    Ok(restored)
}

async fn run_on_thread<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|crashed| Error::unable("the thread that writes to Redis ended early").because(crashed))?
}

/// What must hold before the first key is written.
fn preflight(target: &Target, needed: Option<u16>, databases: &[u32]) -> Result<Server> {
    let mut server = target.connect()?;
    let info = server.info()?;
    if let Some((database, keys)) = info.databases.first_key_value() {
        return Err(Error::refused(format!(
            "the target Redis at {} is not empty: database {database} has {keys} key(s)",
            target.place()
        ))
        .hint("restore into an empty server; nothing was changed"));
    }
    for database in databases {
        server.select(*database)?;
    }
    let known = known_version(&mut server)?;
    if let Some(needed) = needed.filter(|needed| *needed > known) {
        return Err(Error::unable(format!(
            "the values have RDB version {needed}, and Redis {} at {} knows versions up to {known}",
            info.version,
            target.place()
        ))
        .hint("restore into a server that is at least as new as the one that was backed up; nothing was changed"));
    }
    Ok(server)
}

/// What `DUMP` writes is the newest version that a server reads. The key that it takes lives within one transaction.
fn known_version(server: &mut Server) -> Result<u16> {
    let key = format!("fh-backup:probe:{}", std::process::id());
    let mut pipeline = redis::pipe();
    pipeline.atomic().cmd("SET").arg(&key).arg("1").ignore();
    pipeline.cmd("DUMP").arg(&key);
    pipeline.cmd("DEL").arg(&key).ignore();
    let (payload,): (Vec<u8>,) = server.send("does not let itself be written to", &pipeline)?;
    rdb_version_of(&payload).ok_or_else(|| Error::unable("Redis gave a value that is too short to be one"))
}

/// Goes through all records of the set and has `work` done with each batch, on a thread of its own.
async fn pass(
    repository: &Repository,
    keys: &Keys,
    mut server: Server,
    work: fn(&mut Server, &[Record]) -> Result<Restored>,
    task: &Task,
) -> Result<(Server, Restored)> {
    let (sender, mut receiver) = mpsc::channel::<Vec<Record>>(1);
    let shown = task.clone();
    let working = run_on_thread(move || {
        let mut done = Restored::default();
        while let Some(batch) = receiver.blocking_recv() {
            let part = work(&mut server, &batch)?;
            done.keys += part.keys;
            done.expired += part.expired;
            shown.inc(batch.len() as u64);
        }
        Ok((server, done))
    });
    let reading = async {
        let sender = sender;
        let mut records = Records::new(repository, &keys.data);
        let mut proof = Proof::default();
        let (mut batch, mut bytes): (Vec<Record>, usize) = (Vec::new(), 0);
        while let Some(record) = records.next().await? {
            proof.add(&record.encode());
            let other = batch.last().is_some_and(|last| last.database != record.database);
            if other || batch.len() >= BATCH.0 || bytes >= BATCH.1 {
                bytes = 0;
                // A receiver that is gone has an error of its own to tell.
                if sender.send(std::mem::take(&mut batch)).await.is_err() {
                    return Ok(());
                }
            }
            bytes += record.payload.len();
            batch.push(record);
        }
        let _ = sender.send(batch).await;
        if proof == keys.data.proof {
            Ok(())
        } else {
            Err(mismatch(keys.data.proof, proof))
        }
    };
    let (read, worked) = tokio::join!(reading, working);
    let worked = worked?;
    read.map(|()| worked)
}

/// Writes keys of one database.
fn load(server: &mut Server, records: &[Record]) -> Result<Restored> {
    let Some(first) = records.first() else {
        return Ok(Restored::default());
    };
    server.select(first.database)?;
    let mut pipeline = redis::pipe();
    for record in records {
        // Expiry as a moment and not as a duration (Redis documentation, "RESTORE"): what has expired since is gone.
        pipeline
            .cmd("RESTORE")
            .arg(&record.key)
            .arg(record.expires_at.unwrap_or(0))
            .arg(&record.payload)
            .arg("ABSTTL")
            .ignore();
    }
    server.send::<()>("does not take the keys", &pipeline)?;
    Ok(Restored::default())
}

/// Counts the keys that are there, and compares when they expire.
fn compare(server: &mut Server, records: &[Record]) -> Result<Restored> {
    let Some(first) = records.first() else {
        return Ok(Restored::default());
    };
    server.select(first.database)?;
    let mut pipeline = redis::pipe();
    pipeline.atomic().cmd("TIME");
    for record in records {
        pipeline.cmd("PTTL").arg(&record.key);
    }
    let mut answers = server
        .send::<Vec<Value>>("does not tell what it has", &pipeline)?
        .into_iter();
    let strange = |_| Error::unable("Redis gave an answer of another form than it documents");
    let time: (i64, i64) = redis::from_redis_value(answers.next().unwrap_or_default()).map_err(strange)?;
    let now = time.0 * 1000 + time.1 / 1000;
    let mut done = Restored::default();
    for record in records {
        let left: i64 = redis::from_redis_value(answers.next().unwrap_or_default()).map_err(strange)?;
        match found(left, now, record.expires_at) {
            Ok(true) => done.keys += 1,
            Ok(false) => done.expired += 1,
            Err(why) => {
                return Err(Error::bad(format!(
                    "the key {} of database {} {why} in the target",
                    record.key.escape_ascii(),
                    record.database
                )));
            }
        }
    }
    Ok(done)
}

/// Whether a key is there, from what `PTTL` says.
fn found(left: i64, now: i64, expires_at: Option<i64>) -> Result<bool, &'static str> {
    match (left, expires_at) {
        (-2, Some(at)) if at <= now => Ok(false),
        (-2, _) => Err("is missing"),
        (-1, None) => Ok(true),
        (left, Some(at)) if left >= 0 && (now + left - at).abs() <= TOLERANCE => Ok(true),
        _ => Err("expires at another time"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_key_whose_time_has_come_may_be_missing() {
        assert_eq!(found(-1, 1000, None), Ok(true));
        assert_eq!(found(500, 1000, Some(1500)), Ok(true));
        assert_eq!(found(-2, 1000, Some(1000)), Ok(false));
        assert_eq!(found(-2, 1000, Some(1001)), Err("is missing"));
        assert_eq!(found(-2, 1000, None), Err("is missing"));
        assert_eq!(found(-1, 1000, Some(1500)), Err("expires at another time"));
        assert_eq!(found(500, 1000, None), Err("expires at another time"));
        assert_eq!(found(50_000, 1000, Some(1500)), Err("expires at another time"));
    }
}
