mod documents;
mod fields;
mod heads;
mod keys;
mod records;

use crate::Target;

const fn target(name: &'static str, check: fn(&[u8])) -> Target {
    Target { name, check }
}

pub(crate) const ALL: &[Target] = &[
    target("accept_encoding", fields::accept_encoding),
    target("age", fields::age),
    target("cache_control", fields::cache_control),
    target("cache_key", keys::cache_key),
    target("cache_tag", keys::cache_tag),
    target("connection", fields::connection),
    target("control_xml", documents::control_xml),
    target("cookies", keys::cookies),
    target("disk_journal", records::disk_journal),
    target("disk_segment", records::disk_segment),
    target("entity_tags", fields::entity_tags),
    target("host", keys::host),
    target("http_date", fields::http_date),
    target("invalidation_path", keys::invalidation_path),
    target("invalidation_token", documents::invalidation_token),
    target("journal_record", records::journal_record),
    target("normal_url", keys::normal_url),
    target("path_pattern", keys::path_pattern),
    target("policy_json", documents::policy_json),
    target("query", keys::query),
    target("request_directives", fields::request_directives),
    target("request_head", heads::request_head),
    target("response_head", heads::response_head),
    target("signature", documents::signature),
    target("targeted", fields::targeted),
    target("vary", fields::vary),
];
