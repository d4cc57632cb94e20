//! For tests: builders, in-memory stores, and one conformance suite per store interface.
