//! Ctrl-C: the first press asks the command to stop cleanly, the second ends the process.

use tokio_util::sync::CancellationToken;

/// Returns a token that Ctrl-C cancels. Must be called inside the runtime.
pub(crate) fn on_ctrl_c(tasks: &mut tokio::task::JoinSet<()>) -> CancellationToken {
    let token = CancellationToken::new();
    let cancel = token.clone();
    tasks.spawn(async move {
        if tokio::signal::ctrl_c().await.is_err() {
            return;
        }
        tracing::warn!("stopping after the batch at hand; press Ctrl-C again to stop at once");
        cancel.cancel();
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(1);
        }
    });
    token
}
