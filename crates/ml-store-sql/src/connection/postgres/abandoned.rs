//! Sessions that the server keeps, with their locks, for someone whom it hears nothing of.
//!
//! Its own limits end those that say nothing between two commands. One that was cut off within a command, by something that
//! keeps the connection up and hands nothing on, is waited for without end; from release 17 on `transaction_timeout` ends it too.

use std::fmt::Write as _;

use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl as _;

use super::{PostgresDatabase, Purpose};
use crate::options::PostgresOptions;

/// How a server asks whether a peer that says nothing is still there, in seconds, and for how long it sends again what nobody
/// acknowledged, in milliseconds. Where a system has no such setting, the server says so in its log.
const LIVENESS: [(&str, u32); 4] = [
    ("tcp_keepalives_idle", 30),
    ("tcp_keepalives_interval", 10),
    ("tcp_keepalives_count", 3),
    ("tcp_user_timeout", 60_000),
];

/// Ends our own sessions for which the server has been waiting within a command for longer than we wait for a transaction.
const END: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
     WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid() \
     AND application_name = current_setting('application_name') AND state = 'active' AND wait_event = 'ClientRead' \
     AND state_change < clock_timestamp() - $1 * interval '1 millisecond'";

/// Returns the statements by which a session asks the server not to wait for it without end.
pub(super) fn limits(options: &PostgresOptions) -> String {
    let mut statements = String::new();
    for (setting, value) in LIVENESS {
        let _ = write!(statements, " SET {setting} TO {value};");
    }
    // What a transaction does and its end each have their time.
    let at_most_ms = options.transaction_timeout_ms.saturating_mul(2).min(i32::MAX as u32);
    let _ = write!(
        statements,
        " SELECT set_config('transaction_timeout', '{at_most_ms}', false) \
         WHERE current_setting('server_version_num')::int >= 170000;"
    );
    statements
}

impl PostgresDatabase {
    /// Ends sessions of ours that were cut off within a command, as far as there are any and the server is reached.
    pub(super) async fn end_abandoned(&self, operation: &'static str) {
        let after_ms = i64::try_from(self.transaction_timeout.as_millis()).unwrap_or(i64::MAX);
        let Ok(mut connection) = self.begin(operation, Purpose::Read).await else { return };
        let ending = diesel::sql_query(END).bind::<BigInt, _>(after_ms).execute(&mut connection);
        // The connection closes in the end, which is quicker than to see whether it can be used again.
        if let Ok(Ok(n_ended @ 1..)) = tokio::time::timeout(self.connector.patience(), ending).await {
            tracing::warn!("{n_ended} sessions that were cut off within a command kept their locks, and were ended");
        }
    }
}
