//! Paths of mappings of themes.

use actix_web::{get, put};
use lahete_domain::ids::ProgrammeId;

use super::cases;
use super::wire::{ThemeMappingPut, ThemeMappingView};
use crate::http::answer::Answer;
use crate::http::content_tag::tagged;
use crate::http::extract::{PathId, ValidJson};
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::operation::Operation;

/// Registers the operations.
pub fn configure(registry: &mut Registry<'_>) {
    registry.service(theme_mapping_view).service(theme_mapping_put);
}

/// Read the mapping of themes.
///
/// For coordinators and administrators: which classes, concepts and words of the national service directory belong to which of the ten themes. Until a
/// programme gives one of its own, the one that comes with the program holds, as version 1.
#[utoipa::path(
    tag = "activities",
    params(("programme_id" = Uuid, Path, description = "The programme.")),
    responses((status = 200, description = "The mapping.", body = ThemeMappingView))
)]
#[get("/theme-mappings/{programme_id}")]
pub async fn theme_mapping_view(op: Operation, path: PathId<ProgrammeId>) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let mapping = cases::view(db, ctx, path.0)?;
        Ok(tagged(Answer::ok(&ThemeMappingView::from(&mapping)), mapping.version))
    })
    .await
}

/// Give another mapping of themes.
///
/// In place of the present one. What is imported from now on follows it; what was imported before is looked at again in the background, until `applying`
/// is false.
#[utoipa::path(
    tag = "activities",
    params(("programme_id" = Uuid, Path, description = "The programme.")),
    request_body = ThemeMappingPut,
    responses((status = 200, description = "The mapping as it is now.", body = ThemeMappingView))
)]
#[put("/theme-mappings/{programme_id}")]
pub async fn theme_mapping_put(op: Operation, path: PathId<ProgrammeId>, body: ValidJson<ThemeMappingPut>) -> Result<Answer, Problem> {
    let store = op.state().store.clone();
    let answer = op
        .write(move |db, ctx| {
            let mapping = cases::put(db, ctx, path.0, &body.0)?;
            Ok(tagged(Answer::ok(&ThemeMappingView::from(&mapping)), mapping.version))
        })
        .await?;
    actix_web::rt::spawn(async move {
        loop {
            match cases::apply_next(&store).await {
                Ok(true) => {}
                Ok(false) => return,
                // Whoever looks next goes on where it stands.
                Err(error) => return log::warn!("a mapping of themes is not applied yet: {error:?}"),
            }
        }
    });
    Ok(answer)
}
