//! Which task a worker may take next: what it depends on is done, and no task that is running holds a lock that it
//! would wait for. So sessions never wait for each other in the server, and cannot deadlock.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fh_core::{Error, Result};
use tokio::sync::Notify;

/// How a task holds a table (PostgreSQL manual, 13.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// ACCESS SHARE: its rows are read.
    Read,
    /// SHARE UPDATE EXCLUSIVE: its statistics are gathered.
    Analyze,
    /// SHARE: an index is made.
    Index,
    /// SHARE ROW EXCLUSIVE: it is one end of a foreign key that is made.
    Reference,
    /// ACCESS EXCLUSIVE: a constraint with an index is added.
    Alone,
}

impl Hold {
    const fn conflicts(self, other: Self) -> bool {
        match (self, other) {
            (Self::Alone, _) | (_, Self::Alone) => true,
            (Self::Read, _) | (_, Self::Read) | (Self::Index, Self::Index) => false,
            (Self::Analyze | Self::Reference | Self::Index, _) => true,
        }
    }
}

/// One piece of work.
#[derive(Debug)]
pub(super) struct Task<W> {
    /// What to do.
    pub(super) work: W,
    /// The tables it locks, by any number that stands for one.
    pub(super) holds: Vec<(i64, Hold)>,
    /// Indexes of the tasks that must be done before.
    pub(super) after: Vec<usize>,
    /// How long it takes, in any unit.
    pub(super) cost: u64,
}

/// The tasks of all workers.
#[derive(Debug)]
pub(super) struct Schedule<W>(Arc<Shared<W>>);

impl<W> Clone for Schedule<W> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

#[derive(Debug)]
struct Shared<W> {
    state: Mutex<State<W>>,
    changed: Notify,
}

#[derive(Debug)]
struct State<W> {
    waiting: Vec<Waiting<W>>,
    running: HashMap<usize, Vec<(i64, Hold)>>,
    done: Vec<bool>,
}

#[derive(Debug)]
struct Waiting<W> {
    index: usize,
    task: Task<W>,
}

enum Next<W> {
    Take(usize, W),
    Wait,
    Nothing,
    Stuck,
}

impl<W> Schedule<W> {
    /// A schedule in which the task with the longest way to the end comes first.
    pub(super) fn new(tasks: Vec<Task<W>>) -> Self {
        let lengths = lengths(&tasks);
        let done = vec![false; tasks.len()];
        let mut waiting: Vec<Waiting<W>> = tasks
            .into_iter()
            .enumerate()
            .map(|(index, task)| Waiting { index, task })
            .collect();
        waiting.sort_by_key(|waiting| std::cmp::Reverse(lengths[waiting.index]));
        Self(Arc::new(Shared {
            state: Mutex::new(State {
                waiting,
                running: HashMap::new(),
                done,
            }),
            changed: Notify::new(),
        }))
    }

    fn state(&self) -> MutexGuard<'_, State<W>> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next task, as soon as there is one; `None` when none is left. Say [`Schedule::done`] with its number.
    ///
    /// # Errors
    /// When tasks wait for each other in a circle.
    pub(super) async fn next(&self) -> Result<Option<(usize, W)>> {
        loop {
            let mut changed = std::pin::pin!(self.0.changed.notified());
            // From here on no change is missed.
            changed.as_mut().enable();
            match self.state().take() {
                Next::Take(index, work) => return Ok(Some((index, work))),
                Next::Nothing => return Ok(None),
                Next::Stuck => {
                    return Err(Error::unable(
                        "the definitions of the set depend on each other in a circle",
                    ));
                }
                Next::Wait => {}
            }
            changed.await;
        }
    }

    /// Says that a task is done.
    pub(super) fn done(&self, index: usize) {
        let mut state = self.state();
        state.running.remove(&index);
        state.done[index] = true;
        drop(state);
        self.0.changed.notify_waiters();
    }
}

