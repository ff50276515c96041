//! The names of condition operators and what their parts mean.
//!
//! Source: IAM User Guide, "IAM JSON policy elements: Condition operators" and "Multivalued context keys".

use std::cmp::Ordering;

/// What a value of the request is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    StringEquals,
    StringEqualsIgnoreCase,
    StringLike,
    /// `ArnEquals` and `ArnLike` are the same.
    Arn,
    Numeric(Order),
    Date(Order),
    Bool,
    IpAddress,
}

/// The orders that satisfy a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Equals,
    LessThan,
    LessThanEquals,
    GreaterThan,
    GreaterThanEquals,
}

impl Order {
    /// `given` is how the request's value stands to the policy's.
    pub(crate) fn holds(self, given: Ordering) -> bool {
        match self {
            Order::Equals => given.is_eq(),
            Order::LessThan => given.is_lt(),
            Order::LessThanEquals => given.is_le(),
            Order::GreaterThan => given.is_gt(),
            Order::GreaterThanEquals => given.is_ge(),
        }
    }
}

/// For how many of a key's values the comparison must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantifier {
    /// No prefix: the key is expected to have one value.
    Single,
    ForAnyValue,
    ForAllValues,
}

/// A condition operator, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    /// Whether the key is absent.
    Null,
    Compare {
        quantifier: Quantifier,
        comparison: Comparison,
        negated: bool,
        if_exists: bool,
    },
}

impl Operator {
    /// `None` if AWS has no such operator.
    pub(crate) fn parse(name: &str) -> Option<Operator> {
        if name == "Null" {
            return Some(Operator::Null);
        }
        let (quantifier, rest) = match name.split_once(':') {
            None => (Quantifier::Single, name),
            Some(("ForAnyValue", rest)) => (Quantifier::ForAnyValue, rest),
            Some(("ForAllValues", rest)) => (Quantifier::ForAllValues, rest),
            Some(_) => return None,
        };
        let (base, if_exists) = match rest.strip_suffix("IfExists") {
            Some(base) => (base, true),
            None => (rest, false),
        };
        let (comparison, negated) = comparison(base)?;
        Some(Operator::Compare {
            quantifier,
            comparison,
            negated,
            if_exists,
        })
    }
}

fn comparison(base: &str) -> Option<(Comparison, bool)> {
    Some(match base {
        "StringEquals" => (Comparison::StringEquals, false),
        "StringNotEquals" => (Comparison::StringEquals, true),
        "StringEqualsIgnoreCase" => (Comparison::StringEqualsIgnoreCase, false),
        "StringNotEqualsIgnoreCase" => (Comparison::StringEqualsIgnoreCase, true),
        "StringLike" => (Comparison::StringLike, false),
        "StringNotLike" => (Comparison::StringLike, true),
        "ArnEquals" | "ArnLike" => (Comparison::Arn, false),
        "ArnNotEquals" | "ArnNotLike" => (Comparison::Arn, true),
        "Bool" => (Comparison::Bool, false),
        "IpAddress" => (Comparison::IpAddress, false),
        "NotIpAddress" => (Comparison::IpAddress, true),
        _ => {
            let (ordered, name): (fn(Order) -> Comparison, &str) = match base.strip_prefix("Numeric") {
                Some(name) => (Comparison::Numeric, name),
                None => (Comparison::Date, base.strip_prefix("Date")?),
            };
            let (order, negated) = match name {
                "Equals" => (Order::Equals, false),
                "NotEquals" => (Order::Equals, true),
                "LessThan" => (Order::LessThan, false),
                "LessThanEquals" => (Order::LessThanEquals, false),
                "GreaterThan" => (Order::GreaterThan, false),
                "GreaterThanEquals" => (Order::GreaterThanEquals, false),
                _ => return None,
            };
            (ordered(order), negated)
        }
    })
}
