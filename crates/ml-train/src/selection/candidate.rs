//! The pipelines that a search tries.

use std::collections::BTreeMap;

use ml_core::table::Table;
use serde_yaml_ng::Value;

use super::path::ParamPath;
use super::spec::{Halving, Method, SearchSpec, SearchSpecError, Space};
use super::values::in_one_line;
use crate::random::SplitMix64;
use crate::spec::{Fault, PipelineSpec, SpecError, check_columns};

/// The most candidates of one search; beyond it, one draws by chance.
pub const MAX_CANDIDATES: usize = 10_000;

/// How many draws in a row that were there already end the drawing: there is hardly anything left to draw.
const MAX_REPEATS: usize = 200;

/// How many different faults of candidates are told.
const MAX_FAULTS: usize = 20;

/// Keeps the randomness of draws apart from that of folds and estimators with the same seed.
const DRAW_STREAM: u64 = 0x6472_6177;

/// A pipeline that is tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// What the search set, by its place.
    pub params: BTreeMap<String, Value>,
    /// The pipeline.
    pub spec: PipelineSpec,
}

impl Candidate {
    /// Returns what the search set in one line, such as `estimator.c=0.1 features[0].steps[0].tfidf.min_df=2`.
    pub fn label(&self) -> String {
        label(&self.params)
    }
}

/// Writes what a search set in one line.
pub fn label(params: &BTreeMap<String, Value>) -> String {
    params.iter().map(|(path, value)| format!("{path}={}", in_one_line(value))).collect::<Vec<_>>().join(" ")
}

/// Returns the candidates of a search in their order, each once. They depend on the pipeline, the search and its seed alone.
///
/// # Errors
/// [`SearchSpecError`] with every way in which candidates are no valid pipelines, and for too many of them.
pub fn candidates(pipeline: &PipelineSpec, search: &SearchSpec) -> Result<Vec<Candidate>, SearchSpecError> {
    let fail = |key: &str, message: String| SearchSpecError { faults: vec![Fault::new(key, message)] };
    let n_drawn = match &search.method {
        Method::Grid | Method::Halving(Halving { trials: None, .. }) => None,
        Method::Random { trials } | Method::Halving(Halving { trials: Some(trials), .. }) => Some(*trials),
    };
    let settings = match n_drawn {
        None => every_combination(&search.spaces),
        Some(n_drawn) if n_drawn > MAX_CANDIDATES => None,
        Some(n_drawn) => Some(draws(&search.spaces, n_drawn, search.seed)),
    };
    let Some(settings) = settings else {
        let message = format!("more than {MAX_CANDIDATES} combinations: use `method: random` with fewer `trials`");
        return Err(fail(if n_drawn.is_some() { "trials" } else { "vary" }, message));
    };
    let base = pipeline.to_value().map_err(|err| fail("", err.to_string()))?;
    let mut candidates = Vec::with_capacity(settings.len());
    let mut faults = FaultsOfCandidates::default();
    for setting in &settings {
        match apply(&base, setting) {
            Ok(spec) => candidates.push(Candidate { params: params(setting), spec }),
            Err(error) => faults.add(&error.faults, &params(setting)),
        }
    }
    faults.into_result(settings.len())?;
    Ok(candidates)
}

/// Compares what candidates read with the columns of `table`.
///
/// # Errors
/// [`SearchSpecError`] with every column that is absent or of the wrong kind.
pub(super) fn check_columns_of(candidates: &[Candidate], table: &Table) -> Result<(), SearchSpecError> {
    let mut faults = FaultsOfCandidates::default();
    for candidate in candidates {
        faults.add(&check_columns(&candidate.spec, table), &candidate.params);
    }
    faults.into_result(candidates.len())
}

/// Places with the values that they are given.
type Setting = Vec<(ParamPath, Value)>;

fn params(setting: &Setting) -> BTreeMap<String, Value> {
    setting.iter().map(|(path, value)| (path.to_string(), value.clone())).collect()
}

/// Returns the pipeline with `setting` in it.
fn apply(base: &Value, setting: &Setting) -> Result<PipelineSpec, SpecError> {
    let mut document = base.clone();
    for (path, value) in setting {
        if !path.set(&mut document, value.clone()) {
            let message = "the pipeline has no such place with what else is varied";
            return Err(SpecError { faults: vec![Fault::new(path.to_string(), message)] });
        }
    }
    let spec = PipelineSpec::from_value(&document)?;
    spec.check()?;
    Ok(spec)
}

