//! Cases of [`OutboxStore`].

use serde_json::{Value, json};

use super::awkward;
use crate::outbox::{OutboxAction, OutboxCounts, OutboxEntry, OutboxStore};
use crate::result::ResultKind;
use crate::testkit::build::{an_outbox_entry, second};
use crate::testkit::concurrently::concurrently;

async fn enqueue(store: &dyn OutboxStore, entries: &[OutboxEntry]) -> u64 {
    store.enqueue(entries).await.unwrap()
}

async fn pending(store: &dyn OutboxStore) -> Vec<OutboxEntry> {
    store.list_pending(10_000).await.unwrap()
}

async fn check_counts(store: &dyn OutboxStore, pending: u64, delivered: u64) {
    assert_eq!(store.counts().await.unwrap(), OutboxCounts { pending, delivered });
}

pub async fn an_empty_outbox_has_no_entries(store: &dyn OutboxStore) {
    assert_eq!(enqueue(store, &[]).await, 0);
    assert_eq!(pending(store).await, []);
    store.mark_delivered(&[], second(1)).await.unwrap();
    check_counts(store, 0, 0).await;
}

pub async fn an_entry_waits_as_it_was_given(store: &dyn OutboxStore) {
    let text = awkward::text_with_everything();
    let bodies =
        [json!({"text": text, "$set": {"a.b": [1, 1.0, 0.1, null]}}), json!([]), Value::Null, awkward::nested(60)];
    let entry = |(number, body): (usize, Value)| {
        let kind = ResultKind::ALL[number];
        an_outbox_entry().id(&format!("o{number}")).kind(kind).body(body).created_at(second(7)).build()
    };
    let entries: Vec<OutboxEntry> = bodies.into_iter().enumerate().map(entry).collect();
    assert_eq!(enqueue(store, &entries).await, 4);
    assert_eq!(pending(store).await, entries);
    check_counts(store, 4, 0).await;
}

pub async fn entries_wait_in_order_of_arrival(store: &dyn OutboxStore) {
    let entry = |id, time| an_outbox_entry().id(id).created_at(second(time)).build();
    let sorted = [entry("z", 1), entry("a", 2), entry("b", 2), entry("c", 2), entry("B", 3)];
    enqueue(store, &[sorted[4].clone(), sorted[2].clone()]).await;
    enqueue(store, &[sorted[3].clone(), sorted[1].clone(), sorted[0].clone()]).await;
    assert_eq!(pending(store).await, sorted);
    for limit in 1..=6 {
        assert_eq!(store.list_pending(limit).await.unwrap(), sorted[..limit.min(5)], "the first {limit}");
    }
}

pub async fn delivered_entries_wait_no_more(store: &dyn OutboxStore) {
    let entries = ["a", "b", "c"].map(|id| an_outbox_entry().id(id).build());
    enqueue(store, &entries).await;
    store.mark_delivered(&entries[..2], second(5)).await.unwrap();
    assert_eq!(pending(store).await, entries[2..]);
    check_counts(store, 1, 2).await;
}

pub async fn delivering_again_or_something_unknown_is_fine(store: &dyn OutboxStore) {
    let entry = an_outbox_entry().build();
    enqueue(store, std::slice::from_ref(&entry)).await;
    let unknown = an_outbox_entry().id("unknown").build();
    for time in [5, 6] {
        store.mark_delivered(&[unknown.clone(), entry.clone()], second(time)).await.unwrap();
    }
    check_counts(store, 0, 1).await;
}

pub async fn the_same_entry_again_is_left_as_it_is(store: &dyn OutboxStore) {
    let first = an_outbox_entry().created_at(second(1)).build();
    let again = an_outbox_entry().created_at(second(2)).build();
    assert_eq!(enqueue(store, std::slice::from_ref(&first)).await, 1);
    assert_eq!(enqueue(store, std::slice::from_ref(&again)).await, 0);
    assert_eq!(pending(store).await, std::slice::from_ref(&first));

    store.mark_delivered(&[first], second(5)).await.unwrap();
    assert_eq!(enqueue(store, &[again]).await, 0);
    assert_eq!(pending(store).await, []);
    check_counts(store, 0, 1).await;
}

pub async fn another_body_replaces_a_waiting_entry(store: &dyn OutboxStore) {
    let other = an_outbox_entry().body(json!({"value": "down"})).created_at(second(2)).build();
    enqueue(store, &[an_outbox_entry().build()]).await;
    assert_eq!(enqueue(store, std::slice::from_ref(&other)).await, 1);
    assert_eq!(pending(store).await, [other]);
    check_counts(store, 1, 0).await;
}

pub async fn another_body_makes_a_delivered_entry_wait_again(store: &dyn OutboxStore) {
    let first = an_outbox_entry().build();
    let other = an_outbox_entry().body(json!({"value": "down"})).created_at(second(2)).build();
    enqueue(store, std::slice::from_ref(&first)).await;
    store.mark_delivered(&[first], second(1)).await.unwrap();

    assert_eq!(enqueue(store, std::slice::from_ref(&other)).await, 1);

    assert_eq!(pending(store).await, std::slice::from_ref(&other));
    check_counts(store, 1, 0).await;
    store.mark_delivered(&[other], second(3)).await.unwrap();
    check_counts(store, 0, 1).await;
}

