//! The steps themselves.

use futures::future::BoxFuture;
use ml_core::record::Collection;
use ml_core::result::{FigureKind, ResultKind};
use mongodb::bson::{Document, doc};
use mongodb::{Database, IndexModel};

use crate::error::{code, code_of};

/// Which records retention deleted, so that the feed does not take it for a change.
pub(crate) const RETIRED_RECORDS: &str = "retired_records";

/// How long it is remembered that retention deleted a record: longer than any server keeps its changes.
const RETIRED_FOR_SECONDS: i32 = 30 * 24 * 3600;

/// One numbered change of the schema.
pub(super) struct Step {
    pub(super) version: i32,
    pub(super) name: &'static str,
    pub(super) apply: for<'a> fn(&'a Database) -> BoxFuture<'a, mongodb::error::Result<()>>,
    pub(super) revert: for<'a> fn(&'a Database) -> BoxFuture<'a, mongodb::error::Result<()>>,
}

/// All steps, in the order in which they are applied.
pub(super) const STEPS: &[Step] = &[
    Step {
        version: 1,
        name: "create_record_collections",
        apply: |database| Box::pin(create_record_collections(database)),
        revert: |database| Box::pin(drop_collections(database, Collection::ALL.map(Collection::name).to_vec())),
    },
    Step {
        version: 2,
        name: "create_result_collections",
        apply: |database| Box::pin(create_result_collections(database)),
        revert: |database| Box::pin(drop_collections(database, RESULTS.map(ResultKind::name).to_vec())),
    },
    Step {
        version: 3,
        name: "create_retired_records",
        apply: |database| Box::pin(create_retired_records(database)),
        revert: |database| Box::pin(drop_collections(database, vec![RETIRED_RECORDS])),
    },
    Step {
        version: 4,
        name: "create_figure_collections",
        apply: |database| Box::pin(create_figure_collections(database)),
        revert: |database| Box::pin(drop_collections(database, FigureKind::ALL.map(FigureKind::name).to_vec())),
    },
];

const RESULTS: [ResultKind; 3] = [ResultKind::Predictions, ResultKind::Embeddings, ResultKind::IntermediateResults];

async fn create_record_collections(database: &Database) -> mongodb::error::Result<()> {
    let validator = doc! { "$jsonSchema": {
        "bsonType": "object",
        "required": ["_id", "source_app", "data_type", "raw_content", "metadata", "ingested_at", "content_hash"],
        "properties": {
            "_id": { "bsonType": "string" },
            "source_app": { "bsonType": "string" },
            "source": { "bsonType": ["string", "null"] },
            "data_type": { "bsonType": "string" },
            "metadata": { "bsonType": "object" },
            "scraped_at": { "bsonType": ["date", "null"] },
            "ingested_at": { "bsonType": "date" },
            "content_hash": { "bsonType": "string" },
            "micros": { "bsonType": "object" },
        },
    } };
    // Each is paid for with every record that is written, so that there are few. A collection of one data type needs none for it.
    let of_all = [
        ("feed_order", doc! { "ingested_at": 1, "_id": 1 }),
        ("by_origin", doc! { "source_app": 1, "source": 1, "_id": 1 }),
        ("by_scrape_time", doc! { "scraped_at": 1, "_id": 1 }),
    ];
    for collection in Collection::ALL {
        let mut indexes = of_all.to_vec();
        if collection == Collection::RawRecords {
            indexes.push(("by_data_type", doc! { "data_type": 1, "_id": 1 }));
        }
        create(database, collection.name(), &validator, &indexes).await?;
    }
    Ok(())
}

async fn create_result_collections(database: &Database) -> mongodb::error::Result<()> {
    for kind in RESULTS {
        let (required, indexes) = schema_of_result(kind);
        let validator = doc! { "$jsonSchema": {
            "bsonType": "object",
            "required": required,
            "properties": { "_id": { "bsonType": "string" }, "content_hash": { "bsonType": "string" } },
        } };
        create(database, kind.name(), &validator, &indexes).await?;
    }
    Ok(())
}

fn schema_of_result(kind: ResultKind) -> (Vec<&'static str>, Vec<(&'static str, Document)>) {
    match kind {
        ResultKind::Embeddings => (
            vec!["_id", "record_id", "model", "vector", "created_at"],
            vec![("by_record", doc! { "model": 1, "record_id": 1 })],
        ),
        ResultKind::IntermediateResults => (
            vec!["_id", "run_id", "step", "body", "created_at"],
            vec![("by_run", doc! { "run_id": 1, "step": 1, "_id": 1 })],
        ),
        ResultKind::Predictions | ResultKind::ModelPerformance | ResultKind::ValidationResults => (
            vec!["_id", "model_name", "model_version", "record_id", "value", "predicted_at"],
            vec![
                ("by_model", doc! { "model_name": 1, "model_version": 1, "_id": 1 }),
                ("by_record", doc! { "record_id": 1, "_id": 1 }),
                ("by_time", doc! { "predicted_at": 1, "_id": 1 }),
            ],
        ),
    }
}

async fn create_retired_records(database: &Database) -> mongodb::error::Result<()> {
    let indexes = [("by_record", doc! { "collection": 1, "record_id": 1 }), ("by_note", doc! { "note": 1 })];
    create(database, RETIRED_RECORDS, &Document::new(), &indexes).await?;
    let options = mongodb::options::IndexOptions::builder()
        .name("forget".to_owned())
        .expire_after(std::time::Duration::from_secs(RETIRED_FOR_SECONDS as u64))
        .build();
    let forget = IndexModel::builder().keys(doc! { "retired_at": 1 }).options(options).build();
    database.collection::<Document>(RETIRED_RECORDS).create_index(forget).await.map(drop)
}

async fn create_figure_collections(database: &Database) -> mongodb::error::Result<()> {
    let validator = doc! { "$jsonSchema": {
        "bsonType": "object",
        "required": ["_id", "body", "recorded_at"],
        "properties": {
            "_id": { "bsonType": "string" },
            "content_hash": { "bsonType": "string" },
            "recorded_at": { "bsonType": "date" },
        },
    } };
    for kind in FigureKind::ALL {
        create(database, kind.name(), &validator, &[("by_time", doc! { "recorded_at": 1, "_id": 1 })]).await?;
    }
    Ok(())
}

/// Makes the collection with its validator and indexes, or gives them to the one that is there.
async fn create(
    database: &Database,
    collection: &str,
    validator: &Document,
    indexes: &[(&str, Document)],
) -> mongodb::error::Result<()> {
    let created = database.create_collection(collection).validator(validator.clone()).await;
    match created {
        Err(err) if code_of(&err) == Some(code::NAMESPACE_EXISTS) => {
            database.run_command(doc! { "collMod": collection, "validator": validator.clone() }).await?;
        }
        other => other?,
    }
    let models = indexes.iter().map(|(name, keys)| {
        let options = mongodb::options::IndexOptions::builder().name((*name).to_owned()).build();
        IndexModel::builder().keys(keys.clone()).options(options).build()
    });
    database.collection::<Document>(collection).create_indexes(models).await.map(drop)
}

async fn drop_collections(database: &Database, collections: Vec<&'static str>) -> mongodb::error::Result<()> {
    for collection in collections {
        database.collection::<Document>(collection).drop().await?;
    }
    Ok(())
}
