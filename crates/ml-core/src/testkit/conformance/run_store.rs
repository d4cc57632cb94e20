//! Cases of [`crate::run::RunStore`]; runs belong to experiments.

use std::collections::BTreeMap;

use super::awkward;
use super::outcome::{assert_already_exists, assert_conflict, assert_not_found};
use super::pages::joined;
use crate::error::Entity;
use crate::experiment::LifecycleStage;
use crate::id::ExperimentId;
use crate::page::PageRequest;
use crate::run::{DatasetInput, Metric, Run, RunLog, RunQuery, RunStatus};
use crate::testkit::build::{a_dataset_input, a_metric, a_run, an_experiment, experiment_id, run_id, second};
use crate::testkit::concurrently::concurrently;
use crate::testkit::side::TrackingSide;

async fn create(side: &dyn TrackingSide, run: &Run) {
    side.runs().create(run).await.unwrap();
}

async fn get(side: &dyn TrackingSide, id: &str) -> Run {
    side.runs().get(&run_id(id)).await.unwrap()
}

async fn log(side: &dyn TrackingSide, log: &RunLog) {
    side.runs().log(&run_id("run1"), log).await.unwrap();
}

async fn history(side: &dyn TrackingSide, key: &str) -> Vec<Metric> {
    side.runs().metric_history(&run_id("run1"), key).await.unwrap()
}

async fn new_experiment(side: &dyn TrackingSide, name: &str) -> ExperimentId {
    side.experiments().create(&an_experiment().name(name).build()).await.unwrap().id
}

fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn metrics(metrics: Vec<Metric>) -> RunLog {
    RunLog { metrics, ..RunLog::default() }
}

fn params(pairs: &[(&str, &str)]) -> RunLog {
    RunLog { params: texts(pairs), ..RunLog::default() }
}

/// A point measured `time` seconds in, at `step`.
fn point(value: f64, time: i64, step: i64) -> Metric {
    Metric { key: "loss".to_owned(), value, step, timestamp: second(time) }
}

/// Compares points, with `NaN` equal to `NaN`.
#[track_caller]
fn assert_points(found: &[Metric], expected: &[Metric]) {
    let bits = |points: &[Metric]| -> Vec<(String, u64, i64, _)> {
        let key = |point: &Metric| {
            let value = if point.value.is_nan() { f64::NAN } else { point.value };
            (point.key.clone(), value.to_bits(), point.step, point.timestamp)
        };
        points.iter().map(key).collect()
    };
    assert!(bits(found) == bits(expected), "found {found:#?}, expected {expected:#?}");
}

pub async fn a_run_comes_back_as_it_was_given(side: &dyn TrackingSide) {
    let experiment = new_experiment(side, "volatility").await;
    let text = awkward::text_with_everything().replace('\0', "");
    let bare_input = DatasetInput { schema: None, tags: BTreeMap::new(), ..a_dataset_input(2) };
    let mut builder = a_run()
        .experiment_id(&experiment)
        .name(&text)
        .user_id("o'hara")
        .status(RunStatus::Finished)
        .lifecycle_stage(LifecycleStage::Deleted)
        .started_at(awkward::times()[2])
        .ended_at(Some(awkward::times()[5]))
        .artifact_uri("s3://bucket/o'run?x=%20")
        .metric(a_metric("accuracy", 0.1 + 0.2, 7))
        .inputs(vec![a_dataset_input(1), bare_input]);
    for key in awkward::TEXTS {
        builder = builder.param(key, &text).tag(key, key).metric(a_metric(key, -1e300, i64::MIN));
    }
    let run = builder.param("empty", "").build();
    create(side, &run).await;
    assert_eq!(get(side, "run1").await, run);

    let bare = a_run().id("bare").name("").build();
    create(side, &bare).await;
    assert_eq!(get(side, "bare").await, bare);
}

pub async fn every_status_comes_back(side: &dyn TrackingSide) {
    for status in RunStatus::ALL {
        create(side, &a_run().id(status.name()).status(status).build()).await;
        assert_eq!(get(side, status.name()).await.status, status);
    }
}

pub async fn awkward_ids_are_ordinary_ids(side: &dyn TrackingSide) {
    for id in awkward::TEXTS {
        create(side, &a_run().id(id).param("id", id).build()).await;
    }
    for id in awkward::TEXTS {
        assert_eq!(get(side, id).await, a_run().id(id).param("id", id).build());
    }
}

