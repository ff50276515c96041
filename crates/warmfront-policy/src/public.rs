use std::net::IpAddr;

use crate::Policy;
use crate::condition::{Condition, Test};
use crate::operand::{Network, Operand};
use crate::operator::Quantifier;
use crate::statement::{Effect, Element, Statement};

#[cfg(test)]
mod tests;

/// A condition on one of these with fixed values narrows a statement enough.
const NARROWING_KEYS: [&str; 8] = [
    "aws:principalorgid",
    "aws:sourcearn",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourceowner",
    "aws:sourceaccount",
    "aws:userid",
    "s3:dataaccesspointaccount",
];
/// A larger network than this counts as everyone. AWS excepts the private networks, of which none is larger.
const IPV4_PREFIX_BITS_MIN: u8 = 8;
const IPV6_PREFIX_BITS_MIN: u8 = 32;

/// Whether S3's Block Public Access calls this bucket policy public: some Allow statement is open to more than fixed
/// principals, and no condition narrows it to fixed values.
///
/// A value is fixed if it has neither wildcards nor policy variables. `aws:userid` may not be `AROLEID:*`;
/// `s3:DataAccessPointArn` may have wildcards beside a fixed account; `aws:SourceIp` may not be wider than /8 (IPv4) or
/// /32 (IPv6). When in doubt (negated operators, `IfExists`, `ForAllValues`), a policy is public.
///
/// Source: Amazon S3 User Guide, "Blocking public access to your Amazon S3 storage", "The meaning of 'public'".
pub fn is_public(policy: &Policy) -> bool {
    policy.statements.iter().any(is_public_statement)
}

fn is_public_statement(statement: &Statement) -> bool {
    let is_for_fixed_principals = match &statement.principals {
        Some(Element::Named(principals)) => principals.is_fixed(),
        Some(Element::Not(_)) => false,
        None => true,
    };
    statement.effect == Effect::Allow && !is_for_fixed_principals && !statement.conditions.iter().any(narrows)
}

/// Whether only requests with one of some fixed values get past the condition.
fn narrows(condition: &Condition) -> bool {
    let Test::Compare {
        quantifier,
        negated: false,
        if_exists: false,
        operands,
    } = &condition.test
    else {
        return false;
    };
    if *quantifier == Quantifier::ForAllValues {
        return false;
    }
    match condition.key.as_str() {
        "aws:sourceip" => operands
            .iter()
            .all(|operand| matches!(operand, Operand::Network(network) if is_narrow(*network))),
        "s3:dataaccesspointarn" => operands.iter().all(has_fixed_account),
        key => NARROWING_KEYS.contains(&key) && operands.iter().all(is_fixed),
    }
}

fn is_fixed(operand: &Operand) -> bool {
    match operand {
        Operand::Text(pattern, _) => pattern.is_fixed(),
        Operand::Arn(Some(pattern)) => pattern.is_fixed(),
        _ => false,
    }
}

fn has_fixed_account(operand: &Operand) -> bool {
    match operand {
        Operand::Arn(Some(pattern)) => pattern.has_fixed_account(),
        Operand::Text(pattern, _) => pattern.has_fixed_account(),
        _ => false,
    }
}

fn is_narrow(network: Network) -> bool {
    match network.address {
        IpAddr::V4(_) => network.prefix_bits >= IPV4_PREFIX_BITS_MIN,
        IpAddr::V6(_) => network.prefix_bits >= IPV6_PREFIX_BITS_MIN,
    }
}
