//! Long vectors of numbers as one block of little-endian bytes, so that a model loads in one copy and floats stay exact.

macro_rules! packed {
    ($module:ident, $number:ty) => {
        /// `#[serde(with = …)]` for a vector of numbers.
        pub(crate) mod $module {
            use std::fmt;

            use serde::de::{Deserializer, Error, SeqAccess, Visitor};
            use serde::ser::Serializer;

            const WIDTH: usize = size_of::<$number>();

            pub(crate) fn serialize<S: Serializer>(numbers: &[$number], serializer: S) -> Result<S::Ok, S::Error> {
                let mut bytes = Vec::with_capacity(numbers.len() * WIDTH);
                for number in numbers {
                    bytes.extend_from_slice(&number.to_le_bytes());
                }
                serializer.serialize_bytes(&bytes)
            }

            pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<$number>, D::Error> {
                deserializer.deserialize_bytes(Bytes)
            }

            struct Bytes;

            impl<'de> Visitor<'de> for Bytes {
                type Value = Vec<$number>;

                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    write!(f, "a block of {}-byte numbers", WIDTH)
                }

                fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<$number>, E> {
                    let (numbers, rest) = bytes.as_chunks::<WIDTH>();
                    if !rest.is_empty() {
                        return Err(E::invalid_length(bytes.len(), &self));
                    }
                    Ok(numbers.iter().map(|number| <$number>::from_le_bytes(*number)).collect())
                }

                // An enum tagged from within is buffered, and the buffer hands bytes on as a sequence.
                fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Vec<$number>, A::Error> {
                    let mut bytes = Vec::new();
                    while let Some(byte) = sequence.next_element::<u8>()? {
                        bytes.push(byte);
                    }
                    self.visit_bytes(&bytes)
                }
            }
        }
    };
}

packed!(f64s, f64);
packed!(u32s, u32);
packed!(u8s, u8);
packed!(u64s, u64);

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Pair {
        #[serde(with = "super::f64s")]
        floats: Vec<f64>,
        #[serde(with = "super::u32s")]
        counts: Vec<u32>,
    }

    #[test]
    fn numbers_come_back_to_the_bit() {
        let pair = Pair { floats: vec![0.1, -0.0, f64::MIN_POSITIVE, f64::INFINITY], counts: vec![0, u32::MAX] };
        let bytes = rmp_serde::to_vec_named(&pair).unwrap();
        let back: Pair = rmp_serde::from_slice(&bytes).unwrap();
        assert_eq!(back, pair);
        assert!(back.floats[1].is_sign_negative());
    }

    #[test]
    fn a_block_of_the_wrong_length_is_an_error() {
        #[derive(Serialize)]
        struct Broken<'a> {
            floats: Bytes<'a>,
            counts: Bytes<'a>,
        }
        struct Bytes<'a>(&'a [u8]);
        impl Serialize for Bytes<'_> {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_bytes(self.0)
            }
        }
        let bytes = rmp_serde::to_vec_named(&Broken { floats: Bytes(&[1, 2, 3]), counts: Bytes(&[]) }).unwrap();
        assert!(rmp_serde::from_slice::<Pair>(&bytes).is_err());
    }
}
