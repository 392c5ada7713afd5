//! Municipalities on the wire.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A municipality.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"code": "758", "name": "Sodankylä", "wellbeing_county": "21"}))]
pub struct MunicipalityView {
    /// The code of Statistics Finland.
    #[schema(min_length = 3, max_length = 3, pattern = "^[0-9]{3}$")]
    pub code: &'static str,
    /// The name in the language of the answer; the Finnish one where there is no other.
    #[schema(max_length = 100)]
    pub name: &'static str,
    /// The code of the wellbeing county.
    #[schema(min_length = 2, max_length = 2, pattern = "^[0-9]{2}$")]
    pub wellbeing_county: &'static str,
}

/// Which municipalities.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MunicipalityQuery {
    /// Only those of one wellbeing county.
    #[param(min_length = 2, max_length = 2, pattern = "^[0-9]{2}$", example = "21")]
    pub wellbeing_county: Option<String>,
}