pub async fn an_absent_run_is_not_found(side: &dyn TrackingSide) {
    create(side, &a_run().build()).await;
    for absent in ["run2", "RUN1", "run1 ", "run%"] {
        let id = run_id(absent);
        assert_not_found(side.runs().get(&id).await, Entity::Run);
        let moved = side.runs().set_status(&id, RunStatus::Running, RunStatus::Finished, None).await;
        assert_not_found(moved, Entity::Run);
        assert_not_found(side.runs().set_lifecycle_stage(&id, LifecycleStage::Deleted).await, Entity::Run);
        assert_not_found(side.runs().log(&id, &params(&[("a", "1")])).await, Entity::Run);
        assert_not_found(side.runs().log(&id, &RunLog::default()).await, Entity::Run);
        assert_not_found(side.runs().metric_history(&id, "loss").await, Entity::Run);
    }
}

pub async fn a_taken_id_is_refused(side: &dyn TrackingSide) {
    let first = a_run().param("a", "1").metric(a_metric("loss", 1.0, 0)).build();
    create(side, &first).await;
    let again = a_run().param("b", "2").metric(a_metric("loss", 2.0, 1)).tag("t", "v").build();
    assert_already_exists(side.runs().create(&again).await, Entity::Run);
    assert_eq!(get(side, "run1").await, first);
    assert_eq!(history(side, "loss").await.len(), 1);
}

pub async fn a_run_of_an_unknown_experiment_is_refused(side: &dyn TrackingSide) {
    let run = a_run().experiment_id(&experiment_id("77")).param("a", "1").build();
    assert_not_found(side.runs().create(&run).await, Entity::Experiment);
    assert_not_found(side.runs().get(&run.id).await, Entity::Run);
}

pub async fn a_status_moves_from_where_it_is(side: &dyn TrackingSide) {
    let run = a_run().status(RunStatus::Scheduled).param("a", "1").build();
    create(side, &run).await;
    side.runs().set_status(&run.id, RunStatus::Scheduled, RunStatus::Running, None).await.unwrap();
    assert_eq!(get(side, "run1").await, Run { status: RunStatus::Running, ..run.clone() });
    side.runs().set_status(&run.id, RunStatus::Running, RunStatus::Finished, Some(second(9))).await.unwrap();
    assert_eq!(get(side, "run1").await, Run { status: RunStatus::Finished, ended_at: Some(second(9)), ..run.clone() });
    side.runs().set_status(&run.id, RunStatus::Finished, RunStatus::Running, None).await.unwrap();
    assert_eq!(get(side, "run1").await, Run { status: RunStatus::Running, ..run });
}

pub async fn set_status_from_a_stale_state_conflicts(side: &dyn TrackingSide) {
    let run = a_run().status(RunStatus::Finished).ended_at(Some(second(1))).build();
    create(side, &run).await;
    let moved = side.runs().set_status(&run.id, RunStatus::Running, RunStatus::Failed, Some(second(2))).await;
    assert_conflict(moved, Entity::Run);
    assert_eq!(get(side, "run1").await, run);
}

pub async fn of_overlapping_moves_one_is_first(side: &dyn TrackingSide) {
    let run = a_run().build();
    create(side, &run).await;
    let moves = (0..10).map(|time| {
        let to = if time % 2 == 0 { RunStatus::Finished } else { RunStatus::Failed };
        side.runs().set_status(&run.id, RunStatus::Running, to, Some(second(time)))
    });
    let outcomes = concurrently(moves).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let winner = outcomes.iter().position(Result::is_ok).unwrap();
    assert_eq!(get(side, "run1").await.ended_at, Some(second(winner as i64)));
}

pub async fn a_run_is_put_away_and_taken_back(side: &dyn TrackingSide) {
    let run = a_run().tag("t", "v").build();
    create(side, &run).await;
    for stage in [LifecycleStage::Deleted, LifecycleStage::Deleted, LifecycleStage::Active] {
        side.runs().set_lifecycle_stage(&run.id, stage).await.unwrap();
        assert_eq!(get(side, "run1").await, Run { lifecycle_stage: stage, ..run.clone() });
    }
}

