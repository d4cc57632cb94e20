//! From YAML to a pipeline, with every fault found on the way.

use serde::de::DeserializeOwned;
use serde_yaml_ng::{Mapping, Value};

use super::fault::{Fault, SpecError, suggestion, with_nearest};
use super::{
    CardSpec, DecisionSpec, DeriveOp, DeriveSpec, FeatureSpec, PIPELINE_VERSION, PipelineSpec, StepSpec,
    TargetTransform, Task, default_golden_rows,
};
use crate::estimator::EstimatorSpec;

const KEYS: [&str; 13] = [
    "version",
    "name",
    "task",
    "target",
    "target_transform",
    "seed",
    "derive",
    "features",
    "estimator",
    "decision",
    "baselines",
    "card",
    "golden_rows",
];

pub(super) fn read(text: &str) -> Result<PipelineSpec, SpecError> {
    let fail = |message: String| SpecError { faults: vec![Fault::new("", message)] };
    let document: Value = serde_yaml_ng::from_str(text).map_err(|err| fail(format!("not YAML: {err}")))?;
    read_value(&document)
}

/// Reads a document that is YAML.
pub(super) fn read_value(document: &Value) -> Result<PipelineSpec, SpecError> {
    let Value::Mapping(document) = document else {
        let message = "a pipeline is a mapping with `version`, `name`, `task`, `target` and `estimator`";
        return Err(SpecError { faults: vec![Fault::new("", message)] });
    };
    let mut reader = Reader { faults: Vec::new() };
    let spec = reader.pipeline(document);
    match spec {
        Some(spec) if reader.faults.is_empty() => Ok(spec),
        _ => Err(SpecError { faults: reader.faults }),
    }
}

/// Reads parts of the document; a part that is wrong is `None` and leaves a fault.
struct Reader {
    faults: Vec<Fault>,
}

impl Reader {
    fn pipeline(&mut self, document: &Mapping) -> Option<PipelineSpec> {
        self.check_keys(document);
        self.check_version(document.get("version"));
        // Everything is read before the first `?`, so that each part reports its faults.
        let name: Option<String> = self.required(document, "name", "the name of the model");
        let task: Option<Task> =
            self.required(document, "task", "`classification`, `regression`, `clustering` or `anomaly`");
        let target: Option<String> = match task.and_then(Task::default_target) {
            Some(default) if document.get("target").is_none() => Some(default.to_owned()),
            _ => self.required(document, "target", "the column to predict"),
        };
        let target_transform: Option<TargetTransform> = self.optional(document, "target_transform");
        let seed: Option<u64> = self.optional(document, "seed");
        let derive = self.list(document, "derive", Reader::derive);
        let features = self.list(document, "features", Reader::feature);
        let estimator = match document.get("estimator") {
            Some(value) => self.estimator(value, "estimator"),
            None => self.fault("estimator", "missing: what to fit, such as `{ kind: linear_svm }`"),
        };
        let decision: Option<Option<DecisionSpec>> = self.optional(document, "decision");
        let baselines = self.list(document, "baselines", Reader::estimator);
        let card: Option<CardSpec> = self.optional(document, "card");
        let golden_rows = match document.get("golden_rows") {
            Some(value) => self.value(value, "golden_rows"),
            None => Some(default_golden_rows()),
        };
        Some(PipelineSpec {
            name: name?,
            task: task?,
            target: target?,
            target_transform: target_transform?,
            seed: seed?,
            derive: derive?,
            features: features?,
            estimator: estimator?,
            decision: decision?,
            declared_baselines: baselines?,
            card: card?,
            golden_rows: golden_rows?,
        })
    }

    fn check_keys(&mut self, document: &Mapping) {
        for key in document.keys() {
            let name = key.as_str().unwrap_or_default();
            if !KEYS.contains(&name) {
                let shown = key.as_str().map_or_else(|| format!("{key:?}"), str::to_owned);
                self.faults.push(Fault::new(shown, format!("unknown key; {}", suggestion(name, KEYS))));
            }
        }
    }

    fn check_version(&mut self, version: Option<&Value>) {
        match version {
            None => self.faults.push(Fault::new("version", format!("missing: write `version: {PIPELINE_VERSION}`"))),
            Some(version) if version.as_u64() == Some(PIPELINE_VERSION) => {}
            Some(_) => {
                let message = format!("this release reads pipelines of version {PIPELINE_VERSION} only");
                self.faults.push(Fault::new("version", message));
            }
        }
    }

    fn fault<T>(&mut self, key: &str, message: impl Into<String>) -> Option<T> {
        self.faults.push(Fault::new(key, message));
        None
    }

