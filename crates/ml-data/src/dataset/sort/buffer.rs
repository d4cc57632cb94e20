//! Records in memory, one after the other in one block.

/// Where a record is.
#[derive(Debug, Clone, Copy)]
struct Place {
    start: usize,
    key_len: u32,
    value_len: u32,
}

impl Place {
    fn key(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.start..self.start + self.key_len as usize]
    }

    fn value(self, bytes: &[u8]) -> &[u8] {
        let start = self.start + self.key_len as usize;
        &bytes[start..start + self.value_len as usize]
    }
}

/// Some records.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    places: Vec<Place>,
}

impl Buffer {
    pub(super) fn push(&mut self, key: &[u8], value: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value);
        self.places.push(Place { start, key_len: length(key), value_len: length(value) });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Returns how many bytes the records take, what is known of each included.
    pub(super) fn n_bytes(&self) -> usize {
        self.bytes.len() + self.places.len() * size_of::<Place>()
    }

    /// Returns how many bytes they would take with one more.
    pub(super) fn n_bytes_with(&self, key: &[u8], value: &[u8]) -> usize {
        self.n_bytes() + key.len() + value.len() + size_of::<Place>()
    }

    /// Sorts by key, then value.
    pub(super) fn sort(&mut self) {
        let bytes = &self.bytes;
        self.places
            .sort_unstable_by(|a, b| a.key(bytes).cmp(b.key(bytes)).then_with(|| a.value(bytes).cmp(b.value(bytes))));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.places.iter().map(|place| (place.key(&self.bytes), place.value(&self.bytes)))
    }

    /// Returns the record at `index`, if there are so many.
    pub(super) fn get(&self, index: usize) -> Option<(&[u8], &[u8])> {
        let place = self.places.get(index)?;
        Some((place.key(&self.bytes), place.value(&self.bytes)))
    }

    /// Drops the records and keeps the memory for others.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.places.clear();
    }
}

/// Returns the length as it is kept.
///
/// # Panics
/// For four gigabytes or more, which no column takes.
pub(super) fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("a record that a store handed over in one piece is below four gigabytes")
}
