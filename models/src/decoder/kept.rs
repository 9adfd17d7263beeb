//! Keys and values of one text on the processor.

use crate::processor::attention::{Heads, Memory, POSITIONS};

/// What each layer keeps of the tokens that were read.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) layers: Vec<Memory>,
    heads: Heads,
    length: usize,
}

impl Kept {
    pub(super) fn new(layers: usize, heads: Heads) -> Self {
        Self { layers: vec![Memory::default(); layers], heads, length: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.length
    }

    pub(super) fn bytes(&self) -> usize {
        self.layers
            .iter()
            .map(|memory| 2 * (memory.keys.capacity() + memory.values.capacity()))
            .sum()
    }

    /// What stood behind `length` is written over by what comes next.
    pub(super) fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    pub(super) fn prefix(&self, length: usize) -> Self {
        let length = length.min(self.length);
        let room = self.room(length);
        let copy = |memory: &Memory| Memory {
            keys: memory.keys[..room].to_vec(),
            values: memory.values[..room].to_vec(),
        };
        Self { layers: self.layers.iter().map(copy).collect(), heads: self.heads, length }
    }

    /// Gives back the memory behind the end.
    pub(super) fn shrink(&mut self) {
        let room = self.room(self.length);
        for memory in &mut self.layers {
            for numbers in [&mut memory.keys, &mut memory.values] {
                numbers.truncate(room);
                numbers.shrink_to_fit();
            }
        }
    }

    /// Makes room for `tokens` more in each layer.
    pub(super) fn reserve(&mut self, tokens: usize) {
        let room = self.room(self.length + tokens);
        for memory in &mut self.layers {
            if memory.keys.len() < room {
                for numbers in [&mut memory.keys, &mut memory.values] {
                    if numbers.capacity() < room {
                        // A quarter more, not twice as much: what is kept of texts is most of the memory in use.
                        numbers.reserve_exact(room + room / 4 - numbers.len());
                    }
                    numbers.resize(room, 0);
                }
            }
        }
    }

    pub(super) fn advance(&mut self, tokens: usize) {
        self.length += tokens;
    }

    /// Numbers that a layer's keys take for `tokens`.
    fn room(&self, tokens: usize) -> usize {
        tokens.div_ceil(POSITIONS) * self.heads.block()
    }
}
