//! One stretch of memory for all weights, in large pages where the system has some: reading them in order, once a token,
//! then seldom waits for an address to be found.
#![expect(unsafe_code, reason = "advice to the system about memory that is ours")]

use std::ops::Range;

/// Bytes of a large page.
#[cfg(target_os = "linux")]
const LARGE: usize = 2 << 20;
/// Where things begin, so that registers are read from one line of the cache.
const ALIGNMENT: usize = 64;

/// Bytes that only grow until they are shared.
#[derive(Debug)]
pub(crate) struct Arena {
    bytes: Vec<u8>,
}

impl Arena {
    /// Room for `sizes` things of so many bytes.
    pub(crate) fn new(sizes: impl Iterator<Item = usize>) -> Self {
        let room: usize = sizes.map(|size| size.next_multiple_of(ALIGNMENT)).sum();
        let bytes = Vec::with_capacity(room + ALIGNMENT);
        #[cfg(target_os = "linux")]
        advise(&bytes);
        let mut arena = Self { bytes };
        arena.bytes.resize(arena.bytes.as_ptr().align_offset(ALIGNMENT).min(ALIGNMENT), 0);
        arena
    }

    /// Puts a copy of `bytes` behind what is there; says where.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        let end = self.bytes.len();
        self.bytes.resize(start + bytes.len().next_multiple_of(ALIGNMENT), 0);
        start..end
    }

    /// What was put there.
    pub(crate) fn get(&self, range: &Range<usize>) -> &[u8] {
        &self.bytes[range.clone()]
    }
}

/// Asks for large pages for the whole ones within what the vector may hold.
#[cfg(target_os = "linux")]
fn advise(bytes: &Vec<u8>) {
    let start = bytes.as_ptr().addr().next_multiple_of(LARGE);
    let end = (bytes.as_ptr().addr() + bytes.capacity()) / LARGE * LARGE;
    if start < end {
        let first = bytes.as_ptr().wrapping_add(start - bytes.as_ptr().addr());
        // SAFETY: the pages lie within the vector's own memory, and the advice changes nothing that can be read there.
        let advised = unsafe {
            rustix::mm::madvise(
                first.cast_mut().cast(),
                end - start,
                rustix::mm::Advice::LinuxHugepage,
            )
        };
        // Without large pages the weights are read more slowly, not otherwise.
        if let Err(problem) = advised {
            tracing::debug!(%problem, "no large pages for the weights");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_stay_where_they_were_put() {
        let things: Vec<Vec<u8>> =
            [1, 64, 0, 5 << 20, 77].map(|n| (0..n).map(|at| (at % 251) as u8).collect()).to_vec();
        let mut arena = Arena::new(things.iter().map(Vec::len));
        let before = arena.bytes.as_ptr();
        let places: Vec<_> = things.iter().map(|thing| arena.put(thing)).collect();
        assert_eq!(arena.bytes.as_ptr(), before, "it never moves");
        for (place, thing) in places.iter().zip(&things) {
            assert_eq!(arena.get(place), thing);
            assert!(arena.get(place).as_ptr().addr().is_multiple_of(ALIGNMENT) || thing.is_empty());
        }
    }
}