pub async fn an_entry_replaced_after_it_was_read_stays_waiting(store: &dyn OutboxStore) {
    enqueue(store, &[an_outbox_entry().id("a").build(), an_outbox_entry().id("b").build()]).await;
    let read = pending(store).await;
    let other = an_outbox_entry().id("a").body(json!("newer")).build();
    enqueue(store, std::slice::from_ref(&other)).await;

    store.mark_delivered(&read, second(5)).await.unwrap();

    assert_eq!(pending(store).await, [other]);
    check_counts(store, 1, 1).await;
}

pub async fn an_entry_delivered_in_an_older_form_waits_again(store: &dyn OutboxStore) {
    enqueue(store, &[an_outbox_entry().build()]).await;
    let read = pending(store).await;
    let newer = an_outbox_entry().body(json!("newer")).build();
    enqueue(store, std::slice::from_ref(&newer)).await;
    store.mark_delivered(std::slice::from_ref(&newer), second(1)).await.unwrap();
    check_counts(store, 0, 1).await;

    // Whoever read it first delivers it last, over what is newer.
    store.mark_delivered(&read, second(2)).await.unwrap();

    assert_eq!(pending(store).await, std::slice::from_ref(&newer));
    store.mark_delivered(&[newer], second(3)).await.unwrap();
    check_counts(store, 0, 1).await;
}

pub async fn a_deletion_is_a_publication_too(store: &dyn OutboxStore) {
    let put = an_outbox_entry().body(Value::Null).build();
    let delete = an_outbox_entry().action(OutboxAction::Delete).body(Value::Null).build();
    assert_eq!(enqueue(store, std::slice::from_ref(&put)).await, 1);
    assert_eq!(enqueue(store, std::slice::from_ref(&delete)).await, 1);
    assert_eq!(pending(store).await, std::slice::from_ref(&delete));
    store.mark_delivered(std::slice::from_ref(&delete), second(5)).await.unwrap();
    assert_eq!(enqueue(store, std::slice::from_ref(&delete)).await, 0);
    assert_eq!(enqueue(store, std::slice::from_ref(&put)).await, 1);
    assert_eq!(pending(store).await, [put]);
}

pub async fn of_entries_with_the_same_id_the_last_wins(store: &dyn OutboxStore) {
    let versions = ["one", "two"].map(|text| an_outbox_entry().body(json!(text)).build());
    enqueue(store, &versions).await;
    assert_eq!(pending(store).await, versions[1..]);
}

pub async fn awkward_ids_are_ordinary_ids(store: &dyn OutboxStore) {
    let entries = awkward::TEXTS.map(|text| an_outbox_entry().id(text).body(json!(text)).build());
    assert_eq!(enqueue(store, &entries).await, entries.len() as u64);
    assert_eq!(pending(store).await, entries);
    for (n_delivered, entry) in entries.iter().enumerate() {
        store.mark_delivered(std::slice::from_ref(entry), second(5)).await.unwrap();
        assert_eq!(pending(store).await, entries[n_delivered + 1..]);
    }
}

pub async fn a_large_batch_is_enqueued_and_delivered_at_once(store: &dyn OutboxStore) {
    let entries: Vec<OutboxEntry> =
        (0..5000).map(|number| an_outbox_entry().id(&format!("o{number:05}")).build()).collect();
    assert_eq!(enqueue(store, &entries).await, 5000);
    assert_eq!(pending(store).await, entries);
    store.mark_delivered(&entries[..4999], second(5)).await.unwrap();
    assert_eq!(pending(store).await, entries[4999..]);
    assert_eq!(enqueue(store, &entries).await, 0);
}

pub async fn overlapping_writers_enqueue_an_entry_once(store: &dyn OutboxStore) {
    let entries: Vec<OutboxEntry> = (0..10).map(|number| an_outbox_entry().id(&format!("o{number}")).build()).collect();
    let writers = (0..10).map(|_| enqueue(store, &entries));
    let n_waiting: u64 = concurrently(writers).await.into_iter().sum();
    assert_eq!(n_waiting, 10);
    assert_eq!(pending(store).await, entries);
}

/// Tests an [`OutboxStore`].
#[macro_export]
macro_rules! outbox_store_suite {
    ($fresh:expr) => {
        $crate::suite_tests!(
            outbox_store,
            $fresh,
            [
                an_empty_outbox_has_no_entries,
                an_entry_waits_as_it_was_given,
                entries_wait_in_order_of_arrival,
                delivered_entries_wait_no_more,
                delivering_again_or_something_unknown_is_fine,
                the_same_entry_again_is_left_as_it_is,
                another_body_replaces_a_waiting_entry,
                another_body_makes_a_delivered_entry_wait_again,
                an_entry_replaced_after_it_was_read_stays_waiting,
                an_entry_delivered_in_an_older_form_waits_again,
                a_deletion_is_a_publication_too,
                of_entries_with_the_same_id_the_last_wins,
                awkward_ids_are_ordinary_ids,
                a_large_batch_is_enqueued_and_delivered_at_once,
                overlapping_writers_enqueue_an_entry_once,
            ]
        );
    };
}
