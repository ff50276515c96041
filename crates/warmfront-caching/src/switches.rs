use thiserror::Error;

/// Defines the switches once: their field, their name and their value in each profile.
macro_rules! switches {
    ($($(#[$doc:meta])+ $name:ident: $aws:literal, $edge:literal;)+) => {
        /// Where CloudFront's documented behaviour and RFC 9110 and 9111 part: one switch for each difference.
        ///
        /// A profile is a set of them; each can be set alone in the configuration file, below `[profile]`.
        /// `conformance/differences.md` has a row for each.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct Switches {
            $($(#[$doc])+ pub $name: bool,)+
        }

        impl Switches {
            /// The profile `aws`: what CloudFront documents.
            pub const AWS: Switches = Switches { $($name: $aws,)+ };

            /// The profile `edge`: RFC 9110 and 9111 first.
            pub const EDGE: Switches = Switches { $($name: $edge,)+ };

            /// The names of all switches, as the configuration file writes them.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name),)+];

            /// Sets the switch `name`.
            ///
            /// # Errors
            /// If there is none of that name.
            pub fn set(&mut self, name: &str, on: bool) -> Result<(), UnknownSwitch> {
                match name {
                    $(stringify!($name) => self.$name = on,)+
                    _ => return Err(UnknownSwitch(name.to_owned())),
                }
                Ok(())
            }

            /// The value of the switch `name`; `None` if there is none of that name.
            pub fn get(&self, name: &str) -> Option<bool> {
                match name {
                    $(stringify!($name) => Some(self.$name),)+
                    _ => None,
                }
            }
        }
    };
}

switches! {
    /// Status codes are cached by CloudFront's table: 404, 414 and most 5xx for ErrorCachingMinTTL whatever they say,
    /// 307 and 308 with Cache-Control alone, 400, 405, 412 and 415 with `max-age` alone. Otherwise by RFC 9111 section 3,
    /// and ErrorCachingMinTTL is a heuristic for those errors that may be kept without stated freshness.
    cloudfront_status_codes: true, false;
    /// A MinTTL above 0 overrules `no-store`, `no-cache`, `private` and a shorter stated freshness.
    min_ttl_overrides: true, false;
    /// A response that states no freshness is fresh for a tenth of the time since its Last-Modified, at most DefaultTTL
    /// (RFC 9111 section 4.2.2). Otherwise for DefaultTTL.
    heuristic_freshness: false, true;
    /// A response's age is counted from Date where it has no Age (RFC 9111 section 4.2.3).
    date_counts_as_age: false, true;
    /// `must-understand` is obeyed (RFC 9111 section 5.2.2.3).
    must_understand: false, true;
    /// CDN-Cache-Control takes the place of Cache-Control and Expires (RFC 9213).
    cdn_cache_control: false, true;
    /// An Authorization of a GET or HEAD goes to the origin, and the response is stored only if it is marked for sharing
    /// (RFC 9111 section 3.5). Otherwise Authorization is removed unless a policy names it, and the response is stored.
    authorization_restricts: false, true;
    /// Set-Cookie is kept in stored responses and sent to every viewer (RFC 9111 sections 3.1 and 7.3). Otherwise it is
    /// removed unless the behavior forwards cookies.
    set_cookie_kept: false, true;
    /// What a response's Vary names, and the key does not distinguish, selects among stored variants (RFC 9111 section
    /// 4.1). Otherwise such names are taken out of Vary, and the response answers every request of its key.
    vary_selects: false, true;
    /// Under legacy settings, Accept, Accept-Charset, Accept-Language, Referer and User-Agent of the viewer's go to the
    /// origin unchanged (RFC 9110 section 7.7). Otherwise they are removed unless named, and User-Agent is CloudFront's own.
    viewer_fields_pass: false, true;
    /// A HEAD that nothing stored may answer goes to the origin as HEAD, and a 200 updates or removes the stored response
    /// to GET (RFC 9111 section 4.3.5). Otherwise the whole is fetched with GET, and stored.
    head_passes: false, true;
    /// A stale copy stands in for a 5xx of the origin although the response has no `stale-if-error`.
    stale_on_5xx: true, false;
    /// `s-maxage` forbids stale answers that the response does not allow by `stale-if-error` or `stale-while-revalidate`
    /// (RFC 9111 section 5.2.2.10).
    s_maxage_forbids_stale: false, true;
    /// Conditions are sent to the origin also where cookies are forwarded.
    conditions_with_cookies: false, true;
    /// A viewer's Cache-Control directives and Pragma are obeyed (RFC 9111 sections 5.2.1 and 5.4).
    request_directives: false, true;
    /// PUT, POST, DELETE and other unsafe methods that succeed invalidate what is stored for their URLs, in this edge
    /// alone (RFC 9111 section 4.4).
    unsafe_methods_invalidate: false, true;
    /// Methods that CloudFront does not know pass to the origin where all methods are allowed. Otherwise 403.
    unknown_methods_pass: false, true;
    /// Responses to OPTIONS are cached where CachedMethods says so. RFC 9110 section 9.3.7: they are not cacheable.
    options_cached: true, false;
    /// The edge's own 502 and 504, when the origin gives no answer, are kept for ErrorCachingMinTTL.
    own_errors_cached: true, false;
}

/// No switch has this name.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("there is no switch {0:?}; the switches are {names}", names = Switches::NAMES.join(", "))]
pub struct UnknownSwitch(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_switch_is_set_by_its_name_and_no_other_moves() {
        for name in Switches::NAMES {
            let mut switches = Switches::AWS;
            switches.set(name, !Switches::AWS.get(name).unwrap()).unwrap();
            for other in Switches::NAMES {
                let same = switches.get(other) == Switches::AWS.get(other);
                assert_eq!(same, other != name, "{name} {other}");
            }
        }
        let error = Switches::AWS.clone().set("vary", true).unwrap_err().to_string();
        assert!(error.contains("\"vary\"") && error.contains("vary_selects"), "{error}");
    }

    #[test]
    fn the_list_of_differences_has_a_row_for_every_switch_with_its_values() {
        let differences = include_str!("../../../conformance/differences.md");
        let word = |on: Option<bool>| if on == Some(true) { "on" } else { "off" };
        for name in Switches::NAMES {
            let row = differences
                .lines()
                .find(|line| line.starts_with(&format!("| `{name}` |")));
            let Some(row) = row else {
                panic!("conformance/differences.md has no row for {name}")
            };
            let values = format!(
                "| {} | {} |",
                word(Switches::AWS.get(name)),
                word(Switches::EDGE.get(name))
            );
            assert!(row.contains(&values), "{row} does not say {values}");
        }
    }
}
