//! A store that no other test has touched.

use std::any::Any;
use std::fmt;
use std::ops::Deref;

/// A store for one test, with whatever has to live as long as it: a temporary folder, a schema that is dropped in the end.
pub struct Fresh<S> {
    // Declared first, because the store closes its files before the folder goes.
    store: S,
    _guard: Option<Box<dyn Any + Send>>,
}

impl<S> Fresh<S> {
    /// Wraps a store that needs nothing else.
    pub fn new(store: S) -> Fresh<S> {
        Fresh { store, _guard: None }
    }

    /// Wraps a store, and drops `guard` after it.
    pub fn with_guard(store: S, guard: impl Any + Send) -> Fresh<S> {
        Fresh { store, _guard: Some(Box::new(guard)) }
    }
}

impl<S> Deref for Fresh<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.store
    }
}

impl<S: fmt::Debug> fmt::Debug for Fresh<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Fresh").field(&self.store).finish()
    }
}
