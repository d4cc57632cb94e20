//! Making one connection to the server, and setting it up.

use std::fmt::Write as _;
use std::time::Duration;

use diesel::ConnectionError;
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection as _};
use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{abandoned, tls};
use crate::error::postgres::{self as error, Place, PostgresFault};
use crate::options::PostgresOptions;

/// The server writes its messages in English where it lets us choose: diesel hands on no codes, and we read them.
///
/// A user who may not choose gets what the server has, without a failure in its log.
const ENGLISH: &str =
    "SELECT set_config('lc_messages', 'C', false) FROM pg_roles WHERE rolname = current_user AND rolsuper";

/// Makes connections that are set up alike.
pub(super) struct Connector {
    config: Config,
    tls: MakeRustlsConnect,
    set_up: String,
    place: Place,
    /// How long a connection may take to be made and set up.
    patience: Duration,
}

impl Connector {
    /// Checks the options, and reads the certificates that they name.
    pub(super) fn new(options: &PostgresOptions) -> Result<Connector, PostgresFault> {
        let config = options.to_driver()?;
        let place = options.place(&config);
        let mut set_up = format!("SET search_path TO {};", quoted(&options.schema));
        for (setting, timeout_ms) in [
            ("statement_timeout", options.statement_timeout_ms),
            ("lock_timeout", options.lock_timeout_ms),
            // Of a program that was cut off the server may hear neither an end nor anything else, for hours.
            ("idle_in_transaction_session_timeout", options.transaction_timeout_ms),
        ] {
            let _ = write!(set_up, " SET {setting} TO {timeout_ms};");
        }
        set_up.push_str(&abandoned::limits(options));
        set_up.push(' ');
        set_up.push_str(ENGLISH);
        let patience = Duration::from_millis(options.connect_timeout_ms.saturating_mul(2));
        Ok(Connector { config, tls: tls::connector(options.tls.as_ref())?, set_up, place, patience })
    }

    /// Returns what messages say of the server.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Makes one more connection.
    pub(super) async fn connect(&self) -> Result<AsyncPgConnection, PostgresFault> {
        // The driver's own limit ends when the server is reached, which may say nothing then.
        let connecting = tokio::time::timeout(self.patience, self.connect_and_set_up());
        connecting.await.unwrap_or_else(|_| Err(self.silence(self.patience)))
    }

    /// Returns how long a connection may take to be made, which is also how long an idle one may take to answer.
    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    /// Says that nothing was heard from the server for so long.
    pub(super) fn silence(&self, after: Duration) -> PostgresFault {
        PostgresFault::Silent { server: self.place.server.clone(), after_ms: after.as_millis() }
    }

    async fn connect_and_set_up(&self) -> Result<AsyncPgConnection, PostgresFault> {
        let connected = self.config.connect(self.tls.clone()).await;
        let (client, driver) = connected.map_err(|err| error::connect_fault(&self.place, err))?;
        let mut connection = AsyncPgConnection::try_from_client_and_connection(client, driver)
            .await
            .map_err(|err| self.set_up_fault(err))?;
        let set_up = connection.batch_execute(&self.set_up).await;
        set_up.map_err(|err| self.set_up_fault(ConnectionError::CouldntSetupConfiguration(err)))?;
        Ok(connection)
    }

    fn set_up_fault(&self, error: ConnectionError) -> PostgresFault {
        match error {
            ConnectionError::CouldntSetupConfiguration(error) => error::query_fault(&self.place, error),
            other => PostgresFault::Other(other.into()),
        }
    }
}

/// Quotes a name for use in a statement.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
