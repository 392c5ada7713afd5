//! The operations on instruments.

use actix_web::get;
use lahete_domain::codes::{Code as _, Instrument};
use utoipa_actix_web::service_config::ServiceConfig;

use super::wire::MeasureInstrumentView;
use crate::http::answer::Answer;
use crate::http::extract::paging::{LIMIT_MAX, ListView, PageView};

/// Seconds for which others may keep the list: it changes with the program alone.
const KEPT_SECONDS: u32 = 3600;

/// Registers the operations.
pub fn configure(cfg: &mut ServiceConfig) {
    cfg.service(measure_instrument_list);
}

/// List instruments.
///
/// The questionnaires whose answers can be recorded: keys of the items, lowest and highest answer, the notice for every copy. There are no item texts: who
/// holds the licence has them.
#[utoipa::path(
    tag = "measures",
    security(()),
    responses((status = 200, description = "All instruments.", body = ListView<MeasureInstrumentView>))
)]
#[get("/measure-instruments")]
pub async fn measure_instrument_list() -> Answer {
    let items: Vec<_> = Instrument::ALL.iter().copied().map(MeasureInstrumentView::from).collect();
    Answer::list(&ListView { items, page: PageView { next: None, limit: LIMIT_MAX } }).public_for(KEPT_SECONDS)
}
