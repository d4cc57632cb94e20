//! From YAML to a search, with every fault found on the way.

use ml_core::metrics::FigureInfo;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_yaml_ng::{Mapping, Value};

use super::path::ParamPath;
use super::score::{default_score, scores_of};
use super::spec::{Halving, Method, Resource, SEARCH_VERSION, SearchSpec, SearchSpecError, Space};
use super::split::SplitSpec;
use super::values::Values;
use crate::estimator::EstimatorSpec;
use crate::spec::{Fault, PipelineSpec, suggestion};

const KEYS: [&str; 9] = ["version", "method", "trials", "halving", "score", "seed", "split", "nested", "vary"];
const METHODS: [&str; 3] = ["grid", "random", "halving"];
const DEFAULT_FACTOR: usize = 3;

/// Keys that say what a pipeline is for: pipelines that differ in them cannot be compared.
const FIXED: [&str; 5] = ["version", "name", "task", "target", "baselines"];

/// Keys that a derived column may have although it has them not.
const DERIVE_KEYS: [&str; 7] = ["by", "order", "periods", "window", "within", "exclude_current", "over"];

/// The section `halving`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct HalvingSection {
    factor: Option<usize>,
    rounds: Option<usize>,
    resource: Option<String>,
}

/// The section `nested`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NestedSection {
    folds: usize,
}

pub(super) fn read(text: &str, pipeline: &PipelineSpec) -> Result<SearchSpec, SearchSpecError> {
    let fail = |message: String| SearchSpecError { faults: vec![Fault::new("", message)] };
    let document: Value = serde_yaml_ng::from_str(text).map_err(|err| fail(format!("not YAML: {err}")))?;
    let Value::Mapping(document) = document else {
        return Err(fail("a search is a mapping with `version`, `method` and `vary`".to_owned()));
    };
    if let EstimatorSpec::External(_) = pipeline.estimator {
        return Err(fail(
            "the pipeline has `estimator: external`, which a program of its own fits, and a search fits on folds here: have the \
             program choose, or search with an estimator of this program"
                .to_owned(),
        ));
    }
    let base = pipeline.to_value().map_err(|err| fail(err.to_string()))?;
    let mut reader = Reader { document: &document, pipeline, base, faults: Vec::new() };
    let search = reader.search();
    match search {
        Some(search) if reader.faults.is_empty() => Ok(search),
        _ => Err(SearchSpecError { faults: reader.faults }),
    }
}

