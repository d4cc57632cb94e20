//! How to reach the server: section `database.documents` of the configuration, as far as MongoDB is concerned.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use ml_core::secret::{Secret, SecretUrl};
use mongodb::options::{
    Acknowledgment, ClientOptions, ConnectionString, Credential, ReadConcern, Tls, TlsOptions, WriteConcern,
};
use serde::{Deserialize, Serialize};

/// Where the server is, who we are there, and how patient and how careful we are.
///
/// `Debug` and `Serialize` mask what is secret, so that the options can be shown and logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MongoOptions {
    /// `mongodb://…` or `mongodb+srv://…`. What is set here beside it goes before what the address says.
    pub url: SecretUrl,
    /// The database that holds the collections.
    #[serde(default = "default_database")]
    pub database: String,
    /// What the server's logs call us.
    #[serde(default = "default_app_name")]
    pub app_name: String,
    /// The user, by SCRAM; the address may have it too.
    #[serde(default)]
    pub user: Option<String>,
    /// The user's password.
    #[serde(default)]
    pub password: Option<Secret>,
    /// The database that knows the user; the server's default is `admin`.
    #[serde(default)]
    pub auth_source: Option<String>,
    /// Encryption of the connection; absent leaves it to the address.
    #[serde(default)]
    pub tls: Option<MongoTls>,
    /// How long making a connection may take.
    #[serde(default = "default_connect_timeout_ms")]
    pub connect_timeout_ms: u64,
    /// How long to wait for a server that takes the operation: through a restart or an election.
    #[serde(default = "default_server_selection_timeout_ms")]
    pub server_selection_timeout_ms: u64,
    /// How long one operation may take, a bulk write of a batch included.
    #[serde(default = "default_operation_timeout_ms")]
    pub operation_timeout_ms: u64,
    /// Connections that are kept when idle.
    #[serde(default)]
    pub min_pool_size: u32,
    /// The most connections at once.
    #[serde(default = "default_max_pool_size")]
    pub max_pool_size: u32,
    /// Which writes a read sees.
    #[serde(default)]
    pub read_concern: MongoReadConcern,
    /// When a write counts as done.
    #[serde(default)]
    pub write_concern: MongoWriteConcern,
    /// Whether to follow the server's change streams where it has them; otherwise it is polled, and deletions are not seen.
    #[serde(default = "default_change_streams")]
    pub change_streams: bool,
    /// How often an operation is tried again after the connection broke or the primary changed.
    #[serde(default = "default_max_retries")]
    pub max_retries: u32,
}

/// Encryption of the connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MongoTls {
    /// Certificates (PEM) that the server's has to be signed by; absent means those that browsers trust.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Our own certificate and its key in one file (PEM).
    #[serde(default)]
    pub client_certificate_file: Option<PathBuf>,
    /// Takes any certificate: for tests, never for data that matters.
    #[serde(default)]
    pub allow_invalid_certificates: bool,
}

/// Which writes a read sees.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MongoReadConcern {
    /// Those of the server asked, which may be undone when it falls.
    Local,
    /// Those that no failure undoes.
    #[default]
    Majority,
}

/// When a write counts as done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MongoWriteConcern {
    /// On how many members of the replica set: `majority`, or a number.
    #[serde(default)]
    pub members: MongoMembers,
    /// Whether it has to be in their journals, and so to survive a crash.
    #[serde(default = "default_journal")]
    pub journal: bool,
}

/// How many members of a replica set have to have a write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MongoMembers {
    /// More than half of them.
    #[default]
    Majority,
    /// So many.
    #[serde(untagged)]
    Number(u32),
}

impl Default for MongoWriteConcern {
    fn default() -> MongoWriteConcern {
        MongoWriteConcern { members: MongoMembers::default(), journal: default_journal() }
    }
}

fn default_database() -> String {
    "ml_app".to_owned()
}

fn default_app_name() -> String {
    "ml-app".to_owned()
}

fn default_connect_timeout_ms() -> u64 {
    5_000
}

fn default_server_selection_timeout_ms() -> u64 {
    15_000
}

fn default_operation_timeout_ms() -> u64 {
    120_000
}

fn default_max_pool_size() -> u32 {
    20
}

fn default_change_streams() -> bool {
    true
}

fn default_max_retries() -> u32 {
    6
}

fn default_journal() -> bool {
    true
}

