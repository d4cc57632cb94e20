//! The collections `model_performance` and `validation_results`: copies of figures that are rows of SQL.

use async_trait::async_trait;
use ml_core::document::UpsertCounts;
use ml_core::error::{Entity, StoreError};
use ml_core::id::ResultId;
use ml_core::page::{Page, PageRequest};
use ml_core::result::{Figure, FigureKind, FigureStore};
use mongodb::bson::{RawDocumentBuf, doc};

use crate::codec::read::{Fault, Fields};
use crate::codec::write::DocumentWriter;
use crate::results;
use crate::store::MongoDocuments;
use crate::upsert::{Item, Target};

#[async_trait]
impl FigureStore for MongoDocuments {
    async fn upsert(&self, kind: FigureKind, figures: &[Figure]) -> Result<UpsertCounts, StoreError> {
        let target = target_of(kind);
        let items = figures.iter().map(|figure| encode(target, figure)).collect();
        self.upsert_results("writing figures", target, items).await
    }

    async fn delete(&self, kind: FigureKind, ids: &[ResultId]) -> Result<u64, StoreError> {
        self.delete_results("deleting figures", target_of(kind), ids).await
    }

    async fn list(&self, kind: FigureKind, page: PageRequest<ResultId>) -> Result<Page<Figure, ResultId>, StoreError> {
        let filter = doc! { "_id": { "$gt": page.cursor().map_or("", ResultId::as_str) } };
        let found = self.find_page("listing figures", kind.name(), filter, None, page.limit() + 1).await?;
        let figures = found.iter().map(|document| results::decode(Entity::Figure, document, decode));
        let figures = figures.collect::<Result<Vec<_>, StoreError>>()?;
        Ok(Page::from_lookahead(figures, page.limit(), |figure| figure.id.clone()))
    }
}

fn target_of(kind: FigureKind) -> Target {
    Target { collection: kind.name(), entity: Entity::Figure, time_field: "recorded_at" }
}

fn encode(target: Target, figure: &Figure) -> Item<'_> {
    let mut document = DocumentWriter::with_capacity(512);
    document.text("_id", figure.id.as_str());
    document.json("body", &figure.body);
    results::item(figure.id.as_str(), document, target, figure.recorded_at)
}

fn decode(document: &RawDocumentBuf) -> Result<Figure, Fault> {
    let fields = Fields::of(document)?;
    Ok(Figure {
        id: fields.parsed("_id", |text| ResultId::parse(text))?,
        body: fields.json("body")?,
        recorded_at: fields.time("recorded_at")?,
    })
}
