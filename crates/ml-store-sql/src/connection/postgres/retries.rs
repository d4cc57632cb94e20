//! How often something is tried again.

use std::time::Duration;

/// How long to wait before the first repetition; each further one waits twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The longest wait between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How often something is tried again, and how long after the last time.
pub(super) struct Retries {
    n_left: u32,
    pause: Duration,
}

impl Retries {
    /// Allows so many repetitions.
    pub(super) fn new(n_left: u32) -> Retries {
        Retries { n_left, pause: FIRST_PAUSE }
    }

    /// Waits until it may be tried again; returns false at once where it has been tried often enough.
    pub(super) async fn wait(&mut self) -> bool {
        let Some(n_left) = self.n_left.checked_sub(1) else { return false };
        tokio::time::sleep(self.pause).await;
        self.n_left = n_left;
        self.pause = LONGEST_PAUSE.min(self.pause * 2);
        true
    }
}
