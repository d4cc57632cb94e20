//! The wire format of protocol buffers: numbered fields, each a number or a block of bytes. Nothing is copied or allocated here.
//!
//! Source: *Encoding*, in the documentation of Protocol Buffers.

use super::error::OnnxError;

/// The value of a field.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    Bytes(&'a [u8]),
    Fixed32([u8; 4]),
}

/// The fields of a message, one after the other.
pub(super) struct Fields<'a>(&'a [u8]);

const CUT_SHORT: OnnxError = OnnxError::NotOnnx("a field is cut short");

impl<'a> Fields<'a> {
    pub(super) fn new(message: &'a [u8]) -> Fields<'a> {
        Fields(message)
    }

    /// Returns the number and value of the next field; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<(u64, Value<'a>)>, OnnxError> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(self.chunk()?),
            2 => {
                let length = self.varint()?;
                let length = usize::try_from(length).map_err(|_| CUT_SHORT)?;
                let (block, rest) = self.0.split_at_checked(length).ok_or(CUT_SHORT)?;
                self.0 = rest;
                Value::Bytes(block)
            }
            5 => Value::Fixed32(self.chunk()?),
            _ => return Err(OnnxError::NotOnnx("a field has an unknown wire type")),
        };
        Ok(Some((key >> 3, value)))
    }

    fn varint(&mut self) -> Result<u64, OnnxError> {
        let mut value = 0_u64;
        for position in 0..10 {
            let (&byte, rest) = self.0.split_first().ok_or(CUT_SHORT)?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << (7 * position);
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(OnnxError::NotOnnx("a number has too many bytes"))
    }

    fn chunk<const N: usize>(&mut self) -> Result<[u8; N], OnnxError> {
        let (chunk, rest) = self.0.split_first_chunk().ok_or(CUT_SHORT)?;
        self.0 = rest;
        Ok(*chunk)
    }
}

impl<'a> Value<'a> {
    pub(super) fn bytes(self) -> Result<&'a [u8], OnnxError> {
        match self {
            Value::Bytes(bytes) => Ok(bytes),
            _ => Err(OnnxError::NotOnnx("a field holds a number in place of a block")),
        }
    }

    /// Returns a text; what is not UTF-8 in it is replaced.
    pub(super) fn text(self) -> Result<String, OnnxError> {
        Ok(String::from_utf8_lossy(self.bytes()?).into_owned())
    }

    pub(super) fn integer(self) -> Result<i64, OnnxError> {
        match self {
            Value::Varint(value) => Ok(value as i64),
            _ => Err(OnnxError::NotOnnx("a field does not hold an integer")),
        }
    }

    /// Appends integers: one, or a packed block of them.
    pub(super) fn extend_integers(self, integers: &mut Vec<i64>) -> Result<(), OnnxError> {
        let Value::Bytes(block) = self else {
            integers.push(self.integer()?);
            return Ok(());
        };
        let mut packed = Fields(block);
        while !packed.0.is_empty() {
            integers.push(packed.varint()? as i64);
        }
        Ok(())
    }

    /// Appends 32-bit floats: one, or a packed block of them.
    pub(super) fn extend_floats(self, floats: &mut Vec<f64>) -> Result<(), OnnxError> {
        match self {
            Value::Fixed32(bytes) => floats.push(f64::from(f32::from_le_bytes(bytes))),
            Value::Bytes(block) => floats.extend(f32s(block)?),
            _ => return Err(OnnxError::NotOnnx("a field does not hold a float")),
        }
        Ok(())
    }

    /// Appends 64-bit floats: one, or a packed block of them.
    pub(super) fn extend_doubles(self, doubles: &mut Vec<f64>) -> Result<(), OnnxError> {
        match self {
            Value::Fixed64(bytes) => doubles.push(f64::from_le_bytes(bytes)),
            Value::Bytes(block) => doubles.extend(f64s(block)?),
            _ => return Err(OnnxError::NotOnnx("a field does not hold a float")),
        }
        Ok(())
    }
}

const BROKEN_BLOCK: OnnxError = OnnxError::NotOnnx("a block of numbers has a broken length");

macro_rules! blocks {
    ($($name:ident: $number:ty => $to:ty,)*) => {
        $(pub(super) fn $name(block: &[u8]) -> Result<impl Iterator<Item = $to> + '_, OnnxError> {
            let (numbers, rest) = block.as_chunks::<{ size_of::<$number>() }>();
            if rest.is_empty() {
                Ok(numbers.iter().map(|bytes| <$number>::from_le_bytes(*bytes) as $to))
            } else {
                Err(BROKEN_BLOCK)
            }
        })*
    };
}

blocks! {
    f32s: f32 => f64,
    f64s: f64 => f64,
    i32s: i32 => f64,
    i64s: i64 => f64,
}
