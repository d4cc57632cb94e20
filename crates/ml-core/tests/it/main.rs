//! The stores in memory keep every promise of the store interfaces.

mod memory;
