//! What the monitor says of whole tables, stores and reference figures.

mod drift;
mod golden;
mod live;
mod profile;
mod report;
