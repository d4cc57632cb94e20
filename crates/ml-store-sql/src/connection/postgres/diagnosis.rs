//! What a PostgreSQL server is like: facts for `ml-app doctor`.

use std::time::Instant as Moment;

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel_async::RunQueryDsl as _;
use ml_core::clock::Clock;
use ml_core::error::StoreError;

use super::connect::quoted;
use super::{PostgresConnection, PostgresDatabase};
use crate::types::{Instant, UtcTimestamp};

/// Facts about a PostgreSQL server, and our place there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresDiagnosis {
    /// Host and port.
    pub server: String,
    /// Who we are there.
    pub user: String,
    /// The database.
    pub database: String,
    /// The schema that has the tables.
    pub schema: String,
    /// The server's version.
    pub server_version: String,
    /// How large the database is.
    pub size_bytes: u64,
    /// Whether the connection is encrypted.
    pub is_encrypted: bool,
    /// Whether the server takes writes: it is no standby, and not set to read only.
    pub takes_writes: bool,
    /// What we may do there.
    pub permissions: PostgresPermissions,
    /// How far the server's clock is ahead of ours.
    pub clock_skew_ms: i64,
    /// How long a question and its answer take.
    pub round_trip_ms: u64,
    /// Migrations that are still to be applied, in order.
    pub pending_migrations: Vec<String>,
}

/// What a user may do in a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostgresPermissions {
    /// Read and write every table that is there.
    pub write: bool,
    /// Make tables, as a migration does.
    pub migrate: bool,
}

/// What the server says, in one row.
#[expect(clippy::struct_excessive_bools, reason = "it has a column for each")]
#[derive(Debug, QueryableByName)]
struct FactsRow {
    #[diesel(sql_type = UtcTimestamp)]
    time: Instant,
    #[diesel(sql_type = Text)]
    version: String,
    #[diesel(sql_type = BigInt)]
    size_bytes: i64,
    #[diesel(sql_type = Bool)]
    is_encrypted: bool,
    #[diesel(sql_type = Bool)]
    takes_writes: bool,
    #[diesel(sql_type = Bool)]
    may_write: bool,
    #[diesel(sql_type = Bool)]
    may_migrate: bool,
}

const SELECT: &str = "
    SELECT clock_timestamp() AS time,
           current_setting('server_version') AS version,
           pg_database_size(current_database()) AS size_bytes,
           coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS is_encrypted,
           NOT pg_is_in_recovery() AND NOT current_setting('default_transaction_read_only')::boolean AS takes_writes,
           coalesce((SELECT bool_and(has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')
                                     AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE'))
                     FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind IN ('r', 'p')), true) AS may_write,
           CASE WHEN to_regnamespace($1) IS NULL THEN has_database_privilege(current_database(), 'CREATE')
                ELSE has_schema_privilege(to_regnamespace($1), 'CREATE') END AS may_migrate";

impl PostgresDatabase {
    /// Looks at the server; changes nothing.
    pub(crate) async fn diagnose(&self, clock: &dyn Clock) -> Result<PostgresDiagnosis, StoreError> {
        let place = self.connector.place();
        let schema = quoted(&place.schema);
        let (facts, asked_at, round_trip_ms) = self
            .read("examining the server", async |postgres: &mut PostgresConnection| {
                let (asked_at, started) = (clock.now(), Moment::now());
                let facts: FactsRow = diesel::sql_query(SELECT).bind::<Text, _>(&schema).get_result(postgres).await?;
                Ok((facts, asked_at, started.elapsed().as_millis() as u64))
            })
            .await?;
        Ok(PostgresDiagnosis {
            server: place.server.clone(),
            user: place.user.clone(),
            database: place.database.clone(),
            schema: place.schema.clone(),
            server_version: facts.version,
            size_bytes: facts.size_bytes.unsigned_abs(),
            is_encrypted: facts.is_encrypted,
            takes_writes: facts.takes_writes,
            permissions: PostgresPermissions { write: facts.may_write, migrate: facts.may_migrate },
            clock_skew_ms: skew_ms(facts.time.0, asked_at, round_trip_ms),
            round_trip_ms,
            pending_migrations: self.pending_migrations().await?,
        })
    }
}

/// Returns how far the server was ahead half-way between question and answer, when it looked at its clock.
fn skew_ms(there: DateTime<Utc>, asked_at: DateTime<Utc>, round_trip_ms: u64) -> i64 {
    (there - asked_at).num_milliseconds() - (round_trip_ms / 2) as i64
}
