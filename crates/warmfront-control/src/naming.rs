//! Names that are drawn at random.

use rand::RngExt;
use warmfront_facts::View;
use warmfront_model::DistributionId;

const LETTERS: &[u8; 36] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

fn random_letters(n_letters: usize) -> String {
    let mut rng = rand::rng();
    (0..n_letters)
        .map(|_| char::from(LETTERS[rng.random_range(0..LETTERS.len())]))
        .collect()
}

/// An Id that no distribution in `view` has. 67 random bits, so one is never drawn again after deletion either.
pub(crate) fn distribution_id(view: &View) -> DistributionId {
    loop {
        if let Ok(id) = DistributionId::parse(&format!("E{}", random_letters(13)))
            && view.distribution(&id).is_none()
        {
            return id;
        }
    }
}

/// `d`, 13 lower-case letters or digits, `.cloudfront.net`.
pub(crate) fn domain_name() -> String {
    format!("d{}.cloudfront.net", random_letters(13).to_ascii_lowercase())
}

/// An Id that no origin access control in `view` has.
pub(crate) fn origin_access_control_id(view: &View) -> String {
    loop {
        let id = format!("E{}", random_letters(13));
        if view.origin_access_control(&id).is_none() {
            return id;
        }
    }
}

/// An Id for a request.
pub(crate) fn request_id() -> String {
    uuid()
}

/// An Id for a policy. 122 random bits, so one is never drawn twice.
pub(crate) fn policy_id() -> String {
    uuid()
}

/// A UUID of version 4.
///
/// Source: RFC 9562 section 5.4.
fn uuid() -> String {
    let random: u128 = rand::random();
    let uuid = random & !(0xf << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let hex = format!("{uuid:032x}");
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_look_like_cloudfronts() {
        let view = View::default();
        assert_eq!(distribution_id(&view).as_str().len(), 14);
        assert_ne!(distribution_id(&view), distribution_id(&view));
        let domain_name = domain_name();
        let label = domain_name.strip_suffix(".cloudfront.net").unwrap();
        assert!(label.len() == 14 && label.starts_with('d'));
        assert!(
            label
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        );
    }

    #[test]
    fn request_ids_are_uuids_of_version_4() {
        for _ in 0..100 {
            let id = request_id();
            assert_eq!(id.len(), 36);
            assert_eq!(&id[14..15], "4");
            assert!(matches!(&id[19..20], "8" | "9" | "a" | "b"), "{id}");
        }
    }
}
