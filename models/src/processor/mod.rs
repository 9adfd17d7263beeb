//! Arithmetic on the processor: packed weights, rows of 8-bit inputs, attention, and the threads that share the work.
//!
//! Every result is defined to the last bit, whatever the number of rows, threads or the width of the registers: sums of
//! 8-bit products are whole numbers, and sums of floats have one order. Only processors without fused multiplication
//! and addition round otherwise.

mod arena;
pub(crate) mod attention;
pub(crate) mod blocks;
pub(crate) mod level;
pub(crate) mod loops;
pub(crate) mod matrix;
pub(crate) mod pool;
mod product;
pub(crate) mod rows;
