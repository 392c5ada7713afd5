//! Code lists on the wire.

use serde::Serialize;
use utoipa::ToSchema;

/// A code list in the list of lists.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"name": "sectors", "title": "Toimialat", "path": "/v1/code-lists/sectors"}))]
pub struct CodeListSummaryView {
    /// Its name.
    #[schema(max_length = 60, pattern = "^[a-z-]+$")]
    pub name: &'static str,
    /// Its title in the language of the answer.
    #[schema(max_length = 200)]
    pub title: String,
    /// Where it can be read.
    #[schema(max_length = 100)]
    pub path: String,
}

/// A code list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"name": "sexes", "title": "Sukupuolet", "codes": [{"code": "female", "label": "Nainen"}, {"code": "male", "label": "Mies"}]}))]
pub struct CodeListView {
    /// Its name.
    #[schema(max_length = 60, pattern = "^[a-z-]+$")]
    pub name: &'static str,
    /// Its title in the language of the answer.
    #[schema(max_length = 200)]
    pub title: String,
    /// The codes, in the order in which a form shows them.
    #[schema(max_items = 200)]
    pub codes: Vec<CodeView>,
}

/// A code with its label.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"code": "female", "label": "Nainen"}))]
pub struct CodeView {
    /// The stable code.
    #[schema(max_length = 60, pattern = "^[a-z0-9_]+$")]
    pub code: &'static str,
    /// The label in the language of the answer.
    #[schema(max_length = 200)]
    pub label: String,
}
