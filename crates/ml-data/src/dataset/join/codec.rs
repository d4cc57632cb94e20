//! Cells, entities and instants as bytes, on their way through a sort.

use chrono::{DateTime, Utc};

use crate::dataset::cells::Cell;

/// The bytes are not those that were written.
#[derive(Debug, thiserror::Error)]
#[error("a temporary file was changed by someone else")]
pub(super) struct Garbled;

/// Takes bytes off the front.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader(bytes)
    }

    pub(super) fn is_at_end(self) -> bool {
        self.0.is_empty()
    }

    /// Returns what is left.
    pub(super) fn rest(self) -> &'a [u8] {
        self.0
    }

    pub(super) fn bytes(&mut self, n: usize) -> Result<&'a [u8], Garbled> {
        let (taken, rest) = self.0.split_at_checked(n).ok_or(Garbled)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Garbled> {
        self.bytes(N)?.try_into().map_err(|_| Garbled)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Garbled> {
        Ok(self.array::<1>()?[0])
    }

    pub(super) fn number(&mut self) -> Result<u32, Garbled> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    pub(super) fn long(&mut self) -> Result<u64, Garbled> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    /// Takes an instant, in microseconds since 1970.
    pub(super) fn instant(&mut self) -> Result<i64, Garbled> {
        Ok((self.long()? ^ SIGN) as i64)
    }

    fn text(&mut self) -> Result<String, Garbled> {
        let n = self.number()? as usize;
        String::from_utf8(self.bytes(n)?.to_vec()).map_err(|_| Garbled)
    }

    pub(super) fn cell(&mut self) -> Result<Cell, Garbled> {
        match self.byte()? {
            0 => Ok(Cell::Missing),
            1 => Ok(Cell::Boolean(self.byte()? != 0)),
            2 => Ok(Cell::Integer(self.long()? as i64)),
            3 => Ok(Cell::Number(f64::from_bits(self.long()?))),
            4 => Ok(Cell::Text(self.text()?)),
            _ => Err(Garbled),
        }
    }
}

/// Turned over, the first bit puts negative numbers before positive ones in the order of bytes.
const SIGN: u64 = 1 << 63;

/// Appends an instant such that earlier ones have lesser bytes.
pub(super) fn put_instant(bytes: &mut Vec<u8>, instant: DateTime<Utc>) {
    bytes.extend_from_slice(&(instant.timestamp_micros() as u64 ^ SIGN).to_be_bytes());
}

/// Appends a text, with its length before it so that no two sequences of texts have the same bytes.
pub(super) fn put_text(bytes: &mut Vec<u8>, text: &str) {
    let length =
        u32::try_from(text.len()).expect("a text that a store handed over in one piece is below four gigabytes");
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

/// Appends a cell.
pub(super) fn put_cell(bytes: &mut Vec<u8>, cell: &Cell) {
    match cell {
        Cell::Missing => bytes.push(0),
        Cell::Boolean(value) => bytes.extend_from_slice(&[1, u8::from(*value)]),
        Cell::Integer(value) => {
            bytes.push(2);
            bytes.extend_from_slice(&value.to_be_bytes());
        }
        Cell::Number(value) => {
            bytes.push(3);
            bytes.extend_from_slice(&value.to_bits().to_be_bytes());
        }
        Cell::Text(text) => {
            bytes.push(4);
            put_text(bytes, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cell() -> impl Strategy<Value = Cell> {
        prop_oneof![
            Just(Cell::Missing),
            any::<bool>().prop_map(Cell::Boolean),
            any::<i64>().prop_map(Cell::Integer),
            any::<f64>().prop_map(Cell::Number),
            any::<String>().prop_map(Cell::Text),
        ]
    }

    proptest! {
        #[test]
        fn cells_come_back(cells in prop::collection::vec(cell(), 0..6)) {
            let mut bytes = Vec::new();
            for cell in &cells {
                put_cell(&mut bytes, cell);
            }
            let mut reader = Reader::new(&bytes);
            for cell in cells {
                prop_assert_eq!(format!("{:?}", reader.cell().unwrap()), format!("{:?}", cell));
            }
            prop_assert!(reader.is_at_end());
        }

        #[test]
        fn instants_sort_by_their_bytes(one in -10_i64.pow(15)..10_i64.pow(15), other in -10_i64.pow(15)..10_i64.pow(15)) {
            let bytes = |micros| {
                let mut bytes = Vec::new();
                put_instant(&mut bytes, DateTime::from_timestamp_micros(micros).unwrap());
                bytes
            };
            prop_assert_eq!(bytes(one).cmp(&bytes(other)), one.cmp(&other));
            prop_assert_eq!(Reader::new(&bytes(one)).instant().unwrap(), one);
        }
    }

    #[test]
    fn cut_bytes_are_an_error() {
        let mut bytes = Vec::new();
        put_cell(&mut bytes, &Cell::Text("word".to_owned()));
        for end in 0..bytes.len() {
            assert!(Reader::new(&bytes[..end]).cell().is_err(), "{end}");
        }
    }
}
