//! Copies of figures that are rows of SQL.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use ml_core::document::UpsertCounts;
use ml_core::error::{BoxError, Entity, StoreError};
use ml_core::id::ResultId;
use ml_core::page::{Page, PageRequest};
use ml_core::result::{Figure, FigureKind, FigureStore};

use crate::documents::EmbeddedDocuments;
use crate::documents::results::{self, result_row};
use crate::prepared::prepared;
use crate::schema::documents::figures;
use crate::types::{Instant, JsonText};

#[derive(Debug, Clone, PartialEq, Queryable, Insertable, AsChangeset)]
#[diesel(table_name = figures, treat_none_as_default_value = false)]
struct FigureRow {
    id: String,
    body: JsonText,
    recorded_at: Instant,
}

result_row!(FigureRow, figures, recorded_at);

/// Returns the key of a figure: its kind and its id.
fn key_of(kind: FigureKind, id: &str) -> String {
    format!("{}/{id}", kind.name())
}

impl FigureRow {
    fn of(kind: FigureKind, figure: &Figure) -> FigureRow {
        FigureRow {
            id: key_of(kind, figure.id.as_str()),
            body: JsonText::of(&figure.body),
            recorded_at: Instant(figure.recorded_at),
        }
    }

    fn into_figure(self) -> Result<Figure, StoreError> {
        let key = self.id.clone();
        self.decode().map_err(|err| StoreError::corrupt(Entity::Figure, key, err))
    }

    fn decode(self) -> Result<Figure, BoxError> {
        let (_, id) = self.id.split_once('/').ok_or("its key names no kind")?;
        Ok(Figure { id: ResultId::parse(id)?, body: self.body.parse()?, recorded_at: self.recorded_at.0 })
    }
}

#[async_trait]
impl FigureStore for EmbeddedDocuments {
    async fn upsert(&self, kind: FigureKind, figures: &[Figure]) -> Result<UpsertCounts, StoreError> {
        let rows: Vec<FigureRow> = figures.iter().map(|figure| FigureRow::of(kind, figure)).collect();
        self.database.write_blocking("writing figures", move |sqlite| Ok(results::upsert(sqlite, &rows)?)).await
    }

    async fn delete(&self, kind: FigureKind, ids: &[ResultId]) -> Result<u64, StoreError> {
        let keys: Vec<String> = ids.iter().map(|id| key_of(kind, id.as_str())).collect();
        self.database
            .write_blocking("deleting figures", move |sqlite| Ok(results::delete::<FigureRow>(sqlite, &keys)?))
            .await
    }

    async fn list(&self, kind: FigureKind, page: PageRequest<ResultId>) -> Result<Page<Figure, ResultId>, StoreError> {
        self.database
            .read_blocking("listing figures", move |sqlite| {
                // A slash is followed by a zero in the order of bytes, so this is where the next kind could begin.
                let end = format!("{}0", kind.name());
                let rows: Vec<FigureRow> = figures::table
                    .filter(figures::id.gt(key_of(kind, page.cursor().map_or("", ResultId::as_str))))
                    .filter(figures::id.lt(end))
                    .order(figures::id)
                    .limit(page.limit() as i64 + 1)
                    .load(sqlite)?;
                let found = rows.into_iter().map(FigureRow::into_figure).collect::<Result<_, _>>()?;
                Ok(Page::from_lookahead(found, page.limit(), |figure| figure.id.clone()))
            })
            .await
    }
}
