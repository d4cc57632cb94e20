//! Cases of [`crate::user_interaction::UserInteractionStore`] alone; see [`super::validated_query`] for the rest.

use super::awkward;
use crate::global_data::ValidatedQuery;
use crate::page::PageRequest;
use crate::sync::ValidatedRow;
use crate::testkit::build::{a_sync_batch, a_user_interaction, second};
use crate::testkit::side::SyncSide;
use crate::user_interaction::UserInteraction;

async fn check_come_back(side: &dyn SyncSide, interactions: &[UserInteraction]) {
    let rows = interactions.iter().cloned().map(ValidatedRow::UserInteraction).collect();
    side.sync().commit(&a_sync_batch().rows(rows).build()).await.unwrap();
    let listed = side.interactions().list(&ValidatedQuery::default(), PageRequest::first(1000)).await.unwrap();
    assert_eq!(listed.items, interactions);
}

pub async fn an_interaction_comes_back_as_it_was_written(side: &dyn SyncSide) {
    let bare = a_user_interaction().id("bare").value(None).build();
    let full = a_user_interaction().id("full").action("rate").value(Some(4.5)).event_time(second(60)).build();
    let zero = a_user_interaction().id("zero").value(Some(0.0)).build();
    check_come_back(side, &[bare, full, zero]).await;
}

pub async fn awkward_names_come_back(side: &dyn SyncSide) {
    let interaction = |text| a_user_interaction().id(text).user_id(text).item_id(text).action(text).build();
    check_come_back(side, &awkward::TEXTS.map(interaction)).await;
}

pub async fn the_same_interaction_may_happen_twice(side: &dyn SyncSide) {
    let twice = ["first", "second"].map(|id| a_user_interaction().id(id).build());
    assert_eq!(twice[0].content_hash, twice[1].content_hash);
    check_come_back(side, &twice).await;
}

/// Tests a [`UserInteractionStore`](crate::user_interaction::UserInteractionStore) on a store that is a
/// [`SyncSide`](crate::testkit::side::SyncSide).
#[macro_export]
macro_rules! user_interaction_store_suite {
    ($fresh:expr) => {
        $crate::suite_tests!(
            user_interaction_store,
            $fresh,
            [
                an_interaction_comes_back_as_it_was_written,
                awkward_names_come_back,
                the_same_interaction_may_happen_twice,
            ]
        );
    };
}
