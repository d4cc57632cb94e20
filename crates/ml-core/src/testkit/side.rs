//! Stores seen together, where a case writes through one trait and reads through another.

use crate::document::{ChangeFeed, DocumentStore};
use crate::evaluation::EvaluationStore;
use crate::experiment::ExperimentStore;
use crate::global_data::GlobalDataStore;
use crate::ground_truth::GroundTruthStore;
use crate::market_metric::MarketMetricStore;
use crate::outbox::OutboxStore;
use crate::quarantine::QuarantineStore;
use crate::reference::ReferenceStore;
use crate::run::RunStore;
use crate::sync::SyncStore;
use crate::user_interaction::UserInteractionStore;
use crate::warning::WarningStore;

/// Declares a bundle of traits over the same data; whatever implements them all is such a bundle.
macro_rules! side {
    ($(#[$doc:meta])* $side:ident { $($(#[$method_doc:meta])* $method:ident: $trait:ident),* $(,)? }) => {
        $(#[$doc])*
        pub trait $side: Send + Sync {
            $($(#[$method_doc])* fn $method(&self) -> &dyn $trait;)*
        }

        impl<S: $($trait +)*> $side for S {
            $(fn $method(&self) -> &dyn $trait {
                self
            })*
        }
    };
}

side! {
    /// Raw records, and the feed of their changes.
    DocumentSide {
        /// Where records are written.
        documents: DocumentStore,
        /// Where their changes come out.
        feed: ChangeFeed,
    }
}

side! {
    /// The sync, and every table that it writes.
    SyncSide {
        /// Writes all the others.
        sync: SyncStore,
        /// What broke a rule.
        quarantine: QuarantineStore,
        /// What broke a rule and passed.
        warnings: WarningStore,
        /// Values that are looked up.
        references: ReferenceStore,
        /// `global_ml_data`.
        global: GlobalDataStore,
        /// `market_metrics`.
        market: MarketMetricStore,
        /// `user_interactions`.
        interactions: UserInteractionStore,
        /// `ground_truth`.
        truths: GroundTruthStore,
    }
}

side! {
    /// Figures, and the outbox that their publications wait in.
    PublicationSide {
        /// Rows that are published.
        evaluations: EvaluationStore,
        /// What waits.
        outbox: OutboxStore,
    }
}

side! {
    /// Experiments and the runs in them.
    TrackingSide {
        /// Where runs belong.
        experiments: ExperimentStore,
        /// What is tracked.
        runs: RunStore,
    }
}