/// Returns `spec` with the number at `path` replaced.
pub(super) fn with_number(spec: &PipelineSpec, path: &ParamPath, number: u64) -> Result<PipelineSpec, SpecError> {
    apply(&spec.to_value()?, &vec![(path.clone(), Value::from(number))])
}

/// Returns the number at `path` of `spec`.
pub(super) fn number_at(spec: &PipelineSpec, path: &ParamPath) -> Option<u64> {
    path.find(&spec.to_value().ok()?)?.as_u64()
}

/// Returns every combination of each space, the last place changing first; `None` when they are too many.
fn every_combination(spaces: &[Space]) -> Option<Vec<Setting>> {
    let mut all: Vec<Setting> = Vec::new();
    for space in spaces {
        let mut settings: Vec<Setting> = vec![Vec::new()];
        for (path, values) in &space.params {
            let values = values.listed().unwrap_or_default();
            if settings.len().saturating_mul(values.len()) > MAX_CANDIDATES {
                return None;
            }
            settings = settings
                .iter()
                .flat_map(|setting| {
                    values.iter().map(|value| {
                        let mut longer = setting.clone();
                        longer.push((path.clone(), value.clone()));
                        longer
                    })
                })
                .collect();
        }
        for setting in settings {
            if !all.contains(&setting) {
                all.push(setting);
            }
        }
    }
    (all.len() <= MAX_CANDIDATES).then_some(all)
}

/// Draws combinations, each from a space by chance; fewer than asked for where there are no more.
fn draws(spaces: &[Space], n_drawn: usize, seed: u64) -> Vec<Setting> {
    let mut random = SplitMix64::new(seed, DRAW_STREAM);
    let mut all: Vec<Setting> = Vec::new();
    let mut n_repeats = 0;
    while all.len() < n_drawn && n_repeats < MAX_REPEATS {
        let space = &spaces[random.below(spaces.len())];
        let setting: Setting =
            space.params.iter().map(|(path, values)| (path.clone(), values.draw(&mut random))).collect();
        if all.contains(&setting) {
            n_repeats += 1;
        } else {
            n_repeats = 0;
            all.push(setting);
        }
    }
    all
}

/// The different faults of candidates, each with the first that has it.
#[derive(Default)]
struct FaultsOfCandidates {
    faults: Vec<(Fault, usize, String)>,
}

impl FaultsOfCandidates {
    fn add(&mut self, faults: &[Fault], params: &BTreeMap<String, Value>) {
        for fault in faults {
            match self.faults.iter_mut().find(|(known, _, _)| known == fault) {
                Some((_, count, _)) => *count += 1,
                None => self.faults.push((fault.clone(), 1, label(params))),
            }
        }
    }

