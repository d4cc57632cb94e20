//! Inputs: opened, unpacked, and looked at before the first record.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;

use super::error::IngestError;

/// How much of an input is looked at to tell what it is.
const HEAD_BYTES: usize = 64 * 1024;

/// What is wrong with inputs that begin like this.
const FOREIGN: [(&[u8], &str); 9] = [
    (b"PK\x03\x04", "a ZIP archive (or an Excel file): unpack it, or save it as CSV"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd: unpack it, or use gzip"),
    (b"\xfd7zXZ\0", "compressed with xz: unpack it, or use gzip"),
    (b"BZh", "compressed with bzip2: unpack it, or use gzip"),
    (b"SQLite format 3\0", "an SQLite database: export its tables as CSV"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "an image"),
    (b"\xff\xfe", "text in UTF-16: save it as UTF-8"),
    (b"\xfe\xff", "text in UTF-16: save it as UTF-8"),
];

/// Where records come from.
pub struct Input {
    name: String,
    source: Source,
}

enum Source {
    File(PathBuf),
    Stream(Box<dyn Read + Send>),
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Input {
    /// Reads the file at `path`, when the time comes.
    pub fn file(path: impl Into<PathBuf>) -> Input {
        let path = path.into();
        Input { name: path.display().to_string(), source: Source::File(path) }
    }

    /// Reads `stream`, known as `name` in messages, such as `standard input`.
    pub fn stream(name: impl Into<String>, stream: impl Read + Send + 'static) -> Input {
        Input { name: name.into(), source: Source::Stream(Box::new(stream)) }
    }

    /// Returns the name used in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Opens the input and looks at its beginning.
    pub(super) fn open(self) -> Result<Opened, IngestError> {
        let Input { name, source } = self;
        let bytes_read = Arc::new(AtomicU64::new(0));
        let (reader, size, path) = match source {
            Source::File(path) => {
                let (file, size) = open_file(&name, &path)?;
                (Box::new(file) as Box<dyn Read + Send>, size, size.map(|_| path))
            }
            Source::Stream(stream) => (stream, None, None),
        };
        let counting = Counting { inner: reader, n_bytes: Arc::clone(&bytes_read) };
        let packed = Peeked::new(Box::new(counting));
        let is_gzip = packed.head.starts_with(b"\x1f\x8b");
        let mut content = if is_gzip { Peeked::new(Box::new(MultiGzDecoder::new(packed))) } else { packed };
        content.skip_byte_order_mark();
        check_head(&name, &mut content)?;
        Ok(Opened { name, content, bytes_read, size, plain_file: path.filter(|_| !is_gzip) })
    }
}

/// An input that has content, and may hold records.
pub(super) struct Opened {
    pub(super) name: String,
    /// The content, after decompression.
    pub(super) content: Peeked,
    /// Bytes read so far, before decompression.
    pub(super) bytes_read: Arc<AtomicU64>,
    /// Bytes there are, before decompression, where that is known.
    pub(super) size: Option<u64>,
    /// The file, if it is one and not compressed.
    pub(super) plain_file: Option<PathBuf>,
}

/// Returns the file, and its size if it is a plain file: a pipe or a device has none.
fn open_file(name: &str, path: &Path) -> Result<(File, Option<u64>), IngestError> {
    let cannot_open = |source| IngestError::Open { input: name.to_owned(), source };
    let metadata = path.metadata().map_err(cannot_open)?;
    if metadata.is_dir() {
        return Err(IngestError::Directory { input: name.to_owned() });
    }
    let file = File::open(path).map_err(cannot_open)?;
    Ok((file, metadata.is_file().then_some(metadata.len())))
}

fn check_head(name: &str, content: &mut Peeked) -> Result<(), IngestError> {
    let input = || name.to_owned();
    if content.head.is_empty() {
        return Err(match content.error.take() {
            Some(source) => IngestError::Read { input: input(), line: 1, report: Box::default(), source },
            None => IngestError::Empty { input: input() },
        });
    }
    if let Some((_, what)) = FOREIGN.iter().find(|(magic, _)| content.head.starts_with(magic)) {
        return Err(IngestError::Foreign { input: input(), what });
    }
    let is_text = content.head.starts_with(b"PAR1") || !content.head.contains(&0);
    if is_text { Ok(()) } else { Err(IngestError::Binary { input: input() }) }
}

/// A reader of which the beginning is known. An error met there is given when the reader gets to it.
pub(super) struct Peeked {
    pub(super) head: Vec<u8>,
    position: usize,
    error: Option<io::Error>,
    rest: Box<dyn Read + Send>,
}

impl Peeked {
    fn new(mut reader: Box<dyn Read + Send>) -> Peeked {
        let mut head = Vec::with_capacity(HEAD_BYTES);
        let error = reader.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head).err();
        Peeked { head, position: 0, error, rest: reader }
    }

    fn skip_byte_order_mark(&mut self) {
        if self.head.starts_with(b"\xef\xbb\xbf") {
            self.head.drain(..3);
        }
    }
}

impl Read for Peeked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let known = &self.head[self.position..];
        if !known.is_empty() {
            let n_bytes = known.len().min(buffer.len());
            buffer[..n_bytes].copy_from_slice(&known[..n_bytes]);
            self.position += n_bytes;
            return Ok(n_bytes);
        }
        match self.error.take() {
            Some(error) => Err(error),
            None => self.rest.read(buffer),
        }
    }
}

/// Counts what is read through it.
struct Counting {
    inner: Box<dyn Read + Send>,
    n_bytes: Arc<AtomicU64>,
}

impl Read for Counting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n_bytes = self.inner.read(buffer)?;
        self.n_bytes.fetch_add(n_bytes as u64, Ordering::Relaxed);
        Ok(n_bytes)
    }
}
