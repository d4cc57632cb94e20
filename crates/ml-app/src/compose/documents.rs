//! The document side: which backend holds it, opened and seen through the interfaces.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;

use ml_core::document::{ChangeFeed, DocumentStore};
use ml_core::error::StoreError;
use ml_core::result::{EmbeddingStore, FigureStore, IntermediateResultStore, PredictionStore};
use ml_store_mongo::MongoDocuments;
use ml_store_sql::EmbeddedDocuments;

use crate::config::DocumentBackend;

/// The document side.
#[derive(Clone)]
pub(crate) struct Documents {
    /// Raw records.
    pub(crate) records: Arc<dyn DocumentStore>,
    /// What changed among them.
    pub(crate) feed: Arc<dyn ChangeFeed>,
    /// Outputs of models.
    pub(crate) predictions: Arc<dyn PredictionStore>,
    /// Vectors made from records.
    pub(crate) embeddings: Arc<dyn EmbeddingStore>,
    /// What pipeline steps left.
    pub(crate) intermediate_results: Arc<dyn IntermediateResultStore>,
    /// Copies of figures.
    pub(crate) figures: Arc<dyn FigureStore>,
}

impl Documents {
    fn of<S>(store: Arc<S>) -> Documents
    where
        S: DocumentStore
            + ChangeFeed
            + PredictionStore
            + EmbeddingStore
            + IntermediateResultStore
            + FigureStore
            + 'static,
    {
        Documents {
            records: store.clone(),
            feed: store.clone(),
            predictions: store.clone(),
            embeddings: store.clone(),
            intermediate_results: store.clone(),
            figures: store,
        }
    }
}

/// The store behind the document side.
#[derive(Clone)]
pub(crate) enum DocumentsBackend {
    /// An SQLite file.
    Embedded(Arc<EmbeddedDocuments>),
    /// A database on a MongoDB server.
    Mongodb(Arc<MongoDocuments>),
}

impl DocumentsBackend {
    /// Opens the configured store as it is.
    pub(crate) async fn open(backend: &DocumentBackend, data_dir: &Path) -> anyhow::Result<DocumentsBackend> {
        match backend {
            DocumentBackend::Embedded { path } => {
                let file = data_dir.join(path);
                let store = EmbeddedDocuments::open(&file).await;
                let store = store.with_context(|| format!("cannot open the document store {}", file.display()))?;
                Ok(DocumentsBackend::Embedded(Arc::new(store)))
            }
            DocumentBackend::Mongodb(options) => {
                let store = MongoDocuments::connect(options).await;
                let store = store.with_context(|| format!("cannot open the document store {}", options.url))?;
                Ok(DocumentsBackend::Mongodb(Arc::new(store)))
            }
        }
    }

    /// Applies the pending migrations and returns their names.
    pub(crate) async fn migrate(&self) -> Result<Vec<String>, StoreError> {
        match self {
            DocumentsBackend::Embedded(store) => store.migrate().await,
            DocumentsBackend::Mongodb(store) => store.migrate().await,
        }
    }

    /// Lists the migrations that are still to be applied.
    pub(crate) async fn pending_migrations(&self) -> Result<Vec<String>, StoreError> {
        match self {
            DocumentsBackend::Embedded(store) => store.pending_migrations().await,
            DocumentsBackend::Mongodb(store) => store.pending_migrations().await,
        }
    }

    /// Returns the store as what it does.
    pub(crate) fn interfaces(&self) -> Documents {
        match self {
            DocumentsBackend::Embedded(store) => Documents::of(store.clone()),
            DocumentsBackend::Mongodb(store) => Documents::of(store.clone()),
        }
    }
}
