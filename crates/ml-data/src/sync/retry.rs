//! Waiting for a store that does not answer: longer each time, and not for ever.

use std::time::Duration;

use tokio::time::Instant;

use ml_core::error::StoreError;

use super::SyncError;

/// The first pause; each next one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// How long to wait before trying again, since something last went well.
#[derive(Debug)]
pub(super) struct Backoff {
    patience: Duration,
    pause: Duration,
    gives_up_at: Option<Instant>,
}

impl Backoff {
    pub(super) fn new(patience: Duration) -> Backoff {
        Backoff { patience, pause: FIRST_PAUSE, gives_up_at: None }
    }

    /// Says that something went well.
    pub(super) fn reset(&mut self) {
        self.pause = FIRST_PAUSE;
        self.gives_up_at = None;
    }

    /// Returns how long to wait after `error`; nothing when waiting does not help, or did not for long enough.
    pub(super) fn pause_after(&mut self, error: &SyncError) -> Option<Duration> {
        if !may_pass(error) {
            return None;
        }
        let now = Instant::now();
        let gives_up_at = *self.gives_up_at.get_or_insert(now + self.patience);
        let pause = self.pause;
        self.pause = (pause * 2).min(LONGEST_PAUSE);
        (now + pause <= gives_up_at).then_some(pause)
    }
}

fn may_pass(error: &SyncError) -> bool {
    matches!(error, SyncError::Store { source: StoreError::Unavailable { .. }, .. })
}

#[cfg(test)]
mod tests {
    use ml_core::record::Collection;

    use super::*;

    fn failing(source: StoreError) -> SyncError {
        SyncError::Store { collection: Collection::TextCorpus, source }
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_and_end() {
        let away = failing(StoreError::Unavailable { operation: "reading", source: "refused".into() });
        let mut backoff = Backoff::new(Duration::from_secs(1));
        let mut pauses = Vec::new();
        while let Some(pause) = backoff.pause_after(&away) {
            tokio::time::advance(pause).await;
            pauses.push(pause.as_millis());
        }
        assert_eq!(pauses, [200, 400]);
        backoff.reset();
        assert_eq!(backoff.pause_after(&away), Some(FIRST_PAUSE));
    }

    #[test]
    fn what_will_not_pass_is_not_waited_for() {
        let broken = failing(StoreError::Backend { operation: "reading", source: "no such table".into() });
        assert_eq!(Backoff::new(Duration::from_secs(9)).pause_after(&broken), None);
    }
}