    fn into_result(self, n_candidates: usize) -> Result<(), SearchSpecError> {
        if self.faults.is_empty() {
            return Ok(());
        }
        let n_more = self.faults.len().saturating_sub(MAX_FAULTS);
        let told = self.faults.into_iter().take(MAX_FAULTS).map(|(fault, count, first)| {
            let message = format!("{} (in {count} of {n_candidates} candidates, first {first})", fault.message);
            Fault::new(fault.key, message)
        });
        let mut faults: Vec<Fault> = told.collect();
        if n_more > 0 {
            faults.push(Fault::new("", format!("and {n_more} more")));
        }
        Err(SearchSpecError { faults })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pipeline() -> PipelineSpec {
        PipelineSpec::from_yaml(
            "version: 1\nname: m\ntask: classification\ntarget: y\nseed: 7\nfeatures: [{ columns: [text], steps: [tfidf] }]\n\
             estimator: linear_svm\n",
        )
        .unwrap()
    }

    fn search(text: &str) -> Result<SearchSpec, SearchSpecError> {
        SearchSpec::from_yaml(&format!("version: 1\n{text}"), &pipeline())
    }

    #[track_caller]
    fn check_labels(text: &str, expected: &[&str]) {
        let candidates = candidates(&pipeline(), &search(text).unwrap()).unwrap();
        let labels: Vec<String> = candidates.iter().map(Candidate::label).collect();
        assert_eq!(labels, expected);
    }

    #[track_caller]
    fn check_faults(text: &str, expected: &[&str]) {
        let error = search(text).unwrap_err();
        let faults: Vec<String> = error.faults.iter().map(ToString::to_string).collect();
        let all_match =
            faults.len() == expected.len() && faults.iter().zip(expected).all(|(fault, part)| fault.contains(part));
        assert!(all_match, "{faults:#?}\nare not\n{expected:#?}");
    }

    #[test]
    fn a_grid_is_every_combination_once() {
        check_labels(
            "method: grid\nvary: { estimator.c: [0.1, 1], features.0.steps.0.tfidf.ngrams: [[1, 1], [1, 2]] }",
            &[
                "estimator.c=0.1 features[0].steps[0].tfidf.ngrams=[1, 1]",
                "estimator.c=0.1 features[0].steps[0].tfidf.ngrams=[1, 2]",
                "estimator.c=1 features[0].steps[0].tfidf.ngrams=[1, 1]",
                "estimator.c=1 features[0].steps[0].tfidf.ngrams=[1, 2]",
            ],
        );
    }

    #[test]
    fn what_goes_together_is_varied_together() {
        check_labels(
            "method: grid\nvary:\n  - { estimator.c: [0.1, 1, 1] }\n  - { estimator: [multinomial_naive_bayes], estimator.alpha: [0.5] }",
            &["estimator.c=0.1", "estimator.c=1", "estimator=multinomial_naive_bayes estimator.alpha=0.5"],
        );
    }

    #[test]
    fn draws_repeat_for_their_seed_and_end_where_there_are_no_more() {
        let drawn = |seed: u64, trials: usize, vary: &str| -> Vec<String> {
            let search = search(&format!("method: random\ntrials: {trials}\nseed: {seed}\nvary: {vary}")).unwrap();
            candidates(&pipeline(), &search).unwrap().iter().map(Candidate::label).collect()
        };
        let range = "{ estimator.c: { log_uniform: [0.01, 100] } }";
        assert_eq!(drawn(1, 20, range).len(), 20);
        assert_eq!(drawn(1, 20, range), drawn(1, 20, range));
        assert_ne!(drawn(1, 20, range), drawn(2, 20, range));
        assert_eq!(drawn(1, 20, range)[..5], drawn(1, 5, range)[..]);
        assert_eq!(drawn(1, 20, "{ estimator.c: [1, 2, 3] }").len(), 3);
    }

    #[test]
    fn every_fault_is_told_with_its_place_before_anything_is_fitted() {
        check_faults(
            "method: grid\nscore: acuracy\nfolds: 3\nsplit: { by: stratifed }\nvary:\n  estimator.cc: [1]\n  task: [regression]\n  \
             estimator.tolerance: { uniform: [0, 1] }",
            &[
                "`folds`: unknown key",
                "`score`: no figure `acuracy` of a classification; did you mean `accuracy`?",
                "`split.by`: unknown split `stratifed`; did you mean `stratified`?",
                "`vary.estimator.cc`: the pipeline has no such place; did you mean `estimator.c`?",
                "`vary.task`: pipelines that differ in `task` cannot be compared",
            ],
        );
        check_faults(
            "method: grid\nvary: { estimator.tolerance: { uniform: [0.1, 1] } }",
            &["`vary.estimator.tolerance`: `grid` tries every value of a list"],
        );
        check_faults(
            "method: halving\nhalving: { factor: 1, resource: estimator.iterations }\nvary: { estimator.c: [1] }",
            &["`halving.factor`: must be at least 2", "did you mean `estimator.max_iterations`?"],
        );
    }

    #[test]
    fn values_that_make_the_pipeline_invalid_are_told_with_the_candidate() {
        check_faults(
            "method: grid\nvary: { estimator.c: [0.1, -1], features.0.steps.0.tfidf.min_df: [1, 2] }",
            &["`estimator.c`: must be a number above 0, not -1 (in 2 of 4 candidates, first estimator.c=-1"],
        );
        check_faults(
            "method: grid\nvary: { estimator: [ridge, { kind: linear_svm, c: 2 }] }",
            &["`estimator.kind`: `ridge` is not for `task: classification`"],
        );
        check_faults(
            "method: grid\nvary: { estimator: [multinomial_naive_bayes], estimator.c: [1] }",
            &["unknown field `c`"],
        );
        check_faults(
            "method: grid\nvary: { estimator.c: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], seed: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], \
             estimator.max_iterations: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], estimator.tolerance: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}",
            &["`vary`: more than 10000 combinations"],
        );
    }
}
