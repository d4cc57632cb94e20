//! What every implementation of a store interface must do, as plain functions over the interface.
//!
//! A case is given a fresh store, and panics where the store breaks its word. Each module has the cases of one trait, or
//! of one thing that several traits have in common, and ends with the macro that makes a test of each case.

/// Makes a module of tests, one per case: each case runs on a store of its own, or not at all where there is no server.
#[doc(hidden)]
#[macro_export]
macro_rules! suite_tests {
    ($suite:ident, $fresh:expr, [$($case:ident),* $(,)?]) => {
        mod $suite {
            #[allow(unused_imports, reason = "the expression for a fresh store may name what is around it")]
            use super::*;

            $(#[tokio::test]
            async fn $case() {
                if let Some(fresh) = ($fresh)().await {
                    $crate::testkit::conformance::$suite::$case(&*fresh).await;
                }
            })*
        }
    };
}

/// Tests everything that the document side promises: see [`crate::testkit`] for what `$fresh` is.
#[macro_export]
macro_rules! document_side_suites {
    ($fresh:expr) => {
        $crate::document_store_suite!($fresh);
        $crate::change_feed_suite!($fresh);
        $crate::prediction_store_suite!($fresh);
        $crate::embedding_store_suite!($fresh);
        $crate::intermediate_result_store_suite!($fresh);
        $crate::figure_store_suite!($fresh);
    };
}

/// Tests everything that the SQL side promises: see [`crate::testkit`] for what `$fresh` is.
#[macro_export]
macro_rules! sql_side_suites {
    ($fresh:expr) => {
        $crate::sync_store_suite!($fresh);
        $crate::record_lineage_suite!($fresh);
        $crate::settled_past_suite!($fresh);
        $crate::quarantine_store_suite!($fresh);
        $crate::validated_query_suite!($fresh);
        $crate::global_data_store_suite!($fresh);
        $crate::market_metric_store_suite!($fresh);
        $crate::user_interaction_store_suite!($fresh);
        $crate::ground_truth_store_suite!($fresh);
        $crate::outbox_store_suite!($fresh);
        $crate::dataset_store_suite!($fresh);
        $crate::experiment_store_suite!($fresh);
        $crate::run_store_suite!($fresh);
        $crate::model_store_suite!($fresh);
        $crate::evaluation_store_suite!($fresh);
        $crate::publication_suite!($fresh);
    };
}

mod awkward;
mod outcome;
mod pages;
mod synced;

pub mod artifact_store;
pub mod change_feed;
pub mod dataset_store;
pub mod document_store;
pub mod embedding_store;
pub mod evaluation_store;
pub mod experiment_store;
pub mod figure_store;
pub mod global_data_store;
pub mod ground_truth_store;
pub mod intermediate_result_store;
pub mod market_metric_store;
pub mod model_store;
pub mod outbox_store;
pub mod prediction_store;
pub mod publication;
pub mod quarantine_store;
pub mod record_lineage;
pub mod run_store;
pub mod settled_past;
pub mod sync_store;
pub mod user_interaction_store;
pub mod validated_query;
