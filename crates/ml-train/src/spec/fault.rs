//! What is wrong with a pipeline.

use std::fmt;

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The key in the pipeline file, such as `features[0].steps[1]`; empty for the file as a whole.
    pub key: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// Everything that is wrong with a pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecError {
    /// The faults, in the order of the file; at least one.
    pub faults: Vec<Fault>,
}

impl std::error::Error for SpecError {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.key.is_empty() { f.write_str(&self.message) } else { write!(f, "`{}`: {}", self.key, self.message) }
    }
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.faults.as_slice() {
            [fault] => write!(f, "invalid pipeline: {fault}"),
            faults => {
                write!(f, "invalid pipeline, {} faults", faults.len())?;
                faults.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
            }
        }
    }
}

impl Fault {
    pub(crate) fn new(key: impl Into<String>, message: impl Into<String>) -> Fault {
        Fault { key: key.into(), message: message.into() }
    }
}

/// Adds to what the reader says of a name that it does not know which of those that it expected resembles it.
pub(super) fn with_nearest(message: String) -> String {
    let is_of_name = message.starts_with("unknown field") || message.starts_with("unknown variant");
    let mut quoted = message.split('`').skip(1).step_by(2);
    let found = match quoted.next() {
        Some(name) if is_of_name => nearest(name, quoted).map(str::to_owned),
        _ => None,
    };
    found.map_or_else(|| message.clone(), |nearest| format!("{message}; did you mean `{nearest}`?"))
}

/// Returns which of `known` resembles `name` most, if one does.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|known| (strsim::jaro_winkler(&name.to_lowercase(), known), known))
        .filter(|(similarity, _)| *similarity >= 0.8)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, known)| known)
}

/// Says which of `known` names resembles `name` and which there are: `did you mean …? known are …`.
pub(crate) fn suggestion<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let list = known.iter().map(|known| format!("`{known}`")).collect::<Vec<_>>().join(", ");
    match nearest(name, known.iter().copied()) {
        Some(nearest) => format!("did you mean `{nearest}`? Known are {list}"),
        None if known.is_empty() => "there are none".to_owned(),
        None => format!("known are {list}"),
    }
}
