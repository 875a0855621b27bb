//! What people see beside the checks: tables, facts, text. Machines read [`super::Report::data`] instead.

/// On which side the cells of a column stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Align {
    /// Words.
    #[default]
    Left,
    /// Numbers.
    Right,
}

/// A column's heading and alignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The heading.
    pub name: String,
    /// The side its cells stand on.
    pub align: Align,
}

/// A table of texts.
///
/// ```
/// use fh_core::report::Table;
/// let table = Table::new("Tables").left("table").right("rows").row(["users", "1,204"]);
/// assert_eq!(table.columns.len(), table.rows[0].len());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The line above it; empty for none.
    pub title: String,
    /// The columns, in order.
    pub columns: Vec<Column>,
    /// The rows; a cell beyond the last column is not shown, a missing one is empty.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without columns yet.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            columns: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// Adds a column of words.
    #[must_use]
    pub fn left(mut self, name: impl Into<String>) -> Self {
        self.columns.push(Column {
            name: name.into(),
            align: Align::Left,
        });
        self
    }

    /// Adds a column of numbers.
    #[must_use]
    pub fn right(mut self, name: impl Into<String>) -> Self {
        self.columns.push(Column {
            name: name.into(),
            align: Align::Right,
        });
        self
    }

    /// Adds a row.
    #[must_use]
    pub fn row<S: Into<String>>(mut self, cells: impl IntoIterator<Item = S>) -> Self {
        self.push(cells);
        self
    }

    /// Adds a row in a loop.
    pub fn push<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }
}

/// A block of a report for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Section {
    /// A table.
    Table(Table),
    /// Names and values, one pair a line.
    Facts {
        /// The line above; empty for none.
        title: String,
        /// The pairs, in order.
        pairs: Vec<(String, String)>,
    },
    /// A paragraph, shown as it is.
    Text(String),
}

impl Section {
    /// Facts from pairs.
    pub fn facts<K: Into<String>, V: Into<String>>(
        title: impl Into<String>,
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        Self::Facts {
            title: title.into(),
            pairs: pairs
                .into_iter()
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
        }
    }
}

impl From<Table> for Section {
    fn from(table: Table) -> Self {
        Self::Table(table)
    }
}
