//! Marker and MaxItems.

use crate::call::Call;
use crate::error::ApiError;

/// The most items on a page, and as many as there are when the caller does not say.
///
/// Source: CloudFront API Reference, ListInvalidations and ListDistributions, MaxItems. More is taken for this.
const ITEMS_MAX: usize = 100;

/// Which page of a list a caller asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PageRequest {
    /// The last item of the page before; the page begins after it.
    pub(crate) marker: Option<String>,
    /// 1 to [`ITEMS_MAX`].
    pub(crate) items_max: usize,
}

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page<T> {
    pub(crate) marker: String,
    pub(crate) next_marker: Option<String>,
    pub(crate) max_items: i32,
    pub(crate) items: Vec<T>,
}

impl<T> Page<T> {
    pub(crate) fn is_truncated(&self) -> bool {
        self.next_marker.is_some()
    }

    /// How many items are on the page.
    pub(crate) fn quantity(&self) -> i32 {
        i32::try_from(self.items.len()).unwrap_or(i32::MAX)
    }
}

impl PageRequest {
    /// Reads Marker and MaxItems. An empty Marker is none.
    pub(crate) fn read(call: &Call) -> Result<PageRequest, ApiError> {
        let items_max = match call.parameter("MaxItems") {
            None => ITEMS_MAX,
            Some(text) => match text.parse::<u64>() {
                Ok(0) | Err(_) => {
                    return Err(ApiError::argument(format!(
                        "MaxItems is a number from 1 to {ITEMS_MAX}, not {text:?}."
                    )));
                }
                Ok(items) => usize::try_from(items).unwrap_or(ITEMS_MAX).min(ITEMS_MAX),
            },
        };
        Ok(PageRequest {
            marker: call.parameter("Marker").filter(|marker| !marker.is_empty()),
            items_max,
        })
    }

    /// The page that begins with the first of `rest`. The name of its last item is the next page's marker.
    pub(crate) fn page<T>(self, rest: impl Iterator<Item = T>, name: impl Fn(&T) -> String) -> Page<T> {
        let mut items: Vec<T> = rest.take(self.items_max + 1).collect();
        let truncated = items.len() > self.items_max;
        items.truncate(self.items_max);
        Page {
            marker: self.marker.unwrap_or_default(),
            next_marker: items.last().filter(|_| truncated).map(name),
            max_items: i32::try_from(self.items_max).unwrap_or(i32::MAX),
            items,
        }
    }
}

/// The error for a marker that names nothing on the list.
pub(crate) fn unknown_marker(marker: &str) -> ApiError {
    ApiError::argument(format!("The Marker {marker:?} names no item of this list."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<PageRequest, String> {
        PageRequest::read(&Call::with_query(query)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_page_has_a_hundred_items_at_most() {
        let request = |marker: Option<&str>, items_max| PageRequest {
            marker: marker.map(str::to_owned),
            items_max,
        };
        assert_eq!(read(""), Ok(request(None, 100)));
        assert_eq!(read("MaxItems=7&Marker=I1"), Ok(request(Some("I1"), 7)));
        assert_eq!(read("MaxItems=1000&Marker="), Ok(request(None, 100)));
        for wrong in ["MaxItems=0", "MaxItems=-1", "MaxItems=x", "MaxItems="] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_a_truncated_page_has_a_next_marker() {
        let page = |n_items: u32| {
            PageRequest {
                marker: None,
                items_max: 3,
            }
            .page(0..n_items, u32::to_string)
        };
        assert_eq!((page(3).items.len(), page(3).next_marker), (3, None));
        assert_eq!((page(4).items.len(), page(4).next_marker), (3, Some("2".to_owned())));
        assert_eq!((page(0).quantity(), page(0).is_truncated()), (0, false));
    }
}
