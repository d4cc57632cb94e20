//! How to reach a PostgreSQL server: section `database.sql` of the configuration, as far as PostgreSQL is concerned.

use std::path::PathBuf;
use std::time::Duration;

use ml_core::secret::{Secret, SecretUrl};
use serde::{Deserialize, Serialize};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::error::postgres::Place;

const DEFAULT_PORT: u16 = 5432;

/// The most bytes in the name of a schema or database.
const MAX_NAME_BYTES: usize = 63;

/// How long a peer may say nothing before it is asked whether it is still there.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_RETRIES: u32 = 3;

/// How long what was sent may stay without an acknowledgement until the connection counts as broken.
const UNACKNOWLEDGED: Duration = Duration::from_secs(60);

/// Where the server is, who we are there, and how patient we are.
///
/// `Debug` and `Serialize` mask what is secret, so that the options can be shown and logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostgresOptions {
    /// `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, or `host` and the others. A user, password or database that is set
    /// beside it goes before what the address says.
    #[serde(default)]
    pub url: Option<SecretUrl>,
    /// The server's name or address, or the folder of its socket.
    #[serde(default)]
    pub host: Option<String>,
    /// The port of `host`; 5432 unless it is set.
    #[serde(default)]
    pub port: Option<u16>,
    /// The user.
    #[serde(default)]
    pub user: Option<String>,
    /// The user's password.
    #[serde(default)]
    pub password: Option<Secret>,
    /// The database; the server takes the one named like the user when there is none.
    #[serde(default)]
    pub database: Option<String>,
    /// The schema that has the tables; `migrate` makes it where it is missing.
    #[serde(default = "default_schema")]
    pub schema: String,
    /// What the server's logs and `pg_stat_activity` call us.
    #[serde(default = "default_application_name")]
    pub application_name: String,
    /// Encryption of the connection; absent leaves it to `sslmode` of the address, which is `prefer` unless it says otherwise.
    #[serde(default)]
    pub tls: Option<PostgresTls>,
    /// How long making a connection may take.
    #[serde(default = "default_connect_timeout_ms")]
    pub connect_timeout_ms: u64,
    /// How long one statement may take; 0 is for ever.
    #[serde(default = "default_statement_timeout_ms")]
    pub statement_timeout_ms: u32,
    /// How long a statement may wait for what others hold; 0 is for ever.
    #[serde(default = "default_lock_timeout_ms")]
    pub lock_timeout_ms: u32,
    /// How long a transaction may take before its connection counts as broken, and how long the server keeps the locks of one that
    /// it hears nothing of.
    #[serde(default = "default_transaction_timeout_ms")]
    pub transaction_timeout_ms: u32,
    /// How long to wait for a connection when all are busy.
    #[serde(default = "default_pool_timeout_ms")]
    pub pool_timeout_ms: u64,
    /// The most connections at once.
    #[serde(default = "default_max_pool_size")]
    pub max_pool_size: u32,
    /// How often a transaction is tried again after the connection broke, the server restarted or another was in its way.
    #[serde(default = "default_max_retries")]
    pub max_retries: u32,
}

/// Encryption of the connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostgresTls {
    /// How much of it.
    #[serde(default)]
    pub mode: PostgresTlsMode,
    /// Certificates (PEM) that the server's has to be signed by; absent means those that browsers trust.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Our own certificate and its key in one file (PEM).
    #[serde(default)]
    pub client_certificate_file: Option<PathBuf>,
}

/// How much encryption, as the server's own programs call it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PostgresTlsMode {
    /// None.
    Disable,
    /// Where the server has it, whoever the server is.
    Prefer,
    /// Always, whoever the server is.
    Require,
    /// Always, and the server's certificate has to be signed by one that we trust, and to be for its host.
    #[default]
    VerifyFull,
}

fn default_schema() -> String {
    "public".to_owned()
}

fn default_application_name() -> String {
    "ml-app".to_owned()
}