/// Reads parts of the document; a part that is wrong is `None` and leaves a fault.
struct Reader<'a> {
    document: &'a Mapping,
    pipeline: &'a PipelineSpec,
    base: Value,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn search(&mut self) -> Option<SearchSpec> {
        self.check_keys();
        // Everything is read before the first `?`, so that each part reports its faults.
        let method = self.method();
        let score = self.score();
        let seed: Option<Option<u64>> = self.optional("seed");
        let split = self.split();
        let spaces = self.spaces();
        let nested = self.nested();
        if let (Some(Method::Grid), Some(spaces)) = (&method, &spaces) {
            self.check_lists(spaces, "`grid` tries every value of a list: write one, or use `method: random`");
        }
        if let (Some(Method::Halving(halving)), Some(spaces)) = (&method, &spaces) {
            if halving.trials.is_none() {
                self.check_lists(spaces, "without `trials` every value of a list is tried: write one, or set `trials`");
            }
            self.check_resource(&halving.resource);
        }
        Some(SearchSpec {
            method: method?,
            score: score?,
            seed: seed?.unwrap_or(self.pipeline.seed),
            split: split?,
            spaces: spaces?,
            nested_folds: nested?,
        })
    }

    fn check_keys(&mut self) {
        for key in self.document.keys() {
            let name = key.as_str().unwrap_or_default();
            if !KEYS.contains(&name) {
                let shown = key.as_str().map_or_else(|| format!("{key:?}"), str::to_owned);
                self.faults.push(Fault::new(shown, format!("unknown key; {}", suggestion(name, KEYS))));
            }
        }
        match self.document.get("version") {
            Some(version) if version.as_u64() == Some(SEARCH_VERSION) => {}
            Some(_) => {
                let message = format!("this release reads searches of version {SEARCH_VERSION} only");
                self.faults.push(Fault::new("version", message));
            }
            None => self.faults.push(Fault::new("version", format!("missing: write `version: {SEARCH_VERSION}`"))),
        }
    }

    fn fault<T>(&mut self, key: &str, message: impl Into<String>) -> Option<T> {
        self.faults.push(Fault::new(key, message));
        None
    }

    fn value<T: DeserializeOwned>(&mut self, value: &Value, key: &str) -> Option<T> {
        match T::deserialize(value) {
            Ok(value) => Some(value),
            Err(err) => self.fault(key, err.to_string()),
        }
    }

    fn optional<T: DeserializeOwned>(&mut self, key: &str) -> Option<Option<T>> {
        match self.document.get(key) {
            None | Some(Value::Null) => Some(None),
            Some(value) => self.value(value, key).map(Some),
        }
    }

    fn method(&mut self) -> Option<Method> {
        let name: Option<Option<String>> = self.optional("method");
        let trials: Option<Option<usize>> = self.optional("trials");
        let section: Option<Option<HalvingSection>> = self.optional("halving");
        let Some(name) = name? else {
            return self.fault("method", "missing: `grid`, `random` or `halving`");
        };
        let (trials, section) = (trials?, section?);
        if trials == Some(0) {
            self.faults.push(Fault::new("trials", "must be at least 1"));
        }
        if name != "halving" && section.is_some() {
            self.faults.push(Fault::new("halving", "is for `method: halving`: remove it, or change the method"));
        }
        match name.as_str() {
            "grid" if trials.is_some() => {
                self.fault("trials", "`grid` tries every combination: remove it, or use `method: random`")
            }
            "grid" => Some(Method::Grid),
            "random" => match trials {
                Some(trials) => Some(Method::Random { trials }),
                None => self.fault("trials", "missing: how many combinations to draw"),
            },
            "halving" => self.halving(trials, section.unwrap_or_default()).map(Method::Halving),
            name => {
                let message = format!("unknown method `{name}`; {}", suggestion(name, METHODS));
                self.fault("method", message)
            }
        }
    }

    fn halving(&mut self, trials: Option<usize>, section: HalvingSection) -> Option<Halving> {
        let factor = section.factor.unwrap_or(DEFAULT_FACTOR);
        if factor < 2 {
            self.faults.push(Fault::new("halving.factor", format!("must be at least 2, not {factor}")));
        }
        if section.rounds == Some(0) {
            self.faults.push(Fault::new("halving.rounds", "must be at least 1"));
        }
        let resource = match section.resource.as_deref() {
            None | Some("rows") => Resource::Rows,
            Some(path) => match ParamPath::parse(path) {
                Ok(path) => Resource::Param(path),
                Err(message) => return self.fault("halving.resource", message),
            },
        };
        Some(Halving { trials, factor, rounds: section.rounds, resource })
    }

    fn check_resource(&mut self, resource: &Resource) {
        let Resource::Param(path) = resource else { return };
        let value = path.find(&self.base);
        if value.and_then(Value::as_u64).is_none() {
            let message = match value {
                Some(_) => format!("`{path}` of the pipeline is no whole number"),
                None => format!("`rows`, or the place of a number in the pipeline: {}", self.nearest(path)),
            };
            self.faults.push(Fault::new("halving.resource", message));
        }
    }

    fn score(&mut self) -> Option<&'static FigureInfo> {
        let task = self.pipeline.task;
        let name = self.optional::<String>("score")?.unwrap_or_else(|| default_score(task).to_owned());
        let found = scores_of(task).find(|figure| figure.name == name);
        if found.is_none() {
            let names = scores_of(task).map(|figure| figure.name);
            let message = format!("no figure `{name}` of a {}; {}", task.name(), suggestion(&name, names));
            return self.fault("score", message);
        }
        found
    }

    fn split(&mut self) -> Option<SplitSpec> {
        if let Some(by) = self.document.get("split").and_then(|split| split.get("by")).and_then(Value::as_str)
            && !SplitSpec::NAMES.contains(&by)
        {
            let message = format!("unknown split `{by}`; {}", suggestion(by, SplitSpec::NAMES));
            return self.fault("split.by", message);
        }
        let split = self.optional("split")?.unwrap_or_else(|| SplitSpec::for_pipeline(self.pipeline));
        split.faults("split", self.pipeline.task, &mut self.faults);
        Some(split)
    }

    fn nested(&mut self) -> Option<Option<usize>> {
        let Some(section) = self.optional::<NestedSection>("nested")? else { return Some(None) };
        if section.folds < 2 {
            return self.fault("nested.folds", format!("must be at least 2, not {}", section.folds));
        }
        Some(Some(section.folds))
    }

    fn spaces(&mut self) -> Option<Vec<Space>> {
        let wrong = "what to vary, such as `{ estimator.c: [0.1, 1, 10] }`, or a list of those";
        match self.document.get("vary") {
            Some(Value::Mapping(space)) if !space.is_empty() => self.space(space, "vary").map(|space| vec![space]),
            Some(Value::Sequence(spaces)) if !spaces.is_empty() => {
                let spaces = spaces.iter().enumerate().map(|(index, space)| {
                    let key = format!("vary[{index}]");
                    match space {
                        Value::Mapping(space) => self.space(space, &key),
                        _ => self.fault(&key, format!("must be {wrong}")),
                    }
                });
                let spaces: Vec<Option<Space>> = spaces.collect();
                spaces.into_iter().collect()
            }
            _ => self.fault("vary", format!("missing: {wrong}")),
        }
    }

    fn space(&mut self, space: &Mapping, key: &str) -> Option<Space> {
        let mut params = Vec::with_capacity(space.len());
        let n_faults = self.faults.len();
        for (name, values) in space {
            let name = name.as_str().unwrap_or_default();
            let key = format!("{key}.{name}");
            match (ParamPath::parse(name), Values::read(values)) {
                (Ok(path), Ok(values)) => params.push((path, values)),
                (path, values) => {
                    self.faults.extend(path.err().into_iter().chain(values.err()).map(|text| Fault::new(&*key, text)));
                }
            }
        }
        let places: Vec<ParamPath> = params.iter().map(|(path, _)| path.clone()).collect();
        for path in &places {
            if let Some(message) = self.place_fault(path, &places) {
                self.faults.push(Fault::new(format!("{key}.{path}"), message));
            }
        }
        params.sort_by_key(|(path, _)| path.depth());
        (self.faults.len() == n_faults).then_some(Space { params })
    }

    /// Returns why `path` cannot be varied along with all `places`.
    fn place_fault(&self, path: &ParamPath, places: &[ParamPath]) -> Option<String> {
        let first = path.first_key();
        if FIXED.contains(&first) {
            return Some(format!("pipelines that differ in `{first}` cannot be compared"));
        }
        if path.find(&self.base).is_some() {
            return None;
        }
        // What is replaced, or is of another kind, has keys of its own: whether it has this one is seen when it is set.
        let is_replaced = |place: &ParamPath| {
            path.is_below(place) || (place.last_key() == Some("kind") && place.parent() == path.parent())
        };
        let is_open = first == "derive"
            && path.last_key().is_some_and(|key| DERIVE_KEYS.contains(&key))
            && path.parent().is_some_and(|parent| parent.find(&self.base).is_some_and(Value::is_mapping));
        if places.iter().any(is_replaced) || is_open {
            return None;
        }
        Some(format!("the pipeline has no such place; {}", self.nearest(path)))
    }

    /// Names the places that `path` may be meant for.
    fn nearest(&self, path: &ParamPath) -> String {
        let Value::Mapping(base) = &self.base else { return String::new() };
        let all: Vec<String> = ParamPath::all(base)
            .into_iter()
            .filter(|path| !FIXED.contains(&path.first_key()))
            .map(|path| path.to_string())
            .collect();
        let text = path.to_string();
        let nearest = all.iter().max_by(|left, right| {
            strsim::normalized_levenshtein(&text, left).total_cmp(&strsim::normalized_levenshtein(&text, right))
        });
        let siblings = path.parent().filter(|parent| parent.find(&self.base).is_some_and(Value::is_mapping));
        let listed: Vec<String> = match siblings {
            Some(parent) => all.iter().filter(|path| is_child(path, &parent.to_string())).cloned().collect(),
            None => Vec::new(),
        };
        let list = listed.iter().map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", ");
        let known = if list.is_empty() { String::new() } else { format!(" There are {list}") };
        nearest.map_or_else(String::new, |nearest| format!("did you mean `{nearest}`?{known}"))
    }

    fn check_lists(&mut self, spaces: &[Space], message: &str) {
        for (path, values) in spaces.iter().flat_map(|space| &space.params) {
            if values.listed().is_none() {
                self.faults.push(Fault::new(format!("vary.{path}"), message));
            }
        }
    }
}

fn is_child(path: &str, parent: &str) -> bool {
    path.strip_prefix(parent).and_then(|rest| rest.strip_prefix('.')).is_some_and(|key| !key.contains(['.', '[']))
}
