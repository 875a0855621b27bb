//! One entry of the table of contents.

/// Which of the three passes of a restore an entry belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// Comments, ACLs and the like, which go with the entry they depend on.
    None,
    /// Definitions that must be there before rows can be loaded.
    PreData,
    /// Rows, large objects, sequence values.
    Data,
    /// Indexes, constraints, triggers, and whatever is cheaper or safer after the rows.
    PostData,
}

/// A definition or a body of data. Text fields are as `pg_dump` wrote them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The archive's own number of the entry.
    pub dump_id: i64,
    /// Whether the entry has data in the archive.
    pub has_data: bool,
    /// OID of the catalogue the object lives in, as text.
    pub catalog_oid: Option<String>,
    /// OID of the object, as text.
    pub oid: Option<String>,
    /// The object's name, without quotes.
    pub tag: Option<String>,
    /// The kind of object: `TABLE`, `TABLE DATA`, `SEQUENCE SET`, ….
    pub kind: String,
    /// The pass of the restore.
    pub section: Section,
    /// The statement that makes it.
    pub definition: Option<String>,
    /// The statement that drops it.
    pub drop: Option<String>,
    /// For `TABLE DATA`: `COPY schema.table (columns) FROM stdin;`
    pub copy: Option<String>,
    /// Schema, without quotes.
    pub namespace: Option<String>,
    /// Tablespace; empty for the default.
    pub tablespace: Option<String>,
    /// Table access method.
    pub access_method: Option<String>,
    /// Relation kind (archive 1.16 on), zero otherwise.
    pub relation_kind: i64,
    /// Owner, without quotes.
    pub owner: Option<String>,
    /// `true` or `false`: rows with OIDs, which no supported server has.
    pub with_oids: Option<String>,
    /// Numbers of the entries this one depends on, as text.
    pub dependencies: Vec<String>,
}

impl Entry {
    /// `schema.name` for messages.
    #[must_use]
    pub fn label(&self) -> String {
        let name = self.tag.as_deref().unwrap_or("(unnamed)");
        match self.namespace.as_deref() {
            Some(schema) if !schema.is_empty() => format!("{schema}.{name}"),
            _ => name.to_owned(),
        }
    }
}