fn default_connect_timeout_ms() -> u64 {
    5_000
}

fn default_statement_timeout_ms() -> u32 {
    120_000
}

fn default_lock_timeout_ms() -> u32 {
    30_000
}

fn default_transaction_timeout_ms() -> u32 {
    300_000
}

fn default_pool_timeout_ms() -> u64 {
    30_000
}

fn default_max_pool_size() -> u32 {
    10
}

fn default_max_retries() -> u32 {
    5
}

/// Why options cannot be used; no text has a password in it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidOptions {
    #[error("neither `url` nor `host` is set: say where the PostgreSQL server is")]
    NoServer,
    #[error("both `url` and `host` are set: one says where the server is")]
    TwoServers,
    #[error("the address `{0}` is not one of PostgreSQL ({1}): it looks like `postgres://USER@HOST:5432/DATABASE`")]
    Url(SecretUrl, String),
    #[error(
        "the address has a `password=` in it, which would be shown: set `password` instead, or put it before the `@`"
    )]
    PasswordInQuery,
    #[error("`{0}` is not the name of a schema: up to 63 letters, digits and `_`, and no digit first")]
    Schema(String),
    #[error("there is no user: set `user`, or put it into the address")]
    NoUser,
    #[error("`max_pool_size` is 0: at least one connection is needed")]
    NoConnections,
    #[error("`transaction_timeout_ms` is 0: without it a connection that says nothing is waited for without end")]
    NoTime,
    #[error("the file `{0}` cannot be read")]
    File(PathBuf, #[source] std::io::Error),
    #[error("the file `{0}` has no usable certificate in it")]
    Certificate(PathBuf, #[source] rustls::Error),
    #[error("the file `{0}` is not in PEM format")]
    Pem(PathBuf, #[source] rustls::pki_types::pem::Error),
}

impl PostgresOptions {
    /// Makes options for the address, with defaults for the rest.
    pub fn new(url: impl Into<String>) -> PostgresOptions {
        PostgresOptions {
            url: Some(SecretUrl::new(url)),
            host: None,
            port: None,
            user: None,
            password: None,
            database: None,
            schema: default_schema(),
            application_name: default_application_name(),
            tls: None,
            connect_timeout_ms: default_connect_timeout_ms(),
            statement_timeout_ms: default_statement_timeout_ms(),
            lock_timeout_ms: default_lock_timeout_ms(),
            transaction_timeout_ms: default_transaction_timeout_ms(),
            pool_timeout_ms: default_pool_timeout_ms(),
            max_pool_size: default_max_pool_size(),
            max_retries: default_max_retries(),
        }
    }

    /// Lists what is wrong with the options, each fault on its own; reads the files that are named.
    pub fn faults(&self) -> Vec<String> {
        let checks = [self.config().map(|_| ()), self.check_schema(), self.check_pool(), self.check_files()];
        checks.into_iter().filter_map(|check| check.err().map(|fault| fault.to_string())).collect()
    }

    /// Returns where the server is, as people may see it.
    pub fn shown(&self) -> String {
        match (&self.url, &self.host) {
            (Some(url), _) => url.to_string(),
            (None, host) => format!("postgres://{}", host.as_deref().unwrap_or_default()),
        }
    }

    fn check_schema(&self) -> Result<(), InvalidOptions> {
        let is_allowed = |c: char| c.is_alphanumeric() || c == '_';
        let name = &self.schema;
        let begins_well = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
        if !begins_well || name.len() > MAX_NAME_BYTES || !name.chars().all(is_allowed) {
            return Err(InvalidOptions::Schema(name.clone()));
        }
        Ok(())
    }

    fn check_pool(&self) -> Result<(), InvalidOptions> {
        match (self.max_pool_size, self.transaction_timeout_ms) {
            (0, _) => Err(InvalidOptions::NoConnections),
            (_, 0) => Err(InvalidOptions::NoTime),
            _ => Ok(()),
        }
    }

    fn check_files(&self) -> Result<(), InvalidOptions> {
        let tls = self.tls.iter();
        for path in tls.flat_map(|tls| tls.ca_file.iter().chain(&tls.client_certificate_file)) {
            std::fs::File::open(path).map_err(|err| InvalidOptions::File(path.clone(), err))?;
        }
        Ok(())
    }

    /// Checks the options and turns them into those of the driver.
    pub(crate) fn to_driver(&self) -> Result<Config, InvalidOptions> {
        self.check_schema()?;
        self.check_pool()?;
        self.check_files()?;
        self.config()
    }

    fn config(&self) -> Result<Config, InvalidOptions> {
        let mut config = match (&self.url, &self.host) {
            (Some(_), Some(_)) => return Err(InvalidOptions::TwoServers),
            (Some(url), None) => parse_url(url)?,
            (None, Some(host)) => Config::new().host(host).port(self.port.unwrap_or(DEFAULT_PORT)).clone(),
            (None, None) => return Err(InvalidOptions::NoServer),
        };
        if config.get_hosts().is_empty() {
            return Err(InvalidOptions::NoServer);
        }
        if let Some(user) = &self.user {
            config.user(user);
        }
        if config.get_user().is_none() {
            return Err(InvalidOptions::NoUser);
        }
        if let Some(password) = &self.password {
            config.password(password.reveal());
        }
        if let Some(database) = &self.database {
            config.dbname(database);
        }
        if let Some(tls) = &self.tls {
            config.ssl_mode(tls.mode.to_driver());
        }
        config
            .application_name(&self.application_name)
            .connect_timeout(Duration::from_millis(self.connect_timeout_ms))
            .tcp_user_timeout(UNACKNOWLEDGED)
            .keepalives_idle(KEEPALIVE_IDLE)
            .keepalives_interval(KEEPALIVE_INTERVAL)
            .keepalives_retries(KEEPALIVE_RETRIES);
        Ok(config)
    }

    /// Returns what messages say of the place that the driver's options lead to.
    pub(crate) fn place(&self, config: &Config) -> Place {
        let ports = config.get_ports();
        let server_at = |(n, host): (usize, &Host)| match host {
            Host::Tcp(name) => {
                // One port stands for all hosts.
                let port = ports.get(n).or(ports.first()).copied().unwrap_or(DEFAULT_PORT);
                format!("{name}:{port}")
            }
            #[cfg(unix)]
            Host::Unix(folder) => folder.display().to_string(),
        };
        let servers: Vec<String> = config.get_hosts().iter().enumerate().map(server_at).collect();
        let user = config.get_user().unwrap_or_default().to_owned();
        Place {
            server: servers.join(", "),
            database: config.get_dbname().map_or_else(|| user.clone(), str::to_owned),
            user,
            schema: self.schema.clone(),
        }
    }
}

fn parse_url(url: &SecretUrl) -> Result<Config, InvalidOptions> {
    let text = url.reveal();
    let invalid = |detail: &str| InvalidOptions::Url(url.clone(), url.without_secrets(detail));
    if !["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme)) {
        return Err(invalid("it begins otherwise"));
    }
    if text.split_once('?').is_some_and(|(_, query)| query.contains("password=")) {
        return Err(InvalidOptions::PasswordInQuery);
    }
    text.parse().map_err(|err: tokio_postgres::Error| {
        let detail = std::error::Error::source(&err).map_or_else(|| err.to_string(), ToString::to_string);
        invalid(&detail)
    })
}

impl PostgresTlsMode {
    fn to_driver(self) -> SslMode {
        match self {
            PostgresTlsMode::Disable => SslMode::Disable,
            PostgresTlsMode::Prefer => SslMode::Prefer,
            PostgresTlsMode::Require | PostgresTlsMode::VerifyFull => SslMode::Require,
        }
    }
}

#[cfg(test)]
mod tests;
