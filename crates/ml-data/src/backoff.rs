//! Waiting for a store that does not answer: longer each time, and not for ever.

use std::time::Duration;

use tokio::time::Instant;

use ml_core::error::StoreError;

/// For how long a store that does not answer is waited for, unless something else is asked for.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The first pause; each next one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// How long to wait before trying again, since something last went well.
#[derive(Debug)]
pub(crate) struct Backoff {
    patience: Duration,
    pause: Duration,
    gives_up_at: Option<Instant>,
}

impl Backoff {
    pub(crate) fn new(patience: Duration) -> Backoff {
        Backoff { patience, pause: FIRST_PAUSE, gives_up_at: None }
    }

    /// Says that something went well.
    pub(crate) fn reset(&mut self) {
        self.pause = FIRST_PAUSE;
        self.gives_up_at = None;
    }

    /// Returns how long to wait after `error`; nothing when waiting does not help, or did not for long enough.
    pub(crate) fn pause_after(&mut self, error: &StoreError) -> Option<Duration> {
        let StoreError::Unavailable { .. } = error else { return None };
        let now = Instant::now();
        let gives_up_at = *self.gives_up_at.get_or_insert(now + self.patience);
        let pause = self.pause;
        self.pause = (pause * 2).min(LONGEST_PAUSE);
        (now + pause <= gives_up_at).then_some(pause)
    }
}

/// Returns the error and its causes in one line.
pub(crate) fn in_one_line(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_and_end() {
        let away = StoreError::Unavailable { operation: "reading", source: "refused".into() };
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
        let broken = StoreError::Backend { operation: "reading", source: "no such table".into() };
        assert_eq!(Backoff::new(Duration::from_secs(9)).pause_after(&broken), None);
    }

    #[test]
    fn causes_follow_in_one_line() {
        let error = StoreError::Backend { operation: "reading", source: "no such table".into() };
        assert_eq!(in_one_line(&error), "reading failed: no such table");
    }
}
