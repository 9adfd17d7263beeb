//! Threads that share one piece of work after the other, and that yield where others need the processor.
//!
//! Work is a list of items. The thread that brings it and the pool's own threads take item after item; a thread that the
//! system has put aside holds up at most the one item it has begun, and none when it has begun none.
#![expect(
    unsafe_code,
    reason = "a borrowed list is lent to threads that outlive it; the caller waits for its end"
)]

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle, Thread};

/// Looks for new work before a thread sleeps, some tens of microseconds.
const SPINS: u32 = 4_000;
/// Looks for the end of the last items before the caller lets others run.
const PATIENCE: u32 = 2_000;

/// A number of threads, the caller's among them.
pub(crate) struct Pool {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    /// One piece of work at a time.
    turn: Mutex<()>,
}

/// A call of `Pool::each`, as the threads see it.
struct Call<'a> {
    work: &'a (dyn Fn(usize) + Sync),
    panic: Mutex<Option<Box<dyn std::any::Any + Send>>>,
}

struct Shared {
    /// Number of the call (32 bits), its items (16 bits), items that were taken (16 bits).
    state: AtomicU64,
    /// The call that `state` speaks of; null before the first.
    call: AtomicPtr<Call<'static>>,
    /// Items of it that are done.
    done: AtomicUsize,
    sleepers: Vec<Sleeper>,
    ends: AtomicBool,
}

#[derive(Default)]
struct Sleeper {
    asleep: AtomicBool,
    thread: Mutex<Option<Thread>>,
}

/// Items of one call at most.
const MOST: usize = 0xffff;

impl Pool {
    /// A pool of `threads` in all; 1 has no thread of its own.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn new(threads: usize) -> std::io::Result<Self> {
        let others = threads.saturating_sub(1);
        let shared = Arc::new(Shared {
            state: AtomicU64::new(0),
            call: AtomicPtr::default(),
            done: AtomicUsize::new(0),
            sleepers: (0..others).map(|_| Sleeper::default()).collect(),
            ends: AtomicBool::new(false),
        });
        let mut pool = Self { shared: shared.clone(), workers: Vec::new(), turn: Mutex::new(()) };
        for index in 0..others {
            let shared = shared.clone();
            let body = move || shared.serve(index);
            pool.workers
                .push(thread::Builder::new().name(format!("arithmetic-{index}")).spawn(body)?);
        }
        Ok(pool)
    }

    /// Threads in all.
    pub(crate) fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Does `work` once with each item, in any order and on any of the threads. Items beyond 65,535 are done in further
    /// rounds. `work` must not call this pool, which would wait for itself.
    ///
    /// # Panics
    /// With the first panic of `work`; items after it may be left undone.
    pub(crate) fn each<T: Send>(&self, items: &mut [T], work: impl Fn(&mut T) + Sync) {
        if self.workers.is_empty() || items.len() < 2 {
            items.iter_mut().for_each(work);
            return;
        }
        for items in items.chunks_mut(MOST) {
            let (first, count) = (Items(items.as_mut_ptr()), items.len());
            self.call(count, &|index| {
                // SAFETY: each index below `count` is given out once, so no two threads hold the same item; `items` is
                // borrowed until `call` returns.
                work(unsafe { &mut *first.at(index) });
            });
        }
    }

    fn call(&self, count: usize, work: &(dyn Fn(usize) + Sync)) {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let call = Call { work, panic: Mutex::new(None) };
        let shared = &*self.shared;
        shared.done.store(0, Ordering::Relaxed);
        shared.call.store((&raw const call).cast_mut().cast(), Ordering::Relaxed);
        let number = (shared.state.load(Ordering::Relaxed) >> 32).wrapping_add(1);
        // Sequentially consistent, as is the look at who sleeps: one of the two sides sees the other.
        shared.state.store(number << 32 | (count as u64) << 16, Ordering::SeqCst);
        for sleeper in &shared.sleepers {
            if sleeper.asleep.swap(false, Ordering::SeqCst) {
                sleeper.wake();
            }
        }
        while shared.take_one() {}
        let mut looks = 0_u32;
        while shared.done.load(Ordering::Acquire) < count {
            looks += 1;
            if looks < PATIENCE { std::hint::spin_loop() } else { thread::yield_now() }
        }
        let panic = call.panic.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }
}

