//! A dataset version as people write it: `name` for the newest, or `name@version`.

use std::fmt;
use std::str::FromStr;

use anyhow::anyhow;

use ml_core::dataset::{DatasetName, DatasetVersion};

use crate::compose::App;

/// Which dataset version is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DatasetRef {
    name: DatasetName,
    version: Option<u32>,
}

impl DatasetRef {
    /// The newest version of `name`.
    pub(crate) fn latest(name: DatasetName) -> DatasetRef {
        DatasetRef { name, version: None }
    }

    /// Returns the version that is meant now, or an error that says which there are.
    pub(crate) async fn resolve(&self, app: &App) -> anyhow::Result<DatasetVersion> {
        match self.find(app).await? {
            Some(version) => Ok(version),
            None => Err(self.unknown(app).await),
        }
    }

    /// Returns the version that is meant now, if it is there.
    pub(crate) async fn find(&self, app: &App) -> anyhow::Result<Option<DatasetVersion>> {
        let Some(version) = self.version else {
            return Ok(app.sql.datasets.find_latest(&self.name).await?);
        };
        let versions = app.sql.datasets.list(Some(&self.name)).await?;
        Ok(versions.into_iter().find(|candidate| candidate.version == version))
    }

    /// Returns the error that says which versions there are.
    pub(crate) async fn unknown(&self, app: &App) -> anyhow::Error {
        let versions = match app.sql.datasets.list(None).await {
            Ok(versions) => versions,
            Err(error) => return error.into(),
        };
        if versions.is_empty() {
            return anyhow!("no dataset `{self}`: there are none yet, `ml-app dataset create` takes a snapshot");
        }
        let known = versions.iter().map(|version| format!("`{}`", version.reference()));
        anyhow!("no dataset `{self}`; there are {}", known.collect::<Vec<_>>().join(", "))
    }
}

impl FromStr for DatasetRef {
    type Err = String;

    fn from_str(text: &str) -> Result<DatasetRef, String> {
        let (name, version) = match text.split_once('@') {
            None | Some((_, "latest")) => (text.trim_end_matches("@latest"), None),
            Some((name, version)) => {
                let number = version.trim_start_matches('v').parse();
                (name, Some(number.map_err(|_| format!("`{version}` is not a version: write name@3"))?))
            }
        };
        Ok(DatasetRef { name: DatasetName::parse(name).map_err(|error| error.to_string())?, version })
    }
}

impl fmt::Display for DatasetRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.version {
            Some(version) => write!(f, "{}@{version}", self.name),
            None => write!(f, "{}", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let shown = text.parse::<DatasetRef>().map_or_else(|_| "refused".to_owned(), |dataset| dataset.to_string());
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn references_are_read_as_people_write_them() {
        check("news", "news");
        check("news@latest", "news");
        check("news@3", "news@3");
        check("news@v3", "news@3");
        check("news@x", "refused");
        check("@3", "refused");
    }
}
