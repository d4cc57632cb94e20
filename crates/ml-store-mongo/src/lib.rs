//! The document side of `ml-core` on MongoDB, through the official driver.
//!
//! [`MongoDocuments`] is the store, [`MongoOptions`] says how to reach it. It applies no migrations when it connects; call
//! `migrate`, which only reads when there is nothing to do. No SQL and no rules about the data in here.

mod codec;
mod command;
mod diagnosis;
mod error;
mod feed;
mod migrations;
mod options;
mod records;
mod results;
mod retention;
mod store;
mod upsert;

pub use diagnosis::{Diagnosis, Permissions, ServerDisk, Topology};
pub use options::{MongoMembers, MongoOptions, MongoReadConcern, MongoTls, MongoWriteConcern};
pub use store::MongoDocuments;
