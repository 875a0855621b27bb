//! The serde deserializer over the tree: it knows where every value came from, turns text of variables and flags into
//! what the type asks for, and notes which values are secrets.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::collections::btree_map;

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, Visitor,
};

use super::fault::Fault;
use super::origin::Origin;
use super::secret_source::SECRET_MARK;
use super::tree::{Node, Value, join};

/// Reads `node` as a `T`. The paths at which `T` asked for a secret are added to `secrets`.
pub(super) fn read<T: DeserializeOwned>(node: &Node, secrets: &mut BTreeSet<String>) -> Result<T, Fault> {
    let noted = RefCell::new(std::mem::take(secrets));
    let result = T::deserialize(Reader {
        node,
        path: String::new(),
        secrets: &noted,
    });
    *secrets = noted.into_inner();
    result
}

struct Reader<'n> {
    node: &'n Node,
    path: String,
    secrets: &'n RefCell<BTreeSet<String>>,
}

impl<'n> Reader<'n> {
    /// Runs a visitor and, when it fails, says where.
    fn visit<T>(self, visit: impl FnOnce(Self) -> Result<T, Fault>) -> Result<T, Fault> {
        let (path, origin) = (self.path.clone(), &self.node.origin);
        visit(self).map_err(|fault| fault.at(&path, origin))
    }

    fn any<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.node.value {
            Value::Table(entries) => visitor.visit_map(Entries {
                left: entries.iter(),
                next: None,
                path: self.path,
                secrets: self.secrets,
            }),
            Value::List(items) => visitor.visit_seq(Items {
                left: items.iter().enumerate(),
                path: self.path,
                secrets: self.secrets,
            }),
            Value::Text(text) | Value::Typed(text) => visitor.visit_str(text),
            Value::Integer(number) => visitor.visit_i64(*number),
            Value::Float(number) => visitor.visit_f64(*number),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Date => Err(Fault::invalid_type(Unexpected::Other("a date or time"), &visitor)),
        }
    }

    /// The text of a variable or flag, to be read as a number or a boolean.
    fn typed(&self) -> Option<&'n str> {
        match &self.node.value {
            Value::Typed(text) => Some(text.trim()),
            _ => None,
        }
    }
}

/// What a variable or flag held when it was not what the setting needs; the text itself may be a secret gone astray.
const OTHER_TEXT: Unexpected<'static> = Unexpected::Other("some other text");

/// Numbers: the text of a variable or flag is parsed here.
macro_rules! number {
    ($($method:ident $visit:ident $type:ty,)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            self.visit(|reader| match reader.typed().map(str::parse::<$type>) {
                Some(Ok(number)) => visitor.$visit(number),
                Some(Err(_)) => Err(Fault::invalid_type(OTHER_TEXT, &visitor)),
                None => reader.any(visitor),
            })
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.visit(|reader| reader.any(visitor))
    }

    number! {
        deserialize_i8 visit_i64 i64,
        deserialize_i16 visit_i64 i64,
        deserialize_i32 visit_i64 i64,
        deserialize_i64 visit_i64 i64,
        deserialize_u8 visit_u64 u64,
        deserialize_u16 visit_u64 u64,
        deserialize_u32 visit_u64 u64,
        deserialize_u64 visit_u64 u64,
        deserialize_f32 visit_f64 f64,
        deserialize_f64 visit_f64 f64,
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.visit(
            |reader| match reader.typed().map(str::to_ascii_lowercase).as_deref() {
                Some("true" | "1" | "yes" | "on") => visitor.visit_bool(true),
                Some("false" | "0" | "no" | "off") => visitor.visit_bool(false),
                _ => reader.any(visitor),
            },
        )
    }

    /// A variable or flag gives a list as items with commas between them.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.visit(|reader| match reader.typed() {
            Some(text) => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                visitor.visit_seq(de::value::SeqDeserializer::new(items))
            }
            None => reader.any(visitor),
        })
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        if name == SECRET_MARK {
            self.secrets.borrow_mut().insert(self.path.clone());
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.visit(|reader| match &reader.node.value {
            Value::Text(text) | Value::Typed(text) => {
                let name: StrDeserializer<'_, Fault> = text.trim().into_deserializer();
                visitor.visit_enum(name)
            }
            _ => reader.any(visitor),
        })
    }

    serde::forward_to_deserialize_any! {
        i128 u128 char str string bytes byte_buf unit unit_struct tuple tuple_struct map struct identifier ignored_any
    }
}

struct Entries<'n> {
    left: btree_map::Iter<'n, String, Node>,
    next: Option<(&'n str, &'n Node)>,
    path: String,
    secrets: &'n RefCell<BTreeSet<String>>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        let Some((key, node)) = self.left.next() else {
            return Ok(None);
        };
        self.next = Some((key, node));
        let name: StrDeserializer<'_, Fault> = key.as_str().into_deserializer();
        seed.deserialize(name)
            .map(Some)
            .map_err(|fault| fault.at(&self.path, &node.origin))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        let (key, node) = self.next.take().ok_or_else(|| {
            Fault::custom("a value was asked for before its key").at(&self.path, &Origin::Default)
        })?;
        seed.deserialize(Reader {
            node,
            path: join(&self.path, key),
            secrets: self.secrets,
        })
    }
}

struct Items<'n> {
    left: std::iter::Enumerate<std::slice::Iter<'n, Node>>,
    path: String,
    secrets: &'n RefCell<BTreeSet<String>>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        let Some((index, node)) = self.left.next() else {
            return Ok(None);
        };
        seed.deserialize(Reader {
            node,
            path: format!("{}[{index}]", self.path),
            secrets: self.secrets,
        })
        .map(Some)
    }
}
