//! Cuts sorted lists into pages.

use crate::page::{Page, PageRequest};

/// Returns the page that `request` asks for out of `items`, which are sorted by ascending `key`.
pub(super) fn page_of<T, C: PartialOrd>(
    items: impl Iterator<Item = T>,
    request: &PageRequest<C>,
    key: impl Fn(&T) -> C,
) -> Page<T, C> {
    let is_after = |item: &T| request.cursor().is_none_or(|cursor| key(item) > *cursor);
    let items = items.filter(is_after).take(request.limit() + 1).collect();
    Page::from_lookahead(items, request.limit(), key)
}
