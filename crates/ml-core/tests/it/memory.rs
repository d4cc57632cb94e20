//! Every suite, on the stores in memory.

use ml_core::testkit::Fresh;
use ml_core::testkit::memory::{MemoryDocuments, MemorySql};

ml_core::document_store_suite!(async || Some(Fresh::new(MemoryDocuments::default())));
ml_core::change_feed_suite!(async || Some(Fresh::new(MemoryDocuments::default())));
ml_core::sync_store_suite!(async || Some(Fresh::new(MemorySql::default())));
ml_core::quarantine_store_suite!(async || Some(Fresh::new(MemorySql::default())));
ml_core::validated_query_suite!(async || Some(Fresh::new(MemorySql::default())));
ml_core::global_data_store_suite!(async || Some(Fresh::new(MemorySql::default())));
ml_core::market_metric_store_suite!(async || Some(Fresh::new(MemorySql::default())));
ml_core::user_interaction_store_suite!(async || Some(Fresh::new(MemorySql::default())));
ml_core::ground_truth_store_suite!(async || Some(Fresh::new(MemorySql::default())));
