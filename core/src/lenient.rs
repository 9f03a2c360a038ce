//! Reading what others wrote without giving up the whole for a part: an alert with one
//! odd value still warns.
//!
//! For fields that may hold anything, with `#[serde(deserialize_with = …)]`. What is not
//! of the expected form is left out; nothing here fails but on text that is no JSON.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A value, or something else in its place.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Lenient<T> {
    /// It had the form.
    Is(T),
    /// It had not; passed over.
    IsNot(IgnoredAny),
}

impl<T> Lenient<T> {
    pub(crate) fn known(self) -> Option<T> {
        match self {
            Self::Is(value) => Some(value),
            Self::IsNot(_) => None,
        }
    }
}

/// The value; its default in place of anything else.
pub(crate) fn or_default<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    Ok(Lenient::deserialize(from)?.known().unwrap_or_default())
}

/// The elements of a list that have the form; none of what is no list.
pub(crate) fn list<'de, D, T>(from: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let mut list = Vec::new();
    each(from, |element: Lenient<T>| list.extend(element.known()))?;
    Ok(list)
}

/// Each element of a list, as it is read; none of what is no list.
pub(crate) fn each<'de, D, T>(from: D, take: impl FnMut(T)) -> Result<(), D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    from.deserialize_any(Each {
        take,
        element: PhantomData,
    })
}

struct Each<T, F> {
    take: F,
    element: PhantomData<T>,
}

/// A value that is no list.
macro_rules! no_list {
    ($($visit:ident: $value:ty),+) => {$(
        fn $visit<E>(self, _: $value) -> Result<(), E> {
            Ok(())
        }
    )+};
}

impl<'de, T: Deserialize<'de>, F: FnMut(T)> Visitor<'de> for Each<T, F> {
    type Value = ();

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("any JSON")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        while let Some(element) = list.next_element()? {
            (self.take)(element);
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    no_list!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Holder {
        #[serde(default, deserialize_with = "list")]
        codes: Vec<String>,
    }

    #[test]
    fn what_has_the_form_is_kept_whatever_stands_beside_it() {
        for (given, kept) in [
            (
                r#"{"codes":["TR",1,null,{"a":[1]},["GR"],"GE"]}"#,
                &["TR", "GE"][..],
            ),
            (r#"{"codes":[]}"#, &[]),
            (r#"{}"#, &[]),
            (r#"{"codes":null}"#, &[]),
            (r#"{"codes":"TR"}"#, &[]),
            (r#"{"codes":{"TR":{"GR":1}}}"#, &[]),
            (r#"{"codes":1.5}"#, &[]),
            (r#"{"codes":-1}"#, &[]),
            (r#"{"codes":true}"#, &[]),
        ] {
            let read: Holder = serde_json::from_str(given).unwrap();
            assert_eq!(read.codes, kept, "{given}");
        }
        assert!(serde_json::from_str::<Holder>(r#"{"codes":["TR""#).is_err());
    }
}
