//! What stands around the content of a package: magic word, version of the format, length and digest.
//!
//! The digest of version 1 is of the content alone; that of version 2 is of everything before it as well, so that no byte can
//! change unseen.

use sha2::{Digest, Sha256};

use crate::error::ModelFormatError;

/// The version of the format that is written.
pub const FORMAT_VERSION: u16 = 2;

/// The versions of the format that are read.
const SUPPORTED: std::ops::RangeInclusive<u16> = 1..=FORMAT_VERSION;

const MAGIC: &[u8; 8] = b"MLTRAIN\0";
const DIGEST_BYTES: usize = 32;
const PREFIX_BYTES: usize = MAGIC.len() + size_of::<u16>() + size_of::<u64>();
const HEADER_BYTES: usize = PREFIX_BYTES + DIGEST_BYTES;

/// Returns whether `bytes` begin as a package does.
pub(super) fn begins(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Puts the header before the content that `write` appends.
pub(super) fn seal(
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), ModelFormatError>,
) -> Result<Vec<u8>, ModelFormatError> {
    let mut bytes = vec![0; HEADER_BYTES];
    write(&mut bytes)?;
    let (header, content) = bytes.split_at_mut(HEADER_BYTES);
    let (prefix, digest) = header.split_at_mut(PREFIX_BYTES);
    let length = (content.len() as u64).to_le_bytes();
    prefix.copy_from_slice(&[MAGIC.as_slice(), &FORMAT_VERSION.to_le_bytes(), &length].concat());
    digest.copy_from_slice(&digest_of(FORMAT_VERSION, prefix, content));
    Ok(bytes)
}

/// Returns the version and the content, after having compared every byte with the header.
pub(super) fn open(bytes: &[u8]) -> Result<(u16, &[u8]), ModelFormatError> {
    let Some(after_magic) = bytes.strip_prefix(MAGIC.as_slice()) else {
        return Err(ModelFormatError::NotAModel);
    };
    let cut_short = ModelFormatError::WrongLength { expected: HEADER_BYTES as u64, found: bytes.len() as u64 };
    let Some((version, after_version)) = after_magic.split_first_chunk() else { return Err(cut_short) };
    let version = u16::from_le_bytes(*version);
    if !SUPPORTED.contains(&version) {
        return Err(ModelFormatError::UnsupportedVersion { found: version, supported: FORMAT_VERSION });
    }
    let Some((length, after_length)) = after_version.split_first_chunk() else { return Err(cut_short) };
    let Some((digest, content)) = after_length.split_first_chunk::<DIGEST_BYTES>() else { return Err(cut_short) };
    let expected = u64::from_le_bytes(*length);
    if expected != content.len() as u64 {
        return Err(ModelFormatError::WrongLength {
            expected: expected.saturating_add(HEADER_BYTES as u64),
            found: bytes.len() as u64,
        });
    }
    if digest_of(version, &bytes[..PREFIX_BYTES], content) != *digest {
        return Err(ModelFormatError::Corrupt);
    }
    Ok((version, content))
}

fn digest_of(version: u16, prefix: &[u8], content: &[u8]) -> [u8; DIGEST_BYTES] {
    let mut digest = Sha256::new();
    if version > 1 {
        digest.update(prefix);
    }
    digest.update(content);
    digest.finalize().into()
}
