//! Lists in parts: how much to read, from where, and what came.

use serde::Serialize;

/// The most items a page may hold.
pub const MAX_PAGE_SIZE: usize = 50_000;

/// Asks for up to `limit` items that come after `cursor`.
///
/// A cursor is the key of the last item of the page before, so that items added meanwhile shift nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest<C = String> {
    limit: usize,
    after: Option<C>,
}

impl<C> PageRequest<C> {
    /// Asks for the first `limit` items; the limit is held between 1 and [`MAX_PAGE_SIZE`].
    pub fn first(limit: usize) -> PageRequest<C> {
        PageRequest { limit: limit.clamp(1, MAX_PAGE_SIZE), after: None }
    }

    /// Asks for the items after `cursor`.
    #[must_use]
    pub fn after(self, cursor: C) -> PageRequest<C> {
        PageRequest { after: Some(cursor), ..self }
    }

    /// Returns the most items to return, at least 1.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Returns the key after which to start.
    pub fn cursor(&self) -> Option<&C> {
        self.after.as_ref()
    }
}

/// Some items of a list, and where the next ones start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Page<T, C = String> {
    /// The items, in the order of the list.
    pub items: Vec<T>,
    /// Where the next page starts; absent on the last page.
    pub next_cursor: Option<C>,
}

impl<T, C> Page<T, C> {
    /// Makes a page of items read with one more than `limit` asked for: the extra one only tells that there are more.
    pub fn from_lookahead(mut items: Vec<T>, limit: usize, key: impl Fn(&T) -> C) -> Page<T, C> {
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = if more { items.last().map(key) } else { None };
        Page { items, next_cursor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extra_item_becomes_a_cursor() {
        let page = Page::from_lookahead(vec![1, 2, 3], 2, |item| *item);
        assert_eq!(page, Page { items: vec![1, 2], next_cursor: Some(2) });
        let last = Page::from_lookahead(vec![1, 2], 2, |item| *item);
        assert_eq!(last.next_cursor, None);
    }

    #[test]
    fn a_limit_stays_in_its_range() {
        assert_eq!(PageRequest::<String>::first(0).limit(), 1);
        assert_eq!(PageRequest::<String>::first(usize::MAX).limit(), MAX_PAGE_SIZE);
    }
}
