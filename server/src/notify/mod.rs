//! Tells the owner what has happened.

pub mod file;