impl<W> State<W> {
    fn take(&mut self) -> Next<W> {
        if self.waiting.is_empty() {
            return Next::Nothing;
        }
        let free = |task: &Task<W>| {
            task.after.iter().all(|before| self.done[*before])
                && !self.running.values().flatten().any(|(table, hold)| {
                    task.holds
                        .iter()
                        .any(|(wanted, how)| wanted == table && how.conflicts(*hold))
                })
        };
        match self.waiting.iter().position(|waiting| free(&waiting.task)) {
            Some(place) => {
                let Waiting { index, task } = self.waiting.remove(place);
                self.running.insert(index, task.holds);
                Next::Take(index, task.work)
            }
            None if self.running.is_empty() => Next::Stuck,
            None => Next::Wait,
        }
    }
}

/// For each task its own cost and that of the most expensive chain of tasks that wait for it. Tasks come after those they
/// wait for, so one pass from the end is enough.
fn lengths<W>(tasks: &[Task<W>]) -> Vec<u64> {
    let mut lengths: Vec<u64> = tasks.iter().map(|task| task.cost).collect();
    for (index, task) in tasks.iter().enumerate().rev() {
        for before in &task.after {
            lengths[*before] = lengths[*before].max(tasks[*before].cost + lengths[index]);
        }
    }
    lengths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(work: &'static str, holds: &[(i64, Hold)], after: &[usize], cost: u64) -> Task<&'static str> {
        Task {
            work,
            holds: holds.to_vec(),
            after: after.to_vec(),
            cost,
        }
    }

    fn run<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(work)
    }

    #[test]
    fn conflicts_are_those_of_the_server() {
        use Hold::{Alone, Analyze, Index, Read, Reference};
        let together = [
            (Read, Read),
            (Read, Analyze),
            (Read, Index),
            (Read, Reference),
            (Index, Index),
        ];
        for a in [Read, Analyze, Index, Reference, Alone] {
            for b in [Read, Analyze, Index, Reference, Alone] {
                let free = together.contains(&(a, b)) || together.contains(&(b, a));
                assert_eq!(a.conflicts(b), !free, "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn the_longest_way_comes_first_and_locks_are_kept_apart() {
        run(async {
            let schedule = Schedule::new(vec![
                task("load small", &[], &[], 10),
                task("load big", &[], &[], 5),
                task("key of big", &[(2, Hold::Alone)], &[1], 50),
                task("read big", &[(2, Hold::Read)], &[1], 20),
                task("index of small", &[(1, Hold::Index)], &[0], 1),
            ]);
            let (load, name) = schedule.next().await.unwrap().unwrap();
            assert_eq!(name, "load big");
            schedule.done(load);
            let (key, name) = schedule.next().await.unwrap().unwrap();
            assert_eq!(name, "key of big");
            // Reading would wait for the key, so the other table is next.
            let (small, name) = schedule.next().await.unwrap().unwrap();
            assert_eq!(name, "load small");
            schedule.done(key);
            assert_eq!(schedule.next().await.unwrap().unwrap().1, "read big");
            schedule.done(small);
            assert_eq!(schedule.next().await.unwrap().unwrap().1, "index of small");
            assert!(schedule.next().await.unwrap().is_none());
        });
    }

    #[test]
    fn a_worker_waits_for_what_another_has_to_finish() {
        run(async {
            let schedule = Schedule::new(vec![task("load", &[], &[], 1), task("read", &[], &[0], 1)]);
            let (load, _) = schedule.next().await.unwrap().unwrap();
            let waiting = schedule.next();
            let finish = async {
                tokio::task::yield_now().await;
                schedule.done(load);
            };
            let (next, ()) = futures_util::future::join(waiting, finish).await;
            assert_eq!(next.unwrap().unwrap().1, "read");
        });
    }

    #[test]
    fn a_circle_is_an_error() {
        run(async {
            let schedule = Schedule::new(vec![task("a", &[], &[1], 1), task("b", &[], &[0], 1)]);
            assert!(schedule.next().await.is_err());
        });
    }
}
