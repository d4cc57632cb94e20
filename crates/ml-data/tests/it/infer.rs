//! Inference over the records of a store.

use ml_core::record::Collection;
use ml_core::testkit::build::{data_type, source_app};
use ml_data::infer::{InferRequest, infer};
use ml_data::pipeline::{Pipeline, PipelineConfig};

use crate::fixture::{Fixture, lines_of, request};

fn tabular(n_sample: usize) -> InferRequest {
    let (collection, data_type) = (Collection::RawRecords, data_type("tabular"));
    InferRequest { collection, data_type, source_app: None, n_sample }
}

#[tokio::test]
async fn a_sample_reaches_over_the_collection() {
    let fixture = Fixture::default();
    let lines = lines_of(1_200, |n| format!("{{\"id\": \"r{n:04}\", \"n\": {n}}}"));
    fixture.ingest("-", lines, &request("tabular")).await.unwrap();
    for (n_sample, n_sampled, greatest) in [(300, 300, 1_196.0), (5_000, 1_200, 1_199.0), (10, 10, 90.0)] {
        let found = infer(&*fixture.documents, &tabular(n_sample)).await.unwrap();
        assert_eq!((found.n_records, found.n_sampled), (1_200, n_sampled));
        assert_eq!(found.paths["n"].n_number, n_sampled);
        assert_eq!(found.paths["n"].quantiles().unwrap()[4], greatest, "a sample of {n_sample}");
    }
}

#[tokio::test]
async fn what_is_proposed_for_an_application_is_a_configuration() {
    let fixture = Fixture::default();
    fixture.ingest("-", "{\"id\": 1, \"n\": \"7\"}\n", &request("tabular")).await.unwrap();
    let asked = InferRequest { source_app: Some(source_app("app")), ..tabular(10) };
    let text = infer(&*fixture.documents, &asked).await.unwrap().to_yaml();
    Pipeline::new(&PipelineConfig::from_yaml(&text).unwrap()).unwrap();
    assert!(text.contains("    source_apps:\n      app:\n        normalise:\n"), "{text}");
    let other = InferRequest { source_app: Some(source_app("other")), ..tabular(10) };
    assert_eq!(infer(&*fixture.documents, &other).await.unwrap().n_sampled, 0);
}