pub async fn a_log_adds_everything(side: &dyn TrackingSide) {
    create(side, &a_run().param("a", "1").tag("team", "red").tag("kept", "yes").build()).await;
    let everything = RunLog {
        metrics: vec![a_metric("loss", 0.5, 1), a_metric("accuracy", 0.9, 1), a_metric("loss", 0.4, 2)],
        params: texts(&[("a", "1"), ("b", "")]),
        tags: texts(&[("team", "o'blue"), ("new", "🦀")]),
        inputs: vec![a_dataset_input(2), a_dataset_input(1)],
    };

    log(side, &everything).await;

    let run = get(side, "run1").await;
    assert_eq!(run.params, texts(&[("a", "1"), ("b", "")]));
    assert_eq!(run.tags, texts(&[("kept", "yes"), ("new", "🦀"), ("team", "o'blue")]));
    assert_eq!(run.inputs, [a_dataset_input(2), a_dataset_input(1)]);
    assert_eq!(run.metrics["loss"], a_metric("loss", 0.4, 2));
    assert_eq!(run.metrics["accuracy"], a_metric("accuracy", 0.9, 1));
    assert_eq!(history(side, "loss").await, [a_metric("loss", 0.5, 1), a_metric("loss", 0.4, 2)]);
}

pub async fn an_empty_log_changes_nothing(side: &dyn TrackingSide) {
    let run = a_run().param("a", "1").build();
    create(side, &run).await;
    log(side, &RunLog::default()).await;
    assert_eq!(get(side, "run1").await, run);
}

pub async fn the_same_log_again_changes_nothing(side: &dyn TrackingSide) {
    create(side, &a_run().build()).await;
    let everything = RunLog {
        metrics: vec![point(0.5, 1, 1), point(0.5, 1, 1), point(f64::NAN, 2, 2)],
        params: texts(&[("a", "1")]),
        tags: texts(&[("t", "v")]),
        inputs: vec![a_dataset_input(1), a_dataset_input(1)],
    };
    log(side, &everything).await;
    log(side, &everything).await;
    assert_points(&history(side, "loss").await, &[point(0.5, 1, 1), point(f64::NAN, 2, 2)]);
    assert_eq!(get(side, "run1").await.inputs, [a_dataset_input(1)]);
}

pub async fn another_value_of_a_param_conflicts_and_logs_nothing(side: &dyn TrackingSide) {
    let run = a_run().param("rate", "0.1").metric(point(1.0, 0, 0)).tag("t", "v").build();
    create(side, &run).await;
    let stale = RunLog {
        metrics: vec![point(0.5, 1, 1)],
        params: texts(&[("a", "new"), ("rate", "0.2"), ("z", "new")]),
        tags: texts(&[("t", "other")]),
        inputs: vec![a_dataset_input(1)],
    };
    assert_conflict(side.runs().log(&run.id, &stale).await, Entity::Run);
    assert_eq!(get(side, "run1").await, run);
    assert_eq!(history(side, "loss").await, [point(1.0, 0, 0)]);
}

pub async fn an_input_is_the_same_by_name_and_digest(side: &dyn TrackingSide) {
    create(side, &a_run().inputs(vec![a_dataset_input(1)]).build()).await;
    let same = DatasetInput { source: "elsewhere".to_owned(), ..a_dataset_input(1) };
    let other_name = DatasetInput { name: "prices".to_owned(), ..a_dataset_input(1) };
    let inputs = vec![same, other_name.clone(), a_dataset_input(2)];
    log(side, &RunLog { inputs, ..RunLog::default() }).await;
    let expected = [a_dataset_input(1), other_name, a_dataset_input(2)];
    assert_eq!(get(side, "run1").await.inputs, expected);
}

pub async fn a_run_shows_the_metric_of_the_highest_step(side: &dyn TrackingSide) {
    // In the order in which each is above the one before.
    let rising = [
        point(9.0, 9, -1),
        point(f64::NAN, 1, 0),
        point(f64::NEG_INFINITY, 1, 0),
        point(0.1, 1, 0),
        point(0.2, 1, 0),
        point(f64::INFINITY, 1, 0),
        point(0.1, 2, 0),
        point(0.1, 1, 3),
    ];
    create(side, &a_run().build()).await;
    for highest in &rising {
        log(side, &metrics(vec![highest.clone()])).await;
        assert_points(&[get(side, "run1").await.metrics["loss"].clone()], std::slice::from_ref(highest));
    }
    create(side, &a_run().id("run2").build()).await;
    let mut falling = rising.to_vec();
    falling.reverse();
    side.runs().log(&run_id("run2"), &metrics(falling)).await.unwrap();
    assert_points(&[get(side, "run2").await.metrics["loss"].clone()], &rising[7..]);
}

