/// A member's name as a field: `S3OriginConfig` is `s3_origin_config`, `WebACLId` is `web_acl_id`.
pub fn field(name: &str) -> String {
    match name {
        "ETag" => return "etag".to_owned(),
        "Type" => return "r#type".to_owned(),
        "Override" => return "r#override".to_owned(),
        _ => {}
    }
    let letters: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (at, &letter) in letters.iter().enumerate() {
        let after_small = at > 0 && !letters[at - 1].is_ascii_uppercase();
        let begins_word = at > 0 && letters.get(at + 1).is_some_and(char::is_ascii_lowercase);
        if letter.is_ascii_uppercase() && (after_small || begins_word) {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

/// An enum's value as a variant: `sni-only` is `SniOnly`, `GET` is `Get`, `TLSv1.2_2018` is `TLSv1_2_2018`.
pub fn variant(value: &str) -> String {
    let mut out = String::new();
    for word in value
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        let digits_meet = out.ends_with(|letter: char| letter.is_ascii_digit())
            && word.starts_with(|letter: char| letter.is_ascii_digit());
        if digits_meet {
            out.push('_');
        }
        let shouted = word.len() > 1 && word.chars().all(|letter| letter.is_ascii_uppercase());
        let rest = if shouted {
            word[1..].to_ascii_lowercase()
        } else {
            word[1..].to_owned()
        };
        out.push(word.as_bytes()[0].to_ascii_uppercase().into());
        out += &rest;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_the_words_of_the_member() {
        for (name, expected) in [
            ("Id", "id"),
            ("ARN", "arn"),
            ("ETag", "etag"),
            ("Type", "r#type"),
            ("MinTTL", "min_ttl"),
            ("HTTPSPort", "https_port"),
            ("WebACLId", "web_acl_id"),
            ("S3OriginConfig", "s3_origin_config"),
            ("IsIPV6Enabled", "is_ipv6_enabled"),
            ("LambdaFunctionARN", "lambda_function_arn"),
            ("AliasICPRecordals", "alias_icp_recordals"),
            ("SSLSupportMethod", "ssl_support_method"),
        ] {
            assert_eq!(field(name), expected);
        }
    }

    #[test]
    fn variants_are_the_words_of_the_value() {
        for (value, expected) in [
            ("none", "None"),
            ("GET", "Get"),
            ("sni-only", "SniOnly"),
            ("http1.1", "Http1_1"),
            ("http2and3", "Http2and3"),
            ("PriceClass_100", "PriceClass100"),
            ("TLSv1.2_2018", "TLSv1_2_2018"),
            ("allExcept", "AllExcept"),
        ] {
            assert_eq!(variant(value), expected);
        }
    }
}
