//! Every suite, on the stores in memory.

use ml_core::testkit::Fresh;
use ml_core::testkit::memory::MemoryDocuments;

ml_core::document_store_suite!(async || Some(Fresh::new(MemoryDocuments::default())));
ml_core::change_feed_suite!(async || Some(Fresh::new(MemoryDocuments::default())));