pub async fn the_history_is_in_order_of_time(side: &dyn TrackingSide) {
    let sorted = [
        point(5.0, 1, 7),
        point(f64::NAN, 2, 1),
        point(f64::NEG_INFINITY, 2, 1),
        point(-1.0, 2, 1),
        point(1.0, 2, 1),
        point(f64::INFINITY, 2, 1),
        point(0.5, 2, 2),
        point(0.5, 3, i64::MIN),
        point(0.5, 3, i64::MAX),
    ];
    create(side, &a_run().metric(sorted[3].clone()).build()).await;
    let mut backwards = sorted.to_vec();
    backwards.reverse();
    log(side, &metrics(backwards)).await;
    log(side, &metrics(vec![a_metric("other", 1.0, 0)])).await;
    assert_points(&history(side, "loss").await, &sorted);
    assert_eq!(history(side, "los%").await, []);
    assert_eq!(history(side, "unknown").await, []);
}

pub async fn metric_values_keep_every_bit(side: &dyn TrackingSide) {
    let values = [0.1 + 0.2, f64::MAX, f64::MIN, f64::MIN_POSITIVE, 5e-324, 9_007_199_254_740_993.0];
    create(side, &a_run().build()).await;
    for (number, value) in values.into_iter().enumerate() {
        let key = format!("m{number}");
        log(side, &metrics(vec![a_metric(&key, value, 0)])).await;
        assert_points(&history(side, &key).await, &[a_metric(&key, value, 0)]);
    }
}

pub async fn a_long_history_is_kept_whole(side: &dyn TrackingSide) {
    create(side, &a_run().build()).await;
    let points: Vec<Metric> = (0..5000).map(|step| a_metric("loss", 1.0 / (1.0 + step as f64), step)).collect();
    log(side, &metrics(points.clone())).await;
    assert_eq!(history(side, "loss").await, points);
    assert_eq!(get(side, "run1").await.metrics["loss"], points[4999]);
}

pub async fn overlapping_logs_lose_nothing(side: &dyn TrackingSide) {
    create(side, &a_run().build()).await;
    let logs = (0..20).map(|step| async move {
        let everything = RunLog {
            metrics: vec![a_metric("loss", 0.5, step)],
            params: texts(&[("shared", "1"), (&format!("p{step}"), "v")]),
            ..RunLog::default()
        };
        log(side, &everything).await;
    });
    concurrently(logs).await;
    assert_eq!(history(side, "loss").await.len(), 20);
    let run = get(side, "run1").await;
    assert_eq!(run.params.len(), 21);
    assert_eq!(run.metrics["loss"].step, 19);
}

pub async fn of_overlapping_values_of_a_param_one_is_kept(side: &dyn TrackingSide) {
    create(side, &a_run().build()).await;
    let rivals = (0..10).map(|rival| async move {
        let value = rival.to_string();
        side.runs().log(&run_id("run1"), &params(&[("rate", &value)])).await
    });
    let outcomes = concurrently(rivals).await;
    let winner = outcomes.iter().position(Result::is_ok).unwrap();
    assert_eq!(get(side, "run1").await.params, texts(&[("rate", &winner.to_string())]));
    for (rival, outcome) in outcomes.into_iter().enumerate() {
        if rival != winner {
            assert_conflict(outcome, Entity::Run);
        }
    }
}

async fn ids(side: &dyn TrackingSide, query: &RunQuery, limit: usize) -> Vec<String> {
    let list = joined(limit, async |page| side.runs().list(query, page).await).await;
    list.into_iter().map(|run| run.id.to_string()).collect()
}

pub async fn runs_are_listed_newest_start_first(side: &dyn TrackingSide) {
    let newest_first = [("m", 9), ("B", 5), ("a", 5), ("z", 5), ("c", 1), ("d", -86_400)];
    for (id, time) in newest_first.into_iter().rev() {
        create(side, &a_run().id(id).started_at(second(time)).param("id", id).build()).await;
    }
    for limit in [1, 2, 3, 6, 7] {
        assert_eq!(ids(side, &RunQuery::default(), limit).await, ["m", "B", "a", "z", "c", "d"], "in pages of {limit}");
    }
}

