//! Pure metrics.