/// A pointer that threads may share: each uses it for items of its own.
struct Items<T>(*mut T);

// SAFETY: items are `Send`, and `Pool::each` gives each to one thread.
unsafe impl<T: Send> Sync for Items<T> {}

impl<T> Items<T> {
    fn at(&self, index: usize) -> *mut T {
        self.0.wrapping_add(index)
    }
}

impl Shared {
    /// Takes an item of the present call and does it; false when none is left.
    fn take_one(&self) -> bool {
        let mut state = self.state.load(Ordering::Acquire);
        loop {
            let (count, taken) = (state >> 16 & 0xffff, state & 0xffff);
            if taken >= count {
                return false;
            }
            match self.state.compare_exchange_weak(
                state,
                state + 1,
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => break,
                Err(now) => state = now,
            }
        }
        let index = (state & 0xffff) as usize;
        // SAFETY: the call that an item was taken of does not return before `done` counts that item, which happens
        // below; until then `call` points to it, and `state` has not changed its number.
        let call = unsafe { &*self.call.load(Ordering::Acquire) };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (call.work)(index))) {
            let mut first = call.panic.lock().unwrap_or_else(PoisonError::into_inner);
            if first.is_none() {
                *first = Some(panic);
            } else {
                // To drop what a panic carries may panic again, and the caller would wait for ever.
                std::mem::forget(panic);
            }
        }
        self.done.fetch_add(1, Ordering::AcqRel);
        true
    }

    fn serve(&self, index: usize) {
        let sleeper = &self.sleepers[index];
        *sleeper.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread::current());
        let mut looks = 0;
        while !self.ends.load(Ordering::Relaxed) {
            if self.take_one() {
                looks = 0;
                continue;
            }
            looks += 1;
            if looks < SPINS {
                std::hint::spin_loop();
                continue;
            }
            sleeper.asleep.store(true, Ordering::SeqCst);
            let state = self.state.load(Ordering::SeqCst);
            let nothing = state & 0xffff >= state >> 16 & 0xffff;
            if nothing && !self.ends.load(Ordering::SeqCst) {
                thread::park();
            }
            sleeper.asleep.store(false, Ordering::SeqCst);
            looks = 0;
        }
    }
}

impl Sleeper {
    fn wake(&self) {
        if let Some(thread) = &*self.thread.lock().unwrap_or_else(PoisonError::into_inner) {
            thread.unpark();
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.ends.store(true, Ordering::SeqCst);
        self.shared.sleepers.iter().for_each(Sleeper::wake);
        for worker in self.workers.drain(..) {
            // Its panics were the callers'.
            let _ = worker.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_done_once_by_any_number_of_threads() {
        for threads in [1, 2, 5] {
            let pool = Pool::new(threads).unwrap();
            assert_eq!(pool.threads(), threads);
            for round in 0..400_usize {
                let mut items: Vec<(usize, u32)> = (0..round % 37).map(|n| (n, 0)).collect();
                pool.each(&mut items, |item| item.1 += 1);
                assert!(items.iter().enumerate().all(|(n, item)| *item == (n, 1)), "{items:?}");
            }
            let mut many = vec![0_u8; MOST + 3];
            pool.each(&mut many, |item| *item += 1);
            assert!(many.iter().all(|item| *item == 1));
        }
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_pool_goes_on() {
        let pool = Pool::new(3).unwrap();
        let mut items: Vec<u32> = (0..50).collect();
        let broken = catch_unwind(AssertUnwindSafe(|| {
            pool.each(&mut items, |item| assert!(*item != 17, "seventeen"));
        }));
        assert!(broken.is_err());
        pool.each(&mut items, |item| *item += 1);
        assert_eq!(items, (1..51).collect::<Vec<u32>>());
    }

    #[test]
    fn callers_take_turns() {
        let pool = Pool::new(2).unwrap();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let mut items = [1_u32; 9];
                        pool.each(&mut items, |item| *item *= 3);
                        assert_eq!(items, [3; 9]);
                    }
                });
            }
        });
    }
}
