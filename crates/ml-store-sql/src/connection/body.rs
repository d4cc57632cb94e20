//! What a transaction is given to do.

/// An async closure of one argument whose future can be sent between threads.
///
/// `AsyncFnOnce` alone cannot say that its future is `Send`; this says it. Closures get it by themselves.
pub(crate) trait AsyncBody<T, R>: AsyncFnOnce(T) -> R + FnOnce(T) -> <Self as AsyncBody<T, R>>::Fut {
    /// What the closure returns.
    type Fut: Future<Output = R>;
}

impl<F, T, Fut, R> AsyncBody<T, R> for F
where
    F: AsyncFnOnce(T) -> R + FnOnce(T) -> Fut,
    Fut: Future<Output = R>,
{
    type Fut = Fut;
}