/// Why options cannot be used; no text has a password in it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidOptions {
    #[error("the address `{0}` is not one of MongoDB: it looks like `mongodb://HOST:27017`")]
    Url(SecretUrl, #[source] Detail),
    #[error("`{0}` is not the name of a database: up to 63 letters, digits, `_` and `-`")]
    Database(String),
    #[error("there is a password and no user: set `user` too")]
    PasswordWithoutUser,
    #[error("`max_pool_size` is {max}, below `min_pool_size`, which is {min}")]
    Pool { min: u32, max: u32 },
    #[error("the file `{0}` cannot be read")]
    File(PathBuf, #[source] std::io::Error),
}

/// What the driver says of an address.
#[derive(Debug)]
pub(crate) struct Detail(String);

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Detail {}

impl MongoOptions {
    /// Makes options for the address, with defaults for the rest.
    pub fn new(url: impl Into<String>) -> MongoOptions {
        MongoOptions {
            url: SecretUrl::new(url),
            database: default_database(),
            app_name: default_app_name(),
            user: None,
            password: None,
            auth_source: None,
            tls: None,
            connect_timeout_ms: default_connect_timeout_ms(),
            server_selection_timeout_ms: default_server_selection_timeout_ms(),
            operation_timeout_ms: default_operation_timeout_ms(),
            min_pool_size: 0,
            max_pool_size: default_max_pool_size(),
            read_concern: MongoReadConcern::default(),
            write_concern: MongoWriteConcern::default(),
            change_streams: default_change_streams(),
            max_retries: default_max_retries(),
        }
    }

    /// Lists what is wrong with the options, each fault on its own; reads the files that are named.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if let Err(err) = ConnectionString::parse(self.url.reveal()) {
            faults.push(InvalidOptions::Url(self.url.clone(), self.detail(&err)).to_string());
        }
        for fault in [self.check_database(), self.check_user(), self.check_pool(), self.check_files()] {
            faults.extend(fault.err().map(|fault| fault.to_string()));
        }
        faults
    }

    fn check_database(&self) -> Result<(), InvalidOptions> {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if self.database.is_empty() || self.database.len() > 63 || !self.database.chars().all(is_allowed) {
            return Err(InvalidOptions::Database(self.database.clone()));
        }
        Ok(())
    }

    fn check_user(&self) -> Result<(), InvalidOptions> {
        if self.password.is_some() && self.user.is_none() {
            return Err(InvalidOptions::PasswordWithoutUser);
        }
        Ok(())
    }

    fn check_pool(&self) -> Result<(), InvalidOptions> {
        if self.max_pool_size == 0 || self.max_pool_size < self.min_pool_size {
            return Err(InvalidOptions::Pool { min: self.min_pool_size, max: self.max_pool_size });
        }
        Ok(())
    }

    fn check_files(&self) -> Result<(), InvalidOptions> {
        let tls = self.tls.iter();
        for path in tls.flat_map(|tls| tls.ca_file.iter().chain(&tls.client_certificate_file)) {
            std::fs::File::open(path).map_err(|err| InvalidOptions::File(path.clone(), err))?;
        }
        Ok(())
    }

    /// Checks the options and turns them into those of the driver; looks a `mongodb+srv` address up.
    pub(crate) async fn to_driver(&self) -> Result<ClientOptions, InvalidOptions> {
        self.check_database()?;
        self.check_user()?;
        self.check_pool()?;
        self.check_files()?;
        let invalid_url = |err| InvalidOptions::Url(self.url.clone(), self.detail(&err));
        let mut options = ClientOptions::parse(self.url.reveal()).await.map_err(invalid_url)?;
        options.app_name = Some(self.app_name.clone());
        options.connect_timeout = Some(Duration::from_millis(self.connect_timeout_ms));
        options.server_selection_timeout = Some(Duration::from_millis(self.server_selection_timeout_ms));
        options.min_pool_size = Some(self.min_pool_size);
        options.max_pool_size = Some(self.max_pool_size);
        options.retry_reads = Some(true);
        options.retry_writes = Some(true);
        options.read_concern = Some(self.read_concern.to_driver());
        options.write_concern = Some(self.write_concern.to_driver());
        options.credential = self.credential(options.credential.take());
        if let Some(tls) = &self.tls {
            options.tls = Some(tls.to_driver());
        }
        Ok(options)
    }

    fn credential(&self, of_url: Option<Credential>) -> Option<Credential> {
        let Some(user) = &self.user else { return of_url };
        let mut credential = of_url.unwrap_or_default();
        credential.username = Some(user.clone());
        if let Some(password) = &self.password {
            credential.password = Some(password.reveal().to_owned());
        }
        if let Some(auth_source) = &self.auth_source {
            credential.source = Some(auth_source.clone());
        }
        Some(credential)
    }

    /// Returns what the driver says, unless it repeats a part of the address that is secret.
    fn detail(&self, error: &mongodb::error::Error) -> Detail {
        Detail(self.url.without_secrets(&error.kind.to_string()))
    }
}

