use crate::condition::Condition;
use crate::document::{PolicyKind, Version};
use crate::evaluate::Request;
use crate::json::Json;
use crate::pattern::{ArnPattern, Case, Pattern, Signs};
use crate::principal::{Named, Principals};
use crate::{Context, PolicyError};

const MEMBERS: &str = "Sid, Effect, Principal, NotPrincipal, Action, NotAction, Resource, NotResource and Condition";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Allow,
    Deny,
}

/// An element, or its `Not` form, which holds for all that it does not name.
#[derive(Clone, Debug)]
pub(crate) enum Element<T> {
    Named(T),
    Not(T),
}

#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub sid: Option<String>,
    pub effect: Effect,
    /// `None` in an identity policy.
    pub principals: Option<Element<Principals>>,
    actions: Element<Vec<Pattern>>,
    resources: Element<Vec<ArnPattern>>,
    pub conditions: Vec<Condition>,
    pub action_texts: Vec<String>,
    pub resource_texts: Vec<String>,
}

impl Statement {
    pub(crate) fn parse(json: Json, version: Version, kind: PolicyKind) -> Result<Statement, PolicyError> {
        let mut members = Members::read(json)?;
        let variables = version == Version::V2012;
        let actions = members
            .pair("Action", "NotAction")?
            .ok_or(missing("Action or NotAction"))?;
        let action_texts = actions.clone().into_inner().into_texts("Action")?;
        let resources = members
            .pair("Resource", "NotResource")?
            .ok_or(missing("Resource or NotResource"))?;
        let resource_texts = resources.clone().into_inner().into_texts("Resource")?;
        let principals = members.pair("Principal", "NotPrincipal")?;
        match (kind, &principals) {
            (PolicyKind::Bucket, None) => return Err(missing("Principal or NotPrincipal")),
            (PolicyKind::Identity, Some(_)) => return Err(PolicyError::PrincipalNotAllowed),
            _ => {}
        }
        Ok(Statement {
            sid: members.take("Sid").map(|sid| sid.into_text("Sid")).transpose()?,
            effect: read_effect(members.take("Effect").ok_or(missing("Effect"))?)?,
            principals: principals
                .map(|element| element.try_map(Principals::parse))
                .transpose()?,
            actions: actions.try_map(|_| action_texts.iter().map(|text| read_action(text)).collect())?,
            resources: resources.try_map(|_| {
                resource_texts
                    .iter()
                    .map(|text| read_resource(text, variables))
                    .collect()
            })?,
            conditions: match members.take("Condition") {
                Some(json) => Condition::parse_all(json, variables)?,
                None => Vec::new(),
            },
            action_texts,
            resource_texts,
        })
    }

    /// Whether the statement speaks of this request, and how it names who asks. In an identity policy it names its
    /// owner, who asks.
    pub(crate) fn applies(&self, request: &Request<'_>) -> Named {
        let named = match &self.principals {
            None => Named::Directly,
            Some(Element::Named(principals)) => principals.name(request.principal),
            // Someone excepted by account only is not excepted: the account has to be named beside its users.
            Some(Element::Not(principals)) if principals.name(request.principal) == Named::Directly => Named::No,
            Some(Element::Not(_)) => Named::Directly,
        };
        let applies = named != Named::No
            && self
                .actions
                .holds(|patterns| patterns.iter().any(|pattern| matches_action(pattern, request.action)))
            && self.resources.holds(|patterns| {
                patterns
                    .iter()
                    .any(|pattern| pattern.matches(request.resource, request.context))
            })
            && self.conditions.iter().all(|condition| condition.holds(request.context));
        if applies { named } else { Named::No }
    }
}

impl<T> Element<T> {
    fn holds(&self, names: impl Fn(&T) -> bool) -> bool {
        match self {
            Element::Named(value) => names(value),
            Element::Not(value) => !names(value),
        }
    }

    fn try_map<U, E>(self, read: impl FnOnce(T) -> Result<U, E>) -> Result<Element<U>, E> {
        match self {
            Element::Named(value) => read(value).map(Element::Named),
            Element::Not(value) => read(value).map(Element::Not),
        }
    }

    fn into_inner(self) -> T {
        match self {
            Element::Named(value) | Element::Not(value) => value,
        }
    }
}

struct Members(Vec<(String, Json)>);

impl Members {
    fn read(json: Json) -> Result<Members, PolicyError> {
        let members = json.into_object("Statement")?;
        let is_known = |name: &str| MEMBERS.split([',', ' ']).any(|member| member == name) && name != "and";
        match members.iter().find(|(name, _)| !is_known(name)) {
            Some((name, _)) => {
                let (place, name) = ("the statement", name.clone());
                Err(PolicyError::UnknownMember {
                    place,
                    name,
                    allowed: MEMBERS,
                })
            }
            None => Ok(Members(members)),
        }
    }

    fn take(&mut self, name: &str) -> Option<Json> {
        let index = self.0.iter().position(|(member, _)| member == name)?;
        Some(self.0.swap_remove(index).1)
    }

    fn pair(&mut self, name: &'static str, not_name: &str) -> Result<Option<Element<Json>>, PolicyError> {
        match (self.take(name), self.take(not_name)) {
            (Some(_), Some(_)) => Err(PolicyError::BothMembers(name)),
            (Some(value), None) => Ok(Some(Element::Named(value))),
            (None, Some(value)) => Ok(Some(Element::Not(value))),
            (None, None) => Ok(None),
        }
    }
}

fn missing(member: &'static str) -> PolicyError {
    PolicyError::MissingMember {
        place: "each statement",
        member,
    }
}

fn read_effect(value: Json) -> Result<Effect, PolicyError> {
    match value.into_text("Effect")?.as_str() {
        "Allow" => Ok(Effect::Allow),
        "Deny" => Ok(Effect::Deny),
        other => Err(PolicyError::UnknownEffect(other.to_owned())),
    }
}

fn read_action(text: &str) -> Result<Pattern, PolicyError> {
    let well_formed = text == "*"
        || text
            .split_once(':')
            .is_some_and(|(service, name)| !service.is_empty() && !name.is_empty());
    if !well_formed {
        return Err(PolicyError::InvalidAction(text.to_owned()));
    }
    Pattern::parse(
        text,
        Signs {
            wildcards: true,
            variables: false,
        },
    )
}

fn read_resource(text: &str, variables: bool) -> Result<ArnPattern, PolicyError> {
    let is_arn = text == "*" || text.starts_with("arn:");
    ArnPattern::parse(text, variables)?
        .filter(|_| is_arn)
        .ok_or_else(|| PolicyError::InvalidResource(text.to_owned()))
}

fn matches_action(pattern: &Pattern, action: &str) -> bool {
    pattern.matches(action, Case::Ignored, &Context::new())
}
