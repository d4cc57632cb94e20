//! Work away from the threads that wait for stores.

/// Runs `work` on a thread that may block, and returns what it gives.
pub(crate) async fn blocking<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> R {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        // The work is never cancelled, so it ended in a panic, which goes on here.
        Err(err) => std::panic::resume_unwind(err.into_panic()),
    }
}
