//! Everything that the traits promise.

use crate::fixture::fresh;

ml_core::document_side_suites!(fresh);
