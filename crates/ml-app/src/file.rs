//! Files written whole or not at all.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Context as _;

/// Writes `path` through a file beside it that takes its place once `write` has succeeded and the bytes are on disk.
///
/// On an error the former file, if there was one, is as it was.
pub(crate) fn replace(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let name = path.file_name().with_context(|| format!("`{}` names no file", path.display()))?;
    let beside = path.with_file_name(format!(".{}.{}.part", name.to_string_lossy(), std::process::id()));
    let written = write_new(&beside, write).and_then(|()| {
        fs::rename(&beside, path).with_context(|| format!("cannot put the file in place of {}", path.display()))
    });
    if written.is_err() {
        // What is left of a failed attempt is of no use to anyone; the first error is the one to tell.
        let _ = fs::remove_file(&beside);
    }
    written.with_context(|| format!("cannot write {}", path.display()))
}

fn write_new(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    write(&mut file)?;
    file.flush()?;
    file.get_ref().sync_all()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_former_file() {
        let folder = std::env::temp_dir().join(format!("ml-app-file-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("a.txt");
        replace(&path, |file| Ok(file.write_all(b"one")?)).unwrap();

        let failed = replace(&path, |file| {
            file.write_all(b"tw")?;
            anyhow::bail!("no more")
        });

        assert!(failed.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        fs::remove_dir_all(&folder).unwrap();
    }
}