    fn required<T: DeserializeOwned>(&mut self, document: &Mapping, key: &str, what: &str) -> Option<T> {
        match document.get(key) {
            Some(value) => self.value(value, key),
            None => self.fault(key, format!("missing: {what}")),
        }
    }

    fn optional<T: DeserializeOwned + Default>(&mut self, document: &Mapping, key: &str) -> Option<T> {
        match document.get(key) {
            Some(value) => self.value(value, key),
            None => Some(T::default()),
        }
    }

    fn value<T: DeserializeOwned>(&mut self, value: &Value, key: &str) -> Option<T> {
        match serde_yaml_ng::with::singleton_map_recursive::deserialize(value) {
            Ok(value) => Some(value),
            Err(err) => self.fault(key, with_nearest(err.to_string())),
        }
    }

    fn list<T>(
        &mut self,
        document: &Mapping,
        key: &str,
        read: impl Fn(&mut Reader, &Value, &str) -> Option<T>,
    ) -> Option<Vec<T>> {
        match document.get(key) {
            None | Some(Value::Null) => Some(Vec::new()),
            Some(Value::Sequence(values)) => self.items(values, key, read),
            Some(_) => self.fault(key, "must be a list"),
        }
    }

    fn items<T>(
        &mut self,
        values: &[Value],
        key: &str,
        read: impl Fn(&mut Reader, &Value, &str) -> Option<T>,
    ) -> Option<Vec<T>> {
        let items: Vec<Option<T>> =
            values.iter().enumerate().map(|(index, value)| read(self, value, &format!("{key}[{index}]"))).collect();
        items.into_iter().collect()
    }

    fn derive(&mut self, value: &Value, key: &str) -> Option<DeriveSpec> {
        if let Some(op) = value.get("op").and_then(Value::as_str) {
            self.check_name(op, &DeriveOp::NAMES, &format!("{key}.op"), "operation")?;
        }
        self.value(value, key)
    }

    fn feature(&mut self, value: &Value, key: &str) -> Option<FeatureSpec> {
        let Some(Value::Sequence(steps)) = value.get("steps") else {
            return self.value(value, key);
        };
        let steps = self.items(steps, &format!("{key}.steps"), Reader::step);
        let mut without_steps = value.as_mapping()?.clone();
        without_steps.remove("steps");
        let mut feature: FeatureSpec = self.value(&Value::Mapping(without_steps), key)?;
        feature.steps = steps?;
        Some(feature)
    }

    fn step(&mut self, value: &Value, key: &str) -> Option<StepSpec> {
        let name = match value {
            Value::String(name) => name.as_str(),
            Value::Mapping(step) if step.len() == 1 => step.keys().next()?.as_str().unwrap_or_default(),
            _ => {
                return self.fault(
                    key,
                    "a step is a name, such as `log1p`, or a name with its settings, such as `{impute: median}`",
                );
            }
        };
        self.check_name(name, &StepSpec::NAMES, key, "step")?;
        if value.is_string() && StepSpec::BARE.contains(&name) {
            let settings = Value::Mapping(Mapping::new());
            return self.value(&Value::Mapping(Mapping::from_iter([(Value::from(name), settings)])), key);
        }
        let needed = [("impute", "median"), ("clip", "{min: 0}"), ("sentiment", "vader")];
        if let Some((_, example)) = needed.iter().find(|(step, _)| value.is_string() && *step == name) {
            return self.fault(key, format!("`{name}` needs a setting, such as `{{{name}: {example}}}`"));
        }
        self.value(value, key)
    }

    /// A bare name is an estimator with default settings.
    fn estimator(&mut self, value: &Value, key: &str) -> Option<EstimatorSpec> {
        if let Value::String(kind) = value {
            let with_defaults = Mapping::from_iter([(Value::from("kind"), Value::from(kind.as_str()))]);
            return self.estimator(&Value::Mapping(with_defaults), key);
        }
        let Some(kind) = value.get("kind").and_then(Value::as_str) else {
            return self.fault(key, format!("needs a `kind`; {}", suggestion("", EstimatorSpec::KINDS)));
        };
        self.check_name(kind, &EstimatorSpec::KINDS, &format!("{key}.kind"), "estimator")?;
        self.value(value, key)
    }

    fn check_name(&mut self, name: &str, known: &[&str], key: &str, what: &str) -> Option<()> {
        if known.contains(&name) {
            return Some(());
        }
        self.fault(key, format!("unknown {what} `{name}`; {}", suggestion(name, known.iter().copied())))
    }
}
