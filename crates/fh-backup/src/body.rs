//! What the encrypted part of a set says: everything a restore needs to know about each database.

use fh_repository::SegmentRef;
use serde::{Deserialize, Serialize};

use crate::config_files::ConfigFile;
use crate::files::Tree;
use crate::globals::Globals;
use crate::leaving::Leaving;
use crate::proof::Proof;
use crate::redis_keys::RedisPart;

/// The body of a set file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// The databases, in the order in which they were taken.
    pub databases: Vec<Database>,
    /// Roles and what belongs to them; absent in sets of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub globals: Option<Globals>,
    /// File trees.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<Tree>,
    /// Configuration files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub config_files: Vec<ConfigFile>,
    /// Redis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redis: Option<RedisPart>,
}

/// One database as it was at its snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
    /// Its name.
    pub name: String,
    /// `server_version_num` of the server it came from, for example 150018.
    pub server_version: u32,
    /// When the snapshot was taken, by the server's clock.
    pub snapshot_at: jiff::Timestamp,
    /// Encoding and locale, for the database that a restore makes.
    pub properties: Properties,
    /// `pg_dump`'s head and table of contents, byte for byte but for the creation time in the head.
    pub toc: Vec<SegmentRef>,
    /// Version text of the `pg_dump` that wrote the table of contents.
    pub pg_dump: String,
    /// Extensions with their versions: a restore needs them on the target server.
    pub extensions: Vec<Extension>,
    /// Every role that something in the database belongs to or is granted to.
    pub roles: Vec<String>,
    /// `ALTER DATABASE … SET` and `ALTER ROLE … IN DATABASE … SET`, which `pg_restore` leaves out unless it makes the
    /// database itself.
    pub settings: Vec<Setting>,
    /// The tables with rows, in the order of the table of contents.
    pub tables: Vec<Table>,
    /// Large objects as rows of (oid, offset, bytes).
    pub large_objects: Option<Data>,
    /// What `RESTORE.md` leads to.
    #[serde(default)]
    pub leaving: Option<Leaving>,
}

/// What `CREATE DATABASE` would need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Properties {
    /// Server encoding, for example `UTF8`.
    pub encoding: String,
    /// `LC_COLLATE`.
    pub collate: String,
    /// `LC_CTYPE`.
    pub ctype: String,
    /// Who provides the locale: `c` (the operating system's library), `i` (ICU) or `b` (built in). Absent before
    /// PostgreSQL 15.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Locale of ICU or of the built-in provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// Additional rules of ICU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icu_rules: Option<String>,
    /// Version of the provider's collations when the database was made or refreshed; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collation_version: Option<String>,
    /// Owner of the database.
    pub owner: String,
    /// `COMMENT ON DATABASE`.
    pub comment: Option<String>,
    /// Privileges on the database; `None` when they were never changed from the built-in ones.
    pub grants: Option<Vec<Grant>>,
}

/// One privilege on the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The role; `None` means PUBLIC.
    pub role: Option<String>,
    /// `CONNECT`, `CREATE` or `TEMPORARY`.
    pub privilege: String,
    /// `WITH GRANT OPTION`.
    pub grantable: bool,
}

/// An installed extension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extension {
    /// Its name.
    pub name: String,
    /// The installed version.
    pub version: String,
}

/// One setting of `pg_db_role_setting`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// The role it is for; `None` means every role in this database.
    pub role: Option<String>,
    /// Name of the parameter.
    pub name: String,
    /// Its value, as stored.
    pub value: String,
}

/// One table with its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Schema, without quotes.
    pub schema: String,
    /// Name, without quotes.
    pub name: String,
    /// Number of its `TABLE DATA` entry in the table of contents, which holds the `COPY … FROM stdin` to load it with.
    pub dump_id: i64,
    /// Its columns, without generated ones. None in sets of early versions: they cannot be restored anonymised.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<Column>,
    /// The rows.
    #[serde(flatten)]
    pub data: Data,
}

impl Table {
    /// `schema.name`, for messages.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }
}

/// A column, as far as rules for its values depend on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name, without quotes.
    pub name: String,
    /// Its type, for example `public.address` or `character varying(20)`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The type below the domain, when `type` is one; absent when it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// `typcategory` of the base type: `S` for texts, `N` for numbers, and so on (PostgreSQL manual, 53.64).
    pub category: String,
    /// Whether NULL is refused.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_null: bool,
}

/// Rows as COPY text, in segments.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Data {
    /// Row count and content hash.
    #[serde(flatten)]
    pub proof: Proof,
    /// Bytes of COPY text.
    pub bytes: u64,
    /// The segments, in order. None for an empty table.
    pub segments: Vec<SegmentRef>,
}
