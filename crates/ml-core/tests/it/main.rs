//! The stores in memory keep every promise of the store interfaces, and the suites leave no case out.

mod memory;
mod suites;
