use time::{Date, Month};
use warmfront_model::Timestamp;

const SECS_PER_DAY: i64 = 86_400;

/// Reads `20150830T123600Z`, the one form of `x-amz-date`. Nothing else is accepted.
///
/// Source: IAM User Guide, "Elements of an AWS API request signature", "Date".
pub(crate) fn parse_amz_date(text: &str) -> Option<Timestamp> {
    let bytes: &[u8; 16] = text.as_bytes().try_into().ok()?;
    if bytes[8] != b'T' || bytes[15] != b'Z' {
        return None;
    }
    let month = Month::try_from(u8::try_from(digits(&bytes[4..6])?).ok()?).ok()?;
    let day = u8::try_from(digits(&bytes[6..8])?).ok()?;
    let date = Date::from_calendar_date(i32::try_from(digits(&bytes[0..4])?).ok()?, month, day).ok()?;
    let (hour, minute, second) = (digits(&bytes[9..11])?, digits(&bytes[11..13])?, digits(&bytes[13..15])?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let day_starts = date.midnight().assume_utc().unix_timestamp();
    Some(Timestamp::from_unix_secs(
        day_starts + hour * 3600 + minute * 60 + second,
    ))
}

/// Reads the `Date` header, which stands in for a missing `x-amz-date`: HTTP's form, or the basic ISO form.
pub(crate) fn parse_date_header(text: &str) -> Option<Timestamp> {
    parse_amz_date(text).or_else(|| {
        let since_1970 = httpdate::parse_http_date(text)
            .ok()?
            .duration_since(std::time::UNIX_EPOCH)
            .ok()?;
        Some(Timestamp::from_unix_secs(i64::try_from(since_1970.as_secs()).ok()?))
    })
}

/// `20150830T123600Z`; `None` outside the years 0 to 9999, which no caller reaches with a real clock.
pub(crate) fn format_amz_date(moment: Timestamp) -> Option<String> {
    let secs = moment.unix_secs();
    let date = time::OffsetDateTime::from_unix_timestamp(secs)
        .ok()
        .filter(|date| (0..=9999).contains(&date.year()))?;
    let second_of_day = secs.rem_euclid(SECS_PER_DAY);
    Some(format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        second_of_day / 3600,
        second_of_day / 60 % 60,
        second_of_day % 60
    ))
}

fn digits(bytes: &[u8]) -> Option<i64> {
    bytes.iter().try_fold(0, |number, byte| {
        byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, unix_secs: Option<i64>) {
        assert_eq!(parse_date_header(text).map(Timestamp::unix_secs), unix_secs, "{text}");
    }

    #[test]
    fn reads_both_forms_and_nothing_else() {
        check("20150830T123600Z", Some(1_440_938_160));
        check("Sun, 30 Aug 2015 12:36:00 GMT", Some(1_440_938_160));
        check("20240229T000000Z", Some(1_709_164_800));
        for bad in [
            "",
            "20150830T123600",
            "20150830T123600z",
            "20150230T000000Z",
            "20151330T000000Z",
            "20150830T240000Z",
        ] {
            check(bad, None);
        }
        for bad in [
            "2015-08-30T12:36:00Z",
            "+0150830T123600Z",
            "20150830T126000Z",
            "２0150830T1236Z",
        ] {
            check(bad, None);
        }
    }

    #[test]
    fn writes_what_it_reads() {
        assert_eq!(
            format_amz_date(Timestamp(1_440_938_160_999)).as_deref(),
            Some("20150830T123600Z")
        );
        assert_eq!(format_amz_date(Timestamp(i64::MAX)), None);
    }
}
