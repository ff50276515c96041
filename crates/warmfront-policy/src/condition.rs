use crate::json::Json;
use crate::operand::Operand;
use crate::operator::{Operator, Quantifier};
use crate::{Context, PolicyError};

#[cfg(test)]
mod tests;

/// One key under one operator, with the values it is compared with.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    /// In lower case.
    pub key: String,
    pub test: Test,
}

#[derive(Clone, Debug)]
pub(crate) enum Test {
    /// The key must be absent, or must be there.
    Null { absent: bool },
    Compare {
        quantifier: Quantifier,
        negated: bool,
        if_exists: bool,
        operands: Vec<Operand>,
    },
}

impl Condition {
    /// Reads a Condition element: operators, keys under each, values under each key. All must hold.
    pub(crate) fn parse_all(json: Json, variables: bool) -> Result<Vec<Condition>, PolicyError> {
        let mut conditions = Vec::new();
        for (name, keys) in json.into_object("Condition")? {
            let operator = Operator::parse(&name).ok_or_else(|| PolicyError::UnknownOperator(name.clone()))?;
            for (key, values) in keys.into_object(&name)? {
                let values = values.into_scalars(&key)?;
                let test = Test::parse(&name, operator, &values, variables)?;
                conditions.push(Condition {
                    key: key.to_ascii_lowercase(),
                    test,
                });
            }
        }
        Ok(conditions)
    }

    pub(crate) fn holds(&self, context: &Context) -> bool {
        let given = context.get(&self.key);
        let (quantifier, negated, if_exists, operands) = match &self.test {
            Test::Null { absent } => return given.is_none() == *absent,
            Test::Compare {
                quantifier,
                negated,
                if_exists,
                operands,
            } => (quantifier, *negated, *if_exists, operands),
        };
        let Some(given) = given else {
            // A key that is absent satisfies IfExists and ForAllValues, and what only forbids values.
            return if_exists
                || match quantifier {
                    Quantifier::Single => negated,
                    Quantifier::ForAllValues => true,
                    Quantifier::ForAnyValue => false,
                };
        };
        let is_listed = |value: &String| operands.iter().any(|operand| operand.matches(value, context));
        match quantifier {
            Quantifier::Single => given.iter().any(is_listed) != negated,
            Quantifier::ForAnyValue => given.iter().any(|value| is_listed(value) != negated),
            Quantifier::ForAllValues => given.iter().all(|value| is_listed(value) != negated),
        }
    }
}

impl Test {
    fn parse(name: &str, operator: Operator, values: &[String], variables: bool) -> Result<Test, PolicyError> {
        let invalid = |value: &str| PolicyError::InvalidOperand {
            operator: name.to_owned(),
            value: value.to_owned(),
        };
        match operator {
            Operator::Null => match values {
                [value] if value.eq_ignore_ascii_case("true") => Ok(Test::Null { absent: true }),
                [value] if value.eq_ignore_ascii_case("false") => Ok(Test::Null { absent: false }),
                _ => Err(invalid(&values.join(", "))),
            },
            Operator::Compare {
                quantifier,
                comparison,
                negated,
                if_exists,
            } => {
                let mut operands = Vec::with_capacity(values.len());
                for value in values {
                    operands.push(Operand::parse(value, comparison, variables)?.ok_or_else(|| invalid(value))?);
                }
                Ok(Test::Compare {
                    quantifier,
                    negated,
                    if_exists,
                    operands,
                })
            }
        }
    }
}
