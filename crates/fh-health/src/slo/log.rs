//! The log of events: one line each, in a file that stays small.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use fh_core::{Context as _, Result, atomic};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Event;

/// The file is rewritten when it is larger than this: about 100,000 events.
const LARGEST: u64 = 8 << 20;
/// A longer line is none of ours.
const LONGEST_LINE: u64 = 1024;

/// A line of the file.
#[derive(Debug, Serialize, Deserialize)]
struct Line<'a> {
    /// Seconds since 1970.
    t: i64,
    /// Id of the check.
    #[serde(borrow)]
    c: std::borrow::Cow<'a, str>,
    /// 1 for good.
    g: u8,
    /// Milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ms: Option<f64>,
}

/// The log. Whoever writes holds the lock of the memory.
#[derive(Debug, Clone)]
pub struct Log {
    path: PathBuf,
}

impl Log {
    /// The log in this file.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// The events of one check, oldest first. A line that was cut off by a crash is passed over.
    ///
    /// # Errors
    /// Exit code 3 when the file cannot be read.
    pub fn events(&self, check: &str) -> Result<Vec<Event>> {
        let mut found = Vec::new();
        self.lines(|line| {
            if line.c == check
                && let Ok(at) = Timestamp::from_second(line.t)
            {
                found.push(Event {
                    seconds: line.ms.map(|ms| ms / 1000.0),
                    ..Event::one(at, line.g == 1)
                });
            }
        })?;
        found.sort_by_key(|event| event.at);
        Ok(found)
    }

    /// Adds events; rewrites the file without what is older than `keep` when it has grown too large.
    ///
    /// # Errors
    /// Exit code 3 when it cannot be written.
    pub fn add(&self, events: &[(String, Event)], keep: Duration, now: Timestamp) -> Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        let failed = || format!("cannot write the log of samples {}", self.path.display());
        let mut text = String::new();
        for (check, event) in events {
            let line = Line {
                t: event.at.as_second(),
                c: check.as_str().into(),
                g: u8::from(event.bad == 0),
                ms: event.seconds.map(|seconds| (seconds * 1e6).round() / 1e3),
            };
            text.push_str(&serde_json::to_string(&line).or_unable(failed)?);
            text.push('\n');
        }
        let mut file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .open(&self.path)
            .or_unable(failed)?;
        let length = file.metadata().or_unable(failed)?.len();
        // What a crash cut off must not run into the next line.
        if length > 0 {
            file.seek(SeekFrom::End(-1)).or_unable(failed)?;
            let mut last = [0];
            file.read_exact(&mut last).or_unable(failed)?;
            if last != *b"\n" {
                text.insert(0, '\n');
            }
        }
        file.write_all(text.as_bytes()).or_unable(failed)?;
        if length > LARGEST {
            self.shorten(keep, now)?;
        }
        Ok(())
    }

    /// Keeps what is young enough, and of that at most three quarters of the room, the newest.
    fn shorten(&self, keep: Duration, now: Timestamp) -> Result<()> {
        let mut kept: Vec<String> = Vec::new();
        let limit = i64::try_from(keep.as_secs()).unwrap_or(i64::MAX);
        let oldest = now.as_second().saturating_sub(limit);
        self.lines(|line| {
            if line.t >= oldest
                && let Ok(text) = serde_json::to_string(&line)
            {
                kept.push(text);
            }
        })?;
        let room = usize::try_from(LARGEST / 4 * 3).unwrap_or(usize::MAX);
        let mut size = 0;
        let from = kept.iter().rposition(|line| {
            size += line.len() + 1;
            size > room
        });
        let mut text = kept[from.map_or(0, |at| at + 1)..].join("\n");
        text.push('\n');
        atomic::write(&self.path, text.as_bytes(), None)
    }

    fn lines(&self, mut each: impl FnMut(Line<'_>)) -> Result<()> {
        let Some(file) = open(&self.path)? else {
            return Ok(());
        };
        let failed = || format!("cannot read the log of samples {}", self.path.display());
        let mut reader = BufReader::new(file);
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            let read = reader
                .by_ref()
                .take(LONGEST_LINE)
                .read_until(b'\n', &mut bytes)
                .or_unable(failed)?;
            if read == 0 {
                return Ok(());
            }
            if let Ok(line) = serde_json::from_slice::<Line<'_>>(&bytes) {
                each(line);
            }
        }
    }
}

fn open(path: &Path) -> Result<Option<std::fs::File>> {
    match std::fs::File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).or_unable(|| format!("cannot read the log of samples {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(second: i64) -> (String, Event) {
        let event = Event {
            seconds: Some(0.125),
            ..Event::one(Timestamp::from_second(second).unwrap(), second % 2 == 0)
        };
        ("http.api".to_owned(), event)
    }

    #[test]
    fn what_is_added_is_read_also_behind_a_line_that_was_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::at(folder.path().join("samples.jsonl"));
        assert_eq!(log.events("http.api").unwrap(), []);
        let (keep, now) = (Duration::from_secs(1000), Timestamp::from_second(20).unwrap());
        log.add(&[event(10), event(11)], keep, now).unwrap();
        let mut bytes = std::fs::read(folder.path().join("samples.jsonl")).unwrap();
        bytes.extend(b"{\"t\":12,\"c\":\"http.ap");
        std::fs::write(folder.path().join("samples.jsonl"), &bytes).unwrap();
        log.add(&[event(13)], keep, now).unwrap();
        let times: Vec<i64> = log
            .events("http.api")
            .unwrap()
            .iter()
            .map(|event| event.at.as_second())
            .collect();
        assert_eq!(times, [10, 11, 13]);
        assert_eq!(log.events("http.api").unwrap()[0], event(10).1);
        assert_eq!(log.events("http.other").unwrap(), []);
    }

    #[test]
    fn the_file_stays_small_and_keeps_the_newest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("samples.jsonl");
        let line = |second: i64| format!("{{\"t\":{second},\"c\":\"http.api\",\"g\":1,\"ms\":125.0}}\n");
        let lines: String = (1_000_000..1_220_000).map(line).collect();
        std::fs::write(&path, lines).unwrap();
        let log = Log::at(path.clone());
        let now = Timestamp::from_second(1_220_000).unwrap();
        log.add(&[event(1_220_000)], Duration::from_secs(1_000_000), now)
            .unwrap();
        assert!(std::fs::metadata(&path).unwrap().len() < LARGEST);
        let events = log.events("http.api").unwrap();
        assert_eq!(events.last().unwrap().at, now);
        assert!(events.len() > 100_000, "{}", events.len());
    }
}
