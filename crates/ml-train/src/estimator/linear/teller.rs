//! When a solver says how well it does: seldom enough that finding out costs next to nothing.

use std::time::{Duration, Instant};

use crate::progress::{Losses, Progress};

/// The least time between two tellings; a fit that is over sooner tells nothing.
const PAUSE: Duration = Duration::from_millis(250);

/// How many times as long as finding out takes it is not done again.
const SPARING: u32 = 20;

/// Tells the losses of a fit from time to time. What is fitted does not depend on it.
pub(super) struct Teller<'a> {
    progress: &'a dyn Progress,
    next: Instant,
}

impl<'a> Teller<'a> {
    pub(super) fn new(progress: &'a dyn Progress) -> Teller<'a> {
        Teller { progress, next: Instant::now() + PAUSE }
    }

    /// Tells the mean loss after so many iterations, which `find_loss` finds, when it is time.
    pub(super) fn tell(&mut self, n_iterations: usize, find_loss: impl FnOnce() -> f64) {
        let begun = Instant::now();
        if begun < self.next {
            return;
        }
        let losses = Losses { n_iterations: n_iterations as u64, training: find_loss(), validation: None };
        self.progress.losses(&losses);
        let now = Instant::now();
        self.next = now + PAUSE.max(SPARING * (now - begun));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::progress::Stage;

    #[derive(Default)]
    struct Listener(Mutex<Vec<Losses>>);

    impl Progress for Listener {
        fn begin(&self, _stage: Stage) {}

        fn advance(&self, _total: u64) {}

        fn losses(&self, losses: &Losses) {
            self.0.lock().unwrap().push(*losses);
        }

        fn is_cancelled(&self) -> bool {
            false
        }
    }

    #[test]
    fn losses_are_found_out_only_when_it_is_time() {
        let listener = Listener::default();
        let mut teller = Teller { progress: &listener, next: Instant::now() };
        teller.tell(3, || 0.5);
        teller.tell(4, || panic!("it is too early"));
        let told = listener.0.into_inner().unwrap();
        assert_eq!(told, [Losses { n_iterations: 3, training: 0.5, validation: None }]);
    }
}
