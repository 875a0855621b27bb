//! Keeping and noticing: what a set holds in short, whether that is too little, and which sets may go.

pub mod summary;
