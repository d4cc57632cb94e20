//! What is wrong is named, ends with exit code 1, and leaves nothing half-written.

mod disks;
mod files;
mod models;
mod records;
mod settings;
