//! Cases of a row and its publication: both are written, or neither.

use serde_json::json;

use super::outcome::assert_already_exists;
use crate::error::Entity;
use crate::outbox::OutboxEntry;
use crate::result::ResultKind;
use crate::testkit::build::{a_model_performance, a_validation_result, an_outbox_entry, second};
use crate::testkit::side::PublicationSide;

fn entry(id: &str, kind: ResultKind) -> OutboxEntry {
    an_outbox_entry().id(id).kind(kind).body(json!({"of": id})).build()
}

async fn pending(side: &dyn PublicationSide) -> Vec<OutboxEntry> {
    side.outbox().list_pending(100).await.unwrap()
}

pub async fn a_row_is_written_with_its_publication(side: &dyn PublicationSide) {
    let performance = a_model_performance().id("p").build();
    let of_performance = entry("p", ResultKind::ModelPerformance);
    side.evaluations().create_performance(&performance, Some(&of_performance)).await.unwrap();
    let validation = a_validation_result().id("v").build();
    let of_validation = entry("v", ResultKind::ValidationResults);
    side.evaluations().create_validation(&validation, Some(&of_validation)).await.unwrap();

    assert_eq!(pending(side).await, [of_performance, of_validation]);
    assert_eq!(side.evaluations().list_performance(None).await.unwrap(), [performance]);
    assert_eq!(side.evaluations().list_validations().await.unwrap(), [validation]);
}

pub async fn a_row_that_is_refused_is_not_published(side: &dyn PublicationSide) {
    let performance = a_model_performance().id("same").build();
    let validation = a_validation_result().id("same").build();
    side.evaluations().create_performance(&performance, None).await.unwrap();
    side.evaluations().create_validation(&validation, None).await.unwrap();
    let of_performance = entry("same", ResultKind::ModelPerformance);
    let of_validation = entry("same", ResultKind::ValidationResults);

    let refused = side.evaluations().create_performance(&performance, Some(&of_performance)).await;
    assert_already_exists(refused, Entity::ModelPerformance);
    let refused = side.evaluations().create_validation(&validation, Some(&of_validation)).await;
    assert_already_exists(refused, Entity::ValidationResult);

    assert_eq!(pending(side).await, []);
}

pub async fn a_publication_that_was_delivered_stays_delivered(side: &dyn PublicationSide) {
    let of_performance = entry("p", ResultKind::ModelPerformance);
    side.outbox().enqueue(std::slice::from_ref(&of_performance)).await.unwrap();
    side.outbox().mark_delivered(std::slice::from_ref(&of_performance), second(1)).await.unwrap();
    let performance = a_model_performance().id("p").build();
    side.evaluations().create_performance(&performance, Some(&of_performance)).await.unwrap();
    assert_eq!(pending(side).await, []);
}

/// Tests an `EvaluationStore` and an `OutboxStore` on a store that is both.
#[macro_export]
macro_rules! publication_suite {
    ($fresh:expr) => {
        $crate::suite_tests!(
            publication,
            $fresh,
            [
                a_row_is_written_with_its_publication,
                a_row_that_is_refused_is_not_published,
                a_publication_that_was_delivered_stays_delivered,
            ]
        );
    };
}
