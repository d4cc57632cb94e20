//! Every suite, on the stores in memory.

use ml_core::testkit::Fresh;
use ml_core::testkit::memory::{MemoryArtifacts, MemoryDocuments, MemorySql};

ml_core::artifact_store_suite!(async || Some(Fresh::new(MemoryArtifacts::default())));
ml_core::document_side_suites!(async || Some(Fresh::new(MemoryDocuments::default())));
ml_core::sql_side_suites!(async || Some(Fresh::new(MemorySql::default())));