pub async fn listed_runs_have_what_they_logged(side: &dyn TrackingSide) {
    let run = |id: &str, value| {
        let builder = a_run().id(id).param("id", id).tag("t", id).metric(a_metric("loss", value, 3));
        builder.inputs(vec![a_dataset_input(1)]).build()
    };
    let runs = [run("a", 0.1), run("b", 0.2), run("c", 0.3)];
    for run in &runs {
        create(side, run).await;
    }
    side.runs().log(&run_id("b"), &metrics(vec![a_metric("loss", 9.0, 2)])).await.unwrap();
    let list = joined(2, async |page| side.runs().list(&RunQuery::default(), page).await).await;
    assert_eq!(list, runs);
}

pub async fn runs_started_between_pages_shift_nothing(side: &dyn TrackingSide) {
    for (id, time) in [("a", 1), ("b", 2), ("c", 3), ("d", 4)] {
        create(side, &a_run().id(id).started_at(second(time)).build()).await;
    }
    let all = RunQuery::default();
    let first = side.runs().list(&all, PageRequest::first(2)).await.unwrap();
    create(side, &a_run().id("newer").started_at(second(9)).build()).await;
    create(side, &a_run().id("older").started_at(second(0)).build()).await;

    let rest = PageRequest::first(10).after(first.next_cursor.unwrap());
    let rest = side.runs().list(&all, rest).await.unwrap();

    let rest: Vec<&str> = rest.items.iter().map(|run| run.id.as_str()).collect();
    assert_eq!(rest, ["b", "a", "older"]);
}

pub async fn queries_restrict_the_list(side: &dyn TrackingSide) {
    let experiment = new_experiment(side, "volatility").await;
    create(side, &a_run().id("a").build()).await;
    create(side, &a_run().id("b").experiment_id(&experiment).status(RunStatus::Failed).build()).await;
    create(side, &a_run().id("c").experiment_id(&experiment).lifecycle_stage(LifecycleStage::Deleted).build()).await;
    let all = RunQuery::default;
    let of_experiment = RunQuery { experiment_id: Some(experiment), ..all() };
    let unknown = RunQuery { experiment_id: Some(experiment_id("77")), ..all() };
    let running = RunQuery { status: Some(RunStatus::Running), ..all() };
    let active = RunQuery { lifecycle_stage: Some(LifecycleStage::Active), ..all() };
    let narrow = RunQuery { lifecycle_stage: Some(LifecycleStage::Active), ..of_experiment.clone() };
    for limit in [1, 10] {
        assert_eq!(ids(side, &all(), limit).await, ["a", "b", "c"]);
        assert_eq!(ids(side, &of_experiment, limit).await, ["b", "c"]);
        assert_eq!(ids(side, &unknown, limit).await, [""; 0]);
        assert_eq!(ids(side, &running, limit).await, ["a", "c"]);
        assert_eq!(ids(side, &active, limit).await, ["a", "b"]);
        assert_eq!(ids(side, &narrow, limit).await, ["b"]);
    }
}

/// Tests a [`RunStore`](crate::run::RunStore) on a store that is a [`TrackingSide`](crate::testkit::side::TrackingSide).
#[macro_export]
macro_rules! run_store_suite {
    ($fresh:expr) => {
        $crate::suite_tests!(
            run_store,
            $fresh,
            [
                a_run_comes_back_as_it_was_given,
                every_status_comes_back,
                awkward_ids_are_ordinary_ids,
                an_absent_run_is_not_found,
                a_taken_id_is_refused,
                a_run_of_an_unknown_experiment_is_refused,
                a_status_moves_from_where_it_is,
                set_status_from_a_stale_state_conflicts,
                of_overlapping_moves_one_is_first,
                a_run_is_put_away_and_taken_back,
                a_log_adds_everything,
                an_empty_log_changes_nothing,
                the_same_log_again_changes_nothing,
                another_value_of_a_param_conflicts_and_logs_nothing,
                an_input_is_the_same_by_name_and_digest,
                a_run_shows_the_metric_of_the_highest_step,
                the_history_is_in_order_of_time,
                metric_values_keep_every_bit,
                a_long_history_is_kept_whole,
                overlapping_logs_lose_nothing,
                of_overlapping_values_of_a_param_one_is_kept,
                runs_are_listed_newest_start_first,
                listed_runs_have_what_they_logged,
                runs_started_between_pages_shift_nothing,
                queries_restrict_the_list,
            ]
        );
    };
}
