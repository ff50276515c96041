use std::net::IpAddr;

use crate::operator::{Comparison, Order};
use crate::pattern::{ArnPattern, Case, Pattern, Signs};
use crate::{Context, PolicyError};

/// A value in a condition, read for its comparison.
#[derive(Clone, Debug)]
pub(crate) enum Operand {
    Text(Pattern, Case),
    /// `None`: no ARN, so it matches nothing.
    Arn(Option<ArnPattern>),
    Number(Order, f64),
    /// In microseconds since 1970.
    Moment(Order, i128),
    Bool(bool),
    Network(Network),
}

/// An address and how many of its leading bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    pub address: IpAddr,
    pub prefix_bits: u8,
}

impl Operand {
    /// `None` if the comparison cannot have such a value.
    pub(crate) fn parse(text: &str, comparison: Comparison, variables: bool) -> Result<Option<Operand>, PolicyError> {
        let plain = Signs {
            wildcards: false,
            variables,
        };
        Ok(match comparison {
            Comparison::StringEquals => Some(Operand::Text(Pattern::parse(text, plain)?, Case::Sensitive)),
            Comparison::StringEqualsIgnoreCase => Some(Operand::Text(Pattern::parse(text, plain)?, Case::Ignored)),
            Comparison::StringLike => {
                let signs = Signs {
                    wildcards: true,
                    variables,
                };
                Some(Operand::Text(Pattern::parse(text, signs)?, Case::Sensitive))
            }
            Comparison::Arn => Some(Operand::Arn(ArnPattern::parse(text, variables)?)),
            Comparison::Numeric(order) => parse_number(text).map(|number| Operand::Number(order, number)),
            Comparison::Date(order) => parse_moment(text).map(|moment| Operand::Moment(order, moment)),
            Comparison::Bool => parse_bool(text).map(Operand::Bool),
            Comparison::IpAddress => Network::parse(text).map(Operand::Network),
        })
    }

    /// Whether the request's value is as the operand wants it. A value that cannot be read is not.
    pub(crate) fn matches(&self, given: &str, context: &Context) -> bool {
        match self {
            Operand::Text(pattern, case) => pattern.matches(given, *case, context),
            Operand::Arn(pattern) => pattern.as_ref().is_some_and(|pattern| pattern.matches(given, context)),
            Operand::Number(order, number) => parse_number(given)
                .and_then(|given| given.partial_cmp(number))
                .is_some_and(|ordering| order.holds(ordering)),
            Operand::Moment(order, moment) => parse_moment(given).is_some_and(|given| order.holds(given.cmp(moment))),
            Operand::Bool(wanted) => parse_bool(given) == Some(*wanted),
            Operand::Network(network) => given.parse().is_ok_and(|address| network.contains(address)),
        }
    }
}

impl Network {
    /// `203.0.113.0/24`, `2001:db8::/32`, or a single address.
    fn parse(text: &str) -> Option<Network> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let bits_max = if address.is_ipv4() { 32 } else { 128 };
        let prefix_bits = match prefix {
            Some(digits) => digits.parse().ok().filter(|bits| *bits <= bits_max)?,
            None => bits_max,
        };
        Some(Network { address, prefix_bits })
    }

    pub(crate) fn contains(self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let shift = 32 - u32::from(self.prefix_bits);
                network.to_bits().checked_shr(shift) == address.to_bits().checked_shr(shift)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let shift = 128 - u32::from(self.prefix_bits);
                network.to_bits().checked_shr(shift) == address.to_bits().checked_shr(shift)
            }
            _ => false,
        }
    }
}

fn parse_bool(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn parse_number(text: &str) -> Option<f64> {
    let is_decimal = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+'));
    if is_decimal { text.parse().ok() } else { None }
}

/// An ISO 8601 date, with or without a time of day, or seconds since 1970.
fn parse_moment(text: &str) -> Option<i128> {
    if let Ok(secs) = text.parse::<i64>() {
        return Some(i128::from(secs) * 1_000_000);
    }
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Some(i128::from(moment.as_microsecond()));
    }
    let date: jiff::civil::Date = text.parse().ok().filter(|_| text.len() == 10)?;
    let midnight = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(i128::from(midnight.timestamp().as_microsecond()))
}
