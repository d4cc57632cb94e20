//! Reads lists page by page.

use crate::error::StoreError;
use crate::page::{Page, PageRequest};

/// Reads pages of up to `limit` items until there are no more, and joins them.
pub(super) async fn joined<T, C>(
    limit: usize,
    fetch: impl AsyncFn(PageRequest<C>) -> Result<Page<T, C>, StoreError>,
) -> Vec<T> {
    let mut items = Vec::new();
    let mut request = PageRequest::first(limit);
    loop {
        let page = fetch(request).await.unwrap();
        assert!(page.items.len() <= limit, "{} items on a page of {limit}", page.items.len());
        let is_empty = page.items.is_empty();
        items.extend(page.items);
        let Some(cursor) = page.next_cursor else { return items };
        assert!(!is_empty, "an empty page says that there are more");
        request = PageRequest::first(limit).after(cursor);
    }
}