impl MongoReadConcern {
    fn to_driver(self) -> ReadConcern {
        match self {
            MongoReadConcern::Local => ReadConcern::local(),
            MongoReadConcern::Majority => ReadConcern::majority(),
        }
    }
}

impl MongoWriteConcern {
    pub(crate) fn to_driver(&self) -> WriteConcern {
        let members = match self.members {
            MongoMembers::Majority => Acknowledgment::Majority,
            MongoMembers::Number(number) => Acknowledgment::Nodes(number),
        };
        WriteConcern::builder().w(members).journal(self.journal).build()
    }
}

impl MongoTls {
    fn to_driver(&self) -> Tls {
        let mut options = TlsOptions::default();
        options.ca_file_path.clone_from(&self.ca_file);
        options.cert_key_file_path.clone_from(&self.client_certificate_file);
        options.allow_invalid_certificates = Some(self.allow_invalid_certificates);
        Tls::Enabled(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(yaml: &str) -> Result<MongoOptions, serde_yaml_ng::Error> {
        serde_yaml_ng::from_str(yaml)
    }

    #[test]
    fn an_address_is_enough() {
        let options = parse("url: mongodb://db.example.com").unwrap();
        assert_eq!(options, MongoOptions::new("mongodb://db.example.com"));
        assert_eq!(options.faults(), Vec::<String>::new());
    }

    #[test]
    fn everything_can_be_set() {
        let options = parse(
            "{url: 'mongodb://h', database: d, app_name: a, user: u, password: p, auth_source: x, tls: {ca_file: /c.pem}, \
             connect_timeout_ms: 1, server_selection_timeout_ms: 2, operation_timeout_ms: 3, min_pool_size: 4, \
             max_pool_size: 5, read_concern: local, write_concern: {members: 2, journal: false}, \
             change_streams: false, max_retries: 6}",
        )
        .unwrap();
        assert_eq!(options.write_concern.members, MongoMembers::Number(2));
        assert_eq!(options.tls.unwrap().ca_file, Some(PathBuf::from("/c.pem")));
        let majority = parse("{url: 'mongodb://h', write_concern: {members: majority}}").unwrap();
        assert_eq!(majority.write_concern, MongoWriteConcern::default());
    }

    #[test]
    fn unknown_fields_are_refused() {
        for yaml in ["{url: 'mongodb://h', passwrod: x}", "{url: 'mongodb://h', tls: {ca: x}}", "{database: x}"] {
            assert!(parse(yaml).is_err(), "{yaml}");
        }
    }

    #[test]
    fn faults_are_listed_together() {
        let mut options = MongoOptions::new("postgres://ann:hunter2@h");
        options.database = "a b".to_owned();
        options.password = Some(Secret::new("hunter2"));
        options.max_pool_size = 0;
        options.tls = Some(MongoTls { ca_file: Some("/absent.pem".into()), ..MongoTls::default() });
        let faults = options.faults();
        assert_eq!(faults.len(), 5, "{faults:?}");
        assert!(!faults.concat().contains("hunter2"), "{faults:?}");
    }

    #[test]
    fn passwords_are_masked() {
        let mut options = MongoOptions::new("mongodb://ann:hunter2@h/?authSource=admin");
        options.password = Some(Secret::new("hunter3"));
        for text in [format!("{options:?}"), serde_json::to_string(&options).unwrap(), options.url.to_string()] {
            assert!(!text.contains("hunter"), "{text}");
        }
        assert_eq!(options.url.to_string(), "mongodb://ann:***@h/?authSource=admin");
    }

    #[tokio::test]
    async fn separate_credentials_go_before_those_of_the_address() {
        let mut options = MongoOptions::new("mongodb://ann:one@h/?appName=other&w=1");
        options.user = Some("bob".to_owned());
        options.password = Some(Secret::new("two"));
        let driver = options.to_driver().await.unwrap();
        let credential = driver.credential.unwrap();
        assert_eq!((credential.username.as_deref(), credential.password.as_deref()), (Some("bob"), Some("two")));
        assert_eq!(driver.app_name.as_deref(), Some("ml-app"));
        assert_eq!(driver.write_concern.unwrap().w, Some(Acknowledgment::Majority));
    }
}
