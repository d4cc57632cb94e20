//! Listings read whole, page by page.

use std::future::Future;

use ml_core::error::StoreError;
use ml_core::id::RecordId;
use ml_core::page::{Page, PageRequest};

use super::error::DatasetError;

/// Rows per page: enough that the query costs little, few enough that a page of long documents does too.
pub(super) const PAGE_SIZE: usize = 1_000;

/// Gives the pages of a listing to `take`, one after the other, with what it made of those before; empty ones are left out.
pub(super) async fn fold_pages<T, S, Listing, Taking>(
    list: impl Fn(PageRequest<RecordId>) -> Listing,
    mut state: S,
    take: impl Fn(S, Vec<T>) -> Taking,
) -> Result<S, DatasetError>
where
    Listing: Future<Output = Result<Page<T, RecordId>, StoreError>>,
    Taking: Future<Output = Result<S, DatasetError>>,
{
    let mut request = PageRequest::first(PAGE_SIZE);
    loop {
        let page = list(request).await?;
        if !page.items.is_empty() {
            state = take(state, page.items).await?;
        }
        match page.next_cursor {
            Some(cursor) => request = PageRequest::first(PAGE_SIZE).after(cursor),
            None => return Ok(state),
        }
    }
}
