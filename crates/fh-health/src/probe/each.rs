//! Several addresses of one name, at once: a dead one must not use up the time of the others.

/// How many at once.
const AT_ONCE: usize = 16;

/// The answer for each, in their order; `None` for one that broke off at a mistake of ours.
pub(super) fn each<A: Sync, T: Send>(all: &[A], look: impl Fn(&A) -> T + Sync) -> Vec<Option<T>> {
    let look = &look;
    all.chunks(AT_ONCE)
        .flat_map(|some| {
            std::thread::scope(|scope| {
                let threads: Vec<_> = some.iter().map(|one| scope.spawn(move || look(one))).collect();
                let joined = threads.into_iter().map(|thread| thread.join().ok());
                joined.collect::<Vec<_>>()
            })
        })
        .collect()
}
