//! Ctrl-C, and the signal by which service managers end a process: the first asks the command to stop cleanly, the second ends it.

use tokio_util::sync::CancellationToken;

/// Returns a token that Ctrl-C cancels. Must be called inside the runtime.
pub(crate) fn on_ctrl_c(tasks: &mut tokio::task::JoinSet<()>) -> CancellationToken {
    let token = CancellationToken::new();
    let cancel = token.clone();
    tasks.spawn(async move {
        let Ok(mut signals) = Signals::new() else { return };
        signals.next().await;
        tracing::warn!("stopping after the work at hand; press Ctrl-C again to stop at once");
        cancel.cancel();
        signals.next().await;
        std::process::exit(1);
    });
    token
}

/// The signals that ask for an end.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// The signals that ask for an end.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    #[expect(clippy::unnecessary_wraps, reason = "where there are signals, asking for them may fail")]
    fn new() -> std::io::Result<Signals> {
        Ok(Signals)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
