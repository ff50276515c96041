use std::fmt;

use serde::Deserialize;
use serde::de::{Error, MapAccess, SeqAccess, Visitor};

use crate::PolicyError;

/// JSON that keeps the order of members and refuses one that comes twice: of two conditions none may get lost.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    pub(crate) fn into_object(self, member: &str) -> Result<Vec<(String, Json)>, PolicyError> {
        match self {
            Json::Object(members) => Ok(members),
            _ => Err(wrong_type(member, "an object")),
        }
    }

    pub(crate) fn into_text(self, member: &str) -> Result<String, PolicyError> {
        match self {
            Json::Text(text) => Ok(text),
            _ => Err(wrong_type(member, "a string")),
        }
    }

    /// One string, or a list of at least one.
    pub(crate) fn into_texts(self, member: &str) -> Result<Vec<String>, PolicyError> {
        self.into_list(member)?
            .into_iter()
            .map(|item| item.into_text(member))
            .collect()
    }

    /// As [`Json::into_texts`], with booleans and numbers as they are written.
    pub(crate) fn into_scalars(self, member: &str) -> Result<Vec<String>, PolicyError> {
        let scalar = |item| match item {
            Json::Bool(value) => Ok(value.to_string()),
            Json::Number(text) | Json::Text(text) => Ok(text),
            _ => Err(wrong_type(member, "a string, number or boolean, or a list of them")),
        };
        self.into_list(member)?.into_iter().map(scalar).collect()
    }

    fn into_list(self, member: &str) -> Result<Vec<Json>, PolicyError> {
        match self {
            Json::List(items) if items.is_empty() => Err(wrong_type(member, "a list that is not empty")),
            Json::List(items) => Ok(items),
            single => Ok(vec![single]),
        }
    }
}

fn wrong_type(member: &str, wanted: &'static str) -> PolicyError {
    PolicyError::WrongType {
        member: member.to_owned(),
        wanted,
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Number(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut object: Vec<(String, Json)> = Vec::new();
        let mut names = std::collections::BTreeSet::new();
        while let Some((name, value)) = members.next_entry::<String, Json>()? {
            if !names.insert(name.clone()) {
                return Err(A::Error::custom(format_args!("the member {name:?} comes twice")));
            }
            object.push((name, value));
        }
        Ok(Json::Object(object))
    }
}
