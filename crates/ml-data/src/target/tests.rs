//! Rows that records become.
